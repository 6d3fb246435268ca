"""What otgan raises. Every message says what was expected, what came, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otgan.solution import Solution

__all__ = ["InvalidInput", "NotConverged", "OTError"]


class OTError(Exception):
    """Base class of every error that otgan raises on purpose."""


class InvalidInput(OTError, ValueError):
    """The data or the options make no sense as given; nothing was computed."""


class NotConverged(OTError, RuntimeError):
    """The proven bounds did not meet within ``rtol``; what was proven is inside.

    Attributes
    ----------
    solution : otgan.solution.Solution
        A valid solution: ``solution.lower <= truth <= solution.upper`` holds, and ``solution.plan`` is feasible.
    """

    def __init__(self, message: str, solution: Solution) -> None:
        super().__init__(message)
        self.solution = solution

    def __reduce__(self) -> tuple[type[NotConverged], tuple[str, Solution]]:
        return type(self), (str(self), self.solution)
