"""Equal masses, n = m: a permutation is optimal (Birkhoff), found by scipy's shortest augmenting paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otgan.exact.dense import RawAnswer, solve_dense

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.problem import Problem
    from otgan.solution import Solution

__all__ = ["accepts", "memory", "solve"]


def accepts(problem: Problem) -> str | None:
    """Why this solver cannot take ``problem``; None if it can."""
    n, m = problem.shape
    if n != m:
        return f"it needs as many points on both sides, and there are {n} and {m}"
    if np.ptp(problem.a) or np.ptp(problem.b):
        return "it needs equal weights"
    return None


def memory(n: int, m: int) -> int:
    """Bytes needed: costs, reduced costs and blocks of them."""
    return 24 * n * m


def solve(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Solve the assignment, then read potentials off it; ``max_steps`` has no meaning here."""
    return solve_dense(problem, assign, method="assignment", rtol=rtol, progress=progress)


def assign(C: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], max_steps: int | None) -> RawAnswer:
    """One run of scipy's solver, with potentials from shortest paths in the residual graph."""
    from scipy.optimize import linear_sum_assignment

    from otgan.kernels.residual import matching_potentials

    rows, cols = linear_sum_assignment(C)
    f = np.empty(len(a))
    g = np.empty(len(b))
    f[rows], g[cols] = matching_potentials(np.ascontiguousarray(C[:, cols][rows]))
    return RawAnswer(rows, cols, a[rows], f, g)
