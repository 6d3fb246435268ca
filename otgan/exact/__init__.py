"""Exact solvers of optimal transport, one module each, behind one interface.

A solver module has ``COUNTS_STEPS`` (whether ``max_steps`` limits it), ``accepts(problem)`` (None, or why not),
``memory(n, m)`` (bytes it needs beside the data) and ``solve(problem, *, rtol, max_steps, progress)``, which returns a
certified :class:`~otgan.solution.Solution`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from otgan.problem import Problem
    from otgan.solution import Solution

__all__ = ["METHODS", "Solver", "solver"]

METHODS = {
    "line": "otgan.exact.line",
    "network-simplex": "otgan.exact.simplex",
    "linprog": "otgan.exact.linprog",
    "assignment": "otgan.exact.assignment",
    "sparse": "otgan.exact.sparse",
}


class Solver(Protocol):
    """What a solver module offers."""

    COUNTS_STEPS: bool

    def accepts(self, problem: Problem) -> str | None:
        """Why it cannot take ``problem``; None if it can."""
        ...

    def memory(self, n: int, m: int) -> int:
        """Bytes it needs beside the data."""
        ...

    def solve(self, problem: Problem, *, rtol: float, max_steps: int | None, progress: bool) -> Solution:
        """Solve and certify."""
        ...


@cache
def solver(method: str) -> Solver:
    """The module that implements ``method``, imported on first use."""
    return cast("Solver", import_module(METHODS[method]))
