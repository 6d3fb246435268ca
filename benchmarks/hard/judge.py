"""What counts as a fault: bounds, values and distances that otgan gives, against rational numbers."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import otgan
from otgan.errors import InvalidInput, NotConverged
from otgan.exact import METHODS, solver
from otgan.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from hard.truth import Truth
    from otgan.solution import Solution

__all__ = ["FAULTS", "NOTES", "RTOL", "Finding", "accepting", "at_most", "attempt", "compared", "judged", "raised"]

RTOL, DISTANCE_RTOL = 1e-9, 1e-12
FAULTS = ("excludes truth", "off", "contradiction", "outside", "exception")
NOTES = ("not converged", "refused")
DENORMAL = Fraction(5e-324)  # no distance can be closer to the truth than the floats are to each other


class Finding(NamedTuple):
    """What came of one call: some of FAULTS and NOTES, and the relative error of what claims to be right."""

    method: str
    labels: tuple[str, ...]
    error: float
    message: str


def accepting(stated: Problem | Exception) -> list[str]:
    """The methods that take the problem; "auto" alone, which will say why, where there is no problem."""
    if isinstance(stated, Exception):
        return ["auto"]
    return ["auto", *(method for method in METHODS if solver(method).accepts(stated) is None)]


def attempt(function: Callable[[], Any]) -> Any:
    """What came back or what was raised; the solution where it could not be proven."""
    try:
        return function()
    except NotConverged as error:
        return error.solution
    except Exception as error:
        return error


def judged(method: str, answer: Solution | Exception, truth: Truth) -> Finding:
    """The bounds and the value of a solution against the truth, as rational numbers."""
    if isinstance(answer, Exception):
        return raised(method, answer)
    labels = []
    lower, upper, value = answer.lower, answer.upper, answer.value
    if not (at_most(lower, truth.value + truth.error) and at_most(-upper, truth.error - truth.value)):
        labels.append("excludes truth")
    if lower > upper:
        labels.append("contradiction")
    elif not lower <= value <= upper:
        labels.append("outside")
    error = 0.0
    if answer.status is otgan.Status.OPTIMAL:
        scale = abs(truth.value)
        if answer.problem.cost.floor < 0:
            scale = max(scale, Fraction(answer.certificate.magnitude))
        error = relative(value, truth.value, scale)
        labels += ["off"] * (error > RTOL)
    else:
        labels.append("not converged")
    message = f"[{lower!r}, {upper!r}], value {value!r}, {answer.status.name}, truth {float(truth.value)!r}"
    return Finding(method, tuple(labels), error, message)


def compared(method: str, found: float | Exception, truth: Fraction) -> Finding:
    """A distance against the truth."""
    if isinstance(found, Exception):
        return raised(method, found)
    rounded_away = math.isfinite(found) and abs(Fraction(float(found)) - truth) <= DENORMAL
    error = 0.0 if rounded_away else relative(float(found), truth, truth)
    return Finding(method, ("off",) * (error > DISTANCE_RTOL), error, f"{float(found)!r}, truth {float(truth)!r}")


def raised(method: str, error: Exception) -> Finding:
    """InvalidInput is an answer; anything else is not."""
    label = "refused" if isinstance(error, InvalidInput) else "exception"
    return Finding(method, (label,), 0.0, f"{type(error).__name__}: {error}")


def at_most(bound: float, truth: Fraction) -> bool:
    """Whether a float, NaN and infinities too, is at most a rational number."""
    return Fraction(bound) <= truth if math.isfinite(bound) else bound == -math.inf


def relative(found: float, truth: Fraction, scale: Fraction) -> float:
    """The error as a share of the scale."""
    if not math.isfinite(found):
        return math.inf
    error = abs(Fraction(found) - truth)
    return float(min(error / scale, 10**300)) if scale else math.inf if error else 0.0
