"""What comes back when a proof does not close: an interval that holds the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from exact_answers import assert_bounded
from hypothesis import given
from hypothesis import strategies as hst

import otgan
from otgan.errors import NotConverged, OTError
from otgan.testing import strategies as st

STEPPING = ["network-simplex", "linprog"]


def clouds(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 2)), rng.normal(size=(n, 2))


@pytest.mark.parametrize("method", STEPPING)
def test_too_few_steps_raise_with_the_interval(method: str) -> None:
    x, y = clouds()
    truth = otgan.solve(x, y, rtol=1e-12).value
    with pytest.raises(NotConverged, match="max_steps") as caught:
        otgan.solve(x, y, method=method, max_steps=3)
    solution = caught.value.solution
    assert isinstance(caught.value, OTError)
    assert isinstance(caught.value, RuntimeError)
    assert solution.status is otgan.Status.MAX_STEPS
    assert solution.gap > 1e-9
    assert_bounded(solution, truth)
    assert str(solution.lower)[:9] in str(caught.value)
    assert str(solution.upper)[:9] in str(caught.value)


@pytest.mark.parametrize("method", STEPPING)
def test_throw_false_returns_the_same(method: str) -> None:
    x, y = clouds()
    solution = otgan.solve(x, y, method=method, max_steps=3, throw=False)
    assert solution.status is otgan.Status.MAX_STEPS
    assert "max_steps" in solution.status.message
    with pytest.raises(NotConverged) as caught:
        otgan.solve(x, y, method=method, max_steps=3)
    assert caught.value.solution.value == solution.value
    by_matrix = otgan.solve_cost(
        solution.problem.cost.block(slice(None), slice(None)), method=method, max_steps=3, throw=False
    )
    assert by_matrix.status is otgan.Status.MAX_STEPS


@pytest.mark.parametrize("method", STEPPING)
def test_enough_steps_are_enough(method: str) -> None:
    x, y = clouds()
    assert otgan.solve(x, y, method=method, max_steps=10**6).status is otgan.Status.OPTIMAL


@given(st.problems(kinds=["lattice", "gaussian", "duplicates", "offset"]), hst.integers(1, 20))
def test_every_number_of_steps_leaves_a_valid_interval(problem: st.TransportProblem, steps: int) -> None:
    truth = otgan.solve(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric, throw=False)
    for method in STEPPING:
        solution = otgan.solve(
            problem.x,
            problem.y,
            problem.p,
            a=problem.a,
            b=problem.b,
            metric=problem.metric,
            method=method,
            max_steps=steps,
            throw=False,
        )
        assert math.isfinite(solution.value)
        assert 0 <= solution.lower <= solution.upper
        assert_bounded(solution, truth.value, rtol=1e-9)
        marginals = solution.plan.toarray()
        np.testing.assert_allclose(marginals.sum(axis=1), problem.a, atol=1e-14)
        np.testing.assert_allclose(marginals.sum(axis=0), problem.b, atol=1e-14)


def test_an_impossible_tolerance_raises() -> None:
    x, y = clouds()
    with pytest.raises(NotConverged, match="rtol = 1e-17") as caught:
        otgan.solve(x, y, rtol=1e-17)
    assert caught.value.solution.status is otgan.Status.GAP
    assert caught.value.solution.gap <= 1e-12
    with pytest.raises(NotConverged):
        otgan.wasserstein(x, y, rtol=1e-17)
    assert otgan.solve(x, y, rtol=1e-17, throw=False).status is otgan.Status.GAP


def test_a_wide_tolerance_accepts_an_interval() -> None:
    x, y = clouds()
    unproven = otgan.solve(x, y, method="network-simplex", max_steps=60, throw=False)
    assert 1e-9 < unproven.gap < 1
    assert otgan.solve(x, y, method="network-simplex", max_steps=60, rtol=1.0).gap == unproven.gap
