"""Certified column generation: exact transport between points in memory that grows with n + m.

The problem is solved on a list of arcs. Then *all* pairs are priced exactly, and arcs with a negative reduced cost join
the list. The solver goes on from its last solution, until no such arc is left, or none that could change the value by
more than rtol. The answer is certified like every other one.

Two inner solvers, for two kinds of problems:

==========================================  ===================================================================
:mod:`~otgan.exact.sparse.equal`            n = m and equal masses: an auction, then shortest augmenting paths
:mod:`~otgan.exact.sparse.general`          any masses: a network simplex that keeps its basis
==========================================  ===================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otgan.costs import PointCost
from otgan.exact.sparse.progress import Progress
from otgan.solution import Solution, Status

if TYPE_CHECKING:
    from otgan.problem import Problem

__all__ = ["COUNTS_STEPS", "accepts", "memory", "solve"]

COUNTS_STEPS = True


def accepts(problem: Problem) -> str | None:
    """Why this solver cannot take ``problem``; None if it can."""
    return None if isinstance(problem.cost, PointCost) else "it needs points, not a cost matrix"


def memory(n: int, m: int) -> int:
    """Bytes needed beside the data, at most: some 40 arcs a point, and what pricing found."""
    return 3500 * (n + m)


def solve(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Solve and certify; ``max_steps`` limits the rounds of pricing. Ctrl-C ends it with what is proven so far."""
    from otgan.exact.sparse import equal, general

    with Progress(rtol, max_steps, shown=progress) as rounds:
        if not equal.suits(problem):
            solution = general.solve(problem, rounds)
        else:
            solution = equal.solve(problem, rounds)
            if solution.status is not Status.OPTIMAL and not rounds.exhausted:
                other = general.solve(problem, rounds)
                solution = min(solution, other, key=lambda found: found.gap)
    return solution
