"""The figures of the critics' benchmark: cosine and W1 error over the dimension, with published figures in grey."""

from __future__ import annotations

import io
import math
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from critic.board import board, good, mean_over_cells
from critic.cells import DIMENSIONS, FUNNELS, STAGES, Cell, published
from critic.methods import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from critic.board import Runs
    from critic.cells import Published
    from critic.store import Record

MOST = 8  # methods in a picture: the table has all
QUIET, STRONG = "#c3c9d0", "#3d444d"  # published: each, and the best
SIDESTEP = 0.035  # of a factor two, between the intervals of neighbouring methods


class Figures(NamedTuple):
    """What a picture shows.

    Attributes
    ----------
    file, title, label : str
    of : callable
        The number of one record.
    theirs : callable
        The same of a published method.
    best : callable
        Of a list, the best.
    """

    file: str
    title: str
    label: str
    of: Callable[[Record], float]
    theirs: Callable[[Published], float]
    best: Callable[[list[float]], float]


PICTURES = (
    Figures(
        "cosine.png",
        "Gradient of the critic against the optimal one",
        "mean cosine (optimal: 1)",
        lambda record: record["cosine"],
        lambda figures: figures.cosine,
        max,
    ),
    Figures(
        "error.png",
        "Error of the critic's W1",
        "W1 error, % (optimal: 0)",
        lambda record: 100 * record["error"],
        lambda figures: 100 * figures.error,
        lambda values: min(values, key=abs),
    ),
)


def draw(runs: Runs, folder: Path) -> None:
    """Write the pictures, where there is something to draw with and a funnel to draw."""
    if find_spec("matplotlib") is None:
        print("without the pictures: matplotlib is not installed")
        return
    names = [line.name for line in board(runs, STAGES["funnels"]) if not line.control][:MOST]
    if not names:
        return
    for picture in PICTURES:
        part = folder / (picture.file + ".part")
        part.write_bytes(picture_of(runs, names, picture))
        os.replace(part, folder / picture.file)


def picture_of(runs: Runs, names: list[str], picture: Figures) -> bytes:
    """One picture as a PNG file."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from otgan.plot.style import LIGHT

    with rc_context(LIGHT):
        sheet = Figure(figsize=(13, 5.0), layout="constrained")
        panels: Any = sheet.subplots(1, len(FUNNELS), sharex=True, sharey=True)
        for ax, n in zip(panels, FUNNELS, strict=True):
            _published(ax, n, picture)
            for k, name in enumerate(names):
                _method(ax, runs[name], n, picture.of, _look(name), k - (len(names) - 1) / 2)
            _dress(ax, n, picture)
        panels[0].set_ylabel(picture.label)
        sheet.suptitle(f"{picture.title}: N funnels in D dimensions", x=0.01, ha="left", fontweight="bold")
        _key(sheet, names)
        buffer = io.BytesIO()
        sheet.savefig(buffer, format="png", dpi=160, metadata={"Software": None})
    return buffer.getvalue()


def _published(ax: Axes, n: int, picture: Figures) -> None:
    """Each published method as a thin line, and the best of each cell."""
    curves = [[picture.theirs(figures[Cell("funnels", d, n)]) for d in DIMENSIONS] for figures in published().values()]
    for curve in curves:
        ax.plot(DIMENSIONS, curve, color=QUIET, linewidth=0.8, zorder=1)
    best = [picture.best(list(cell)) for cell in zip(*curves, strict=True)]
    ax.plot(DIMENSIONS, best, color=STRONG, linewidth=1.6, linestyle=(0, (4, 2)), zorder=2)


def _method(
    ax: Axes,
    by_cell: dict[Cell, list[Record]],
    n: int,
    of: Callable[[Record], float],
    look: tuple[str, str],
    aside: float,
) -> None:
    """One method's means over seeds, with 95 % intervals where there are seeds; aside, so that none hides another."""
    kept = [(d, seeds) for d in DIMENSIONS if (seeds := good(by_cell.get(Cell("funnels", d, n), [])))]
    if not kept:
        return
    means = [mean_over_cells([[of(record) for record in seeds]]) for _, seeds in kept]
    at = np.array([d for d, _ in kept]) * 2.0 ** (SIDESTEP * aside)
    reach = [math.nan if mean.reach is None else mean.reach for mean in means]
    line: Any = {"color": look[0], "linestyle": look[1], "marker": "o", "markersize": 3.5, "linewidth": 1.5}
    ax.errorbar(at, [mean.value for mean in means], yerr=reach, elinewidth=0.9, zorder=3, **line)


def _look(name: str) -> tuple[str, str]:
    """Colour and dash of a method: the same in every picture."""
    from otgan.plot.style import series

    return series([one for one, setting in SETTINGS.items() if not setting.control].index(name))


def _dress(ax: Axes, n: int, picture: Figures) -> None:
    """Axes and their limits: what is far off may leave the panel."""
    from otgan.plot.style import text_colour

    ax.set_title(f"N = {n}", loc="left", fontweight="bold")
    ax.set_xscale("log", base=2)
    ax.set_xticks(DIMENSIONS, [str(d) for d in DIMENSIONS])
    ax.minorticks_off()
    ax.set_xlim(DIMENSIONS[0] / 1.25, DIMENSIONS[-1] * 1.25)
    ax.set_xlabel("dimension D")
    ax.grid(axis="y", color=text_colour(), alpha=0.1)
    if picture.file == "cosine.png":
        ax.set_ylim(-0.1, 1.02)
        return
    ax.axhline(0, color=text_colour(), linewidth=0.8)
    ax.set_yscale("symlog", linthresh=100, linscale=2)
    ticks = (-100, -50, -20, 0, 20, 50, 100, 400)
    ax.set_yticks(ticks, [f"{tick:+d}" if tick else "0" for tick in ticks])
    ax.set_ylim(-125, 500)


def _key(sheet: Figure, names: list[str]) -> None:
    """Which line is which, outside the panels."""
    from matplotlib.lines import Line2D

    looks: list[dict[str, Any]] = [
        {"color": _look(name)[0], "linestyle": _look(name)[1], "marker": "o", "markersize": 3.5, "label": name}
        for name in names
    ]
    looks.append({"color": STRONG, "linestyle": (0, (4, 2)), "linewidth": 1.6, "label": "published: best of each cell"})
    looks.append({"color": QUIET, "linewidth": 0.8, "label": "published: each method"})
    handles = [Line2D([], [], **look) for look in looks]
    sheet.legend(handles=handles, loc="outside right center")
