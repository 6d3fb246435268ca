"""Curves of several seeds in a figure, under one name in the legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otgan import plot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

__all__ = ["seed_lines"]


def seed_lines(ax: Axes, curves: Iterable[tuple[Any, Any]], label: str, k: int, *, linewidth: float = 1.2) -> None:
    """Draw the curves (x, y) of all seeds in the colour of series ``k``; the legend names them once.

    Examples
    --------
    >>> ax = plot.new_figure(3, 2).subplots()
    >>> seed_lines(ax, [([0, 1], [2, 3]), ([0, 1], [2, 4])], "wgan", 0)
    >>> len(ax.get_lines()), ax.get_legend_handles_labels()[1]
    (2, ['wgan'])
    """
    for seed, (x, y) in enumerate(curves):
        ax.plot(x, y, color=plot.series(k)[0], linewidth=linewidth, label=None if seed else label)
