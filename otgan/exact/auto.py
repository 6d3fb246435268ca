"""The rule behind ``method="auto"``: the fastest solver that fits, by size, dimension and weights.

==========================================  =================  ==================================================
points                                      method             why
==========================================  =================  ==================================================
on the line                                 line               O(n log n)
priced on a torch device                    sparse             the others have no use for it
n = m, equal weights, d > 8                 assignment         in high dimension augmenting paths are short; POT's
                                                               simplex takes 1.6 to 2 times as long
everything else                             network-simplex    fastest in low dimension, takes any weights
==========================================  =================  ==================================================

HiGHS ("linprog") is never chosen: it takes ten to a hundred times as long, and is there to check the others.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from otgan.costs import PointCost
from otgan.errors import InvalidInput
from otgan.exact import METHODS, solver

if TYPE_CHECKING:
    from otgan.problem import Problem

__all__ = ["check", "choose"]

HIGH_DIMENSION = 8


def choose(problem: Problem) -> str:
    """The method for ``problem`` by the table above."""
    cost = problem.cost
    dimension = cost.dimension if isinstance(cost, PointCost) else None
    if dimension == 1:
        return "line"
    if isinstance(cost, PointCost) and cost.device != "cpu":
        return "sparse"
    if dimension is not None and dimension > HIGH_DIMENSION and solver("assignment").accepts(problem) is None:
        return "assignment"
    return "network-simplex"


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
            f"method={method!r} would take about {_gib(solver(method).memory(n, m))} for {n} x {m} costs, and this "
            f"machine has {_gib(machine_memory())}. {hint}."
        )


def machine_memory() -> int:
    """Bytes of memory of this machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a POSIX system: let the allocator decide
        return 2**63


def _fits(problem: Problem, method: str) -> bool:
    return solver(method).accepts(problem) is None and solver(method).memory(*problem.shape) <= machine_memory()


def _gib(size: int) -> str:
    return f"{size / 2**30:.3g} GiB"


def _others(problem: Problem, method: str) -> str:
    return " or ".join(repr(name) for name in METHODS if name != method and _fits(problem, name))
