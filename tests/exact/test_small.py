"""Small problems in one go: their bounds against rational arithmetic, and against the certificate of every solver."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hard.truth import point_value
from hypothesis import assume, given
from hypothesis import strategies as hst

import otgan
from otgan.certificate import certify
from otgan.errors import InvalidInput
from otgan.exact import small
from otgan.kernels.small import value_of_points
from otgan.kernels.transport import stride
from otgan.metric import METRICS
from otgan.problem import Problem
from otgan.testing import assert_optimal
from otgan.testing import strategies as st

ULP = 2.0**-52
ORDERS = [1, 1.5, 2, 3]


def bounds(problem: st.TransportProblem) -> tuple[float, float, float]:
    """Value and bounds of the path that ``wasserstein`` takes."""
    d, p = problem.x.shape[1], float(problem.p)
    a, b = (small.EQUAL if w is None else w for w in (problem.a, problem.b))
    rounding = small.rounding(problem.metric, d, p)
    one_each = len(a) + len(b) == 0 and len(problem.x) == len(problem.y)
    return value_of_points(problem.x, problem.y, a, b, one_each, METRICS[problem.metric].code, p, *rounding)


@given(st.problems(hst.integers(1, 5), hst.integers(1, 5), p=ORDERS, masses=[*st.MASSES, *st.HARD_MASSES]))
def test_bounds_hold_in_rational_arithmetic(problem: st.TransportProblem) -> None:
    value, lower, upper = bounds(problem)
    if math.isnan(value):  # left to the others
        return
    truth = point_value(problem.x.tolist(), problem.y.tolist(), problem.p, problem.metric, problem.a, problem.b)
    assert Fraction(lower) <= truth.value + truth.error
    assert truth.value - truth.error <= Fraction(upper)
    assert lower <= value <= upper


@given(st.problems(hst.integers(1, 30), hst.integers(1, 30), p=ORDERS))
def test_bounds_are_those_of_the_certificate(problem: st.TransportProblem) -> None:
    asked = Problem.from_points(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric)
    found = small.solve(asked, "network-simplex", 1e-9)
    assume(found is not None and problem.x.shape[1] > 1)  # on the line the certificate has a way of its own
    assert found is not None
    assert_optimal(found)
    value, certificate = certify(asked, found.moves, found.f, found.g)
    # Costs that NumPy computes differ from the kernels' by their rounding, and a sum by half an ulp.
    potential = asked.mass * max(np.abs(found.f).max(), np.abs(found.g).max())
    slack = (2 * asked.cost.rounding + 2 * ULP) * certificate.magnitude + 2 * ULP * potential
    assert abs(found.value - value) <= slack
    assert abs(found.lower - certificate.lower) <= slack
    assert abs(found.upper - certificate.upper) <= slack
    assert abs(found.certificate.magnitude - certificate.magnitude) <= slack
    assert certificate.is_optimal(1e-9)


@given(st.problems(hst.integers(1, 30), hst.integers(1, 30), p=ORDERS, kinds=["lattice", "gaussian", "duplicates"]))
def test_the_value_alone_is_that_of_the_solution(problem: st.TransportProblem) -> None:
    x, y, a, b = problem.x, problem.y, problem.a, problem.b
    alone = small.value(x, y, problem.p, a, b, problem.metric, 1e-9)
    if alone is not None:
        solution = otgan.solve(x, y, problem.p, a=a, b=b, metric=problem.metric)
        assert abs(alone - solution.value) <= 4 * ULP * alone


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 7), (7, 1), (40, 40), (64, 51), (128, 128)])
def test_usual_problems_are_taken(n: int, m: int, p: int) -> None:
    rng = np.random.default_rng(n + m)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 3)) + 1
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    for weights in ((None, None), (a, b), (None, b), (a, None)):
        alone = small.value(x, y, p, *weights, "euclidean", 1e-9)
        truth = otgan.solve(x, y, p, a=weights[0], b=weights[1], method="sparse")
        assert alone is not None
        assert truth.lower <= alone * (1 + 1e-14)
        assert alone <= truth.upper * (1 + 1e-14)


def test_a_side_without_weights_is_equal_in_real_numbers() -> None:
    """Floats next to 1/49 sum to 1 - 5e-17, and so does no third of them."""
    rng = np.random.default_rng(0)
    x, y, b = rng.normal(size=(49, 2)), rng.normal(size=(3, 2)), np.array([0.25, 0.25, 0.5])
    alone = small.value(x, y, 1, None, b, "euclidean", 1e-9)
    assert alone == pytest.approx(otgan.solve(x, y, b=b, method="sparse").value, rel=4 * ULP, abs=0)


@pytest.mark.parametrize("shape", [(40, 40), (40, 30)])
def test_plans_are_forests_with_the_masses_asked_for(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    C = rng.integers(0, 4, shape).astype(float)
    for a, b in ((None, None), (rng.dirichlet(np.ones(shape[0])), rng.dirichlet(np.ones(shape[1])))):
        solution = otgan.solve_cost(C, a, b, method="network-simplex")
        assert "pivots" in solution.stats, "in one go"
        assert solution.certificate.marginal_error == 0
        assert len(solution.moves.rows) <= sum(shape) - 1
        assert solution.value == pytest.approx(otgan.solve_cost(C, a, b, method="linprog").value, rel=1e-12)


@pytest.mark.parametrize("largest", [1, 3, 100])
def test_ties_are_solved_by_whichever_is_asked(largest: int) -> None:
    rng = np.random.default_rng(largest)
    for n in (30, 90):
        C = rng.integers(0, largest + 1, (n, n)).astype(float)
        values = {method: otgan.solve_cost(C, method=method).value for method in ("assignment", "network-simplex")}
        assert values["assignment"] == pytest.approx(values["network-simplex"], rel=1e-13, abs=1e-15)
        assert n * values["assignment"] == pytest.approx(round(n * values["assignment"]), abs=1e-9)


UNUSUAL: list[dict[str, Any]] = [
    {"x": [[0.0, 0.0], [1.0, 1.0]]},
    {"x": np.zeros((2, 2), np.float32)},
    {"x": np.zeros((2, 3))},
    {"x": np.zeros((4, 2))[::2]},
    {"x": np.zeros((2, 1)), "y": np.zeros((2, 1))},
    {"x": np.array([[0.0, np.nan], [1.0, 1.0]])},
    {"x": np.array([[0.0, np.inf], [1.0, 1.0]])},
    {"x": 1e30 * np.ones((2, 2))},
    {"x": 1e-30 * np.ones((2, 2)), "y": np.zeros((2, 2))},
    {"a": np.array([1.0, 0.0])},
    {"a": np.array([1.5, -0.5])},
    {"a": np.array([0.5, np.nan])},
    {"a": np.array([0.5, np.inf])},
    {"a": np.array([0.5, 0.6])},
    {"a": np.array([0.5, 0.25, 0.25])},
    {"a": np.array([1e-60, 1e-60])},
    {"p": 0.5},
    {"p": np.inf},
    {"p": np.nan},
    {"p": True},
    {"p": 1000.0},
    {"metric": "cosine"},
    {"metric": ["euclidean"]},
    {"rtol": 1e-17},
    {"rtol": "1"},
    {"rtol": np.inf},
    {"rtol": np.nan},
    {"rtol": 0.0},
    {"rtol": -1.0},
]


@pytest.mark.parametrize("change", UNUSUAL, ids=str)
def test_what_is_unusual_is_left_to_the_others(change: dict[str, Any]) -> None:
    usual: dict[str, Any] = {
        "x": np.zeros((2, 2)),
        "y": np.ones((2, 2)),
        "p": 1,
        "a": None,
        "b": None,
        "metric": "euclidean",
        "rtol": 1e-9,
    }
    assert small.value(**usual) == math.sqrt(2)
    assert small.value(**{**usual, **change}) is None


@pytest.mark.parametrize("exponent", [-400, -200, 0, 200, 400])
def test_units_change_nothing(exponent: int) -> None:
    rng = np.random.default_rng(0)
    C = rng.random((9, 7))
    one, other = (otgan.solve_cost(costs) for costs in (C, np.ldexp(C, exponent)))
    assert "pivots" in other.stats
    assert (other.lower, other.upper) == (math.ldexp(one.lower, exponent), math.ldexp(one.upper, exponent))
    np.testing.assert_array_equal(other.f, np.ldexp(one.f, exponent))


@pytest.mark.parametrize("small_cost", [1e-200, 5e-324, 1e-300])
@pytest.mark.parametrize("large_cost", [1e130, 1e-130, 1.0])
def test_nothing_is_lost_beside_large_costs(small_cost: float, large_cost: float) -> None:
    """In units of the largest cost the least is no float any more."""
    solution = otgan.solve_cost([[small_cost, large_cost]], [1.0], [1.0, 0.0], throw=False)
    assert solution.lower <= small_cost <= solution.upper
    assert solution.value == small_cost


def test_what_is_wrong_raises_as_ever() -> None:
    x, y = np.zeros((2, 2)), np.ones((3, 2))
    with pytest.raises(InvalidInput, match="NaN"):
        otgan.wasserstein(np.full((2, 2), np.nan), y)
    with pytest.raises(InvalidInput, match="same total mass"):
        otgan.wasserstein(x, y, a=np.array([0.5, 0.6]))
    with pytest.raises(InvalidInput, match="non-negative"):
        otgan.wasserstein(x, y, a=np.array([1.5, -0.5]))
    with pytest.raises(InvalidInput, match="same number of columns"):
        otgan.wasserstein(x, np.ones((3, 3)))


@pytest.mark.parametrize("n", range(1, 60))
def test_strides_visit_all_rows(n: int) -> None:
    step = stride(n)
    assert 0 <= step < max(n, 2)
    assert sorted((k * step) % n for k in range(n)) == list(range(n))
