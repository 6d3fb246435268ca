"""Mass moved along rays: W1 against the exact solver, against sums by hand, and on fresh samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from drawn_potentials import DIMENSIONS, POTENTIALS, cloud

import otgan
from otgan.data import SampleSet, load
from otgan.errors import InvalidInput
from otgan.pairs import Jitter, LeastCones, LipschitzNetwork, Planes, RayField, RayPotential, Rays
from otgan.pairs import rays as rays_module
from otgan.pairs.bases import gaussian, uniform

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = pytest.mark.parametrize("kind", POTENTIALS)
DIM = pytest.mark.parametrize("dim", DIMENSIONS)
WAY = pytest.mark.parametrize("way", ["down", "up"])


def lengths(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.linalg.norm(x - y, axis=1)


def normal(n: int, rng: np.random.Generator, dim: int = 2) -> np.ndarray:
    return rng.standard_normal((n, dim))


class Bent(RayPotential):
    """|x| on the line; says that all rays go on for ever, which is wrong where they reach zero."""

    @property
    def dimension(self) -> int:
        return 1

    def _values(self, points: np.ndarray) -> np.ndarray:
        return np.abs(points[:, 0])

    def _rays(self, points: np.ndarray) -> RayField:
        without_end = np.full(len(points), math.inf)
        return RayField(self._values(points), np.where(points < 0, -1.0, 1.0), without_end, without_end)


def assert_exact(kind: str, dim: int, way: str, seeds: range, n: int) -> None:
    pair = Rays(gaussian(dim), POTENTIALS[kind](dim, 0), direction=way)
    for seed in seeds:
        x, y = pair.coupled(n, np.random.default_rng(seed))
        assert otgan.solve(x, y).value == pytest.approx(lengths(x, y).mean(), rel=1e-9)
        np.testing.assert_allclose(pair.potential(y) - pair.potential(x), lengths(x, y), rtol=0, atol=1e-11)
    assert pair.dropped == 0


@EVERY
@DIM
@WAY
def test_what_moves_along_rays_is_moved_optimally(kind: str, dim: int, way: str) -> None:
    assert_exact(kind, dim, way, range(1 if dim == 784 else 2), n=150)


@pytest.mark.long
@EVERY
@DIM
@WAY
def test_fifty_draws_are_moved_optimally(kind: str, dim: int, way: str) -> None:
    assert_exact(kind, dim, way, range(100, 150), n=100)


@EVERY
@pytest.mark.parametrize("dim", [2, 16])
@WAY
def test_w1_is_the_mean_of_other_draws(kind: str, dim: int, way: str) -> None:
    pair = Rays(uniform(dim, 1.5), POTENTIALS[kind](dim, 0), direction=way, shares=(0.5, 1.0))
    value, stderr = pair.w1
    assert stderr < 0.01 * value
    moved = lengths(*pair.coupled(20_000, np.random.default_rng(0)))
    assert abs(moved.mean() - value) < 5 * math.hypot(stderr, moved.std() / math.sqrt(len(moved)))


@EVERY
def test_w1_in_the_plane_is_the_exact_distance_of_fresh_samples(kind: str) -> None:
    """Of independent samples the expected distance lies above W1, by less the more points there are."""
    pair = Rays(gaussian(2), POTENTIALS[kind](2, 0), shares=1.0)
    truth, stderr = pair.w1
    n, runs = 800, 3
    samples = [pair.sample(n, np.random.default_rng(seed)) for seed in range(runs)]
    found = np.mean([otgan.wasserstein(x, y) for x, y in samples])
    spread = np.vstack(samples[0]).std(axis=0).sum()
    noise = 4 * spread * math.sqrt(2 / (n * runs)) + 4 * stderr
    assert -noise < found - truth < noise + 2 * spread * math.sqrt(math.log(n) / n)


@EVERY
@DIM
def test_gradients_are_unit_and_point_from_y_to_x_along_the_whole_move(kind: str, dim: int) -> None:
    pair = Rays(gaussian(dim), POTENTIALS[kind](dim, 0), direction="up")
    x, y = pair.coupled(100, np.random.default_rng(0))
    moved = lengths(x, y) > 1e-6
    assert moved.mean() > 0.9
    x, y = x[moved], y[moved]
    for share in (0.1, 0.5, 0.9):
        found = pair.gradient(y + share * (x - y))
        np.testing.assert_allclose(found, (x - y) / lengths(x, y)[:, None], rtol=0, atol=1e-7)
    at = pair.gradient_test_points(100, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(pair.gradient(at), axis=1), 1.0, rtol=1e-12)


@EVERY
@pytest.mark.parametrize("shares", [0.3, np.linspace(0.0, 1.0, 60)], ids=["one share", "a share each"])
def test_a_finite_base_has_an_exact_w1(kind: str, shares: Any) -> None:
    points = cloud(16, seed=9, n=60)
    weighted = SampleSet("weighted", points, (16,), "drawn", weights=np.arange(1.0, 61.0))
    for base in (points, weighted):
        pair = Rays(base, POTENTIALS[kind](16, 0), shares=shares)
        x, y, masses = pair.support()
        np.testing.assert_array_equal(y, points)
        assert masses.sum() == pytest.approx(1.0)
        value, stderr = pair.w1
        assert stderr == 0.0
        assert otgan.wasserstein(x, y, a=masses, b=masses) == pytest.approx(value, rel=1e-9)
        drawn, start = pair.coupled(500, np.random.default_rng(0))
        rows = {y.tobytes(): x for x, y in zip(x, y, strict=True)}
        np.testing.assert_allclose([rows[each.tobytes()] for each in start], drawn, rtol=0, atol=1e-12)


def test_random_shares_of_a_finite_base_have_an_exact_w1_too() -> None:
    whole = Rays(cloud(4), POTENTIALS["tree"](4, 0), shares=1.0)
    some = Rays(cloud(4), POTENTIALS["tree"](4, 0), shares=(0.1, 0.5))
    assert some.w1 == (pytest.approx(0.3 * whole.w1[0]), 0.0)
    x, y = some.coupled(2000, np.random.default_rng(0))
    share = lengths(x, y).mean() / some.w1[0]
    assert share == pytest.approx(1.0, abs=0.1)


def test_eights_moved_towards_threes() -> None:
    """Real images, 784 pixels: the mean move, the exact distance, and the dual value of u are one number."""
    eights, threes = load("mnist:8").points[:400], load("mnist:3").points[:64]
    rng = np.random.default_rng(0)
    u = LeastCones(threes, 0.1 * rng.standard_normal(64))
    pair = Rays(eights, u, shares=rng.uniform(size=400))
    x, y, _ = pair.support()
    value, stderr = pair.w1
    assert otgan.solve(x, y).value == pytest.approx(value, rel=1e-9)
    assert (u.values(y) - u.values(x)).mean() == pytest.approx(value, rel=1e-9)
    assert stderr == 0.0
    assert 4.0 < value < 8.0


def test_shares_of_a_function() -> None:
    pair = Rays(gaussian(2), Planes([[1.0, 0.0]]), shares=lambda n, rng: rng.beta(1, 3, n), longest=2.0)
    value, stderr = pair.w1
    assert value == pytest.approx(2.0 / 4, abs=5 * stderr)
    assert 0 < stderr < 0.01
    with pytest.raises(InvalidInput, match=r"\[0, 1\]"):
        Rays(gaussian(2), Planes([[1.0, 0.0]]), shares=lambda n, rng: np.full(n, 1.5)).coupled(
            3, np.random.default_rng(0)
        )
    with pytest.raises(InvalidInput, match=r"\(3,\)"):
        Rays(gaussian(2), Planes([[1.0, 0.0]]), shares=lambda n, rng: 0.5 * np.ones(2)).coupled(
            3, np.random.default_rng(0)
        )


def test_one_plane_moves_everything_as_far() -> None:
    """A translation, whose W1 is its length; without ``longest`` rays end at twice the base's spread."""
    pair = Rays(gaussian(9), Planes(np.eye(9)[:1]), shares=0.5, longest=3.0)
    assert pair.w1 == (pytest.approx(1.5), pytest.approx(0.0, abs=1e-12))
    points = np.array([[-1.0, 0.0], [1.0, 0.0]])
    assert Rays(points, Planes([[0.0, 1.0]]), shares=1.0).w1[0] == pytest.approx(2.0)


def test_a_funnel_on_the_line_has_the_distance_of_an_integral() -> None:
    """All of [-1, 1] moved half the way to zero: a mean of 1/4."""
    value, stderr = Rays(uniform(1, 1.0), LeastCones([[0.0]], [0.0]), shares=0.5).w1
    assert value == pytest.approx(0.25, abs=5 * stderr)


def test_the_standard_error_is_honest(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRUTH_DRAWS", "FEWEST_DRAWS"):
        monkeypatch.setattr(rays_module, name, 2**10)
    estimates, claimed = [], []
    for seed in range(40):
        monkeypatch.setattr(rays_module, "TRUTH_SEED", seed)
        value, stderr = Rays(gaussian(2), POTENTIALS["tree"](2, 0), longest=3.0).w1
        estimates.append(value)
        claimed.append(stderr)
    assert 0.7 < np.std(estimates, ddof=1) / np.mean(claimed) < 1.35  # chi with 39 degrees of freedom, 1 in 500


def test_points_whose_rays_are_wrong_are_dropped_and_counted() -> None:
    """|x| falls down to zero only: points nearer than the move are no part of Q, whatever is drawn."""
    with pytest.warns(RuntimeWarning, match="2 of 5 points are dropped"):
        pair = Rays([-3.0, -0.5, 0.25, 2.0, 4.0], Bent(), shares=1.0, longest=1.0)
    assert pair.dropped == 2
    x, y, masses = pair.support()
    assert (x[:, 0].tolist(), y[:, 0].tolist()) == ([-2.0, 1.0, 3.0], [-3.0, 2.0, 4.0])
    assert masses.tolist() == [1 / 3] * 3
    assert pair.w1 == (1.0, 0.0)
    with pytest.warns(RuntimeWarning, match="dropped"):
        pair = Rays(uniform(1, 2.0), Bent(), shares=1.0, longest=1.0)
    x, y = pair.coupled(1000, np.random.default_rng(0))
    assert (np.abs(y) >= 1.0).all()
    np.testing.assert_allclose(np.abs(y) - np.abs(x), 1.0)
    assert pair.dropped > 500
    with pytest.raises(InvalidInput, match="along none"), pytest.warns(RuntimeWarning):
        Rays([-0.5, 0.5], Bent(), longest=1.0)
    with pytest.raises(InvalidInput, match="could not be replaced"), pytest.warns(RuntimeWarning):
        Rays(uniform(1, 0.5), Bent(), longest=1.0)


def test_shares_given_one_by_one_stay_with_their_points_when_others_are_dropped() -> None:
    with pytest.warns(RuntimeWarning, match="1 of 3"):
        pair = Rays([3.0, 0.5, 5.0], Bent(), shares=[0.5, 0.1, 1.0], longest=1.0)
    assert pair.support()[0][:, 0].tolist() == [2.5, 4.0]
    assert pair.w1 == (0.75, 0.0)


def test_seeds() -> None:
    pair = Rays(normal, POTENTIALS["tree"](2, 0))
    (x, y), (same_x, same_y) = (pair.coupled(50, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(x, same_x)
    np.testing.assert_array_equal(y, same_y)
    np.testing.assert_array_equal(y, pair.target(50, np.random.default_rng(3)))
    assert (x != pair.coupled(50, np.random.default_rng(4))[0]).any()
    assert pair.w1 == Rays(normal, POTENTIALS["tree"](2, 0)).w1


def test_moves_need_a_generator_where_shares_are_random() -> None:
    y = cloud(2, seed=9, n=10)
    fixed, some = (Rays(normal, POTENTIALS["network"](2, 0), shares=shares) for shares in (1.0, (0.0, 1.0)))
    whole = lengths(fixed.move(y), y)
    part = lengths(some.move(y, np.random.default_rng(0)), y)
    assert (part <= whole + 1e-12).all()
    assert (part < whole).any()
    with pytest.raises(InvalidInput, match="rng"):
        some.move(y)


def test_both_sides_are_independent() -> None:
    x, y = Rays(normal, Planes([[1.0, 0.0]])).sample(20_000, np.random.default_rng(0))
    assert abs(np.corrcoef(x[:, 1], y[:, 1])[0, 1]) < 4 / math.sqrt(20_000)


def test_bases_of_every_kind() -> None:
    u = LeastCones.random(load("digits:3").points, 8)
    name = Rays("digits:8", u, shares=0.5)
    assert name.w1 == Rays(load("digits:8"), u, shares=0.5).w1 == Rays(load("digits:8").points, u, shares=0.5).w1
    images = load("digits:8").points.reshape(-1, 8, 8)
    jittered = Rays(images, u, jitter=Jitter(shift=0.1, rotation=1.0, noise=0.01), shares=0.5)
    assert jittered.w1[1] > 0
    y = jittered.target(500, np.random.default_rng(0))
    assert len(np.unique(y, axis=0)) == 500
    assert jittered.w1[0] == pytest.approx(name.w1[0], rel=0.1)


def test_weights_of_a_base_are_drawn_by() -> None:
    base = SampleSet("two", np.array([[1.0], [3.0]]), (1,), "by hand", weights=np.array([1.0, 3.0]))
    y = Rays(base, LeastCones([[0.0]], [0.0])).target(4000, np.random.default_rng(0))
    assert (y == 3.0).mean() == pytest.approx(0.75, abs=0.04)


U = LeastCones([[0.0, 0.0]], [0.0])
RNG = np.random.default_rng(0)
WIDE = LipschitzNetwork([np.eye(5)[:, :2] + 0.1, np.ones((1, 5))], [np.zeros(5), [0.0]])
REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    ("a function as potential", lambda: Rays(normal, len), "potential"),  # pyright: ignore[reportArgumentType]
    ("other space", lambda: Rays(np.zeros((3, 5)), U), "2 coordinates"),
    ("NaN base", lambda: Rays([[math.nan, 0.0]], U), "base.*NaN"),
    ("no such set", lambda: Rays("no-such-set", U), "no-such-set"),
    ("a base that draws less", lambda: Rays(lambda n, rng: np.zeros((n - 1, 2)), U), "base"),
    ("a base that draws NaN", lambda: Rays(lambda n, rng: np.full((n, 2), math.nan), U), "base draws.*NaN"),
    ("sideways", lambda: Rays(normal, U, direction="left"), "direction"),
    ("a share above one", lambda: Rays(normal, U, shares=1.5), "shares"),
    ("low above high", lambda: Rays(normal, U, shares=(0.5, 0.2)), "low <= high"),
    ("shares of no points", lambda: Rays(normal, U, shares=[0.5, 0.5, 0.5]), "finite base"),
    ("too few shares", lambda: Rays([[1.0, 1.0]] * 3, U, shares=[0.5, 0.5]), r"\(3,\)"),
    ("a negative share", lambda: Rays([[1.0, 1.0]] * 2, U, shares=[0.5, -0.5]), r"\[0, 1\]"),
    ("text as shares", lambda: Rays(normal, U, shares="far"), "shares"),
    ("negative length", lambda: Rays(normal, U, longest=-1.0), "longest"),
    ("a dict as jitter", lambda: Rays(normal, U, jitter={"noise": 1.0}), "jitter"),  # pyright: ignore[reportArgumentType]
    ("turned points", lambda: Rays(np.ones((3, 2)), U, jitter=Jitter(rotation=5.0)), "images"),
    ("nothing moves", lambda: Rays([[0.0, 0.0]], U), "nothing can be moved"),
    ("nor behind a wide layer", lambda: Rays(normal, WIDE), "nothing can be moved"),
    ("one point, no end", lambda: Rays([[1.0, 1.0]], Planes([[0.0, 1.0]])), "longest"),
    ("no finite base", lambda: Rays(normal, U).support(), "finite base"),
    ("random shares", lambda: Rays([[1.0, 1.0]], U).support(), "finite base"),
    ("a move of given shares", lambda: Rays([[1.0, 1.0]], U, shares=[0.5]).move([[1.0, 1.0]]), "shares"),
    ("a seed as generator", lambda: Rays(normal, U).coupled(3, 0), "rng"),  # pyright: ignore[reportArgumentType]
    ("no points", lambda: Rays(normal, U).target(0, RNG), "n must"),
    ("jitter of nothing", lambda: Jitter(), "jitter"),
    ("negative noise", lambda: Jitter(noise=-1.0), "noise"),
]


@pytest.mark.parametrize(("make", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refusal:
        make()
    assert str(refusal.value).rstrip().endswith(".")


@pytest.mark.parametrize("method", ["gradient", "potential", "move"])
def test_points_of_another_space_are_refused(method: str) -> None:
    with pytest.raises(InvalidInput, match="2 columns"):
        getattr(Rays(normal, U, shares=1.0), method)(np.zeros((4, 3)))
