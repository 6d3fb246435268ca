"""The assignment problem (equal masses, n = m) by shortest augmenting paths on the dense costs.

An extreme optimal plan is a permutation (Birkhoff). scipy's ``linear_sum_assignment``, which this replaced, takes two
to four times as long and returns no potentials. Where the costs have many ties, or shortest paths turn out long, the
network simplex takes over; how many rows the first matching leaves free tells.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from otgan.exact import simplex, small
from otgan.exact.dense import RawAnswer, solve_dense
from otgan.runtime.interrupts import asked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.problem import Problem
    from otgan.solution import Solution

__all__ = ["COUNTS_STEPS", "accepts", "memory", "solve"]

COUNTS_STEPS = False

COSTS_PER_LOOK = 100_000_000  # at whether there was a Ctrl-C: a tenth of a second


def accepts(problem: Problem) -> str | None:
    """Why this solver cannot take ``problem``; None if it can."""
    n, m = problem.shape
    if n != m:
        return f"it needs as many points on both sides, and there are {n} and {m}"
    return None if problem.uniform else "it needs equal weights"


def memory(n: int, m: int) -> int:
    """Bytes needed: those of the network simplex, which may take over."""
    return simplex.memory(n, m)


def solve(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Solve the assignment, then read potentials off it; ``max_steps`` has no meaning here."""
    found = small.solve(problem, "assignment", rtol)
    if found is not None:
        return found
    return solve_dense(problem, assign, method="assignment", rtol=rtol)


def assign(C: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], max_steps: int | None) -> RawAnswer:
    """One run of the compiled solver; after Ctrl-C, the rows that were matched until then."""
    from otgan.kernels.assignment import first_matching, match_rows, paths_are_short, row_potentials
    from otgan.kernels.small import looks_at_most

    n, row, stopped = len(a), 0, False
    match, row_of, g, free = first_matching(C)
    looks = math.ceil(looks_at_most(n) / COSTS_PER_LOOK) if paths_are_short(n, free) else 0
    while row < n and looks and not (stopped := asked()):
        row, looks = match_rows(C, g, match, row_of, row, COSTS_PER_LOOK), looks - 1
    if row < n and not stopped:
        return simplex.run_network_simplex(C, a, b, max_steps)
    matched = np.flatnonzero(match >= 0)
    f = row_potentials(C, g, match)
    finished = len(matched) == n
    return RawAnswer(matched, match[matched], a[matched], f, g, finished, is_matching=finished)
