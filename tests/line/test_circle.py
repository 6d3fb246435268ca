"""The circle: against linear programs, theorems, brute force over all cuts, and rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as hst

import otgan
from otgan.kernels.select import weighted_median
from otgan.line.circle import around
from otgan.testing import assert_metric

ORDERS = [1, 1.5, 2, 3, 7]
PERIODS = [1.0, 24.0, 2 * math.pi, 1e-3]


class Samples(NamedTuple):
    """Two weighted samples on a circle."""

    u: np.ndarray
    v: np.ndarray
    a: np.ndarray
    b: np.ndarray
    period: float


@hst.composite
def samples(draw: Any) -> Samples:
    """Points spread over the circle, on a lattice of it with ties, or in an arc; any weights, zero among them."""
    rng = np.random.default_rng(draw(hst.integers(0, 2**32)))
    n, m = draw(hst.integers(1, 8)), draw(hst.integers(1, 8))
    period = draw(hst.sampled_from(PERIODS))
    kind = draw(hst.sampled_from(["spread", "lattice", "arc"]))
    if kind == "lattice":
        u, v = rng.integers(-9, 9, size=n) / 8, rng.integers(-9, 9, size=m) / 8
    else:
        u, v = rng.normal(size=n), rng.normal(size=m)
        u, v = (u, v) if kind == "spread" else (0.05 * u + 0.5, 0.05 * v + 0.5)
    a, b = np.full(n, 1 / n), np.full(m, 1 / m)
    if draw(hst.booleans()):
        a, b = rng.integers(0, 4, size=n) + 0.0, rng.dirichlet(np.ones(m))
        a[0] += 1
        a /= a.sum()
    return Samples(u * period, v * period, a, b, period)


def distance(case: Samples, p: float, **other: Any) -> float:
    u, v, a, b, period = case._replace(**other)
    return otgan.wasserstein_circle(u, v, p, a=a, b=b, period=period)


def arcs(u: np.ndarray, v: np.ndarray, period: float) -> np.ndarray:
    """Lengths of the shorter arcs."""
    along = np.abs(np.subtract.outer(u, v)) % period
    return np.minimum(along, period - along)


@pytest.mark.parametrize("p", ORDERS)
def test_against_the_linear_program(p: float) -> None:
    @given(samples())
    def check(case: Samples) -> None:
        C = (arcs(case.u, case.v, case.period) / case.period) ** p
        program = otgan.solve_cost(C, case.a, case.b, method="linprog", throw=False)
        found = (distance(case, p) / case.period) ** p
        assert program.lower * (1 - 1e-12) - 1e-15 <= found <= program.upper * (1 + 1e-12) + 1e-15

    check()


@given(samples())
def test_infinite_order_is_the_limit(case: Samples) -> None:
    """W_p <= W_inf, all mass can move within W_inf, and not all of it within less."""
    farthest = distance(case, math.inf)
    assert distance(case, 40) <= farthest * (1 + 1e-12)
    C = arcs(case.u, case.v, case.period)
    short = (farthest * (1 + 1e-9) < C).astype(float)
    assert otgan.solve_cost(short, case.a, case.b).value <= 1e-12
    shorter = (farthest * (1 - 1e-9) <= C).astype(float)
    assert farthest <= 1e-12 * case.period or otgan.solve_cost(shorter, case.a, case.b).value > 1e-6


@pytest.mark.parametrize("p", [1, 2, 3])
@given(hst.data())
def test_against_all_cuts_in_rational_arithmetic(p: int, data: Any) -> None:
    """Positions that nearly meet across the seam keep all their digits."""
    near = hst.builds(lambda k, e: k / 4 + e, hst.integers(-4, 4), hst.sampled_from([0.0, 1e-9, -1e-9, 1e-20, -1e-20]))
    n = data.draw(hst.integers(1, 5))
    u, v = (data.draw(hst.lists(near, min_size=n, max_size=n)) for _ in range(2))
    truth = min(rational_costs(u, v, p))
    expected = 0.0 if truth == 0 else math.exp((math.log(truth.numerator) - math.log(truth.denominator)) / p)
    assert otgan.wasserstein_circle(u, v, p) == pytest.approx(expected, rel=1e-13, abs=0)


def rational_costs(u: list[float], v: list[float], p: int) -> list[Fraction]:
    """The cost of every rotation of one sorted side against the other, n equal masses a side, on the unit circle."""
    left, right = (sorted(Fraction(t) % 1 for t in side) for side in (u, v))
    costs = []
    for k in range(len(left)):
        along = [abs(s - t) for s, t in zip(left, right[k:] + right[:k], strict=True)]
        costs.append(sum((min(d, 1 - d) ** p for d in along), Fraction(0)) / len(left))
    return costs


@pytest.mark.parametrize("p", [*ORDERS, math.inf])
def test_invariances(p: float) -> None:
    @given(samples(), hst.floats(-3, 3))
    def check(case: Samples, turn: float) -> None:
        u, v, a, b, period = case
        near: dict[str, Any] = {"rel": 1e-9, "abs": 1e-14 * period}
        found = distance(case, p)
        assert distance(Samples(v, u, b, a, period), p) == pytest.approx(found, **near)
        assert distance(case, p, u=-u, v=-v) == pytest.approx(found, **near)
        assert distance(case, p, u=u + turn * period, v=v + turn * period) == pytest.approx(found, **near)
        assert distance(case, p, u=u + 3 * period) == pytest.approx(found, **near)
        assert distance(case, p, u=4 * u, v=4 * v, period=4 * period) == pytest.approx(4 * found, rel=1e-13, abs=0)
        assert found <= period / 2 * (1 + 1e-14)
        assert distance(Samples(u, u[::-1], a, a[::-1], period), p) <= 1e-15 * period

    check()


@given(samples())
def test_orders_increase_towards_infinity(case: Samples) -> None:
    distances = [distance(case, p) for p in (1, 1.5, 2, 3, 7, math.inf)]
    for low, high in pairwise(distances):
        assert low <= high * (1 + 1e-12) + 1e-300


@pytest.mark.parametrize("p", [1, 2, math.inf])
def test_is_a_metric(p: float) -> None:
    cloud = hst.lists(hst.integers(0, 15).map(lambda k: k / 16), min_size=1, max_size=6).map(np.array)

    @given(hst.tuples(cloud, cloud, cloud))
    def check(clouds: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        assert_metric(lambda u, v: otgan.wasserstein_circle(u, v, p), clouds)

    check()


@pytest.mark.parametrize("p", [*ORDERS, math.inf])
@pytest.mark.parametrize("turn", [0.0, 0.1, 0.48, 0.8, 1.0, 7.25])
def test_turning_a_short_arc(p: float, turn: float) -> None:
    u = np.random.default_rng(0).random(50) / 100
    expected = min(turn % 1, 1 - turn % 1)
    assert otgan.wasserstein_circle(u, u + turn, p) == pytest.approx(expected, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("p", [*ORDERS, math.inf])
def test_inside_half_the_circle_it_is_the_line(p: float) -> None:
    rng = np.random.default_rng(0)
    u, v, a, b = rng.random(30) * 0.49, rng.random(40) * 0.49, rng.dirichlet(np.ones(30)), rng.dirichlet(np.ones(40))
    cases: list[dict[str, Any]] = [{}, {"a": a, "b": b}]
    for masses in cases:
        on_line = otgan.wasserstein_1d(u, v, p, **masses)
        assert otgan.wasserstein_circle(u, v, p, **masses) == pytest.approx(on_line, rel=1e-13, abs=0)
        assert otgan.wasserstein_circle(u + 0.8, v - 4.2, p, **masses) == pytest.approx(on_line, rel=1e-12, abs=0)


@pytest.mark.parametrize("p", ORDERS)
def test_the_uniform_distribution_against_a_point(p: float) -> None:
    """W_p^p = 2 int_0^(1/2) t^p dt; the middles of n equal arcs stand for the uniform distribution."""
    n = 100_000
    middles = (np.arange(n) + 0.5) / n
    expected = (2 * 0.5 ** (p + 1) / (p + 1)) ** (1 / p)
    assert otgan.wasserstein_circle(middles, [0.3], p) == pytest.approx(expected, rel=1e-8)
    assert otgan.wasserstein_circle([0.2], [0.9], p) == pytest.approx(0.3, rel=1e-15)


@pytest.mark.parametrize("p", [1, 2, 3, math.inf])
@pytest.mark.parametrize(("n", "m"), [(20_000, 20_000), (20_000, 19_999), (5_000, 30_000)])
def test_many_points(p: float, n: int, m: int) -> None:
    """In a few hundredths of a second each: anything quadratic would show in the time of the whole run."""
    rng = np.random.default_rng(0)
    u = np.sort(rng.random(n))
    assert otgan.wasserstein_circle(u, rng.permutation(u) + 1e-7, p) <= 1e-7 * (1 + 1e-8)
    v = rng.normal(size=m) * 0.2
    weighted = otgan.wasserstein_circle(u, v, p, a=np.full(n, 1 / n), b=np.full(m, 1 / m))
    assert weighted == pytest.approx(otgan.wasserstein_circle(u, v, p), rel=1e-12, abs=0)


def test_large_orders_of_small_distances() -> None:
    u, v = [0.0, 0.5], [1e-5, 0.5]
    assert otgan.wasserstein_circle(u, v, 50) == pytest.approx(1e-5 * 0.5 ** (1 / 50), rel=1e-13)
    u, v = [0.0, 1e-60], [1e-60, 3e-60]
    assert otgan.wasserstein_circle(u, v, 3) == pytest.approx(1e-60 * 4.5 ** (1 / 3), rel=1e-13)
    u, v = [0.0, 0.0], [0.0, 1e-9]
    assert otgan.wasserstein_circle(u, v, 100) == pytest.approx(1e-9 * 0.5 ** (1 / 100), rel=1e-13)


def test_axes_and_batches() -> None:
    rng = np.random.default_rng(0)
    u, v = rng.random((5, 3, 1)), rng.random((6, 3, 2))
    found = otgan.wasserstein_circle(u, v, 2, axis=0)
    assert found.shape == (3, 2)
    assert found[2, 1] == otgan.wasserstein_circle(u[:, 2, 0], v[:, 2, 1], 2)
    a = rng.dirichlet(np.ones(5), size=(3, 2)).transpose(2, 0, 1)
    weighted = otgan.wasserstein_circle(u, v, 2, a=a, axis=0)
    assert weighted[1, 0] == otgan.wasserstein_circle(u[:, 1, 0], v[:, 1, 0], 2, a=a[:, 1, 0])
    assert isinstance(otgan.wasserstein_circle([0.0], [1.0]), float)
    tensor = otgan.wasserstein_circle(torch.zeros(2, 3), torch.full((3,), 0.25))
    assert torch.equal(tensor, torch.full((2,), 0.25))


@given(hst.lists(hst.floats(-1e6, 1e6), min_size=1), hst.sampled_from(PERIODS))
def test_reduction_modulo_the_period_rounds_nothing(positions: list[float], period: float) -> None:
    for position, reduced in zip(positions, around(np.array(positions), period), strict=True):
        assert abs(reduced) <= period / 2
        assert (Fraction(position) - Fraction(float(reduced))) % Fraction(period) == 0


@given(
    hst.lists(hst.tuples(hst.integers(-3, 3), hst.integers(0, 2), hst.integers(0, 3)), min_size=1).filter(
        lambda s: any(w for *_, w in s)
    )
)
def test_weighted_median(triples: list[tuple[int, int, int]]) -> None:
    array = np.array(triples)
    weights = array[:, 2].astype(float)
    for rows in (array[:, :1], array[:, :2]):
        median = tuple(weighted_median(rows.copy(), weights.copy()))
        assert sum(w for row, w in zip(rows, weights, strict=True) if tuple(row) < median) <= weights.sum() / 2
        assert sum(w for row, w in zip(rows, weights, strict=True) if tuple(row) > median) <= weights.sum() / 2
