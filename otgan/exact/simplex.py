"""Network simplex of POT (Bonneel et al. 2011, after LEMON), for any masses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otgan.exact.dense import RawAnswer, solve_dense

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.problem import Problem
    from otgan.solution import Solution

__all__ = ["COUNTS_STEPS", "accepts", "memory", "solve"]

COUNTS_STEPS = True

UNLIMITED = 2**62  # pivots
MAX_ITER_REACHED = 3  # POT's code; every other outcome is judged by the certificate alone


def accepts(problem: Problem) -> str | None:
    """Why this solver cannot take ``problem``; it takes all."""
    return None


def memory(n: int, m: int) -> int:
    """Bytes needed: costs, reduced costs, POT's copy of costs and flows, and its dense plan."""
    return 48 * n * m


def solve(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Solve with at most ``max_steps`` pivots a round; None is unlimited."""
    return solve_dense(problem, run_pot_network_simplex, method="network-simplex", rtol=rtol, max_steps=max_steps)


def run_pot_network_simplex(
    C: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], max_steps: int | None
) -> RawAnswer:
    """One run of POT's compiled simplex."""
    from ot.lp.emd_wrap import emd_c  # imported late: POT loads whatever array libraries are installed

    plan, _, f, g, code = emd_c(a, b * (a.sum() / b.sum()), C, max_steps or UNLIMITED, 1)
    row, col = np.nonzero(plan)
    return RawAnswer(row, col, plan[row, col], f, g, finished=code != MAX_ITER_REACHED)
