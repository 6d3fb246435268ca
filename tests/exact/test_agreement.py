"""Every solver against every other, on problems nobody knows the answer of."""

from __future__ import annotations

import numpy as np
from exact_answers import ROUNDING, solutions
from hypothesis import given, settings

import otgan
from otgan.testing import assert_optimal
from otgan.testing import strategies as st

RTOL = 1e-9


@settings(max_examples=5 * settings().max_examples)
@given(st.problems())
def test_solvers_agree(problem: st.TransportProblem) -> None:
    found = list(solutions(problem))
    proven = [solution for solution in found if solution.status is otgan.Status.OPTIMAL]
    for solution in proven:
        assert_optimal(solution, rtol=RTOL)
    values = [solution.value for solution in proven]
    if values:
        assert max(values) - min(values) <= RTOL * max(values), found
    highest = max(solution.lower for solution in found)
    lowest = min(solution.upper for solution in found)
    assert highest <= lowest * (1 + ROUNDING), found


@given(st.problems(kinds=[kind for kind in st.CLOUDS if kind != "clusters"], masses=["equal", "cuts"]))
def test_solvers_prove_tame_problems(problem: st.TransportProblem) -> None:
    for solution in solutions(problem):
        assert_optimal(solution, rtol=RTOL)


@given(st.problems(kinds=["clusters"], masses=["equal", "cuts"]))
def test_solvers_prove_two_clusters_with_masses_that_differ(problem: st.TransportProblem) -> None:
    for solution in solutions(problem):
        assert_optimal(solution, rtol=RTOL)


def test_mass_has_to_cross_a_billion() -> None:
    x = np.array([[2.0**30, 0.0], [0.0, 0.0]])
    y = np.array([[2.0**30, 1.0], [0.0, 1.0]])
    for method in ("network-simplex", "linprog"):
        solution = otgan.solve(x, y, 2, a=[0.75, 0.25], b=[0.5, 0.5], method=method)
        assert_optimal(solution)
        assert abs(solution.value - (0.25 * 2.0**60 + 1)) <= RTOL * solution.value


def test_a_far_point_without_mass_has_no_influence() -> None:
    for p in (1, 2, 3):
        assert otgan.wasserstein([-1.75, 2.0**20], [-1.25], p, a=[1.0, 0.0], b=[1.0]) == 0.5
        assert otgan.wasserstein([[-1.75, 0.0], [2.0**20, 0.0]], [[-1.25, 0.0]], p, a=[1.0, 0.0], b=[1.0]) == 0.5
