"""Exact polishing of a dense solution: a network simplex in whole numbers from the plan that was found.

Solvers that move masses in floats round them, and where blocks of points lie far apart the last bit of a mass may cost
more than all the rest. So where the bounds of such a solver do not agree, its plan is repaired to the exact masses. The
repaired plan is the first basis of a network simplex in whole numbers, on the reduced costs of all pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otgan.costs import MatrixCost
from otgan.plan import Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.solution import Solution

__all__ = ["polish"]

FIRST_ARCS = 4  # of every point, by reduced cost


def polish(
    solution: Solution, C: NDArray[np.float64], rows: NDArray[np.intp], cols: NDArray[np.intp], rtol: float
) -> Solution:
    """A solution at least as good.

    Parameters
    ----------
    solution : Solution
    C : (k, l) ndarray of float64
        The costs between the points with mass, ``rows`` and ``cols``.
    rows : (k,) ndarray of int
    cols : (l,) ndarray of int
    rtol : float
    """
    from otgan.exact.sparse.generation import ColumnGeneration
    from otgan.exact.sparse.network import Network
    from otgan.exact.sparse.progress import Progress

    problem, plan = solution.problem, solution.moves
    row_of, col_of = (np.full(size, -1) for size in problem.shape)
    row_of[rows], col_of[cols] = np.arange(len(rows)), np.arange(len(cols))
    cost = MatrixCost(np.maximum(C - solution.f[rows, None] - solution.g[cols], 0.0))
    near_rows, near_cols, _ = cost.pricing.below(np.zeros(len(rows)), np.full(len(cols), np.inf), FIRST_ARCS)
    more_cols, more_rows, _ = cost.T.pricing.below(np.zeros(len(cols)), np.full(len(rows), np.inf), FIRST_ARCS)
    basis = row_of[plan.rows], col_of[plan.cols], plan.mass
    network = Network(cost, np.r_[near_rows, more_rows], np.r_[near_cols, more_cols], basis)
    with Progress(rtol) as progress:
        finished = ColumnGeneration(network, problem.masses.a[rows], problem.masses.b[cols], progress).run(0.0)
    i, j, mass, _ = network.plan()
    f, g = solution.f.copy(), solution.g.copy()
    f[rows] += network.f
    g[cols] += network.g
    return type(solution).certified(
        problem, Plan(rows[i], cols[j], mass), f, g, method=solution.method, rtol=rtol, finished=finished,
        stats={**solution.stats, "pivots": network.pivots},
    )  # fmt: skip
