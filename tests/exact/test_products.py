"""Small problems in high dimension, by scalar products: their bounds, and what is left to differences."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hard.truth import point_value
from hypothesis import given
from hypothesis import strategies as hst

import otgan
from otgan.errors import InvalidInput
from otgan.exact import small
from otgan.kernels.products import least_costs
from otgan.kernels.small import value_of_products
from otgan.testing import strategies as st

Array = np.ndarray[Any, np.dtype[np.float64]]


def samples(n: int, m: int, d: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(n + m + d)
    return rng.normal(size=(n, d)), 0.5 * rng.normal(size=(m, d)) + 1.0


def by_products(x: Array, y: Array, p: float, a: Array | None = None, b: Array | None = None) -> Any:
    weights = (None, None) if a is None and b is None else tuple(small.EQUAL if w is None else w for w in (a, b))
    one_each = True if weights[0] is None and len(x) == len(y) else None
    with np.errstate(all="ignore"):
        products = np.dot(x, y.T)
    return value_of_products(products, x, y, *weights, one_each, p, *small.rounding("euclidean", x.shape[1], p))


@given(st.problems(hst.integers(1, 5), hst.integers(1, 5), p=[1, 2], metric="euclidean"))
def test_bounds_hold_in_rational_arithmetic(problem: st.TransportProblem) -> None:
    value, lower, upper = by_products(problem.x, problem.y, float(problem.p), problem.a, problem.b)
    if math.isnan(value):
        return
    truth = point_value(problem.x.tolist(), problem.y.tolist(), problem.p, "euclidean", problem.a, problem.b)
    assert Fraction(lower) <= truth.value + truth.error
    assert truth.value - truth.error <= Fraction(upper)
    assert lower <= value <= upper


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("offset", [0.0, 1.0, 30.0])
def test_costs_are_no_less_than_what_products_say(p: float, offset: float) -> None:
    x, y = (side + offset for side in samples(20, 17, 100))
    y[:3] = x[:3]  # no distance at all
    costs, _ = least_costs(np.dot(x, y.T), x, y, p)
    for i in range(len(x)):
        for j in range(len(y)):
            squares = sum((Fraction(float(u)) - Fraction(float(v))) ** 2 for u, v in zip(x[i], y[j], strict=True))
            assert Fraction(float(costs[i, j])) ** int(2 / p) <= squares


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize(("n", "m"), [(16, 12), (32, 32), (128, 128), (256, 200)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_value_is_that_of_the_solution(n: int, m: int, p: int, weighted: bool) -> None:
    x, y = samples(n, m, 784)
    rng = np.random.default_rng(0)
    a, b = (rng.dirichlet(np.ones(k)) for k in (n, m)) if weighted else (None, None)
    value, lower, upper = by_products(x, y, float(p), a, b)
    solution = otgan.solve(x, y, p, a=a, b=b)
    assert upper - lower <= 1e-11 * upper
    assert value == pytest.approx(solution.value, rel=1e-14)
    assert otgan.wasserstein(x, y, p, a=a, b=b) == pytest.approx(solution.distance, rel=1e-14)


def test_far_from_the_origin_differences_decide() -> None:
    x, y = (side + 1e4 for side in samples(40, 40, 128))
    assert math.isnan(by_products(x, y, 1.0)[0])
    assert otgan.wasserstein(x, y) == pytest.approx(otgan.solve(x, y).distance, rel=1e-14)


def test_a_tight_tolerance_is_left_to_differences() -> None:
    x, y = (side + 10.0 for side in samples(32, 32, 784))
    value, lower, upper = by_products(x, y, 1.0)
    tolerance = 0.5 * (upper - lower) / upper
    assert otgan.wasserstein(x, y, rtol=tolerance) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    x, y = samples(40, 40, 128)
    x[3, 5] = bad
    with pytest.raises(InvalidInput, match="finite"):
        otgan.wasserstein(x, y)


def test_products_that_overflow_are_refused_like_all_such_data() -> None:
    x, y = (1e160 * side for side in samples(40, 40, 128))
    assert math.isnan(by_products(x, y, 1.0)[0])
    with pytest.raises(InvalidInput, match="leave float64"):
        otgan.wasserstein(x, y)
