"""The choice of a solver behind ``method="auto"``: the fastest that fits, by size, dimension and weights.

===============================================  ===============  ==================================================
points in d dimensions                           method           why
===============================================  ===============  ==================================================
on the line                                      line             O(n log n)
priced on a torch device                         sparse           the others have no use for it
n m <= 700 x 700 (d >= 32: 1500 x 1500), or      assignment       n = m, equal weights: half the time of the simplex,
d >= 128                                                          which takes over where it would be slower
                                                 network-simplex  otherwise; the costs fit into the cache
everything else                                  sparse           memory that grows with n + m, and the least time
===============================================  ===============  ==================================================

What would not fit into memory goes to "sparse". Cost matrices go to the assignment for equal weights and n = m,
otherwise to the network simplex.

Milliseconds, p = 1, two cores; y like x, shifted by 3, half as wide:

===============  ===  =================  =================  ===============
n x m, weights   d    assignment         network-simplex    sparse
===============  ===  =================  =================  ===============
200 x 200        2    2, 5, 3            2, 2, 2            10, 19, 12
700 x 700        2    28, 166, 50        15, 22, 26         31, 302, 114
700 x 700        8    15, 53, 38         34, 42, 32         41, 51, 40
1000 x 1000      2    81, 462, 187       46, 40, 40         43, 108, 62
1000 x 1000      8    47, 179, 92        54, 113, 94        48, 59, 51
1000 x 1000      64   35, 61, 62         62, 67, 60         84, 106, 99
1500 x 1500      64   175, 137, 342      210, 217, 193      187, 219, 200
700 x 560, rand  2                       29, 39, 23         43, 58, 56
1000 x 800       2                       52, 76, 65         49, 81, 61
1000 x 800       64                      80, 78, 66         247, 155, 177
1500 x 1200      2                       153, 182, 143      84, 123, 117
1500 x 1200      64                      202, 233, 161      383, 301, 312
===============  ===  =================  =================  ===============

The column of the assignment is that of its shortest paths alone. HiGHS ("linprog") is never chosen: it takes ten to a
hundred times as long, and is there to check the others.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from otgan.costs import PointCost
from otgan.errors import InvalidInput
from otgan.exact import METHODS, small, solver
from otgan.runtime import memory

if TYPE_CHECKING:
    from otgan.problem import Problem

__all__ = ["check", "choose"]

HIGH_DIMENSION, MIDDLE_DIMENSION = 128, 32
FEW_PAIRS, MANY_PAIRS = small.FEW_PAIRS, 1500 * 1500  # of points; the second from MIDDLE_DIMENSION on


def choose(problem: Problem) -> str:
    """The method for ``problem`` by the table above."""
    cost, pairs = problem.cost, math.prod(problem.shape)
    dense = "assignment" if solver("assignment").accepts(problem) is None else "network-simplex"
    if not isinstance(cost, PointCost):
        return dense
    if cost.dimension == 1:
        return "line"
    if cost.device != "cpu":
        return "sparse"
    few = FEW_PAIRS if cost.dimension < MIDDLE_DIMENSION else MANY_PAIRS
    method = dense if pairs <= few or cost.dimension >= HIGH_DIMENSION else "sparse"
    return method if _fits(problem, method) else "sparse"


def check(problem: Problem, method: str) -> None:
    """Raise InvalidInput where ``method`` cannot take ``problem``, or would not fit into memory."""
    reason = solver(method).accepts(problem)
    if reason is not None:
        raise InvalidInput(
            f"method={method!r} cannot take this problem: {reason}. Use {_others(problem, method)}, or method='auto'."
        )
    if not _fits(problem, method):
        n, m = problem.shape
        others = _others(problem, method)
        hint = f"Use method={others}" if others else "Use fewer points"
        raise InvalidInput(
            f"method={method!r} would take about {memory.gib(solver(method).memory(n, m))} for {n} x {m} costs, and "
            f"{memory.gib(memory.available())} are to be had here. {hint}."
        )


def _fits(problem: Problem, method: str) -> bool:
    return solver(method).accepts(problem) is None and memory.fits(solver(method).memory(*problem.shape))


def _others(problem: Problem, method: str) -> str:
    return " or ".join(repr(name) for name in METHODS if name != method and _fits(problem, name))
