"""The picture: time over n, one line a solver, small multiples by dimension and power."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.peers import PEERS
from solvers.summary import duration, series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    Line = tuple[list[int], list[float]]

DIMENSIONS, POWERS = (2, 3, 8, 64), (1, 2)
INK, FAINT, RULE = "#1b1f24", "#59636e", "#d8dde3"
# otgan in two strong colours, the others quieter: the eye should find the answer before it compares the peers
COLOURS = {
    "otgan sparse": "#0072b2",
    "otgan before": "#9db8cc",
    "otgan auto": "#56a0d3",
    "POT": "#d55e00",
    "POT lazy": "#e8a06a",
    "scipy assignment": "#009e73",
    "scipy nd": "#b5548b",
    "lapx": "#9a6700",
    "ortools": "#6b7280",
}
LABEL_GAP = 0.062  # of the height of a panel, between two names
NAME_WIDTH = 0.28  # of the width of a panel: the longest name
ROOM = (16.0, 500.0)  # for names to the right of the lines and above them


def installed() -> bool:
    """Whether there is something to draw with."""
    if find_spec("matplotlib") is None:
        print("without the picture: matplotlib is not installed")
        return False
    return True


def figure(cells: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The picture as a PNG file."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    lines = series(cells)
    with rc_context({"font.family": "sans-serif", "font.size": 9, "text.color": INK}):
        sheet = Figure(figsize=(14, 7.6), layout="constrained", facecolor="white")
        panels: Any = sheet.subplots(len(POWERS), len(DIMENSIONS), sharex=True, sharey=True, squeeze=False)
        for row, p in enumerate(POWERS):
            for column, d in enumerate(DIMENSIONS):
                _panel(panels[row, column], lines.get(f"gaussians, d = {d}, p = {p}", {}))
                panels[row, column].set_title(f"d = {d}, p = {p}", loc="left", fontweight="bold", fontsize=10)
        for ax in panels[-1]:
            ax.set_xlabel("points on each side", color=FAINT)
        title = "Exact optimal transport between two samples of one Gaussian: time of a solve\n"
        sheet.suptitle(title, x=0.01, ha="left", fontsize=12)
        low, high = panels[0, 0].get_ylim()
        panels[0, 0].set(xlim=(70, panels[0, 0].get_xlim()[1] * ROOM[0]), ylim=(low, high * ROOM[1]))
        sheet.draw_without_rendering()
        sheet.set_layout_engine("none")  # the names must not move what they were placed by
        for ax in panels.flat:
            _label(ax)
        buffer = io.BytesIO()
        sheet.savefig(buffer, format="png", dpi=160, metadata={"Software": None})
    return buffer.getvalue()


def _panel(ax: Axes, lines: Mapping[str, Line]) -> None:
    """Draw the lines of one panel, otgan's last, so that they are on top."""
    from matplotlib.ticker import LogLocator

    ax.set(xscale="log", yscale="log")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(RULE)
    ax.grid(color=RULE, linewidth=0.5)
    ax.tick_params(which="both", color=RULE, labelcolor=FAINT)
    ax.minorticks_off()
    ax.xaxis.set_major_formatter(lambda n, _: f"{n:,.0f}" if n < 10**6 else f"{n / 10**6:.0f} M")
    ax.yaxis.set_major_locator(LogLocator(100, numticks=9))
    ax.yaxis.set_major_formatter(lambda seconds, _: duration(seconds))
    for name in reversed(PEERS):
        if name in lines:
            sizes, seconds = lines[name]
            ours = name.startswith("otgan")
            ax.plot(
                sizes, seconds, "o-", label=name, color=COLOURS[name],
                linewidth=2.4 if ours else 1.3, markersize=4.5 if ours else 3.0, zorder=4 if ours else 3,
            )  # fmt: skip


def _label(ax: Axes) -> None:
    """Name each line at its end: otgan's below it, the others' above, where no line is; a lone point's over it."""
    ends: dict[str, tuple[float, float]] = {}
    to_axes = ax.transData + ax.transAxes.inverted()
    for line in ax.get_lines():
        name, xs, ys = str(line.get_label()), line.get_xdata(), line.get_ydata()
        if len(xs) == 1:  # type: ignore[arg-type]
            place: Any = {"xytext": (-3, 5), "textcoords": "offset points", "va": "bottom"}
            ax.annotate(name, (xs[0], ys[0]), **place, color=COLOURS[name], fontsize=8)  # type: ignore[index]
        else:
            ends[name] = tuple(to_axes.transform((xs[-1], ys[-1])))  # type: ignore[index]
    ours = {name: end for name, end in ends.items() if name.startswith("otgan")}
    theirs = {name: end for name, end in ends.items() if name not in ours}
    below = [-height for height in stacked([-height for _, height in ours.values()], LABEL_GAP)]
    _write(ax, ours, below)
    right = max((x for x, _ in theirs.values()), default=0.0)
    taken = [height for (x, _), height in zip(ours.values(), below, strict=True) if abs(x - right) < NAME_WIDTH]
    for line in ax.get_lines():
        if str(line.get_label()) in ours:
            path = to_axes.transform(np.column_stack([line.get_xdata(), line.get_ydata()]))
            within = np.linspace(right, min(right + NAME_WIDTH, max(path[-1, 0], right)), 8)
            taken += np.interp(within, path[:, 0], path[:, 1]).tolist() if path[-1, 0] > right else []
    _write(ax, theirs, stacked([height for _, height in theirs.values()], LABEL_GAP, taken))


def _write(ax: Axes, ends: Mapping[str, tuple[float, float]], heights: Sequence[float]) -> None:
    """Write names to the right of the ends of their lines, with a hair line to each."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.5, foreground="white")]  # readable where a line runs below
    right = max((x for x, _ in ends.values()), default=0.0)
    for (name, (x, y)), height in zip(ends.items(), heights, strict=True):
        ours = name.startswith("otgan")
        left = x if ours else right
        hair: Any = {"color": COLOURS[name], "linewidth": 0.6, "alpha": 0.7, "transform": ax.transAxes}
        if abs(height - y) > 0.5 * LABEL_GAP or left > x:
            ax.plot([x, left + 0.05], [y, height], **hair)
        weight = "bold" if ours else "normal"
        ax.text(left + 0.06, height, name, color=COLOURS[name], fontsize=8, fontweight=weight, va="center",
                transform=ax.transAxes, path_effects=halo, zorder=3.5)  # fmt: skip


def stacked(heights: Sequence[float], gap: float, taken: Sequence[float] = ()) -> list[float]:
    """Heights in the same order, raised until each is ``gap`` above the next lower one and away from those taken."""
    raised, floor = [0.0] * len(heights), -np.inf
    for index in np.argsort(heights, kind="stable"):
        floor = max(float(heights[index]), floor + gap)
        for height in sorted(taken):
            if abs(floor - height) < gap:
                floor = height + gap
        raised[index] = float(floor)
    return raised
