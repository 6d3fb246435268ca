"""The leaderboard: mean errors of each method over cells, with intervals over seeds, beside the published figures."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtrit

from critic.cells import FAMILIES, STAGES, Cell, published
from critic.methods import SETTINGS
from critic.store import Record, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Runs = dict[str, dict[Cell, list[Record]]]  # name -> cell -> seeds

RAYS = "The six families of otgan.pairs.families"
SIX = "Of the six: "
FULL = "Funnels and four other families"
BOARDS: dict[str, tuple[Cell, ...]] = {
    "Funnels, the six cells of the screen": STAGES["screen"],
    "Funnels, all 28 cells": STAGES["funnels"],
    **{
        f"Other families: {family}": tuple(cell for cell in STAGES["families"] if cell.family == family)
        for family in FAMILIES
        if family != "funnels"
    },
    FULL: STAGES["full"],
    RAYS: STAGES["rays"],
    **{
        f"{SIX}{family}": tuple(cell for cell in STAGES["rays"] if cell.family == family)
        for family in dict.fromkeys(cell.family for cell in STAGES["rays"])
    },
}
FIGURES: dict[str, Callable[[Record], float | None]] = {
    "cosine": lambda record: record["cosine"],
    "error": lambda record: abs(record["error"]),
    "corrected_error": lambda record: _size(record["corrected_error"]),
    "slope_corrected_error": lambda record: _size(record["slope_corrected_error"]),
}


class Mean(NamedTuple):
    """A mean, and half the width of its 95 % interval over seeds (None where no cell has two)."""

    value: float
    reach: float | None = None


@dataclass(frozen=True)
class Line:
    """A line of a leaderboard: means over cells.

    Attributes
    ----------
    name : str
    control : bool
    cells : int
        That the means run over.
    seeds : str
        How many for each cell, least and most.
    failed : int
        Runs that diverged, and are in no mean.
    figures : dict
        Of :data:`FIGURES`; what a method lacks is absent.
    worst : dict
        Of cosine and error, the family whose mean is the worst and that mean; empty on a board of one family.
    """

    name: str
    control: bool
    cells: int
    seeds: str
    failed: int
    figures: dict[str, Mean]
    worst: dict[str, tuple[str, float]] = field(default_factory=dict)


def runs_of(records: Iterable[Record]) -> tuple[Runs, int]:
    """Records by method and cell, and how many were left out since their settings are no longer those of the table."""
    runs: Runs = {}
    left_out = 0
    cells = {cell.key: cell for stage in STAGES.values() for cell in stage}
    for record in records:
        name = record["name"]
        if (
            name in SETTINGS
            and record["cell"] in cells
            and record["settings"] == digest(SETTINGS[name], record["pool"])
        ):
            runs.setdefault(name, {}).setdefault(cells[record["cell"]], []).append(record)
        else:
            left_out += 1
    return {name: runs[name] for name in SETTINGS if name in runs}, left_out


def good(records: Iterable[Record]) -> list[Record]:
    """Those that did not diverge."""
    return [record for record in records if record["status"] == "ok"]


def mean_over_cells(values: Sequence[Sequence[float]]) -> Mean:
    """The mean over cells of the mean over seeds, with its interval.

    The variance over seeds is taken in each cell; a cell with a single seed is given the mean variance of the others.
    The quantile is Student's, with as many degrees of freedom as there are seeds to spare.
    """
    counts = np.array([len(cell) for cell in values])
    mean = float(np.mean([np.mean(cell) for cell in values]))
    spare = int((counts - 1).sum())
    if spare == 0:
        return Mean(mean)
    variances = np.array([np.var(cell, ddof=1) if len(cell) > 1 else np.nan for cell in values])
    variances = np.where(np.isnan(variances), np.nanmean(variances), variances)
    stderr = math.sqrt(float((variances / counts).sum())) / len(values)
    return Mean(mean, float(stdtrit(spare, 0.975)) * stderr)


def line(name: str, runs: Mapping[Cell, list[Record]], cells: Sequence[Cell]) -> Line | None:
    """A method's line on a board; None if no run of it there went well."""
    found = [runs[cell] for cell in cells if cell in runs]
    kept = [seeds for seeds in map(good, found) if seeds]
    if not kept:
        return None
    figures: dict[str, Mean] = {}
    for figure, of in FIGURES.items():
        values = [[value for record in seeds if (value := of(record)) is not None] for seeds in kept]
        if all(values):
            figures[figure] = mean_over_cells(values)
    counts = sorted(len(seeds) for seeds in kept)
    seeds = str(counts[0]) if counts[0] == counts[-1] else f"{counts[0]}-{counts[-1]}"
    failed = sum(map(len, found)) - sum(map(len, kept))
    return Line(name, SETTINGS[name].control, len(kept), seeds, failed, figures, worst(runs, cells))


def worst(runs: Mapping[Cell, list[Record]], cells: Sequence[Cell]) -> dict[str, tuple[str, float]]:
    """The family with the least mean cosine, and the one with the greatest mean error, each with that mean.

    A mean over cells hides where a method fails: whoever has data of their own cannot choose the family.
    """
    of_family: dict[str, list[list[Record]]] = {}
    for cell in cells:
        if seeds := good(runs.get(cell, [])):
            of_family.setdefault(cell.family, []).append(seeds)
    if len(of_family) < 2:
        return {}
    found = {}
    for figure, worse in (("cosine", min), ("error", max)):
        of = FIGURES[figure]
        means = {
            family: mean_over_cells([[of(one) or 0.0 for one in seeds] for seeds in many]).value
            for family, many in of_family.items()
        }
        family = worse(means, key=lambda name: means[name])
        found[figure] = (family, means[family])
    return found


def board(runs: Runs, cells: Sequence[Cell]) -> list[Line]:
    """Lines on the given cells: the best cosine first, but those that lack cells after all that do not."""
    lines = [found for name in runs if (found := line(name, runs[name], cells))]
    return sorted(lines, key=lambda one: (-one.cells, -one.figures["cosine"].value))


def published_lines(cells: Sequence[Cell]) -> list[Line]:
    """What is published on the same cells: the best of each cell, which no single method is, and each method."""
    table = {name: figures for name, figures in published().items() if all(cell in figures for cell in cells)}
    if not table:
        return []
    best_cosine = np.mean([max(figures[cell].cosine for figures in table.values()) for cell in cells])
    best_error = np.mean([min(abs(figures[cell].error) for figures in table.values()) for cell in cells])
    lines = [_published_line("best of each cell", len(cells), float(best_cosine), float(best_error))]
    for name, figures in table.items():
        cosine = np.mean([figures[cell].cosine for cell in cells])
        error = np.mean([abs(figures[cell].error) for cell in cells])
        lines.append(_published_line(name, len(cells), float(cosine), float(error)))
    return lines[:1] + sorted(lines[1:], key=lambda one: -one.figures["cosine"].value)


def _published_line(name: str, cells: int, cosine: float, error: float) -> Line:
    return Line(f"published: {name}", False, cells, "1", 0, {"cosine": Mean(cosine), "error": Mean(error)})


@dataclass(frozen=True)
class Board:
    """A leaderboard.

    Attributes
    ----------
    title : str
    cells : tuple of Cell
        That it is about.
    present : tuple of Cell
        Of those, the ones where anything was run: what is published is averaged over them.
    lines : list of Line
    """

    title: str
    cells: tuple[Cell, ...]
    present: tuple[Cell, ...]
    lines: list[Line]


def boards_of(runs: Runs) -> list[Board]:
    """Every board that has a line, but that of all funnels where nothing went beyond the screen.

    Nor one of several families, or of one of the six, where there is no more than the funnels.
    """
    seen = {cell for by_cell in runs.values() for cell in by_cell}
    others = {cell for cell in seen if cell in STAGES["rays"] and cell.family != "funnels"}
    boards = []
    for title, cells in BOARDS.items():
        present = tuple(cell for cell in cells if cell in seen)
        more = title not in (FULL, RAYS) and not title.startswith(SIX)
        if not (lines := board(runs, cells)) or (cells == STAGES["funnels"] and set(present) <= set(STAGES["screen"])):
            continue
        if more or len({cell.family for cell in present}) > 1 or (title.startswith(SIX) and others):
            boards.append(Board(title, cells, present, lines))
    return boards


def _size(error: float | None) -> float | None:
    return None if error is None else abs(error)
