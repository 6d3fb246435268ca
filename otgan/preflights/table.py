"""The tables of a preflight: rows of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otgan.preflights.plan import FAMILIES, SIZES
from otgan.preflights.ranking import followed, ranking, tried
from otgan.preflights.settings import words
from otgan.report.numbers import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otgan.preflights.cell import Cell

__all__ = ["moves_table", "ranking_table", "settings_table", "table"]


def ranking_table(cells: Sequence[Cell]) -> list[list[str]]:
    """One row a critic: its score, its number and its gradient from near to far; the straight line last."""
    places = ranking(cells)
    sizes = [size for size in SIZES if any(at.size == size.name for place in places for at in place.sizes)]
    head = ["critic", "score", *(f"number, {s.name}" for s in sizes), *(f"cosine, {s.name}" for s in sizes)]
    rows = [head]
    for place in places:
        at = {size.size: size for size in place.sizes}
        ratios = [_number(at[s.name].ratio) if s.name in at else NOTHING for s in sizes]
        cosines = [_number(at[s.name].cosine) if s.name in at else NOTHING for s in sizes]
        rows.append([place.method, _number(place.score), *ratios, *cosines])
    return rows


def table(cells: Sequence[Cell]) -> list[list[str]]:
    """One row a pair and critic, and the straight line once a pair.

    Examples
    --------
    >>> table([])
    [['fakes', 'family', 'W1', 'critic', 'number / W1', 'by slope', 'cosine', 'gradient', 'steps', 'score']]
    """
    rows = [["fakes", "family", "W1", "critic", "number / W1", "by slope", "cosine", "gradient", "steps", "score"]]
    compared = [cell for cell in cells if cell.stage == "pairs"]
    for size in SIZES:
        for family in FAMILIES:
            here = [cell for cell in compared if (cell.size, cell.family) == (size.name, family)]
            if not here:
                continue
            pair = [size.words, family, f"{here[0].w1:.4g}"]
            rows += [[*pair, *_row(cell)] for cell in here]
            ratio = here[0].line_number / here[0].w1
            line = ["straight line", _number(ratio), _number(ratio), _number(here[0].line_cosine), "1.00", NOTHING]
            rows.append([*pair, *line, _number(here[0].line_score)])
    return rows


def settings_table(cells: Sequence[Cell]) -> list[list[str]]:
    """One row a setting that was tried."""
    rows = [["critic", "setting", "number / W1", "cosine", "steps", "score"]]
    for method, found in tried(cells).items():
        for each in found:
            values = _number(each.ratio), _number(each.cosine), f"{each.steps:.0f}", _number(each.score)
            rows.append([method, words(each.options), *values])
    return rows


def moves_table(cells: Sequence[Cell]) -> list[list[str]]:
    """One row a critic whose fakes moved while it was trained."""
    rows = [["critic", "steps before and after", "follows after", "number / W1 then", "cosine then"]]
    for method, cell in followed(cells).items():
        rows.append([method, f"{cell.steps}", f"{cell.settled}", _number(cell.ratio), _number(cell.cosine)])
    return rows


def _row(cell: Cell) -> list[str]:
    if cell.failed is not None:
        return [cell.method, "diverged", *[NOTHING] * 4, _number(0.0)]
    norm = sum(cell.norms) / len(cell.norms)
    steps = f"{cell.steps}" if cell.steps else NOTHING
    return [cell.method, *map(_number, (cell.ratio, cell.by_slope, cell.cosine, norm)), steps, _number(cell.score)]


def _number(value: float) -> str:
    """Two decimals, or as many as a small number needs."""
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.01 else f"{value:.1g}"
