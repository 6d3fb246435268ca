"""Optimal transport on the line by the monotone plan, for every p >= 1 (Santambrogio 2015, theorem 2.9).

There are two proofs of the optimal cost:

- **Order.** The plan that keeps the order is optimal for every convex cost of the difference, so its cost is the value,
  and nothing is left to be proven but the rounding of one sum. Its terms are not negative. With ``u = EPS / 2`` each is
  off by ``p u`` of itself for the difference, ``2 u`` for its power, ``u`` for the mass and ``u`` for the product of
  the two. The sum is compensated, which leaves ``u`` and ``(n + m)^2 u^2`` (Ogita, Rump & Oishi 2005, proposition 4.5);
  what differences of masses may be off, :mod:`otgan.kernels.line` bounds, and keeps below ``u`` of the sum. That makes
  ``(p + 6) u``. The bounds are ``value (1 -+ ((p + 6) EPS + (n + m)^2 EPS^2))``, twice as far away, which covers
  products of roundings and the rounding of the bounds themselves. Where a term could be lost to underflow, this proof
  is not used. :func:`otgan.solve` returns such a value at once (:mod:`otgan.exact.ordered`).
- **Duality**, as for every other solver: :func:`solve` here finds the plan and potentials, and they are certified. It
  runs when one of them is asked for, and where order is not enough: for ``rtol`` below 1e-12, p above 100, costs near
  the limits of float64, or samples that are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otgan.costs import PointCost
from otgan.plan import Plan
from otgan.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.problem import Problem

__all__ = ["COUNTS_STEPS", "accepts", "memory", "solve"]

COUNTS_STEPS = False


def accepts(problem: Problem) -> str | None:
    """Why this solver cannot take ``problem``; None if it can."""
    if isinstance(problem.cost, PointCost) and problem.cost.dimension == 1:
        return None
    return "it needs points with one coordinate"


def memory(n: int, m: int) -> int:
    """Bytes needed beside the data, at most."""
    return 200 * (n + m)


def solve(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Sort both sides, match masses in order, and read the potentials off the matching.

    Points without mass take no part; their potentials come from the c-transform that every solution goes through.
    """
    from otgan.kernels.line_plan import staircase_potentials
    from otgan.kernels.spanning import merge_masses

    cost = problem.cost
    assert isinstance(cost, PointCost)  # accepts() was asked
    x, y = cost.x[:, 0], cost.y[:, 0]
    masses = problem.masses
    rows, cols = _order(x, problem.a), _order(y, problem.b)
    i, j, mass = merge_masses(masses.a[rows], masses.b[cols])
    plan = Plan(rows[i], cols[j], mass)
    f, g = np.zeros(len(x)), np.zeros(len(y))
    f[rows], g[cols] = staircase_potentials(x[rows], y[cols], i, j, cost.p)
    return Solution.certified(problem, plan, f, g, method="line", rtol=rtol, stats={"arcs": len(mass)})


def _order(points: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of the points that carry mass, from left to right."""
    order = np.argsort(points, kind="stable")
    return order[mass[order] > 0]
