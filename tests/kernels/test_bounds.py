"""No kernel leaves its arrays: with every index checked, and with what no check of the input lets through."""

from __future__ import annotations

import math

import boundscheck
import numpy as np
import pytest

import otgan
from otgan.exact import dense
from otgan.kernels.arcs import Arcs, Matching, row_minima
from otgan.kernels.assignment import free_place, shortest
from otgan.kernels.auction import auction
from otgan.kernels.augment import augment_together
from otgan.kernels.envelope import refit
from otgan.kernels.metric import Lists
from otgan.kernels.search import Targets, k_best
from otgan.kernels.tree import build


@pytest.mark.long
def test_all_kernels_with_checked_indices_give_the_same_values() -> None:
    """Uncompiled, so that NumPy checks every index; ``benchmarks/boundscheck.py`` does the same with compiled code."""
    compiled, interpreted = boundscheck.values(), boundscheck.run(interpreted=True)
    assert len(interpreted) > 400
    for name, value in interpreted.items():
        assert value == pytest.approx(compiled[name], rel=1e-12, abs=1e-300), name


def test_the_shortest_of_lengths_that_are_no_numbers_is_one_of_them() -> None:
    for n in (1, 7, 8, 9, 30):
        assert 0 <= shortest(np.full(n, math.nan))[0] < n
    assert shortest(np.array([math.nan, 2.0, 1.0, math.inf])) == (2, 1.0)


def test_of_equal_lengths_a_column_that_is_not_taken_comes_first() -> None:
    length, taken = np.array([1.0, 1.0, 2.0, 1.0]), np.array([-math.inf, -math.inf, 0.0, 0.0])
    assert free_place(length, 1.0, taken, 0) == 3
    assert free_place(np.array([0.0, 1.0, 2.0, 1.0]), 0.0, taken, 0) == 0


def test_rows_without_a_price_make_no_bid_and_stay_free() -> None:
    n = 6
    cost = np.tile([0.0, 1.0], n)
    cost[6:8] = math.nan  # both arcs of row 3
    cols = np.stack([np.arange(n), (np.arange(n) + 1) % n], axis=1).ravel()
    lists = Arcs(2 * np.arange(n), np.full(n, 2), cols, cost)
    g, match = np.zeros(n), np.full(n, -1)
    matching = Matching(match, np.full(n, -1))
    free, _ = auction(lists, g, matching, np.arange(n), 0.1, 10.0, 100)
    assert 3 in free
    assert all(match[i] in (0, 1) for i in range(n) if i not in free)
    f = row_minima(lists, g)
    augment_together(lists, np.where(np.isfinite(f), f, 0.0), g, matching, free)
    assert match[3] == -1
    assert np.isfinite(g).all()


def test_planes_that_leave_float64_rule_nothing_out() -> None:
    """Potentials that differ by 1e290 between points 1e-40 apart have no slope that a float holds."""
    rng = np.random.default_rng(0)
    n = 500
    x, y = 1e-40 * rng.random((n, 2)), 1e-40 * rng.random((n, 2))
    f = 1e290 * rng.random(n)
    for p in (1.0, 1.5, 2.0):
        tree = build(x)
        values, rows = np.empty((n, 1)), np.zeros((n, 1), np.int64)
        k_best(tree, refit(tree, f, p), x, Targets(y, np.arange(n)), 0, p, True, Lists(values, rows), 0, n)
        assert (rows[:, 0] == f.argmax()).all()
        assert (values == -f.max()).all()


def test_no_engine_is_given_costs_that_left_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "_first_cap", lambda C, lowest: math.nan)
    monkeypatch.setattr("otgan.exact.small.FEW_PAIRS", 0)
    monkeypatch.setattr("otgan.exact.assignment.solve_in_parts", lambda problem, rtol: None)
    C = np.ones((3, 3))
    for poison in (math.nan, math.inf):
        monkeypatch.setattr(dense, "dense", lambda cost, poison=poison: np.where(np.eye(3), poison, C))
        for method in ("assignment", "network-simplex", "linprog"):
            with pytest.raises(OverflowError, match="left float64"):
                otgan.solve_cost(C, method=method)
