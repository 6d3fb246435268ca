"""The line: against sums in rational arithmetic, linear programs, and brute force."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hst
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

import otgan
from otgan.errors import InvalidInput
from otgan.testing import assert_metric
from otgan.testing import strategies as st

ORDERS = [1, 2, 1.5, 3, 7]
ULP = 2.0**-52


def rational_cost(x: Any, a: Any, y: Any, b: Any, p: int) -> Fraction:
    """The cost of the coupling of quantiles without any rounding; a and b need not sum to one."""
    left = sorted([Fraction(u), Fraction(w)] for u, w in zip(x.tolist(), a.tolist(), strict=True))
    right = sorted([Fraction(u), Fraction(w)] for u, w in zip(y.tolist(), b.tolist(), strict=True))
    total = Fraction(0)
    i = j = 0
    while i < len(left) and j < len(right):
        mass = min(left[i][1], right[j][1])
        total += mass * abs(left[i][0] - right[j][0]) ** p
        left[i][1] -= mass
        right[j][1] -= mass
        i, j = i + (left[i][1] == 0), j + (right[j][1] == 0)
    return total


def root(cost: Fraction, p: int) -> float:
    """The p-th root, of numbers that may not fit into float64."""
    if cost == 0:
        return 0.0
    return math.exp((math.log(cost.numerator) - math.log(cost.denominator)) / p)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_weighted_clouds_in_rational_arithmetic(p: int) -> None:
    @given(st.problems(dim=1, masses=["cuts", "unequal"]))
    def check(problem: st.TransportProblem) -> None:
        x, y = problem.x[:, 0], problem.y[:, 0]
        truth = root(rational_cost(x, problem.a, y, problem.b, p), p)
        assert otgan.wasserstein_1d(x, y, p, a=problem.a, b=problem.b) == pytest.approx(truth, rel=1e-14, abs=0)

    check()


@pytest.mark.parametrize("p", [1, 2, 3])
def test_equal_weights_in_rational_arithmetic(p: int) -> None:
    @given(st.problems(dim=1))
    def check(problem: st.TransportProblem) -> None:
        x, y = problem.x[:, 0], problem.y[:, 0]
        n, m = len(x), len(y)
        truth = root(rational_cost(x, np.full(n, m), y, np.full(m, n), p) / (n * m), p)
        assert otgan.wasserstein_1d(x, y, p) == pytest.approx(truth, rel=1e-14, abs=0)

    check()


@pytest.mark.parametrize("p", ORDERS)
def test_against_the_linear_program(p: float) -> None:
    @settings(max_examples=max(20, settings().max_examples // 2))
    @given(st.problems(dim=1, kinds=["lattice", "gaussian", "duplicates"]))
    def check(problem: st.TransportProblem) -> None:
        by_line = otgan.wasserstein_1d(problem.x[:, 0], problem.y[:, 0], p, a=problem.a, b=problem.b)
        by_program = otgan.solve(problem.x, problem.y, p, a=problem.a, b=problem.b, method="linprog", throw=False)
        assert by_program.lower <= by_line**p * (1 + 1e-12) + 1e-15
        assert by_line**p <= by_program.upper * (1 + 1e-12) + 1e-15

    check()


@given(st.problems(dim=1, p=ORDERS))
def test_is_what_solve_finds(problem: st.TransportProblem) -> None:
    solution = otgan.solve(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, throw=False)
    found = otgan.wasserstein_1d(problem.x[:, 0], problem.y[:, 0], problem.p, a=problem.a, b=problem.b)
    assert found == pytest.approx(solution.distance, rel=1e-12, abs=0)


@given(
    hst.lists(hst.tuples(hst.integers(-9, 9), hst.integers(0, 6)), min_size=1, max_size=7),
    hst.lists(hst.integers(-9, 9), min_size=1, max_size=7),
    hst.randoms(use_true_random=False),
)
def test_infinite_order_against_maximum_flow(left: list[tuple[int, int]], right: list[int], random: Any) -> None:
    """W_inf is the least distance within which all mass can flow."""
    x, a = np.array(left).T
    a = np.where(np.arange(len(a)) == 0, a + 1, a)
    y = np.array(right)
    cuts = sorted(random.randint(0, int(a.sum())) for _ in y[1:])
    b = np.diff([0, *cuts, int(a.sum())])
    distance = np.abs(np.subtract.outer(x, y))
    truth = next(d for d in np.unique(distance) if flow(distance <= d, a, b) == a.sum())
    assert otgan.wasserstein_1d(x, y, math.inf, a=a, b=b) == truth
    assert otgan.wasserstein(x, y, math.inf, a=a, b=b) == truth


def flow(allowed: np.ndarray, a: np.ndarray, b: np.ndarray) -> int:
    """The greatest flow from masses a to masses b along allowed pairs."""
    n, m = allowed.shape
    capacity = np.zeros((n + m + 2, n + m + 2), dtype=np.int32)
    capacity[0, 1 : n + 1] = a
    capacity[1 : n + 1, n + 1 : -1] = allowed * int(a.sum())
    capacity[n + 1 : -1, -1] = b
    return maximum_flow(csr_array(capacity), 0, n + m + 1).flow_value


@pytest.mark.parametrize(("n", "m"), [(100_000, 100_000), (100_000, 99_999), (30_000, 90_000)])
def test_sums_of_many_terms_keep_their_digits(n: int, m: int) -> None:
    rng = np.random.default_rng(0)
    x, y = np.sort(rng.normal(size=n)), np.sort(rng.normal(size=m) + 0.01)
    levels = np.union1d(np.arange(n) * m, np.arange(m) * n)  # in units of 1 / (n m)
    widths = np.diff([*levels, n * m])
    for p in (1, 2):
        paid = np.abs(x[levels // m] - y[levels // n]) ** p
        truth = (math.fsum(widths * paid) / (n * m)) ** (1 / p)
        assert otgan.wasserstein_1d(x, y, p) == pytest.approx(truth, rel=8 * ULP, abs=0)
    assert otgan.wasserstein_1d(x, y, math.inf) == np.abs(x[levels // m] - y[levels // n]).max()


@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("kind", ["gaussian", "ties"])
def test_many_points_are_proven(kind: str, p: float) -> None:
    """In a few hundredths of a second each: anything quadratic would show in the time of the whole run."""
    rng, n, m = np.random.default_rng(0), 40_000, 30_000
    if kind == "ties":
        x, y = rng.integers(0, 9, size=n).astype(float), rng.integers(0, 12, size=m).astype(float)
    else:
        x, y = rng.normal(size=n), rng.normal(size=m) + 0.5
    solution = otgan.solve(x, y, p)
    assert solution.plan.nnz <= n + m
    assert solution.distance == pytest.approx(otgan.wasserstein_1d(x, y, p), rel=1e-12, abs=0)


@pytest.mark.parametrize("p", [1, 2, 1.5, math.inf])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_axes(p: float, axis: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4, 5))
    y = rng.normal(size=tuple(size + 2 if k == axis % 3 else size for k, size in enumerate(x.shape)))
    a, b = rng.random(x.shape), rng.random(y.shape)
    a, b = a / a.sum(axis=axis, keepdims=True), b / b.sum(axis=axis, keepdims=True)
    plain, weighted = otgan.wasserstein_1d(x, y, p, axis=axis), otgan.wasserstein_1d(x, y, p, a=a, b=b, axis=axis)
    u, v, s, t = (np.moveaxis(array, axis, -1) for array in (x, y, a, b))
    assert plain.shape == weighted.shape == u.shape[:-1]
    for k in np.ndindex(u.shape[:-1]):
        assert plain[k] == otgan.wasserstein_1d(u[k], v[k], p)
        assert weighted[k] == pytest.approx(otgan.wasserstein_1d(u[k], v[k], p, a=s[k], b=t[k]), rel=1e-15, abs=0)


def test_axes_broadcast() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 1, 6)), rng.normal(size=(5, 7))
    found = otgan.wasserstein_1d(x, y, 2)
    assert found.shape == (4, 5)
    assert found[2, 3] == otgan.wasserstein_1d(x[2, 0], y[3], 2)
    weights = np.arange(6.0) / 15
    weighted = otgan.wasserstein_1d(x, y, 2, a=weights)
    assert weighted[1, 4] == pytest.approx(otgan.wasserstein_1d(x[1, 0], y[4], 2, a=weights), rel=1e-15, abs=0)


@pytest.mark.parametrize("axis", [np.int64(0), np.int8(0)])
def test_the_axis_may_be_a_numpy_integer(axis: Any) -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(otgan.wasserstein_1d(x, x + 1, axis=axis), [1.0, 1.0, 1.0])


@given(st.problems(dim=1))
def test_orders_increase_towards_infinity(problem: st.TransportProblem) -> None:
    x, y, a, b = problem.x[:, 0], problem.y[:, 0], problem.a, problem.b
    distances = [otgan.wasserstein_1d(x, y, p, a=a, b=b) for p in (1, 1.5, 2, 3, 7, math.inf)]
    for low, high in pairwise(distances):
        assert low <= high * (1 + 1e-12)


@pytest.mark.parametrize("p", [1, 2, 3, math.inf])
def test_is_a_metric(p: float) -> None:
    @given(hst.tuples(*[st.point_clouds(dim=1).map(np.ravel)] * 3))
    def check(clouds: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        assert_metric(lambda x, y: otgan.wasserstein_1d(x, y, p), clouds)

    check()


@given(hnp.arrays(np.int64, hst.tuples(hst.integers(1, 4), hst.integers(1, 6)), elements=hst.integers(-50, 50)))
def test_moving_all_points(x: np.ndarray) -> None:
    for p in (1, 2, math.inf):
        np.testing.assert_allclose(otgan.wasserstein_1d(x, x[:, ::-1] + 7, p), 7.0, rtol=1e-15)


@pytest.mark.parametrize("p", [10, 30, 100])
@pytest.mark.parametrize("small", [2.0**-10, 2.0**-20, 2.0**-40])
def test_large_orders_of_small_distances_are_right_or_refused(p: float, small: float) -> None:
    """The p-th power of a small distance may be below float64, though the distance is not."""
    x, y = [0.0, 1.0], [small, 1.0]
    truth = small * 0.5 ** (1 / p)
    try:
        found = otgan.wasserstein_1d(x, y, p)
    except InvalidInput:
        return
    assert found == pytest.approx(truth, rel=1e-9, abs=0)


def test_numbers_come_back_as_floats() -> None:
    assert isinstance(otgan.wasserstein_1d([0.0], [1.0]), float)
    assert isinstance(otgan.wasserstein_1d([0.0], [1.0], math.inf), float)
    assert isinstance(otgan.wasserstein_1d([[0.0]], [1.0]), np.ndarray)


@pytest.mark.parametrize("n", [10, 700, 7000])
@pytest.mark.parametrize("batch", [2, 31])
def test_long_rows_are_those_one_by_one(n: int, batch: int) -> None:
    rng = np.random.default_rng(0)
    x, y, a = rng.normal(size=(batch, n)), rng.normal(size=(batch, n)), rng.dirichlet(np.ones(n), size=batch)
    found, weighted = otgan.wasserstein_1d(x, y, 2), otgan.wasserstein_1d(x, y, 2, a=a)
    for k in range(batch):
        assert found[k] == otgan.wasserstein_1d(x[k], y[k], 2)
        assert weighted[k] == pytest.approx(otgan.wasserstein_1d(x[k], y[k], 2, a=a[k]), rel=1e-15, abs=0)
