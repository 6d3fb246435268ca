"""The asserts pass what is right, and name what is wrong."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst
from scipy import sparse
from scipy.stats import energy_distance

import otgan
from otgan.certificate import Certificate
from otgan.metric import METRICS
from otgan.testing import assert_metric, assert_optimal
from otgan.testing import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

Cloud = np.ndarray


@pytest.fixture(scope="module")
def solved() -> otgan.Solution:
    rng = np.random.default_rng(0)
    a = np.full(6, 1 / 6)
    return otgan.solve(rng.normal(size=(6, 2)), rng.normal(size=(4, 2)), 2, a=a, b=[0.25, 0.25, 0.5, 0.0])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1, 2, 1.5])
def test_right_solutions_pass(p: float, metric: str) -> None:
    rng = np.random.default_rng(0)
    x, y = 1e8 + rng.normal(size=(30, 40)), 1e8 + rng.normal(size=(20, 40))
    assert_optimal(otgan.solve(x, y, p, metric=metric))
    assert_optimal(otgan.solve_cost(rng.normal(size=(9, 7))))


def shifted(plan: sparse.coo_array, mass: float) -> sparse.coo_array:
    """The plan with some mass more at (0, 0)."""
    moved = plan.toarray()
    moved[0, 0] += mass
    return sparse.coo_array(moved)


def changed(solution: otgan.Solution, plan: sparse.coo_array | None = None, **fields: Any) -> otgan.Solution:
    """The solution with other fields, or with a plan in floats that does not come from its whole masses."""
    other = replace(solution, **fields)
    if plan is not None:
        vars(other)["plan"] = plan
    return other


WRONG: dict[str, tuple[Callable[[otgan.Solution], dict[str, Any]], str]] = {
    "another value": (lambda s: {"value": s.value * (1 + 1e-6)}, "value: .* is not the cost of the plan"),
    "more mass": (lambda s: {"plan": shifted(s.plan, 1e-6)}, "plan: the row sums are off by 1e-06"),
    "negative mass": (lambda s: {"plan": shifted(s.plan, -10.0)}, "plan: a mass is negative"),
    "mass that is no number": (lambda s: {"plan": shifted(s.plan, math.nan)}, "plan: not all masses are finite"),
    "another plan": (lambda s: {"plan": sparse.coo_array(np.outer(s.problem.a, s.problem.b))}, "value: "),
    "a plan of another shape": (lambda s: {"plan": sparse.coo_array(np.eye(3))}, r"plan: shape \(3, 3\)"),
    "potentials too high": (lambda s: {"f": s.f + 1e-6}, r"potentials: f_i \+ g_j <= C_ij fails"),
    "one potential too high": (lambda s: {"g": s.g + np.eye(4)[3] * 1e3}, r"potentials: .* fails at i = \d, j = 3"),
    "potentials too low": (lambda s: {"f": s.f - 1e-6}, "bounds: lower = .* is more than the potentials prove"),
    "potentials that are no numbers": (lambda s: {"f": s.f * math.nan}, "potentials: not all are finite"),
    "potentials of another shape": (lambda s: {"g": s.g[:-1]}, r"potentials: g has shape \(3,\)"),
    "a lower bound above": (
        lambda s: {"certificate": replace(s.certificate, lower=s.value * 1.01, upper=s.value * 1.01)},
        "bounds: lower = .* is above value",
    ),
    "an upper bound below": (
        lambda s: {"certificate": replace(s.certificate, lower=s.value * 0.9, upper=s.value * 0.99)},
        "bounds: value = .* is above upper",
    ),
    "a gap": (
        lambda s: {"certificate": replace(s.certificate, lower=s.lower * 0.99)},
        "gap: the proven bounds are 0.01",
    ),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_solutions_are_named(
    solved: otgan.Solution, change: Callable[[otgan.Solution], dict[str, Any]], message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_optimal(changed(solved, **change(solved)))


def test_a_plan_that_is_not_optimal() -> None:
    """Consistent in itself, but the potentials prove that a cheaper plan may exist."""
    solution = otgan.solve([0.0, 1.0], [0.0, 1.0])
    crossed = sparse.coo_array([[0.0, 0.5], [0.5, 0.0]])
    claimed = changed(solution, crossed, value=1.0, certificate=Certificate(1.0, 1.0, 0.0, 0.0, 0.0))
    with pytest.raises(AssertionError, match=r"bounds: lower = 1\.0 is more than the potentials prove"):
        assert_optimal(claimed)
    honest = changed(claimed, crossed, certificate=Certificate(0.0, 1.0, 0.0, 0.0, 0.0))
    with pytest.raises(AssertionError, match=r"gap: the plan costs 1\.0 and the potentials prove"):
        assert_optimal(honest)
    assert_optimal(honest, rtol=1.0)


def test_an_unfinished_solution() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2))
    with pytest.raises(AssertionError, match="gap"):
        assert_optimal(otgan.solve(x, y, method="network-simplex", max_steps=2, throw=False))


@given(hst.tuples(*[st.point_clouds(n=hst.integers(1, 5), dim=2)] * 3))
def test_distances_pass(clouds: tuple[Cloud, Cloud, Cloud]) -> None:
    assert_metric(largest_distance, clouds)


def largest_distance(x: Cloud, y: Cloud) -> float:
    """The Hausdorff distance, which knows of sets only, or the Wasserstein distance, whichever is larger."""
    pairs = np.abs(x[:, None] - y).max(axis=2)
    return max(pairs.min(axis=0).max(), pairs.min(axis=1).max(), otgan.wasserstein(x, y, metric="chebyshev"))


@given(hst.tuples(*[st.point_clouds(n=hst.integers(1, 5), dim=1, kinds=["lattice", "gaussian"])] * 3))
def test_the_energy_distance_is_a_metric(clouds: tuple[Cloud, Cloud, Cloud]) -> None:
    assert_metric(lambda x, y: energy_distance(x[:, 0], y[:, 0]), clouds, rtol=1e-6)


X, Y, Z = np.array([[0.0], [4.0]]), np.array([[1.0], [2.0], [6.0]]), np.array([[9.0]])
BROKEN: dict[str, tuple[Callable[[Cloud, Cloud], Any], str]] = {
    "negative": (lambda x, y: x.mean() - y.mean(), r"non-negativity: distance\(x, y\) = -1.0"),
    "NaN": (lambda x, y: math.nan, r"finite: distance\(x, y\) = nan"),
    "infinite": (lambda x, y: math.inf, r"finite: distance\(x, y\) = inf"),
    "no number": (lambda x, y: "far", r"real number: distance\(x, y\) = 'far'"),
    "an array": (lambda x, y: np.zeros(2), "real number"),
    "nothing": (lambda x, y: None, "real number"),
    "complex": (lambda x, y: 1j, "real number"),
    "itself": (lambda x, y: 1.0, r"identity: distance\(x, x\) = 1.0 where 0 is due"),
    "indifferent": (lambda x, y: abs(len(x) - len(y)) * 0.0, r"identity: distance\(x, y\) = 0, but x and y differ"),
    "one-sided": (lambda x, y: float(max(0.0, y.mean() - x.mean()) + 1), r"symmetry: distance\(x, y\) = "),
    "squared": (lambda x, y: otgan.wasserstein(x, y, 2) ** 2, r"triangle inequality: distance\(x, z\)"),
    "in order": (lambda x, y: float(np.abs(x[0] - y[0]).sum()) + otgan.wasserstein(x, y), "order of points"),
}


@pytest.mark.parametrize(("distance", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_axioms_are_named(distance: Callable[[Cloud, Cloud], Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_metric(distance, (X, Y, Z))


def test_equal_measures_may_be_at_distance_zero() -> None:
    assert_metric(otgan.wasserstein, (X, np.repeat(X, 2, axis=0), X[::-1]))


def test_the_tolerance_is_relative() -> None:
    def noisy(x: Cloud, y: Cloud) -> float:
        return otgan.wasserstein(x, y) * (1 + 1e-7 * float(x[0, 0] > y[0, 0]))

    with pytest.raises(AssertionError, match="symmetry"):
        assert_metric(noisy, (X, Y, Z))
    assert_metric(noisy, (X, Y, Z), rtol=1e-6)


def test_three_clouds_are_needed() -> None:
    with pytest.raises(AssertionError, match="three are needed, but 2 came"):
        assert_metric(otgan.wasserstein, (X, Y))


def test_a_distance_cannot_change_the_clouds() -> None:
    def careless(x: Cloud, y: Cloud) -> float:
        found = otgan.wasserstein(x, y)
        x[:] = y[:] = 0.0
        return found

    clouds = (X.copy(), Y.copy(), Z.copy())
    assert_metric(careless, clouds)
    np.testing.assert_array_equal(clouds[0], X)


def test_on_the_line_order_proves_more_than_potentials() -> None:
    x, y = np.array([0.0, 0.0, 1024.0]), np.array([0.0, 0.0, 1025.0])
    a, b = np.array([0.0, 2.0**-10, 1 - 2.0**-10]), np.array([0.0, 0.000976562499999889, 0.9990234375000001])
    solution = otgan.solve(x, y, 2, a=a, b=b)
    assert solution.certificate.lower < solution.lower
    assert_optimal(solution)
