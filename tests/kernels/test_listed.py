"""Assignments where most costs are one greatest number: the same optimum as SciPy's, in one go and in parts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import otgan
from otgan.exact import assignment, small
from otgan.kernels.listed import LEAST_ROWS, few_arcs, first_bids, matching_of_few
from otgan.testing import assert_optimal

N = LEAST_ROWS + 16
ROW, COLUMN = np.indices((N, N))
RNG = np.random.default_rng(0)
PATTERNS = {
    "random": RNG.random((N, N)) < 0.05,
    "hardly any": RNG.random((N, N)) < 0.005,
    "none": np.zeros((N, N), bool),
    "band": abs(ROW - COLUMN) <= 2,
    "blocks": ROW // 8 == COLUMN // 8,
    "blocks that are not square": ROW // 8 == COLUMN // 10,
    "one column": COLUMN == 3,
    "one row": ROW == 3,
}
VALUES = {
    "real": RNG.random((N, N)),
    "whole": RNG.integers(-1, 2, (N, N)).astype(float),
    "negative": -RNG.random((N, N)),
    "one": np.ones((N, N)),
    "wide": 10.0 ** RNG.uniform(-9, 0, (N, N)),
}


def least(C: np.ndarray) -> float:
    return float(C[linear_sum_assignment(C)].mean())


@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize("greatest", [2.0, 5.0, 1e6])
@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_optimum(
    pattern: str, values: str, greatest: float, in_parts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_parts:
        monkeypatch.setattr(small, "FEW_PAIRS", 0)
        monkeypatch.setattr(assignment, "COSTS_PER_LOOK", 1)
    C = np.where(PATTERNS[pattern], VALUES[values], greatest)
    assert few_arcs(C)[1]
    solution = otgan.solve_cost(C)
    assert solution.value == pytest.approx(least(C), rel=1e-12, abs=1e-12)
    assert solution.certificate.is_optimal(1e-9)
    assert_optimal(solution)
    assert np.array_equal(np.sort(solution.assignment), np.arange(N))


def test_arcs_are_the_costs_below_the_greatest_and_one_more_for_each_row() -> None:
    C = np.where(PATTERNS["random"], VALUES["real"], 3.0)
    arcs, few = few_arcs(C)
    assert few
    assert arcs.col.size == arcs.cost.size == PATTERNS["random"].sum() + N
    for i in range(N):
        of_row = slice(arcs.start[i], arcs.start[i] + arcs.degree[i])
        assert arcs.col[of_row].tolist() == [*np.flatnonzero(PATTERNS["random"][i]), N + i]
        assert arcs.cost[of_row].tolist() == [*C[i, PATTERNS["random"][i]], 3.0]


def test_bids_leave_potentials_feasible_and_matched_arcs_tight() -> None:
    for values in ("real", "whole"):
        arcs, _ = few_arcs(np.where(PATTERNS["band"], VALUES[values], 3.0))
        f, g, (match, row_of), free = first_bids(arcs)
        row = np.repeat(np.arange(N), arcs.degree)
        assert (f[row] + g[arcs.col] <= arcs.cost + 1e-15).all()
        matched = np.flatnonzero(match >= 0)
        place = arcs.start[matched] + match[matched]
        assert f[matched] + g[arcs.col[place]] == pytest.approx(arcs.cost[place], rel=1e-15)
        assert np.array_equal(row_of[arcs.col[place]], matched)
        assert sorted([*matched, *free]) == list(range(N))
        assert (g <= 0).all()
        assert not g[row_of < 0].any()
        assert not g[N:].any()


@pytest.mark.parametrize("larger", [(0, 0), (7, 9), (N - 1, N - 1)])
def test_a_cost_above_the_others_is_left_to_the_usual_search(larger: tuple[int, int]) -> None:
    C = np.where(PATTERNS["random"], VALUES["real"], 3.0)
    C[larger] = 4.0
    assert not few_arcs(C)[1]
    assert not matching_of_few(C, 10**9)[2]
    assert otgan.solve_cost(C).value == pytest.approx(least(C), rel=1e-12)


def test_many_costs_below_the_greatest_are_not_listed() -> None:
    C = np.where(RNG.random((N, N)) < 0.3, VALUES["real"], 3.0)
    assert not few_arcs(C)[1]
    rows_that_are_looked_at_first = np.arange(16) * N // 16
    C[rows_that_are_looked_at_first] = 3.0
    assert not few_arcs(C)[1]
    assert otgan.solve_cost(C).value == pytest.approx(least(C), rel=1e-12)


def test_searches_that_are_cut_short_find_nothing() -> None:
    C = np.where(PATTERNS["band"], VALUES["whole"], 3.0)
    match, _, found = matching_of_few(C, 0)
    assert found == (match.min() >= 0)
    assert matching_of_few(C, 10**9)[2]
