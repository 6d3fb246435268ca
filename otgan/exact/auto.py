"""The choice of a solver behind ``method="auto"``: the fastest that fits, by size, dimension and weights.

===============================================  ===============  ==================================================
points in d dimensions                           method           why
===============================================  ===============  ==================================================
on the line                                      line             O(n log n)
priced on a torch device                         sparse           the others have no use for it
d >= 128, n = m, equal weights                   assignment       there every pair has to be priced, once is enough
d >= 128, other weights                          network-simplex  the same
n = m <= 700 (d >= 32: 1500), equal weights      assignment       the costs fit into the cache; no lists to keep
everything else                                  sparse           memory that grows with n + m, and the least time
===============================================  ===============  ==================================================

What would not fit into memory goes to "sparse". Cost matrices go to the assignment for equal weights and n = m up to
1500, otherwise to the network simplex.

Milliseconds, Gaussian points, p = 1, two cores:

=======  ======  ============  ========  ====================================  ========
n        d       assignment    sparse    network-simplex, m = 4 n / 5, random  sparse
=======  ======  ============  ========  ====================================  ========
300      2       3             11        7                                     31
700      2       30            29        46                                    37
1000     2       35            38        137                                   55
1000     8       45            50        122                                   90
1000     64      58            80        132                                   179
1000     784     121           2280      202                                   1220
3000     2       816           106       1020                                  128
3000     64      882           538       1790                                  1160
=======  ======  ============  ========  ====================================  ========

At 1000 points the two are equally fast for Gaussians, but where one side is wider than the other the assignment takes
370 ms in the plane and "sparse" 67.

Below some 700 points with weights the network simplex is up to four times as fast as "sparse", but its first call
imports POT, which takes seconds. HiGHS ("linprog") is never chosen: it takes ten to a hundred times as long, and is
there to check the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otgan.costs import PointCost
from otgan.errors import InvalidInput
from otgan.exact import METHODS, solver
from otgan.runtime import memory

if TYPE_CHECKING:
    from otgan.problem import Problem

__all__ = ["check", "choose"]

HIGH_DIMENSION, MIDDLE_DIMENSION = 128, 32  # from here on
FEW_POINTS, MANY_POINTS = 700, 1500  # of each side, at most


def choose(problem: Problem) -> str:
    """The method for ``problem`` by the table above."""
    cost, n = problem.cost, problem.shape[0]
    matched = solver("assignment").accepts(problem) is None
    if not isinstance(cost, PointCost):
        return "assignment" if matched and n <= MANY_POINTS else "network-simplex"
    if cost.dimension == 1:
        return "line"
    if cost.device != "cpu":
        return "sparse"
    if cost.dimension >= HIGH_DIMENSION:
        method = "assignment" if matched else "network-simplex"
    else:
        limit = FEW_POINTS if cost.dimension < MIDDLE_DIMENSION else MANY_POINTS
        method = "assignment" if matched and n <= limit else "sparse"
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
