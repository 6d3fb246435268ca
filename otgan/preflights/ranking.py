"""Which critic comes first, and with which settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otgan.preflights.plan import SIZES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otgan.preflights.cell import Cell

__all__ = ["AtSize", "Place", "Tried", "best_settings", "followed", "line_score", "ranking", "tried"]


@dataclass(frozen=True)
class AtSize:
    """What a critic does where fakes are at one distance: numbers over all families of pairs.

    Attributes
    ----------
    size : str
    ratio, least, greatest : float
        Its number as a multiple of the truth: mean, least and greatest of the families.
    by_slope : float
        The same of the number divided by its slope.
    cosine : float
        Mean cosine of its gradient at the fakes with the way that they have to go.
    line_cosine : float
        The same of the linear critic.
    score, line_score : float
    """

    size: str
    ratio: float
    least: float
    greatest: float
    by_slope: float
    cosine: float
    line_cosine: float
    score: float
    line_score: float


class Tried(NamedTuple):
    """A setting, and means over the pairs that it was tried on."""

    options: dict[str, Any]
    ratio: float
    cosine: float
    steps: float
    score: float


@dataclass(frozen=True)
class Place:
    """A critic's place.

    Attributes
    ----------
    method : str
    options : dict
        The settings it was compared with, where they are not its defaults.
    score : float
        Mean over sizes: 1 where number and direction are right, 0 as a constant critic has.
    sizes : tuple of AtSize
        From near to far.
    settled : int or None
        Steps, a median over the pairs, until its number stayed within 10 % of its last.
    steps : int
        A median over the pairs.
    failed : int
        On how many pairs it diverged; these count as a score of 0.
    """

    method: str
    options: dict[str, Any]
    score: float
    sizes: tuple[AtSize, ...]
    settled: int | None
    steps: int
    failed: int


def ranking(cells: Iterable[Cell]) -> tuple[Place, ...]:
    """Every critic that was compared, the best first, on the pairs that all of them have."""
    compared = [cell for cell in cells if cell.stage == "pairs"]
    methods = list(dict.fromkeys(cell.method for cell in compared))
    having = {method: {(c.family, c.size) for c in compared if c.method == method} for method in methods}
    common = set.intersection(*having.values()) if having else set()
    kept = [cell for cell in compared if (cell.family, cell.size) in common] or compared
    places = [_place([cell for cell in kept if cell.method == method]) for method in methods if having[method]]
    return tuple(sorted((place for place in places if place), key=lambda place: -place.score))


def best_settings(cells: Iterable[Cell]) -> dict[str, dict[str, Any]]:
    """The options of each method with the best mean score of those that were tried."""
    found = tried(cells)
    return {method: max(of, key=lambda each: each.score).options for method, of in found.items()}


def tried(cells: Iterable[Cell]) -> dict[str, list[Tried]]:
    """The settings of each method that were tried, in order, with their mean scores."""
    chosen = [cell for cell in cells if cell.stage == "settings"]
    found: dict[str, list[Tried]] = {}
    for cell in chosen:
        of = found.setdefault(cell.method, [])
        if all(cell.options != other.options for other in of):
            same = [c for c in chosen if (c.method, c.options) == (cell.method, cell.options)]
            of.append(Tried(cell.options, *(_mean([getattr(c, name) for c in same]) for name in Tried._fields[1:])))
    return found


def followed(cells: Iterable[Cell]) -> dict[str, Cell]:
    """Of each method the cell in which the fakes moved."""
    return {cell.method: cell for cell in cells if cell.stage == "moves" and cell.settled is not None}


def line_score(cells: Iterable[Cell]) -> float:
    """The score of the linear critic on the pairs, a mean over sizes."""
    pairs = {(cell.size, cell.family): cell.line_score for cell in cells if cell.stage == "pairs"}
    means = [[value for (size, _), value in pairs.items() if size == each.name] for each in SIZES]
    return _mean([_mean(values) for values in means if values])


def _place(cells: Sequence[Cell]) -> Place | None:
    """The place of one method, whose cells these are."""
    if not cells:
        return None
    of_size = [[cell for cell in cells if cell.size == size.name] for size in SIZES]
    sizes = tuple(_at_size(some) for some in of_size if some)
    settled = [cell.settled for cell in cells if cell.settled is not None]
    return Place(
        method=cells[0].method,
        options=cells[0].options,
        score=_mean([size.score for size in sizes]),
        sizes=sizes,
        settled=int(np.median(settled)) if settled else None,
        steps=int(np.median([cell.steps for cell in cells])),
        failed=sum(cell.failed is not None for cell in cells),
    )


def _at_size(cells: Sequence[Cell]) -> AtSize:
    ratios = [cell.ratio for cell in cells]
    return AtSize(
        size=cells[0].size,
        ratio=_mean(ratios),
        least=min(ratios),
        greatest=max(ratios),
        by_slope=_mean([cell.by_slope for cell in cells]),
        cosine=_mean([cell.cosine for cell in cells]),
        line_cosine=_mean([cell.line_cosine for cell in cells]),
        score=_mean([cell.score for cell in cells]),
        line_score=_mean([cell.line_score for cell in cells]),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
