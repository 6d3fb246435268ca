"""The interval for the population's W1: it holds where W1 is known, and its parts are what theorems ask of them."""

from __future__ import annotations

import doctest
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hst
from scipy.stats import binom

import otgan
from otgan.errors import InvalidInput
from otgan.pairs import ShiftedGaussians, SphericalShells, random_funnels
from otgan.population.critics import Fitting, k_means
from otgan.testing import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]

NEVER_BEFORE = 0.999  # quantile of the misses that a true confidence of 0.95 would show


def gaussians(n: int, dim: int, shift: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return ShiftedGaussians(np.full(dim, shift / math.sqrt(dim))).sample(n, np.random.default_rng(seed))


def fitting(n: int, m: int, dim: int, seed: int = 0) -> Fitting:
    rng = np.random.default_rng(seed)
    return Fitting(rng.normal(size=(n, dim)), rng.normal(size=(m, dim)) ** 2, rng)


def names(dim: int) -> list[str]:
    return fitting(300, 300, dim).names()


@pytest.mark.parametrize("dim", [1, 2, 5, 40])
def test_every_function_is_1_lipschitz(dim: int) -> None:
    made = fitting(80, 60, dim)
    rng = np.random.default_rng(1)
    points = np.vstack([made.x, made.y, 3 * rng.normal(size=(100, dim))])
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    for name in made.names():
        values = made.fit(name)(points)
        assert values.shape == (len(points),), name
        assert (np.abs(np.subtract.outer(values, values)) - apart).max() <= 1e-12, name


@given(st.problems(n=hst.integers(2, 30), m=hst.integers(2, 30), p=1, metric="euclidean", masses=["equal"]))
@settings(max_examples=30)
def test_no_function_separates_any_samples_by_more_than_their_distance(problem: st.TransportProblem) -> None:
    """Kantorovich-Rubinstein, on the samples fitted to and with the sides exchanged."""
    made = Fitting(problem.x, problem.y, np.random.default_rng(0))
    scale = max(1e-300, float(np.abs(np.vstack([problem.x, problem.y])).max()))
    distance = otgan.wasserstein(problem.x, problem.y, rtol=1e-6)
    for name in made.names():
        function = made.fit(name)
        gap = function(problem.x).mean() - function(problem.y).mean()
        assert abs(gap) <= distance * (1 + 1e-6) + 1e-12 * scale, name


def test_units_and_offsets_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    x, y = (np.rint(rng.normal(size=(60, 2)) * 2**16) / 2**16 + [shift, 0] for shift in (1, 0))
    first = otgan.population_interval(x, y)
    for scale in (2.0**-300, 2.0**-1, 2.0**300):
        other = otgan.population_interval(scale * x, scale * y)
        assert (other.lower, other.upper) == (scale * first.lower, scale * first.upper)
        assert (other.below.how, other.above.how) == (first.below.how, first.above.how)
    for offset in (2.0**30, -1e9):
        far = otgan.population_interval(x + offset, y + offset)
        assert (far.lower, far.upper) == pytest.approx((first.lower, first.upper), abs=1e-7)


def test_the_samples_own_potentials_attain_their_distance() -> None:
    made = fitting(50, 70, 3)
    for side in ("x", "y"):
        function = made.fit(f"sample, from {side}")
        gap = function(made.x).mean() - function(made.y).mean()
        assert gap == pytest.approx(otgan.wasserstein(made.x, made.y), rel=1e-9)


def test_directions_find_the_plane_that_differs() -> None:
    rng = np.random.default_rng(0)
    x, y = 0.1 * rng.normal(size=(200, 20)), 0.1 * rng.normal(size=(200, 20))
    x[:, :2] += rng.normal(size=(200, 2))
    y[:, :2] += 3 * rng.normal(size=(200, 2))
    made = Fitting(x, y, rng)
    gaps = {name: made.fit(name)(x).mean() - made.fit(name)(y).mean() for name in made.names()}
    plane = otgan.wasserstein(x[:, :2], y[:, :2])
    assert gaps["2 directions, from x"] == pytest.approx(plane, rel=0.02)
    assert gaps["1 direction, from x"] < 0.8 * plane


def test_the_functions_on_offer() -> None:
    assert names(1) == ["mean difference", "sample, from x", "sample, from y"]
    assert {"radius, from x", "1 direction, from y", "4 directions, from x", "64 centroids of y"} < set(names(5))
    assert "8 directions, from x" not in names(5)
    assert not any("centroids" in name for name in fitting(10, 300, 5).names())


@given(st.point_clouds(n=12, dim=2), hst.integers(1, 20))
def test_k_means(points: np.ndarray, k: int) -> None:
    centers, shares = k_means(points, k, np.random.default_rng(0))
    assert len(centers) == len(shares) <= min(k, len(np.unique(points, axis=0)))
    assert (shares > 0).all()
    assert shares.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(shares @ centers, points.mean(axis=0), rtol=1e-9, atol=1e-9 * np.abs(points).max())


def clusters(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two far clusters of equal masses: potentials jump with the sign of the difference of counts."""
    sides = [10.0 * rng.integers(2, size=n) + 0.1 * rng.standard_normal(n) for _ in range(2)]
    return sides[0] + 0.5, sides[1]


def equal(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.standard_normal(n), rng.standard_normal(n)


tips = SphericalShells([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]])
KNOWN: dict[str, tuple[float, Draw, int, int]] = {
    "barely shifted Gaussians": (0.1, ShiftedGaussians([0.1]).sample, 100, 200),
    "shifted Gaussians": (1.0, ShiftedGaussians([1.0]).sample, 50, 200),
    "funnels on the line": (random_funnels(1, 3, 0).w1[0], random_funnels(1, 3, 0).sample, 100, 200),
    "far clusters": (0.5, clusters, 100, 200),
    "equal": (0.0, equal, 100, 200),
    "funnels": (random_funnels(2, 4, 0).w1[0], random_funnels(2, 4, 0).sample, 100, 40),
    "tips and spheres": (1.0, tips.sample, 100, 40),
    "Gaussians in many dimensions": (2.0, ShiftedGaussians(np.full(8, 2 / math.sqrt(8))).sample, 100, 40),
}


FIRST = ("shifted Gaussians", "funnels", "equal")  # the others take as long again


@pytest.mark.parametrize("case", [pytest.param(name, marks=[pytest.mark.long] * (name not in FIRST)) for name in KNOWN])
def test_coverage(case: str) -> None:
    truth, draw, n, repetitions = KNOWN[case]
    found = [
        otgan.population_interval(*draw(n, np.random.default_rng([1, seed])), seed=seed) for seed in range(repetitions)
    ]
    too_high, too_low = sum(i.lower > truth for i in found), sum(i.upper < truth for i in found)
    assert too_high <= binom.ppf(NEVER_BEFORE, repetitions, 0.025)
    assert too_low <= binom.ppf(NEVER_BEFORE, repetitions, 0.025)
    assert too_high + too_low <= binom.ppf(NEVER_BEFORE, repetitions, 0.05)


def test_a_narrow_confidence_misses_as_often_as_it_says() -> None:
    """Where both bounds are tight: the margins are not wider than they have to be."""
    found = [otgan.population_interval(*gaussians(60, 1, 3.0, seed), confidence=0.5, seed=seed) for seed in range(200)]
    covered = sum(3.0 in interval for interval in found)
    assert binom.ppf(0.001, 200, 0.5) <= covered <= binom.ppf(0.999, 200, 0.6)


@pytest.mark.parametrize(("n", "dim"), [(1000, 1), (1000, 2), (500, 8), (60, 784)])
def test_the_interval_holds_and_tells_how(n: int, dim: int) -> None:
    interval = otgan.population_interval(*gaussians(n, dim, 3.0))
    assert 3.0 in interval
    assert 0 < interval.lower < interval.upper
    assert interval.width == interval.upper - interval.lower
    assert interval.lower == interval.below.estimate - interval.below.margin
    assert interval.upper == interval.above.estimate + interval.above.margin
    assert interval.below.margin > 1.9 * interval.below.stderr
    assert interval.sizes == (n, n)
    assert interval.below.how in repr(interval)
    assert f"{interval.upper:.4g}" in repr(interval)


def test_more_points_and_less_confidence_are_narrower() -> None:
    widths = [otgan.population_interval(*gaussians(n, 2)).width for n in (50, 200, 1000)]
    assert widths == sorted(widths, reverse=True)
    x, y = gaussians(200, 2)
    levels = [otgan.population_interval(x, y, confidence=c).width for c in (0.5, 0.9, 0.95, 0.999)]
    assert levels == sorted(levels)


def test_everything_random_follows_from_the_seed() -> None:
    x, y = gaussians(100, 3)
    first, second, other = (otgan.population_interval(x, y, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert other.below != first.below
    assert other.upper == pytest.approx(first.upper, rel=0.1)


@pytest.mark.parametrize("scale", [2.0**-400, 2.0**-30, 2.0**40, 2.0**400])
def test_units_do_not_matter(scale: float) -> None:
    x, y = gaussians(80, 3)
    one, other = otgan.population_interval(x, y), otgan.population_interval(scale * x, scale * y)
    assert other.lower == pytest.approx(scale * one.lower, rel=1e-4)
    assert other.upper == pytest.approx(scale * one.upper, rel=1e-4)


def test_an_offset_does_not_matter() -> None:
    x, y = (np.round(side * 2**20) / 2**20 for side in gaussians(80, 3))
    one, other = otgan.population_interval(x, y), otgan.population_interval(x + 2.0**20, y + 2.0**20)
    assert other.lower == pytest.approx(one.lower, rel=1e-4)
    assert other.upper == pytest.approx(one.upper, rel=1e-4)


def test_sides_of_different_size_and_lists() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=400), rng.normal(size=90) + 2
    interval = otgan.population_interval(x.tolist(), y.tolist())
    assert 2.0 in interval
    assert interval.sizes == (400, 90)


def test_distributions_of_one_point_each() -> None:
    interval = otgan.population_interval(np.zeros((20, 2)), np.tile([3.0, 4.0], (20, 1)))
    # Of events of probability -log(.025) / n nothing shows in n draws with probability .025: of 20, and 13 held out.
    assert interval.lower == pytest.approx(5.0 * (1 + math.log(0.025) / 13))
    assert interval.upper == pytest.approx(5.0 * (1 - math.log(0.025) / 20))
    same = otgan.population_interval(np.ones((20, 2)), np.ones((20, 2)))
    assert (same.lower, same.upper) == (0.0, math.inf)
    assert "all points are one" in repr(same)
    assert "nominal" in repr(same)


def test_as_few_points_as_are_allowed() -> None:
    for folds in (2, 3, 4, 10):
        interval = otgan.population_interval(*gaussians(4 * folds, 3, 20.0), folds=folds)
        judged = 4 * folds - round(4 * folds / 3)
        # Of few draws an event of a large probability shows nothing: it may be all that the distance is known to.
        assert max(0.0, 20.0 * (1 + math.log(0.025) / judged) - 5) <= interval.lower < 20.0 < interval.upper
        assert interval.upper < 25.0 * (1 - math.log(0.025) / (4 * folds))
        with pytest.raises(InvalidInput, match="folds"):
            otgan.population_interval(*gaussians(4 * folds - 1, 3), folds=folds)


def test_a_critic_that_knows_more_raises_the_lower_bound() -> None:
    pair = random_funnels(16, 64, 0)
    x, y = pair.sample(200, np.random.default_rng(0))
    alone = otgan.population_interval(x, y)
    # Single precision, a column, a constant of its own: as networks are.
    helped = otgan.population_interval(
        x, y, critic=lambda points: (-3 * pair.potential(points)[:, None]).astype(np.float32), lipschitz=3.0
    )
    assert helped.below.how == "the critic given"
    assert alone.lower < 0.8 * helped.lower
    assert pair.w1[0] in helped
    useless = otgan.population_interval(x, y, critic=lambda points: np.zeros(len(points)), lipschitz=1)
    assert useless.lower == alone.lower


def test_a_critic_may_be_a_torch_module() -> None:
    torch = pytest.importorskip("torch")
    network = torch.nn.Linear(2, 1).double()
    x, y = gaussians(60, 2)

    def critic(points: np.ndarray) -> Any:
        return network(torch.as_tensor(points))

    constant = float(torch.linalg.vector_norm(network.weight.detach())) * (1 + 1e-12)
    interval = otgan.population_interval(torch.as_tensor(x), torch.as_tensor(y), critic=critic, lipschitz=constant)
    assert interval.lower <= interval.upper


BAD_CRITICS: dict[str, tuple[Any, Any, str]] = {
    "no constant": (lambda points: points[:, 0], None, "lipschitz must be given"),
    "no critic": (None, 1.0, "critic must be a function"),
    "not a function": (3.0, 1.0, "critic must be a function"),
    "a negative constant": (lambda points: points[:, 0], -1.0, "lipschitz"),
    "steeper than it says": (lambda points: 2 * points[:, 0], 1.0, "does not bound the slope"),
    "another shape": (lambda points: points[:-1, 0], 1.0, "one number for each"),
    "NaN": (lambda points: points[:, 0] * math.nan, 1.0, "NaN"),
}


@pytest.mark.parametrize("case", BAD_CRITICS)
def test_critics_that_are_refused(case: str) -> None:
    critic, lipschitz, message = BAD_CRITICS[case]
    x, y = gaussians(50, 2, 5.0)
    with pytest.raises(InvalidInput, match=message):
        otgan.population_interval(x, y, critic=critic, lipschitz=lipschitz)


@pytest.mark.parametrize("p", [2, 1.5, math.inf])
def test_other_powers_are_refused(p: float) -> None:
    with pytest.raises(InvalidInput, match="p must be 1"):
        otgan.population_interval(*gaussians(50, 2), p=p)


def test_the_documented_example() -> None:
    page = Path(__file__).parents[2] / "docs" / "population.md"
    sessions = re.findall(r"^```pycon\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    example = doctest.DocTestParser().get_doctest("\n".join(sessions), {}, page.name, str(page), 0)
    said: list[str] = []
    doctest.DocTestRunner().run(example, out=said.append)
    assert not said, "".join(said)


def rare(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Bernoulli(.01) against the constant 0."""
    return (rng.random(n) < 0.01).astype(float), np.zeros(n)


def rarely_back(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """1, but for one draw in a hundred, which is 0, against the constant 0."""
    return (rng.random(n) >= 0.01).astype(float), np.zeros(n)


def rarely_between(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two far clusters of y; a draw of x in a hundred is in the second."""
    low, high = rng.standard_normal((2, n))
    return low + 100 * (rng.random(n) < 0.01), high + 100 * (rng.random(n) < 0.5)


RARE: dict[str, tuple[float, Draw]] = {
    "above": (0.01, rare),
    "below": (0.99, rarely_back),
    "seen": (49.0, rarely_between),
}


@pytest.mark.parametrize("case", RARE)
def test_what_no_draw_shows_is_allowed_for(case: str) -> None:
    """More than a third of such samples show nothing of the event, and have no spread, or none on that scale."""
    truth, draw = RARE[case]
    found = [otgan.population_interval(*draw(100, np.random.default_rng([1, s])), seed=s) for s in range(60)]
    assert sum(truth not in interval for interval in found) <= binom.ppf(NEVER_BEFORE, 60, 0.05)


@pytest.mark.parametrize("cluster", [0.0, 100.0])
def test_a_diameter_allows_for_clusters_that_no_draw_fell_into(cluster: float) -> None:
    """1 % of x lies a distance away, of draws of which more than a third do not show it."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return cluster * (rng.random(100) < 0.01), np.zeros(100)

    found = [otgan.population_interval(*draw(np.random.default_rng([2, s])), seed=s, diameter=100.0) for s in range(60)]
    assert all(interval.upper >= (1 - 1e-12) * -math.log(0.025) for interval in found)
    assert sum(0.01 * cluster not in interval for interval in found) <= binom.ppf(NEVER_BEFORE, 60, 0.05)


@pytest.mark.parametrize("diameter", [-1.0, math.nan, math.inf, "1", 0.5])
def test_a_diameter_that_the_points_refute_is_refused(diameter: Any) -> None:
    x, y = gaussians(50, 2, 5.0)
    with pytest.raises(InvalidInput, match="diameter"):
        otgan.population_interval(x, y, diameter=diameter)


def test_a_critic_trained_on_a_part_never_sees_the_points_it_is_averaged_over() -> None:
    x, y = gaussians(400, 8, shift=2.0)
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def train(part_x: np.ndarray, part_y: np.ndarray) -> tuple[Any, float]:
        seen.append((part_x, part_y))
        direction = 3 * (part_x.mean(axis=0) - part_y.mean(axis=0)) + 1e-9
        return lambda points: points @ direction + 1e6, float(np.linalg.norm(direction)) * (1 + 1e-12)

    interval = otgan.population_interval(x, y, folds=2, train=train)
    again = otgan.population_interval(x, y, folds=2)
    assert interval.above.estimate == again.above.estimate
    assert len(seen) in (2, 3, 4)
    largest = max(len(part_x) for part_x, _ in seen)
    assert largest <= 400 - round(400 / 3)
    for part_x, part_y in seen:
        assert {row.tobytes() for row in part_x} <= {row.tobytes() for row in x}
        assert {row.tobytes() for row in part_y} <= {row.tobytes() for row in y}


def test_a_good_training_raises_the_lower_bound() -> None:
    pair = random_funnels(16, 16, 0)
    x, y = pair.sample(300, np.random.default_rng(0))
    plain = otgan.population_interval(x, y)
    helped = otgan.population_interval(x, y, train=lambda *_: (lambda points: -pair.potential(points), 1.0))
    assert helped.below.how == "a critic trained"
    assert plain.lower < helped.lower <= pair.w1[0]


@pytest.mark.parametrize(
    ("train", "words"),
    [
        (3, "train must be a function"),
        (lambda x, y: None, "train must return a pair"),
        (lambda x, y: (None, 1.0), "train must return a pair"),
        (lambda x, y: (lambda points: 2 * points[:, 0], 1.0), "does not bound the slope"),
        (lambda x, y: (lambda points: points, 1.0), "one number for each"),
    ],
)
def test_trainings_that_are_refused(train: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        otgan.population_interval(*gaussians(60, 2), train=train)
