"""The certificate trusts no solver: wrong plans and potentials are repaired, counted in the bounds, or reported."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst
from scipy import sparse

import otgan
from otgan.certificate import Certificate, certify, make_feasible
from otgan.costs import dense
from otgan.kernels.wide import sums
from otgan.plan import Plan, repair_plan
from otgan.problem import Problem
from otgan.solution import Solution, Status
from otgan.testing import assert_optimal
from otgan.testing import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDING = 1e-12
TAME = [kind for kind in st.CLOUDS if kind != "clusters"]


def stated(problem: st.TransportProblem) -> Problem:
    return Problem.from_points(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric)


def handed(
    problem: Problem, plan: NDArray[np.float64], f: NDArray[np.float64], g: NDArray[np.float64], rtol: float = 1e-9
) -> Solution:
    """What comes of a plan and potentials that somebody claims to be optimal."""
    return Solution.certified(problem, sparse.coo_array(plan), f, g, method="claimed", rtol=rtol)


@pytest.fixture
def solved() -> Solution:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 2)), rng.normal(size=(6, 2))
    return otgan.solve(x, y, 2, a=np.full(8, 0.125), b=np.array([0.25, 0.25, 0.125, 0.125, 0.125, 0.125]))


def test_the_right_answer_is_accepted(solved: Solution) -> None:
    again = handed(solved.problem, solved.plan.toarray(), solved.f, solved.g)
    assert_optimal(again)
    assert again.value == pytest.approx(solved.value, rel=1e-14, abs=0)


def test_a_worse_plan_is_not_optimal(solved: Solution) -> None:
    product = np.outer(solved.problem.a, solved.problem.b)
    claimed = handed(solved.problem, product, solved.f, solved.g)
    assert claimed.status is Status.GAP
    assert claimed.lower <= solved.value < claimed.value <= claimed.upper
    assert claimed.certificate.slackness > 0.1
    assert claimed.certificate.marginal_error <= 1e-15


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0, 10.0, -1.0])
def test_a_plan_with_wrong_marginals_is_repaired(solved: Solution, factor: float) -> None:
    claimed = handed(solved.problem, factor * solved.plan.toarray(), solved.f, solved.g)
    plan = claimed.plan.toarray()
    assert plan.min() >= 0
    np.testing.assert_allclose(plan.sum(axis=1), solved.problem.a, atol=1e-15)
    np.testing.assert_allclose(plan.sum(axis=0), solved.problem.b, atol=1e-15)
    assert claimed.lower <= solved.value * (1 + ROUNDING)
    assert claimed.upper >= solved.value * (1 - ROUNDING)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_plan_that_is_no_number_leaves_a_valid_interval(solved: Solution, bad: float) -> None:
    plan = np.where(solved.plan.toarray() > 0, bad, 0.0)
    with np.errstate(all="ignore"):
        claimed = handed(solved.problem, plan, solved.f, solved.g)
    assert claimed.lower <= solved.value * (1 + ROUNDING)
    assert claimed.upper >= solved.value * (1 - ROUNDING)
    assert claimed.status is Status.GAP


@pytest.mark.parametrize("shift", [1.0, 1e3, 1e8, -1e8])
def test_infeasible_potentials_do_not_raise_the_lower_bound(solved: Solution, shift: float) -> None:
    claimed = handed(solved.problem, solved.plan.toarray(), solved.f + shift, solved.g + abs(shift))
    C = dense(solved.problem.cost)
    assert (np.add.outer(claimed.f, claimed.g) <= C).all()
    assert claimed.lower <= solved.value <= claimed.upper


def test_unrelated_potentials_prove_little(solved: Solution) -> None:
    rng = np.random.default_rng(1)
    claimed = handed(solved.problem, solved.plan.toarray(), rng.normal(size=8), rng.normal(size=6))
    assert claimed.status is Status.GAP
    assert 0 <= claimed.lower < solved.value <= claimed.upper


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, slice(None)])
@pytest.mark.parametrize("side", ["f", "g"])
def test_potentials_that_are_no_numbers_leave_a_valid_interval(
    solved: Solution, side: str, place: int | slice, bad: float
) -> None:
    duals = {"f": solved.f.copy(), "g": solved.g.copy()}
    duals[side][place] = bad
    with np.errstate(all="ignore"):
        claimed = handed(solved.problem, solved.plan.toarray(), duals["f"], duals["g"])
    assert 0 <= claimed.lower <= solved.value * (1 + ROUNDING)
    assert claimed.upper >= solved.value * (1 - ROUNDING)
    assert np.isfinite(claimed.f).all()
    assert np.isfinite(claimed.g).all()


def test_certify_charges_violations(solved: Solution) -> None:
    problem = solved.problem
    _, honest = certify(problem, solved.moves, solved.f, solved.g)
    _, greedy = certify(problem, solved.moves, solved.f + 0.5, solved.g)
    assert honest.dual_violation <= 1e-12
    assert greedy.dual_violation == pytest.approx(0.5, rel=1e-9, abs=0)
    assert greedy.lower <= solved.value * (1 + ROUNDING)
    _, uneven = certify(problem, solved.moves, np.where(np.arange(8) == 3, solved.f + 5, solved.f), solved.g)
    assert uneven.dual_violation == pytest.approx(5, rel=1e-9, abs=0)
    assert uneven.lower <= solved.value
    assert not uneven.is_optimal()


def test_a_plan_with_wrong_marginals_proves_nothing(solved: Solution) -> None:
    """One unit more, some 1e-18 of the mass, is a plan for other masses."""
    mass = solved.moves.mass.copy()
    mass[0, -1] += 1
    _, certificate = certify(solved.problem, Plan(solved.moves.rows, solved.moves.cols, mass), solved.f, solved.g)
    assert certificate.marginal_error > 0
    assert certificate.upper == math.inf
    assert not certificate.is_optimal(rtol=1.0)


def test_a_lower_bound_above_the_upper_one_is_an_alarm() -> None:
    contradiction = Certificate(lower=2.0, upper=1.0, marginal_error=0.0, dual_violation=0.0, slackness=0.0)
    assert not contradiction.is_consistent
    assert not contradiction.is_optimal(rtol=1.0)
    assert not Certificate(math.nextafter(1.0, 2.0), 1.0, 0.0, 0.0, 0.0).is_optimal(rtol=1.0)


@given(st.problems(kinds=TAME), hst.integers(0, 1000))
def test_whatever_is_claimed_the_interval_holds_the_truth(problem: st.TransportProblem, seed: int) -> None:
    """Plans and potentials of any quality, from the best to noise."""
    asked = stated(problem)
    best = otgan.solve(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric, throw=False)
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-12, 3) * max(1e-300, dense(asked.cost).max())
    noise_f, noise_g = (size * rng.normal(size=len(side)) for side in (best.f, best.g))
    plan = best.plan.toarray() * rng.choice([0.0, 0.5, 1.0, 1.0 + 1e-9, 2.0], size=asked.shape)
    plan += rng.choice([0.0, 1e-12, 0.1]) * rng.random(asked.shape)
    claimed = handed(asked, plan, best.f + noise_f, best.g + noise_g)
    assert claimed.lower <= best.upper * (1 + ROUNDING)
    assert claimed.upper >= best.lower * (1 - ROUNDING)
    assert claimed.certificate.marginal_error <= 1e-13
    if claimed.status is Status.OPTIMAL:
        assert_optimal(claimed)


@given(st.problems(), hst.integers(0, 1000))
def test_potentials_are_feasible_for_the_floats_themselves(problem: st.TransportProblem, seed: int) -> None:
    """Compiled code and NumPy may compute another last bit of a cost; each is within its rounding of the truth."""
    asked = stated(problem)
    C = dense(asked.cost)
    rng = np.random.default_rng(seed)
    n, m = asked.shape
    f, g = make_feasible(asked, C.max() * rng.normal(size=n), C.max() * rng.normal(size=m))
    assert np.isfinite(f).all()
    assert np.isfinite(g).all()
    assert (np.add.outer(f, g) <= C * (1 + 2 * asked.cost.rounding)).all()


@given(st.problems(), hst.integers(0, 1000), hst.sampled_from([0.0, 1e-15, 1e-9, 1.0]))
def test_a_plan_may_spare_a_pass_and_never_a_proof(problem: st.TransportProblem, seed: int, noise: float) -> None:
    """Potentials are feasible whether the plan is tight with them or not, and all that the plan shows is kept."""
    asked = stated(problem)
    C = dense(asked.cost)
    best = otgan.solve(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric, throw=False)
    rng = np.random.default_rng(seed)
    f, g = (side + noise * C.max() * rng.normal(size=len(side)) for side in (best.f, best.g))
    f, g = make_feasible(asked, f, g, best.moves)
    assert np.isfinite(f).all()
    assert np.isfinite(g).all()
    assert (np.add.outer(f, g) <= C * (1 + 2 * asked.cost.rounding)).all()
    known, checked = (certify(asked, best.moves, f, g, feasible=feasible)[1] for feasible in (True, False))
    assert known.lower == pytest.approx(checked.lower, rel=1e-12, abs=1e-12 * float(np.abs(f).max() + np.abs(g).max()))
    assert known.lower <= best.upper * (1 + ROUNDING)


@given(st.problems(kinds=["lattice"], p=[1, 2], metric=["cityblock", "chebyshev"], masses=["cuts", "unequal"]))
def test_bounds_hold_in_rational_arithmetic(problem: st.TransportProblem) -> None:
    """Lattice costs and these masses are exact in float64, so the bounds can be checked without any rounding."""
    solution = otgan.solve(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric)
    plan, C = solution.plan.toarray(), problem.costs()
    n, m = C.shape
    error_a = [abs(Fraction(problem.a[i]) - sum(map(Fraction, plan[i]))) for i in range(n)]
    error_b = [abs(Fraction(problem.b[j]) - sum(map(Fraction, plan[:, j]))) for j in range(m)]
    paid = sum(Fraction(plan[i, j]) * Fraction(C[i, j]) for i in range(n) for j in range(m))
    f, g = list(map(Fraction, solution.f)), list(map(Fraction, solution.g))
    assert all(f[i] + g[j] <= Fraction(C[i, j]) for i in range(n) for j in range(m))
    earned = sum(Fraction(problem.a[i]) * f[i] for i in range(n)) + sum(Fraction(problem.b[j]) * g[j] for j in range(m))
    charged = sum(error_a[i] * abs(f[i]) for i in range(n)) + sum(error_b[j] * abs(g[j]) for j in range(m))
    assert Fraction(solution.certificate.lower) <= max(earned - charged, Fraction(0))  # order proves more on the line
    assert paid <= Fraction(solution.upper)


@given(st.problems(kinds=["lattice"]))
def test_points_without_mass_get_feasible_potentials(problem: st.TransportProblem) -> None:
    far = np.full((1, problem.x.shape[1]), 50.0)
    x, y = np.vstack([problem.x, far, problem.x[:1]]), np.vstack([problem.y, -far])
    a, b = np.append(problem.a, [0.0, 0.0]), np.append(problem.b, 0.0)
    with_them = otgan.solve(x, y, problem.p, a=a, b=b, metric=problem.metric)
    assert_optimal(with_them)
    without = otgan.solve(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric)
    assert with_them.value == pytest.approx(without.value, rel=1e-9, abs=0)


@given(st.problems(), hst.integers(0, 1000))
def test_repair_gives_exact_marginals(problem: st.TransportProblem, seed: int) -> None:
    asked = stated(problem)
    rng = np.random.default_rng(seed)
    plan = rng.random(asked.shape) * (rng.random(asked.shape) < 0.3) * 10.0 ** rng.uniform(-6, 2)
    fixed = repair_plan(asked, sparse.coo_array(plan))
    n, m = asked.shape
    assert fixed.mass.min() >= 0
    assert len(fixed.rows) < n + m  # no cycles
    np.testing.assert_array_equal(sums(fixed.rows, fixed.mass, n), asked.masses.a)
    np.testing.assert_array_equal(sums(fixed.cols, fixed.mass, m), asked.masses.b)
    np.testing.assert_allclose(fixed.array(asked).toarray().sum(axis=0), asked.b, atol=1e-14)


def test_the_gap_is_relative() -> None:
    def gap(lower: float, upper: float) -> float:
        return Certificate(lower, upper, 0.0, 0.0, 0.0).gap

    assert gap(0.0, 0.0) == 0.0
    assert gap(1.0, 2.0) == 0.5
    assert gap(0.0, 1e-300) == 1.0
    assert gap(-2.0, -1.0) == 1.0
    assert gap(1e300, 2e300) == 0.5


def test_optimal_needs_both_the_gap_and_the_marginals() -> None:
    assert Certificate(1.0, 1.0, 0.0, 0.0, 0.0).is_optimal()
    assert not Certificate(0.9, 1.0, 0.0, 0.0, 0.0).is_optimal()
    assert Certificate(0.9, 1.0, 0.0, 0.0, 0.0).is_optimal(rtol=0.2)
    assert not Certificate(1.0, 1.0, 1e-3, 0.0, 0.0).is_optimal()
    assert not Certificate(np.nan, 1.0, 0.0, 0.0, 0.0).is_optimal()
