"""Costs that forbid pairs: the cheapest plan along the others, or a proof that there is none."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

import otgan
from otgan.errors import Infeasible, InvalidInput


def drawn(seed: int, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Costs with infinite entries, and weights of one total, some zero."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 9, size=2)
    C = rng.integers(-3, 5, size=(n, m)).astype(float) if kind == "tied" else rng.normal(size=(n, m))
    C[rng.random((n, m)) < 0.4] = np.inf
    C[rng.integers(n), rng.integers(m)] = 1.0
    a, b = rng.integers(0, 4, size=n).astype(float), rng.integers(0, 4, size=m).astype(float)
    a[0], b[0] = a[0] + 1, b[0] + 1
    C[0, 0] = min(C[0, 0], 9.0)
    return (C, a * b.sum(), b * a.sum()) if kind != "equal" else (C, np.ones(n) / n, np.ones(m) / m)


@given(st.integers(0, 100_000), st.sampled_from(["tied", "real", "equal"]))
def test_the_least_cost_or_a_cut_that_proves_that_there_is_none(seed: int, kind: str) -> None:
    C, a, b = drawn(seed, kind)
    n, m = C.shape
    sums = np.vstack([np.kron(np.eye(n), np.ones((1, m))), np.kron(np.ones((1, n)), np.eye(m))])
    finite = np.isfinite(C).ravel()
    found = linprog(
        np.where(finite, C.ravel(), 0.0),
        None,
        None,
        sums,
        np.r_[a, b],
        np.stack([0 * finite, np.where(finite, np.inf, 0)], 1),
    )
    assert found.status in (0, 2)
    if found.status == 2:
        with pytest.raises(Infeasible, match="no plan") as caught:
            otgan.solve_cost(C, a, b)
        rows = caught.value.rows
        reached: Any = np.isfinite(C[rows]).any(axis=0)
        assert reached[b > 0].sum() == reached[caught.value.cols].sum()
        held, taken = (sum(map(Fraction, side.tolist())) for side in (a[rows], b[reached]))
        scale = Fraction(sum(map(Fraction, a.tolist())), sum(map(Fraction, b.tolist())))
        assert held > taken * scale
        return
    solution = otgan.solve_cost(C, a, b)
    assert solution.status is otgan.Status.OPTIMAL
    assert solution.value == pytest.approx(found.fun, rel=1e-7, abs=1e-7)
    assert solution.lower <= solution.value <= solution.upper
    assert np.isfinite(C[solution.plan.row, solution.plan.col]).all()
    assert solution.moves.marginal_error(solution.problem.masses) == 0
    assert (solution.f[:, None] + solution.g <= C + 1e-12).all()
    listed = sparse.coo_array((C[np.isfinite(C)], np.nonzero(np.isfinite(C))), shape=C.shape)
    assert otgan.solve_cost(listed, a, b).value == pytest.approx(solution.value, rel=1e-12, abs=1e-12)
    assert otgan.solve_cost(listed.T, b, a).value == pytest.approx(solution.value, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_permutations_cost_what_scipy_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    cols = np.r_[rng.permutation(n), rng.integers(0, n, 3 * n)]
    C = sparse.csr_array((0.1 + rng.random(4 * n), (np.tile(np.arange(n), 4), cols)), shape=(n, n))
    C.sum_duplicates()
    rows, best = min_weight_full_bipartite_matching(C)
    solution = otgan.solve_cost(C)
    assert n * solution.value == pytest.approx(C[rows, best].sum(), rel=1e-12)
    assert sorted(solution.assignment.tolist()) == list(range(n))
    dense = np.full((n, n), np.inf)
    dense[C.tocoo().row, C.tocoo().col] = C.tocoo().data
    assert otgan.solve_cost(torch.tensor(dense)).value == solution.value


def test_a_chain_of_pairs_is_solved_from_a_start_that_leaves_the_list() -> None:
    n = 40  # each row sends to its own column and the next; the last row to the first column alone
    C = np.full((n, n), np.inf)
    C[np.arange(n), np.arange(n)] = 1.0
    C[np.arange(n - 1), np.arange(1, n)] = 0.0
    a = np.ones(n)
    a[0], a[-1] = 1.5, 0.5
    solution = otgan.solve_cost(C, a, np.ones(n))
    assert solution.gap <= 1e-9
    assert solution.value == pytest.approx(0.5 * n + 0.5, rel=1e-12)
    a = np.r_[0.5, np.ones(n - 2), 1.5]
    with pytest.raises(Infeasible) as caught:
        otgan.solve_cost(C, a, np.ones(n))
    assert a[caught.value.rows].sum() > np.isfinite(C[caught.value.rows]).any(axis=0).sum()
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.cols.tolist()) == (str(caught.value), caught.value.cols.tolist())


def test_what_is_listed_at_no_cost_is_allowed() -> None:
    C = sparse.coo_array(([0.0, 2.0, 0.0], ([0, 0, 1], [0, 1, 1])), shape=(2, 2))
    solution = otgan.solve_cost(C)
    assert solution.value == 0.0
    assert solution.plan.toarray().tolist() == [[0.5, 0.0], [0.0, 0.5]]
    infinite = sparse.coo_array(([np.inf, 2.0, 3.0], ([0, 0, 1], [0, 1, 0])), shape=(2, 2))
    assert otgan.solve_cost(infinite).value == 2.5


@pytest.mark.parametrize(
    ("C", "options", "message"),
    [
        (sparse.coo_array((2, 2)), {}, "forbids all"),
        (np.full((2, 2), np.inf), {}, "forbids all"),
        (np.array([[np.inf, np.nan]]), {}, "finite"),
        (np.array([[np.inf, -np.inf]]), {}, "finite"),
        (sparse.coo_array(([1.0, 2.0], ([0, 0], [0, 0])), shape=(1, 1)), {}, "twice"),
        (sparse.coo_array(([1j], ([0], [0])), shape=(1, 1)), {}, "real"),
        (np.array([[np.inf, 1.0]]), {"mass": 0.5}, "mass is for"),
        (np.array([[np.inf, 1.0]]), {"method": "linprog"}, "method"),
        (np.array([[np.inf, 1.0]]), {"a": [1.0], "b": [0.5, 0.2]}, "total"),
        (np.array([[np.inf, 1.0]]), {"b": [0.5, 0.5]}, "no plan"),
    ],
)
def test_bad_input_is_refused(C: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        otgan.solve_cost(C, **options)


@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1.0, 1e8])
def test_small_costs_are_proven_as_well_as_large_ones(scale: float) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        allowed = rng.random((6, 6)) < 0.6
        np.fill_diagonal(allowed, val=True)
        costs = np.where(allowed, rng.normal(size=(6, 6)), np.inf)
        assert otgan.solve_cost(scale * costs).gap < 1e-12


def test_masses_that_rounding_keeps_apart_are_said_to_be() -> None:
    costs = np.array([[0.0, 0.0, np.inf], [np.inf, np.inf, 0.0]])
    a = np.array([0.1 + 0.2, 0.7])
    with pytest.raises(Infeasible, match="as rounding may leave it"):
        otgan.solve_cost(costs, a, np.array([0.1, 0.2 - 2e-17, 0.7 + 2**-53]))
    assert otgan.solve_cost(costs, np.array([3, 7]), np.array([1, 2, 7])).value == 0


def test_points_without_mass_that_may_send_nowhere_have_potentials_too() -> None:
    """Also where these are rounded with more care, as bounds of costs of both signs need it."""
    costs = np.array([[np.inf, np.inf], [0.0, -1.0]])
    solution = otgan.solve_cost(costs, [0.0, 2.0], [2.0, 0.0])
    assert (solution.value, solution.lower, solution.upper) == (0.0, 0.0, 0.0)
    assert np.isfinite([solution.f, solution.g]).all()
    assert (solution.f[:, None] + solution.g <= costs).all()


def test_lists_and_frames_may_forbid_pairs_too() -> None:
    pandas = pytest.importorskip("pandas")
    costs = [[5.0, np.inf], [np.inf, 0]]
    assert otgan.solve_cost(costs).value == otgan.solve_cost(pandas.DataFrame(costs)).value == 2.5
