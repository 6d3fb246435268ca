"""From a problem to its certified solution: the choice of a solver, Ctrl-C, and what is raised.

Every public function that solves comes through here, those of :mod:`otgan.solve` and of :mod:`otgan.special`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from otgan import inputs
from otgan.errors import Interrupted, InvalidInput, NotConverged
from otgan.exact import METHODS, solver
from otgan.exact.auto import check, choose
from otgan.exact.repeats import merge
from otgan.runtime.interrupts import Interrupts
from otgan.solution import Solution, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from otgan.problem import Problem

__all__ = ["Options", "certified", "returned", "stoppable"]


class Options(NamedTuple):
    """How to solve, as :func:`otgan.solve` explains.

    Attributes
    ----------
    method : str
    rtol : float
    throw : bool
    progress : bool
    max_steps : int or None
    """

    method: str
    rtol: float
    throw: bool = True
    progress: bool = False
    max_steps: int | None = None

    def checked(self, methods: tuple[str, ...]) -> Options:
        """The same, for one of these methods.

        Raises
        ------
        InvalidInput
            For another method, or an option out of range.
        """
        method = inputs.choice(self.method, "method", methods)
        rtol = inputs.tolerance(self.rtol)
        max_steps = None if self.max_steps is None else inputs.count(self.max_steps, "max_steps")
        return self._replace(method=method, rtol=rtol, max_steps=max_steps)


def certified(problem: Problem, options: Options) -> tuple[Solution, bool]:
    """Solve a problem by the method asked for; the solution, and whether there was a Ctrl-C."""
    options = options.checked(("auto", *METHODS))
    method = options.method
    if options.max_steps is not None and method != "auto" and not solver(method).COUNTS_STEPS:
        raise InvalidInput(
            f"max_steps has no meaning for method={method!r}, which always solves to the end. Leave it out, or use "
            "'sparse', 'network-simplex' or 'linprog'."
        )
    start = time.perf_counter()
    merged = None if method == "assignment" else merge(problem)  # which needs equal weights
    solved = problem if merged is None else merged.problem
    name = choose(solved) if method == "auto" else method
    check(solved, name)

    def solve() -> Solution:
        found = solver(name).solve(solved, rtol=options.rtol, max_steps=options.max_steps, progress=options.progress)
        return found if merged is None else merged.expanded(found)

    return stoppable(solve, start)


def stoppable(solve: Callable[[], Solution], start: float) -> tuple[Solution, bool]:
    """What a solver finds until the end or until a Ctrl-C, whether there was one, and the seconds since ``start``."""
    with Interrupts() as interrupts:
        solution = solve()
    status = solution.status
    if interrupts.asked and status in (Status.GAP, Status.MAX_STEPS):
        status = Status.INTERRUPTED
    stats = {**solution.stats, "seconds": time.perf_counter() - start}
    return replace(solution, status=status, stats=stats), interrupts.asked


def returned(solution: Solution, asked: bool, options: Options) -> Solution:
    """``solution``, if nothing speaks against returning it: a Ctrl-C, or bounds that do not meet."""
    if solution.status is Status.OPTIMAL and not asked:
        return solution
    interval = f"the optimal cost lies in [{solution.lower:.15g}, {solution.upper:.15g}], a gap of {solution.gap:.1e}"
    if asked:
        raise Interrupted(f"interrupted, when {interval}. {solution.status.message}", solution)
    if options.throw:
        raise NotConverged(
            f"{interval[0].upper()}{interval[1:]} where rtol = {options.rtol:g} was asked for. "
            f"{solution.status.message}",
            solution,
        )
    return solution
