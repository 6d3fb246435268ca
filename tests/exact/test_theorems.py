"""Every solver against the answers that theorems give."""

from __future__ import annotations

import numpy as np
import pytest
from exact_answers import assert_right, assert_right_or_bounded, solutions
from hypothesis import given, settings

import otgan
from otgan.testing import strategies as st

TAME_CLOUDS = [kind for kind in st.CLOUDS if kind != "clusters"]


@pytest.mark.parametrize("theorem", st.THEOREMS)
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


@settings(max_examples=4 * settings().max_examples)
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
