"""Every solver against the answers that theorems give."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from exact_answers import assert_right, assert_right_or_bounded, solutions
from hard.truth import point_value
from hypothesis import given, settings
from hypothesis import strategies as hst

import otgan
from otgan.solution import Status
from otgan.testing import strategies as st

TAME_CLOUDS = [kind for kind in st.CLOUDS if kind != "clusters"]


@pytest.mark.parametrize("theorem", [*st.THEOREMS, *st.HARD_THEOREMS])
def test_every_solver_agrees_with_the_theorem(theorem: str) -> None:
    @given(st.solved_problems(theorems=[theorem]))
    def check(known: st.SolvedProblem) -> None:
        for solution in solutions(known):
            assert_right_or_bounded(solution, known.value)

    check()


@given(
    st.solved_problems(
        theorems=[t for t in st.THEOREMS if t != "separate blocks"], kinds=TAME_CLOUDS, masses=["equal", "cuts"]
    )
)
def test_every_solver_proves_tame_problems(known: st.SolvedProblem) -> None:
    for solution in solutions(known):
        assert_right(solution, known.value)


@given(st.solved_problems(theorems=["separate blocks"], p=[1, 2], masses=["equal", "cuts"]))
def test_every_solver_proves_blocks_a_billion_apart(known: st.SolvedProblem) -> None:
    for solution in solutions(known):
        assert_right(solution, known.value)


@settings(max_examples=settings().max_examples // 2)
@given(st.problems(hst.integers(1, 5), hst.integers(1, 5), p=[1, 2, 1.5], masses=st.HARD_MASSES))
def test_bounds_hold_where_the_last_digit_of_a_mass_counts(problem: st.TransportProblem) -> None:
    x, y, a, b, p, metric = problem.x, problem.y, problem.a, problem.b, problem.p, problem.metric
    truth = point_value(x.tolist(), y.tolist(), p, metric, a, b)
    for method in ("auto", "line", "sparse", "network-simplex", "linprog"):
        if method == "line" and x.shape[1] > 1:
            continue
        solution = otgan.solve(x, y, p, a=a, b=b, metric=metric, method=method, throw=False)
        assert Fraction(solution.lower) <= truth.value + truth.error
        assert truth.value - truth.error <= Fraction(solution.upper)
        assert solution.status in (Status.OPTIMAL, Status.GAP)


@settings(max_examples=2 * settings().max_examples)
@given(st.solved_problems(theorems=["permutation"], kinds=TAME_CLOUDS, masses=["ratios"]))
def test_a_weighted_cloud_is_at_distance_zero_from_itself(known: st.SolvedProblem) -> None:
    for solution in solutions(known):
        assert_right(solution, 0.0)


def test_weights_that_round_do_not_part_a_cloud_from_itself() -> None:
    a = np.array([9, 3, 5, 8, 6, 8, 0, 3, 3]) / 45
    x = np.array([[0.0, 0], [3, 0], [0, 1], [0, 2], [0, 3], [1, 0], [2, 1], [3, 1], [3, 2]])
    for k in range(9):
        order = np.random.default_rng(k).permutation(9)
        assert otgan.wasserstein(x, x[order], 1, a=a, b=a[order]) == 0.0
