"""The choice of a solver behind ``method="auto"``: the fastest that fits, by size, dimension and weights.

===============================================  ===============  ==================================================
points in d dimensions                           method           why
===============================================  ===============  ==================================================
on the line                                      line             O(n log n)
priced on a torch device                         sparse           the others have no use for it
n m <= 2^20 (d >= 32: 2000 x 2000), or           assignment       n = m, equal weights: a fifth to a half of the
d >= 128                                                          simplex's time, which takes over where it is slower
                                                 network-simplex  otherwise; the costs fit into the cache
everything else                                  sparse           memory that grows with n + m, and the least time
===============================================  ===============  ==================================================

What would not fit into memory goes to "sparse". Cost matrices go to the assignment for equal weights and n = m,
otherwise to the network simplex.

Milliseconds, p = 1, two cores; y like x, shifted by 3, half as wide:

==============  ==  ==============  ===============  =============
n x m           d   assignment      network-simplex  sparse
==============  ==  ==============  ===============  =============
700 x 700       2   26, 21, 16      22, 16, 14       25, 398, 143
700 x 700       8   9, 29, 22       41, 31, 36       33, 43, 38
700 x 700       64  9, 8, 13        24, 24, 24       58, 55, 48
1000 x 1000     2   51, 56, 44      63, 54, 42       41, 73, 45
1000 x 1000     8   24, 108, 59     85, 105, 99      50, 72, 53
1500 x 1500     2   150, 161, 128   137, 151, 134    58, 166, 94
1500 x 1500     32  58, 96, 71      225, 250, 268    116, 120, 122
2500 x 2500     32  285, 528, 322   847, 945, 1028   292, 279, 316
2500 x 2500     64  243, 252, 213   705, 762, 743    405, 417, 360
700 x 560       2                   13, 21, 19       40, 63, 52
1000 x 800      2                   50, 45, 33       64, 67, 73
1000 x 800      8                   54, 70, 56       105, 95, 98
1500 x 1200     2                   112, 152, 139    72, 142, 92
1500 x 1200     32                  161, 177, 165    286, 289, 243
2500 x 2000     64                  395, 410, 413    750, 789, 716
==============  ==  ==============  ===============  =============

Weights are random where n and m differ. HiGHS ("linprog") is never chosen: it takes ten to a hundred times as long, and
is there to check the others.
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
FEW_PAIRS, MANY_PAIRS = small.FEW_PAIRS, 2000 * 2000  # of points; the second from MIDDLE_DIMENSION on


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
