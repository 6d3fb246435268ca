"""The linear programs as the textbooks write them, against the solver: strong duality."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

import otgan
from otgan.errors import InvalidInput, OTError
from otgan.exact.linprog import dual, kantorovich_rubinstein, primal
from otgan.testing import strategies as st

TAME = ["lattice", "gaussian", "duplicates", "collinear"]
RTOL = 1e-8  # HiGHS itself works to 1e-10 of the largest numbers
FEW = settings(max_examples=max(20, settings().max_examples // 2))


def solved(problem: st.TransportProblem) -> otgan.Solution:
    return otgan.solve(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric)


@FEW
@given(st.problems(kinds=TAME, masses=["equal", "cuts", "ratios"]))
def test_primal_program(problem: st.TransportProblem) -> None:
    C = problem.costs()
    value, plan, multipliers = primal(C, problem.a, problem.b).solve()
    P = plan.reshape(C.shape)
    scale = max(1.0, C.max())
    assert abs(value - solved(problem).value) <= RTOL * scale
    assert P.min() >= 0
    np.testing.assert_allclose(P.sum(axis=1), problem.a, atol=1e-9)
    np.testing.assert_allclose(P.sum(axis=0), problem.b, atol=1e-9)
    f, g = np.split(multipliers, [len(C)])
    assert (np.add.outer(f, g) <= C + RTOL * scale).all()
    assert abs(f @ problem.a + g @ problem.b - value) <= RTOL * scale


@FEW
@given(st.problems(kinds=TAME, masses=["equal", "cuts", "ratios"]))
def test_dual_program(problem: st.TransportProblem) -> None:
    C = problem.costs()
    value, potentials, plan = dual(C, problem.a, problem.b).solve()
    f, g = np.split(potentials, [len(C)])
    scale = max(1.0, C.max())
    assert abs(value - solved(problem).value) <= RTOL * scale
    assert (np.add.outer(f, g) <= C + RTOL * scale).all()
    assert abs(f @ problem.a + g @ problem.b - value) <= RTOL * scale
    assert plan.min() >= -1e-9
    np.testing.assert_allclose(plan.reshape(C.shape).sum(axis=1), problem.a, atol=1e-9)


@FEW
@given(st.problems(p=1, kinds=TAME, masses=["equal", "cuts", "ratios"]))
def test_kantorovich_rubinstein_program(problem: st.TransportProblem) -> None:
    program = kantorovich_rubinstein(problem.x, problem.y, a=problem.a, b=problem.b, metric=problem.metric)
    value, f, _ = program.solve()
    support = np.unique(np.vstack([problem.x, problem.y]), axis=0)
    scale = max(1.0, float(np.ptp(support, axis=0).sum()))
    assert abs(value - solved(problem).value) <= RTOL * scale
    everywhere = np.full(len(support), 1 / len(support))
    between = st.TransportProblem(support, support, everywhere, everywhere, 1.0, problem.metric).costs()
    assert (np.abs(np.subtract.outer(f, f)) <= between + RTOL * scale).all()


def test_programs_are_the_textbook_ones() -> None:
    program = primal([[0.0, 2.0, 5.0], [1.0, 0.0, 3.0]], [0.5, 0.5], [0.25, 0.25, 0.5])
    rows = [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 1]]
    np.testing.assert_array_equal(program.A.toarray(), rows)
    np.testing.assert_array_equal(program.objective, [0, 2, 5, 1, 0, 3])
    np.testing.assert_array_equal(program.b, [0.5, 0.5, 0.25, 0.25, 0.5])
    other = dual([[0.0, 2.0, 5.0], [1.0, 0.0, 3.0]], [0.5, 0.5], [0.25, 0.25, 0.5])
    np.testing.assert_array_equal(other.A.toarray(), np.transpose(rows))


def test_programs_refuse_nonsense() -> None:
    with pytest.raises(InvalidInput, match="C"):
        primal([[np.nan]])
    with pytest.raises(InvalidInput, match="b must have the same total mass"):
        dual([[0.0, 1.0]], [1.0], [1.0, 1.0])
    with pytest.raises(InvalidInput, match="metric"):
        kantorovich_rubinstein([0.0], [1.0], metric="cosine")


def test_a_program_that_is_not_finished_says_so() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(OTError, match="HiGHS"):
        primal(rng.random((20, 20))).solve(max_steps=1)
