"""Exceptions that otgan raises; every message says what was expected, what came, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.solution import Solution

__all__ = ["Infeasible", "Interrupted", "InvalidInput", "MissingDependency", "NotConverged", "OTError"]


class OTError(Exception):
    """Base class of every error that otgan raises on purpose."""


class InvalidInput(OTError, ValueError):
    """The data or the options make no sense as given; nothing was computed."""


class Infeasible(InvalidInput):
    """No plan moves the masses along the pairs that a cost allows; the proof is a set of rows with too much mass.

    Attributes
    ----------
    rows : (k,) ndarray of int
        Rows that together have more mass than all columns that they may send to.
    cols : (l,) ndarray of int
        Those columns, and perhaps others.
    """

    def __init__(self, message: str, rows: NDArray[Any], cols: NDArray[Any]) -> None:
        super().__init__(message)
        self.rows, self.cols = rows, cols

    def __reduce__(self) -> tuple[type[Infeasible], tuple[str, NDArray[Any], NDArray[Any]]]:
        return type(self), (str(self), self.rows, self.cols)


class MissingDependency(OTError, ImportError):
    """A package of one of otgan's extras is not installed, or does not import; the message names the extra."""


class NotConverged(OTError, RuntimeError):
    """The proven bounds did not meet within ``rtol``; ``solution`` holds what was proven.

    Attributes
    ----------
    solution : otgan.solution.Solution
        A valid solution: ``solution.lower <= truth <= solution.upper`` holds, and ``solution.plan`` is feasible, but
        for costs that forbid pairs: as in :class:`Interrupted`.
    """

    def __init__(self, message: str, solution: Solution) -> None:
        super().__init__(message)
        self.solution = solution

    def __reduce__(self) -> tuple[type[NotConverged], tuple[str, Solution]]:
        return type(self), (str(self), self.solution)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a solve, with what was proven until then.

    It is a KeyboardInterrupt and not an :class:`OTError`, so that code which catches errors and goes on does not catch
    it.

    Attributes
    ----------
    solution : otgan.solution.Solution
        A valid solution: ``solution.lower <= truth <= solution.upper`` holds, and ``solution.plan`` is feasible. Its
        status is INTERRUPTED, or OPTIMAL where the solve was done all the same. Where costs forbid pairs, and it is
        not known yet whether some plan avoids them, ``solution.upper`` is infinite, and ``solution.plan`` uses some.

    Examples
    --------
    >>> issubclass(Interrupted, KeyboardInterrupt), issubclass(Interrupted, Exception)
    (True, False)
    """

    def __init__(self, message: str, solution: Solution) -> None:
        super().__init__(message)
        self.solution = solution

    def __reduce__(self) -> tuple[type[Interrupted], tuple[str, Solution]]:
        return type(self), (str(self), self.solution)
