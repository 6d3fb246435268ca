"""Pairs with a known W1, against the exact solver, against their own proof, and against formulas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst

import otgan
from otgan.errors import InvalidInput
from otgan.pairs import Funnels, MaxCones, MinMaxTree, Rays, ShiftedGaussians, SphericalShells, Translation
from otgan.pairs import pair as pair_module
from otgan.pairs.bases import gaussian
from otgan.pairs.cones import Cones, random_funnels, random_max_cones

if TYPE_CHECKING:
    from collections.abc import Callable

    from otgan.pairs import Pair

DIMENSIONS = (1, 2, 3, 16, 64)


def centers_apart(dim: int, seed: int) -> np.ndarray:
    """Three centres at distance 4 along a random direction."""
    direction = np.random.default_rng(seed).standard_normal(dim)
    return np.outer([-4.0, 0.0, 4.0], direction / np.linalg.norm(direction))


def covariance(dim: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).standard_normal((dim, max(1, dim // 2)))
    return root @ root.T


def points(dim: int) -> np.ndarray:
    return np.random.default_rng(dim).standard_normal((50, dim))


FAMILIES: dict[str, Callable[[int, int], Pair]] = {
    "funnels": lambda dim, seed: random_funnels(dim, 8, seed),
    "many funnels": lambda dim, seed: random_funnels(dim, 100, seed),
    "one funnel": lambda dim, seed: random_funnels(dim, 1, seed),
    "mild funnels": lambda dim, seed: Funnels(*cones_of(random_funnels(dim, 4, seed)), power=1.5),
    "max cones": lambda dim, seed: random_max_cones(dim, 8, seed),
    "one max cone": lambda dim, seed: random_max_cones(dim, 1, seed),
    "tips and spheres": lambda dim, seed: SphericalShells(centers_apart(dim, seed)),
    "shells": lambda dim, seed: SphericalShells(centers_apart(dim, seed), inner=0.5, outer=2.0),
    "boxes": lambda dim, seed: Translation(np.random.default_rng(seed).standard_normal(dim), 0.5),
    "Gaussians": lambda dim, seed: ShiftedGaussians(np.random.default_rng(seed).standard_normal(dim)),
    "rays of a tree": lambda dim, seed: Rays(gaussian(dim), MinMaxTree.random(points(dim), 8, seed=seed), shares=0.9),
    "flat Gaussians": lambda dim, seed: ShiftedGaussians(np.full(dim, 0.25), covariance(dim, seed)),
}
EVERY = pytest.mark.parametrize("family", FAMILIES)
CONES = pytest.mark.parametrize("family", [name for name in FAMILIES if "cone" in name or "funnel" in name])
DIM = pytest.mark.parametrize("dim", DIMENSIONS)


def cones_of(pair: Cones) -> tuple[np.ndarray, np.ndarray]:
    return pair.centers, pair.offsets


def with_power(family: str, dim: int, power: float) -> Cones:
    """The family's pair with another power."""
    made = FAMILIES[family](dim, 0)
    assert isinstance(made, Cones)
    return type(made)(*cones_of(made), power=power)


def lengths(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.linalg.norm(x - y, axis=1)


def coupled(family: str, dim: int, n: int, seed: int) -> tuple[Pair, np.random.Generator, np.ndarray, np.ndarray]:
    """A pair, n pairs of its points, and the generator that drew them."""
    pair, rng = FAMILIES[family](dim, 0), np.random.default_rng(seed)
    return pair, rng, *pair.coupled(n, rng)


def assert_the_potential_falls_by_the_distance(pair: Pair, x: np.ndarray, y: np.ndarray) -> None:
    np.testing.assert_allclose(pair.potential(y) - pair.potential(x), lengths(x, y), rtol=0, atol=1e-12)


@EVERY
@DIM
@pytest.mark.parametrize("seed", [0, 1])
def test_the_plan_is_optimal_on_its_own_sample(family: str, dim: int, seed: int) -> None:
    x, y = FAMILIES[family](dim, seed).coupled(300, np.random.default_rng(seed))
    assert otgan.solve(x, y).value == pytest.approx(lengths(x, y).mean(), rel=1e-9)


@EVERY
@DIM
def test_the_potential_proves_the_plan(family: str, dim: int) -> None:
    """It is 1-Lipschitz, and falls by |x - y| along every coupled pair."""
    pair, rng, x, y = coupled(family, dim, 300, seed=1)
    assert_the_potential_falls_by_the_distance(pair, x, y)
    points = np.vstack([x, y, 4 * rng.standard_normal((100, dim))])
    u = pair.potential(points)
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    assert (np.abs(np.subtract.outer(u, u)) - apart).max() <= 1e-12


@EVERY
@DIM
def test_the_gradient_is_unit_and_points_from_y_to_x(family: str, dim: int) -> None:
    pair, rng, x, y = coupled(family, dim, 500, seed=2)
    moved = lengths(x, y) > 1e-6
    assert moved.mean() > 0.5
    x, y = x[moved], y[moved]
    direction = (x - y) / lengths(x, y)[:, None]
    for share in (0.1, 0.5, 0.9):  # strictly between: x itself may lie where the potential has a kink
        np.testing.assert_allclose(pair.gradient(y + share * (x - y)), direction, rtol=0, atol=1e-8)
    anywhere = pair.gradient(rng.standard_normal((50, dim)))
    np.testing.assert_allclose(np.linalg.norm(anywhere, axis=1), 1.0, rtol=1e-12)


@EVERY
def test_the_gradient_is_that_of_the_optimal_critic(family: str) -> None:
    """-u rises at slope one along it."""
    pair = FAMILIES[family](3, 0)
    points = pair.gradient_test_points(200, np.random.default_rng(3))
    step = 1e-6
    rise = pair.potential(points) - pair.potential(points + step * pair.gradient(points))
    assert np.mean(np.abs(rise / step - 1) < 1e-6) > 0.98  # all but the kinks


@EVERY
@pytest.mark.parametrize("dim", [1, 2])
def test_w1_is_the_exact_distance_of_large_samples(family: str, dim: int) -> None:
    """Of independent samples the expected distance lies above W1, by less the more points there are."""
    pair = FAMILIES[family](dim, 3)
    truth, stderr = pair.w1
    n, runs = (10_000, 4) if dim == 1 else (800, 3)
    samples = [pair.sample(n, np.random.default_rng(seed)) for seed in range(runs)]
    found = [otgan.wasserstein(x, y) for x, y in samples]
    spread = np.vstack(samples[0]).std(axis=0).sum()
    noise = 4 * spread * math.sqrt(2 / (n * runs)) + 4 * stderr
    bias = 2 * spread * math.sqrt(math.log(n) / n)  # the rate in the plane, and more than on the line
    assert -noise < np.mean(found) - truth < noise + bias


@pytest.mark.parametrize("family", ["funnels", "max cones", "mild funnels"])
def test_the_standard_error_is_honest(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_module, "TRUTH_SAMPLES", 2**14)
    estimates, claimed = [], []
    for seed in range(40):
        monkeypatch.setattr(pair_module, "TRUTH_SEED", seed)
        value, stderr = FAMILIES[family](2, 0).w1
        estimates.append(value)
        claimed.append(stderr)
    ratio = np.std(estimates, ddof=1) / np.mean(claimed)
    assert 0.7 < ratio < 1.35  # chi with 39 degrees of freedom, a chance of 1 in 500


def test_w1_is_one_number() -> None:
    first, second = random_funnels(2, 4, 0), random_funnels(2, 4, 0)
    assert first.w1 == first.w1 == second.w1
    assert first.w1 != random_funnels(2, 4, 1).w1


def test_one_funnel_on_the_line_has_the_distance_of_an_integral() -> None:
    """From |y| uniform on (0, L) to L (|y| / L) ** p the mean move is L / 2 - L / (p + 1)."""
    value, stderr = Funnels([[0.0]], [0.0], half_width=2.0, power=4.0).w1
    assert value == pytest.approx(2.0 * (1 / 2 - 1 / 5), abs=5 * stderr)


@pytest.mark.parametrize("dim", [2, 5])
def test_a_rotation_moves_shells_and_gaussians_along(dim: int) -> None:
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    shells = SphericalShells(centers_apart(dim, 0))
    turned = SphericalShells(shells.centers @ turn)
    points = rng.standard_normal((20, dim))
    np.testing.assert_allclose(turned.gradient(points @ turn), shells.gradient(points) @ turn, atol=1e-12)
    assert turned.w1 == shells.w1


@CONES
@DIM
def test_moved_points_stay_in_the_box(family: str, dim: int) -> None:
    pair = FAMILIES[family](dim, 0)
    assert isinstance(pair, Cones)
    rng = np.random.default_rng(0)
    corners = pair.half_width * rng.choice([-1.0, 1.0], size=(50, dim))
    faces = pair.target(50, rng)
    faces[:, 0] = pair.half_width
    for y in (pair.target(2000, rng), corners, faces):
        x = pair.move(y)
        assert np.abs(x).max() <= pair.half_width
        assert (pair.potential(x) <= pair.potential(y) + 1e-12).all()
        assert_the_potential_falls_by_the_distance(pair, x, y)


@CONES
@DIM
def test_power_one_moves_nothing(family: str, dim: int) -> None:
    pair = with_power(family, dim, 1.0)
    x, y = pair.coupled(500, np.random.default_rng(0))
    np.testing.assert_array_equal(x, y)
    if dim == 1:
        assert pair.w1 == (0.0, 0.0)


@CONES
@DIM
def test_a_huge_power_moves_to_the_lower_ends(family: str, dim: int) -> None:
    pair = with_power(family, dim, 1e6)
    x, y = pair.coupled(300, np.random.default_rng(0))
    assert np.isfinite(x).all()
    if isinstance(pair, Funnels):
        assert np.median(np.linalg.norm(x[:, None] - pair.centers, axis=2).min(axis=1)) == 0.0
    assert otgan.solve(x, y).value == pytest.approx(lengths(x, y).mean(), rel=1e-9)


@CONES
@DIM
def test_points_on_a_centre(family: str, dim: int) -> None:
    pair = FAMILIES[family](dim, 0)
    assert isinstance(pair, Cones)
    x = pair.move(pair.centers)
    assert np.isfinite(x).all()
    assert_the_potential_falls_by_the_distance(pair, x, pair.centers)
    slopes = np.linalg.norm(pair.gradient(pair.centers), axis=1)
    assert (np.isclose(slopes, 1.0) | (slopes == 0.0)).all()
    if isinstance(pair, Funnels):
        tips = slopes == 0.0  # centres that no lower funnel covers
        np.testing.assert_array_equal(x[tips], pair.centers[tips])
        np.testing.assert_array_equal(pair.potential(pair.centers)[tips], pair.offsets[tips])


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_moves_never_pass_the_centre(dim: int) -> None:
    """From afar to within rounding of the centre: each coordinate keeps its side, and so the gradient its orthant."""
    pair = Funnels(np.full((1, dim), 0.3), [0.0])
    x, y = pair.coupled(20_000 // dim, np.random.default_rng(0))
    assert ((x - 0.3) * (y - 0.3) >= 0).all()


@pytest.mark.parametrize("kind", [Funnels, MaxCones])
@pytest.mark.parametrize("dim", [1, 2, 16])
def test_a_centre_that_comes_twice_changes_nothing(kind: type[Cones], dim: int) -> None:
    centers, offsets = cones_of(random_funnels(dim, 5, 0))
    once, twice = kind(centers, offsets), kind(np.vstack([centers, centers]), np.tile(offsets, 2))
    y = once.target(2000, np.random.default_rng(0))
    np.testing.assert_allclose(twice.move(y), once.move(y), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [Funnels, MaxCones])
@pytest.mark.parametrize("dim", [1, 2, 16])
def test_a_common_offset_changes_nothing(kind: type[Cones], dim: int) -> None:
    centers, offsets = cones_of(random_funnels(dim, 5, 0))
    low, high = kind(centers, offsets), kind(centers, offsets + 64.0)
    y = low.target(2000, np.random.default_rng(0))
    np.testing.assert_allclose(high.move(y), low.move(y), rtol=0, atol=1e-9)


@given(
    kind=hst.sampled_from([Funnels, MaxCones]),
    dim=hst.integers(1, 3),
    centers=hst.lists(hst.tuples(*[hst.integers(-4, 4)] * 3), min_size=1, max_size=5),
    offsets=hst.lists(hst.integers(-3, 3), min_size=5, max_size=5),
    points=hst.lists(hst.tuples(*[hst.integers(-8, 8)] * 3), min_size=1, max_size=8),
    power=hst.sampled_from([1.0, 2.0, 8.0, 1e6]),
)
def test_ties_and_corners_of_a_lattice(
    kind: type[Cones], dim: int, centers: list[Any], offsets: list[int], points: list[Any], power: float
) -> None:
    """Whole numbers meet every special case: ties, duplicates, covered centres, points on centres, faces, corners."""
    pair = kind(np.array(centers, float)[:, :dim], offsets[: len(centers)], half_width=4.0, power=power)
    y = np.array(points, float)[:, :dim] / 2
    x = pair.move(y)
    assert np.abs(x).max() <= 4.0
    assert_the_potential_falls_by_the_distance(pair, x, y)
    assert otgan.solve(x, y).value == pytest.approx(lengths(x, y).mean(), rel=1e-9, abs=1e-12)


def test_a_tip_on_the_ray_of_a_farther_cone_is_where_the_ray_ends() -> None:
    """Beyond it the tip's own cone is the greater one, though both are equal all the way down to it."""
    pair = MaxCones([[0.0, 1.0], [0.0, 0.0]], [0.0, 1.0], power=1e6)
    np.testing.assert_allclose(pair.move([[0.0, 0.0], [0.0, -1.0]]), [[0.0, 0.0], [0.0, 0.0]], atol=1e-5)


def test_samples_of_both_sides_are_independent() -> None:
    pair = ShiftedGaussians([1.0])
    x, y = pair.sample(20_000, np.random.default_rng(0))
    assert abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]) < 4 / math.sqrt(20_000)


@EVERY
def test_shapes_and_seeds(family: str) -> None:
    pair = FAMILIES[family](3, 0)
    first, second = (pair.sample(7, np.random.default_rng(5)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.shape == (7, 3)
        np.testing.assert_array_equal(one, other)
    assert pair.dimension == 3
    assert pair.gradient_test_points(7, np.random.default_rng(0)).shape == (7, 3)


def test_gaussians_have_the_covariance_asked_for() -> None:
    wanted = np.array([[2.0, 1.0], [1.0, 1.0]])
    x, y = ShiftedGaussians([1.0, 2.0], wanted).sample(100_000, np.random.default_rng(0))
    for side, mean in ((x, [1.0, 2.0]), (y, [0.0, 0.0])):
        np.testing.assert_allclose(np.cov(side.T), wanted, atol=0.05)
        np.testing.assert_allclose(side.mean(axis=0), mean, atol=0.03)


def test_pairs_do_not_change_with_the_arrays_they_were_made_of() -> None:
    centers, offsets, shift = np.zeros((1, 2)), np.zeros(1), np.ones(2)
    pair, shells, moved = Funnels(centers, offsets), SphericalShells(centers), Translation(shift)
    centers += 1.0
    offsets += 1.0
    shift += 1.0
    assert pair.centers.max() == shells.centers.max() == pair.offsets[0] == 0.0
    assert moved.w1 == (math.sqrt(2), 0.0)
    for held in (pair.centers, pair.offsets, shells.centers, moved.shift):
        with pytest.raises(ValueError, match="read-only"):
            held[0] = 5.0


NAN = math.nan
REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    ("NaN centre", lambda: Funnels([[0.0, NAN]], [0.0]), "centers.*NaN"),
    ("no centres", lambda: MaxCones(np.zeros((0, 2)), []), "centers.*empty"),
    ("centre outside", lambda: Funnels([[0.0, 3.0]], [0.0]), "centers.*box"),
    ("few offsets", lambda: MaxCones([[0.0], [1.0]], [0.0]), r"offsets.*\(2,\)"),
    ("a column of offsets", lambda: Funnels([[0.0]], [[0.0]]), "offsets"),
    ("NaN offset", lambda: Funnels([[0.0]], [NAN]), "offsets.*NaN"),
    ("no width", lambda: Funnels([[0.0]], [0.0], half_width=0.0), "half_width"),
    ("power below one", lambda: Funnels([[0.0]], [0.0], power=0.5), "power"),
    ("infinite power", lambda: MaxCones([[0.0]], [0.0], power=math.inf), "power"),
    ("no funnels", lambda: random_funnels(2, 0, 0), "n must"),
    ("half a dimension", lambda: random_funnels(2.5, 4, 0), "dim"),  # pyright: ignore[reportArgumentType]
    ("negative seed", lambda: random_max_cones(2, 4, -1), "seed"),
    ("crossing spheres", lambda: SphericalShells([[0.0, 0.0], [1.9, 0.0]]), "apart"),
    ("one centre twice", lambda: SphericalShells([[0.0], [0.0]]), "apart"),
    ("inner above outer", lambda: SphericalShells([[0.0]], inner=2.0), "inner"),
    ("negative inner", lambda: SphericalShells([[0.0]], inner=-0.5), "inner"),
    ("no outer", lambda: SphericalShells([[0.0]], outer=0.0), "outer"),
    ("NaN shells", lambda: SphericalShells([[NAN]]), "centers.*NaN"),
    ("zero shift", lambda: Translation([0.0, 0.0]), "shift"),
    ("NaN shift", lambda: Translation([NAN]), "shift.*NaN"),
    ("a matrix as shift", lambda: ShiftedGaussians([[1.0]]), "shift"),
    ("no box", lambda: Translation([1.0], half_width=-1.0), "half_width"),
    ("not symmetric", lambda: ShiftedGaussians([1.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
    ("wrong shape", lambda: ShiftedGaussians([1.0, 0.0], np.eye(3)), r"\(2, 2\)"),
    ("negative variance", lambda: ShiftedGaussians([1.0], [[-1.0]]), "negative eigenvalue"),
    ("NaN covariance", lambda: ShiftedGaussians([1.0], [[NAN]]), "covariance.*NaN"),
    ("outside the box", lambda: Funnels([[0.0]], [0.0]).move([[3.0]]), "box"),
    ("a seed as generator", lambda: Funnels([[0.0]], [0.0]).sample(3, 0), "rng"),  # pyright: ignore[reportArgumentType]
    ("no points", lambda: Translation([1.0]).coupled(0, np.random.default_rng(0)), "n must"),
]


@pytest.mark.parametrize(("make", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refusal:
        make()
    assert str(refusal.value).endswith(".")


@EVERY
@pytest.mark.parametrize("method", ["gradient", "potential", "move"])
def test_points_of_another_space_are_refused(family: str, method: str) -> None:
    call = getattr(FAMILIES[family](2, 0), method)
    with pytest.raises(InvalidInput, match="2 columns"):
        call(np.zeros((4, 3)))
    with pytest.raises(InvalidInput, match="NaN"):
        call([[0.0, NAN]])
    with pytest.raises(InvalidInput, match="empty"):
        call(np.zeros((0, 2)))
