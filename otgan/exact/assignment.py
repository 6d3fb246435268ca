"""The assignment problem (equal masses, n = m) by shortest augmenting paths on the dense costs.

An extreme optimal plan is a permutation (Birkhoff). scipy's ``linear_sum_assignment``, which this replaced, takes two
to four times as long and returns no potentials. Where most costs are one greatest number, only the others are searched.
Where shortest paths turn out long, the network simplex takes over; how many rows the first matching leaves free tells.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from otgan.exact import simplex, small
from otgan.exact.dense import RawAnswer, solve_dense
from otgan.runtime.interrupts import asked
from otgan.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.kernels.arcs import Arcs
    from otgan.problem import Problem

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
    few = math.prod(problem.shape) <= small.FEW_PAIRS
    found = small.solve(problem, "assignment", rtol) if few else solve_in_parts(problem, rtol)
    return found or solve_dense(problem, assign, method="assignment", rtol=rtol)


def solve_in_parts(problem: Problem, rtol: float) -> Solution | None:
    """As :func:`otgan.exact.small.solve`, in parts between which Ctrl-C is seen; None also where paths are long."""
    from otgan.kernels.assignment import tight_potentials
    from otgan.kernels.small import proven_matching

    given = small.taken(problem)
    if given is None or given.exponent:
        return None
    match, g, stopped = match_in_parts(given.C)
    n, potential = len(g), tight_potentials(given.C, g, match)
    if match.min() >= 0:
        C, x, y, *rest = given[:-1]
        return small.proven(problem, given, proven_matching(C, x, y, match, potential, *rest), "assignment", rtol)
    if not stopped:
        return None
    matched = np.flatnonzero(match >= 0)
    plan = sparse.coo_array((problem.a[matched], (matched, match[matched])), shape=problem.shape)
    return Solution.certified(
        problem, plan, potential[:n], potential[n:], method="assignment", rtol=rtol, finished=False
    )


def assign(C: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], max_steps: int | None) -> RawAnswer:
    """One run of the compiled solver; after Ctrl-C, the rows that were matched until then."""
    from otgan.kernels.assignment import tight_potentials

    match, g, stopped = match_in_parts(C)
    matched = np.flatnonzero(match >= 0)
    finished = len(matched) == len(a)
    if not finished and not stopped:
        return simplex.run_network_simplex(C, a, b, max_steps)
    f, g = np.split(tight_potentials(C, g, match), 2)
    return RawAnswer(matched, match[matched], a[matched], f, g, finished, is_matching=finished)


def match_in_parts(C: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64], bool]:
    """The column of each row, -1 where it has none yet; prices; and whether there was a Ctrl-C.

    Where there was none, rows are left over only where the simplex is quicker.
    """
    from otgan.kernels.assignment import first_matching, match_rows, paths_are_short
    from otgan.kernels.listed import few_arcs
    from otgan.kernels.small import looks_at_most

    n, row, stopped = len(C), 0, False
    arcs, few = few_arcs(C)
    if few and (found := match_few(arcs)) is not None:
        return *found, False
    match, row_of, g, free = first_matching(C)
    looks = math.ceil(looks_at_most(n) / COSTS_PER_LOOK) if paths_are_short(n, free) else 0
    while row < n and looks and not (stopped := asked()):
        row, looks = match_rows(C, g, match, row_of, row, COSTS_PER_LOOK), looks - 1
    return match, g, stopped


def match_few(arcs: Arcs) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """The same on the arcs of :func:`otgan.kernels.listed.few_arcs`; None after Ctrl-C."""
    from otgan.kernels.augment import augment
    from otgan.kernels.listed import ANY, first_bids, shared_columns

    f, g, matching, free = first_bids(arcs)
    while len(free):
        if asked():
            return None
        free, _, _ = augment(arcs, f, g, matching, free, ANY, COSTS_PER_LOOK)
    return shared_columns(arcs, matching), g[: len(f)].copy()
