"""The picture: time over n, one line a solver, small multiples by dimension and power."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from peers import PEERS
from summary import series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    Line = tuple[list[int], list[float]]

DIMENSIONS, POWERS = (2, 3, 8, 64), (1, 2)
INK, FAINT, RULE = "#1b1f24", "#59636e", "#d8dde3"
# otgan in two strong colours, the others quieter: the eye should find the answer before it compares the peers
COLOURS = {
    "otgan sparse": "#0072b2",
    "otgan auto": "#56a0d3",
    "POT": "#d55e00",
    "POT lazy": "#e8a06a",
    "scipy assignment": "#009e73",
    "scipy nd": "#b5548b",
    "lapx": "#9a6700",
    "ortools": "#6b7280",
}
LABEL_GAP = 0.075  # of the height of a panel, between two labels


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
        sheet = Figure(figsize=(13.5, 7.2), layout="constrained", facecolor="white")
        panels: Any = sheet.subplots(len(POWERS), len(DIMENSIONS), sharex=True, sharey=True, squeeze=False)
        for row, p in enumerate(POWERS):
            for column, d in enumerate(DIMENSIONS):
                _panel(panels[row, column], lines.get(f"gaussians, d = {d}, p = {p}", {}))
                panels[row, column].set_title(f"d = {d}, p = {p}", loc="left", fontweight="bold", fontsize=10)
        for ax in panels[:, 0]:
            ax.set_ylabel("seconds", color=FAINT)
        for ax in panels[-1]:
            ax.set_xlabel("points on each side", color=FAINT)
        sheet.canvas.draw()  # limits are known from here on
        for ax in panels.flat:
            _label(ax)
        sheet.suptitle("Exact optimal transport between two Gaussian samples: time of a solve", x=0.01, ha="left")
        buffer = io.BytesIO()
        sheet.savefig(buffer, format="png", dpi=160, metadata={"Software": None})
    return buffer.getvalue()


def _panel(ax: Axes, lines: Mapping[str, Line]) -> None:
    """Draw the lines of one panel, otgan's last, so that they are on top."""
    ax.set(xscale="log", yscale="log")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(RULE)
    ax.grid(color=RULE, linewidth=0.5)
    ax.tick_params(which="both", color=RULE, labelcolor=FAINT)
    for name in reversed(PEERS):
        if name in lines:
            sizes, seconds = lines[name]
            ours = name.startswith("otgan")
            ax.plot(
                sizes, seconds, "o-", label=name, color=COLOURS[name],
                linewidth=2.4 if ours else 1.3, markersize=4.5 if ours else 3.0, zorder=4 if ours else 3,
            )  # fmt: skip


def _label(ax: Axes) -> None:
    """Name each line at its right end, moved apart where two names would touch."""
    lines = ax.get_lines()
    ends = [(float(line.get_xdata()[-1]), float(line.get_ydata()[-1])) for line in lines]  # type: ignore[index]
    to_axes = ax.transData + ax.transAxes.inverted()
    heights = apart([float(to_axes.transform(end)[1]) for end in ends], LABEL_GAP)
    for line, end, height in zip(lines, ends, heights, strict=True):
        name, left = str(line.get_label()), float(to_axes.transform(end)[0]) + 0.025
        weight = "bold" if name.startswith("otgan") else "normal"
        place: Any = {"xytext": (left, height), "textcoords": "axes fraction", "va": "center"}
        ax.annotate(name, end, **place, color=line.get_color(), fontsize=8, fontweight=weight)


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Heights in the same order, moved as little as needed to lie ``gap`` apart (pools of neighbours, each centred)."""
    order = np.argsort(heights, kind="stable")
    pools: list[tuple[float, int]] = []  # the middle of each pool, and how many heights it holds
    for index in order:
        pools.append((float(heights[index]), 1))
        while len(pools) > 1 and pools[-1][0] - pools[-2][0] < gap * (pools[-1][1] + pools[-2][1]) / 2 - 1e-12:
            (high, more), (low, some) = pools.pop(), pools.pop()
            pools.append(((low * some + high * more) / (some + more), some + more))
    spread = [middle + gap * (k - (count - 1) / 2) for middle, count in pools for k in range(count)]
    moved = np.empty(len(order))
    moved[order] = spread
    return moved.tolist()
