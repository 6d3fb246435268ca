"""The columns of a table of critics: what they are called, how they are written, and what they mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otgan.report.numbers import NOTHING, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["COLUMNS", "Column", "amount", "settled", "shown", "unsettled"]

SETTLED = 0.01  # relative change of an estimate over the last fifth of its training, up to which it has settled


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    title : str
        Its head.
    cell : callable
        From a report, as ``CriticReport.as_dict()`` gives it, to what stands in its row.
    meaning : str
        One or two sentences for people who do not know the word.
    about_critic : bool
        Whether it is about the critic as a function, and not about its number: the second half of a split table.
    """

    title: str
    cell: Callable[[Mapping[str, Any]], str]
    meaning: str
    about_critic: bool = False


def amount(value: Any, scale: float = 1.0) -> str:
    """A number with four digits of ``scale``, in few characters; a dash for None and NaN.

    Examples
    --------
    >>> amount(1.08149), amount(81.24, 1.0), amount(2e-7), amount(None), amount(float("-inf"))
    ('1.081', '81.240', '2.0e-07', '–', '-inf')
    """
    if value is None or math.isnan(value := float(value)):
        return NOTHING
    if math.isinf(value):
        return f"{value}"
    magnitude = math.floor(math.log10(scale)) if 0 < scale < math.inf else 0
    decimals = max(0, 3 - magnitude)
    if decimals > 7 or abs(value) >= 1e7 or 0 < abs(value) < 0.5 * 10.0**-decimals:
        return f"{value:.1e}" if abs(value) < scale else f"{value:.3e}"
    return f"{value:.{decimals}f}"


def _in_units(key: str) -> Callable[[Mapping[str, Any]], str]:
    """Cells of a number in units of the data, with as many decimals as the exact distance has."""
    return lambda report: amount(report.get(key), report["exact"])


def _pure(key: str) -> Callable[[Mapping[str, Any]], str]:
    """Cells of a number without unit."""
    return lambda report: amount(report.get(key))


def settled(report: Mapping[str, Any]) -> bool | None:
    """Whether a critic's estimate had stopped changing when its training ended; None where that is not known.

    Examples
    --------
    >>> settled({"trend": 0.002}), settled({"trend": -0.2}), settled({})
    (True, False, None)
    """
    trend = report.get("trend")
    return None if trend is None else abs(trend) <= SETTLED


def unsettled(reports: Sequence[Mapping[str, Any]]) -> str:
    """A warning that names the critics whose estimate was still changing when training ended; empty if none was.

    Examples
    --------
    >>> unsettled([{"method": "gp", "trend": 0.0191}, {"method": "clip", "trend": 0.0}])
    'Still changing over the last fifth of the training: gp (+1.9 %). More steps would give another number.'
    """
    moving = [
        f"{report['method']} ({percent(report['trend'], signed=True)})"
        for report in reports
        if settled(report) is False
    ]
    if not moving:
        return ""
    said = ", ".join(moving)
    return f"Still changing over the last fifth of the training: {said}. More steps would give another number."


def shown(reports: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns that are not empty in every report."""
    return [column for column in COLUMNS if not reports or any(column.cell(each) != NOTHING for each in reports)]


def _corrected(report: Mapping[str, Any]) -> str:
    return _in_units("corrected")(report) if settled(report) else NOTHING


def _estimate(report: Mapping[str, Any]) -> str:
    text, stderr = _in_units("estimate")(report), report.get("stderr")
    if stderr is None or not math.isfinite(stderr) or report.get("n_seeds", 1) < 2:
        return text
    return f"{text} ± {amount(stderr, report['exact'])}"


def _share(report: Mapping[str, Any]) -> str:
    return percent(report.get("critic_share"))


def _error(report: Mapping[str, Any]) -> str:
    return percent(report.get("relative_error"), signed=True)


def _counted(name: str, form: str) -> Callable[[Mapping[str, Any]], str]:
    """A field in a format; nothing for critics that were not trained here."""
    return lambda report: NOTHING if report[name] is None else format(report[name], form)


COLUMNS = (
    Column(
        "estimate",
        _estimate,
        "What the critic says the distance is: its mean over the first sample minus its mean over the second. Behind "
        "± stands the standard error over the training seeds.",
    ),
    Column(
        "error",
        _error,
        "By how much the estimate is above (+) or below (−) the exact distance, as a share of it.",
    ),
    Column(
        "corrected",
        _corrected,
        "The estimate with the method's known bias removed, by a formula that holds for a critic at its optimum where "
        "all mass moves along one ray: elsewhere it can be further off. Only for critics that had settled.",
    ),
    Column(
        "lower bound",
        _in_units("lower_bound"),
        "What the best critic proves once it is repaired to be exactly 1-Lipschitz: by Kantorovich and Rubinstein such "
        "a number cannot exceed the exact distance. The nearer to it, the better.",
    ),
    Column(
        "share",
        _share,
        "How much of the lower bound the critic adds. A constant critic proves something too, by the repair "
        "alone; this is the part of the way from there to the exact distance that the critic adds. 100 % is all of "
        "it; below 0 the constant proves more.",
    ),
    Column(
        "held out",
        _in_units("held_out"),
        "The same critic's number on points that it was not trained on. Much less than the estimate means that it has "
        "learnt the sample by heart.",
    ),
    Column(
        "Lipschitz",
        _pure("lipschitz_observed"),
        "The steepest slope seen between the points. The distance is defined by critics of slope 1; one that is "
        "twice as steep says twice as much.",
        about_critic=True,
    ),
    Column(
        "certified",
        _pure("lipschitz_certified"),
        "A bound on the slope everywhere, proven from the network's weights, where the network allows it.",
        about_critic=True,
    ),
    Column(
        "normalised",
        _in_units("normalised"),
        "The estimate divided by the observed slope.",
        about_critic=True,
    ),
    Column(
        "cosine",
        _pure("cosine"),
        "Whether the critic's gradient points the way that the exact plan moves the mass: 1 is the same direction "
        "everywhere, 0 is no relation. The gradient is what a generator learns from.",
        about_critic=True,
    ),
    Column(
        "gradient",
        _pure("gradient_norm"),
        "The mean length of the critic's gradient along the way of the mass; a perfect critic's is 1.",
        about_critic=True,
    ),
    Column("steps", _counted("steps", "d"), "Training steps of each seed.", about_critic=True),
    Column("seconds", _counted("seconds", ".1f"), "Time to train all seeds.", about_critic=True),
)
