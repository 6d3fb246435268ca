"""Small problems with whole numbers, solved in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hard.truth import exact_value, line_value
from hypothesis import given
from hypothesis import strategies as hst
from hypothesis.extra import numpy as hnp

import otgan
from otgan.exact import METHODS
from otgan.testing import assert_optimal

DENSE = [method for method in METHODS if method not in ("line", "sparse")]
WEIGHTED = [method for method in DENSE if method != "assignment"]
RTOL = Fraction(1, 10**12)


def costs(n: hst.SearchStrategy[int], m: hst.SearchStrategy[int] | None = None, low: int = 0) -> hst.SearchStrategy:
    """Matrices of whole numbers, (n, n) or (n, m)."""
    shapes = n.map(lambda k: (k, k)) if m is None else hst.tuples(n, m)
    return shapes.flatmap(lambda shape: hnp.arrays(np.int64, shape, elements=hst.integers(low, 9), fill=hst.nothing()))


@hst.composite
def whole_masses(draw: hst.DrawFn, n: int, total: int) -> list[int]:
    """Whole numbers with the total asked for."""
    cuts = sorted(draw(hst.lists(hst.integers(0, total), min_size=n - 1, max_size=n - 1)))
    return [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]


def assert_exact(solution: otgan.Solution, truth: Fraction) -> None:
    """The bounds hold in exact arithmetic, and the value is the truth up to rounding."""
    assert_optimal(solution)
    assert Fraction(solution.lower) <= truth <= Fraction(solution.upper)
    assert abs(Fraction(solution.value) - truth) <= RTOL * abs(truth)


@pytest.mark.parametrize("method", DENSE)
def test_assignments(method: str) -> None:
    @given(costs(hst.integers(1, 6)))
    def check(C: np.ndarray) -> None:
        ones = np.ones(len(C))
        assert_exact(otgan.solve_cost(C, ones, ones, method=method), exact_value(C.tolist(), ones, ones))

    check()


@pytest.mark.parametrize("method", WEIGHTED)
def test_transport_polytopes(method: str) -> None:
    @given(hst.data(), costs(hst.integers(1, 6), hst.integers(1, 6)), hst.integers(1, 12))
    def check(data: hst.DataObject, C: np.ndarray, total: int) -> None:
        a, b = (data.draw(whole_masses(k, total)) for k in C.shape)
        assert_exact(otgan.solve_cost(C, a, b, method=method), exact_value(C.tolist(), a, b))

    check()


@pytest.mark.parametrize("method", DENSE)
def test_costs_of_both_signs(method: str) -> None:
    @given(costs(hst.integers(1, 5), low=-9))
    def check(C: np.ndarray) -> None:
        ones = np.ones(len(C))
        solution = otgan.solve_cost(C, ones, ones, method=method, throw=False)
        truth = exact_value(C.tolist(), ones, ones)
        assert Fraction(solution.lower) <= truth <= Fraction(solution.upper)
        assert abs(Fraction(solution.value) - truth) <= RTOL * int(np.abs(C).max())

    check()


@pytest.mark.parametrize("method", DENSE)
def test_costs_of_both_signs_that_cancel_are_proven(method: str) -> None:
    solution = otgan.solve_cost([[-1.0, 3.0], [3.0, 1.0]], [1.0, 1.0], [1.0, 1.0], method=method)
    assert solution.status is otgan.Status.OPTIMAL
    assert abs(solution.value) <= 1e-15


@given(
    hst.lists(hst.integers(-20, 20), min_size=1, max_size=7),
    hst.lists(hst.integers(-20, 20), min_size=1, max_size=7),
    hst.sampled_from([1, 2, 3]),
)
def test_the_line(x: list[int], y: list[int], p: int) -> None:
    truth = line_value(x, y, p)
    value = otgan.solve(np.array(x, float), np.array(y, float), p).value
    assert abs(Fraction(value) - truth) <= Fraction(1, 2**51) * truth
    distance = Fraction(otgan.wasserstein_1d(x, y, p)) ** p
    assert abs(distance - truth) <= Fraction(p, 2**51) * truth
