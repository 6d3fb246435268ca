"""The figure of a preflight: critics' numbers and gradients beside the truth, from near to far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otgan import plot
from otgan.preflights.plan import SIZES
from otgan.preflights.ranking import ranking
from otgan.report import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawn

    from otgan.preflights.cell import Cell

__all__ = ["figures"]

TOP = 2.0  # times the truth: what is beyond stands at the edge
CAPTION = (
    "Each small dot is a critic on one family of pairs, each line its mean. Left: its number as a multiple of the true "
    "distance; on the line at 1 it is right, and what is beyond 2 stands at the edge. Right: how far its gradient at "
    "the fakes points the way that they have to go; 1 is straight. The dotted line is a straight line (a linear "
    "critic), which needs no training. Per cents say how far fakes are from the real samples: shares of the distance "
    "between two of these."
)


def figures(cells: Sequence[Cell]) -> list[Figure]:
    """The figure for pages; none where matplotlib is not installed, or nothing was compared."""
    drawn = plot.render_all(lambda: _draw(cells)) if ranking(cells) else None
    if drawn is None:
        return []
    alt = "Critics' numbers and the cosines of their gradients where fakes are near, halfway and far"
    return [Figure(drawn.light, drawn.dark, alt, CAPTION, "preflight", drawn[2:])]


def _draw(cells: Sequence[Cell]) -> Drawn:
    figure, (left, right) = plot.panels(2, 3.4, narrow_height=2.7)
    compared = [cell for cell in cells if cell.stage == "pairs" and cell.failed is None]
    sizes = [size for size in SIZES if any(cell.size == size.name for cell in compared)]
    places = ranking(cells)
    for k, place in enumerate(places):
        own = [cell for cell in compared if cell.method == place.method]
        offset = 0.07 * (k - (len(places) - 1) / 2)
        for ax, of in ((left, lambda cell: cell.ratio), (right, lambda cell: cell.cosine)):
            _line(ax, [[of(cell) for cell in own if cell.size == size.name] for size in sizes], k, offset, place.method)
    pairs = list({(cell.family, cell.size): cell for cell in compared}.values())
    for ax, line in ((left, lambda cell: cell.line_number / cell.w1), (right, lambda cell: cell.line_cosine)):
        means = [_mean([line(cell) for cell in pairs if cell.size == size.name]) for size in sizes]
        ax.plot(range(len(sizes)), means, ":", color=plot.text_colour(), linewidth=1.2, label="straight line")
        ax.axhline(1.0, color=plot.text_colour(), linewidth=1.1)
        ax.set_xticks(range(len(sizes)), [f"{size.words}\n({100 * size.share:.0f} %)" for size in sizes])
        ax.set_xlim(-0.4, len(sizes) - 0.6)
    most = max((cell.ratio for cell in compared), default=1.0)
    least = min((cell.ratio for cell in compared), default=0.0)
    left.set_ylim(max(-0.5, min(-0.03, 1.05 * least)), min(TOP, max(1.15, 1.05 * most)))
    right.set_ylim(min(-0.03, min((cell.cosine for cell in compared), default=0.0) - 0.03), 1.05)
    left.set_title("its number, times the true distance", loc="left")
    right.set_title("its gradient: cosine with the way to go", loc="left")
    for ax in (left, right):
        ax.set_xlabel("where the fakes are")
    if plot.is_narrow():
        left.set_xlabel("")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3 if plot.is_narrow() else len(labels))
    return figure


def _line(ax: Axes, values: list[list[float]], k: int, offset: float, name: str) -> None:
    """One critic's values on the families at each size, and their means."""
    colour, dash = plot.series(k)
    for place, some in enumerate(values):
        held = [min(value, TOP) for value in some]
        ax.plot([place + offset] * len(held), held, "o", color=colour, markersize=3.5, alpha=0.55, markeredgewidth=0)
    at = [place for place, some in enumerate(values) if some]
    means = [min(_mean(some), TOP) for some in values if some]
    ax.plot([place + offset for place in at], means, color=colour, linestyle=dash, linewidth=1.8, label=name)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
