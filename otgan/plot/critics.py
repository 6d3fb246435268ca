"""Figures of critics beside the exact distance: while they are trained, and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.plot.style import is_narrow, new_axes, number, series, text_colour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["critics_against_exact", "training_curves"]

CARETRIGHT = 5  # matplotlib's marker with its tip at the point
LOG_AXIS_FROM = 6.0  # times the exact distance: estimates beyond it get a logarithmic axis


def training_curves(
    histories: Mapping[str, Mapping[str, Any]],
    exact: float,
    ax: Axes | None = None,
) -> Axes:
    """Each critic's estimate while it is trained, beside the exact distance.

    Solid lines are means over the seeds on the sample trained on, shaded from the least seed to the greatest; dashed
    lines are means on the held-out points. The vertical axis turns logarithmic above twice the exact distance where an
    estimate goes beyond six times of it.

    Parameters
    ----------
    histories : mapping from method to a mapping
        ``"step"`` (k,), ``"estimate"`` (n_seeds, k) and, if there is one, ``"held_out"`` (n_seeds, k).
    exact : float
        The exact W1, units of the data.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    OTError
        If matplotlib is not installed and no ``ax`` is given.

    Examples
    --------
    >>> history = {"step": [0, 10, 20], "estimate": [[0.0, 0.8, 1.1], [0.1, 0.9, 1.0]]}
    >>> ax = training_curves({"gp": history}, exact=1.0)
    >>> ax.get_xlabel()
    'training step'
    """
    ax = new_axes(4.2, narrow_height=2.9) if ax is None else ax
    ends = [(exact, f"exact {number(exact)}", text_colour())]
    seen = [np.array([0.0, exact])]
    for k, (method, history) in enumerate(histories.items()):
        last = _draw_history(ax, history, k)
        ends.append((last, f"{method} {number(last)}", series(k)[0]))
        seen += [np.ravel(history[key]) for key in ("estimate", "held_out") if key in history]
    ax.axhline(
        exact, color=text_colour(), linewidth=1.1, zorder=4
    )  # over the critics' wider lines, so that none hides it
    ax.set_xlim(0, max((float(history["step"][-1]) for history in histories.values()), default=1.0) or 1.0)
    _scale(ax, "y", np.concatenate(seen), exact)
    ax.set_xlabel("training step")
    ax.set_ylabel("estimate of $W_1$" if is_narrow() else "estimate of $W_1$ (units of the data)")
    if any("held_out" in history for history in histories.values()):
        between = "\n" if is_narrow() else "   "
        ax.set_title(f"solid: sample trained on{between}dashed: held-out points", fontsize="medium", loc="left")
    _label_ends(ax, ends)
    return ax


def critics_against_exact(reports: Sequence[Mapping[str, Any]], exact: float, ax: Axes | None = None) -> Axes:
    """Each critic's final numbers on one line, the exact distance as a vertical rule through all of them.

    Parameters
    ----------
    reports : sequence of mappings
        With ``"method"``, ``"estimate"``, ``"stderr"``, ``"corrected"`` (or None) and ``"lower_bound"``, as
        ``CriticReport.as_dict()`` gives them.
    exact : float
        The exact W1, units of the data.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    OTError
        If matplotlib is not installed and no ``ax`` is given.

    Examples
    --------
    >>> report = {"method": "gp", "estimate": 1.1, "stderr": 0.02, "corrected": 1.03, "lower_bound": 0.9}
    >>> ax = critics_against_exact([report], exact=1.0)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['gp']
    """
    height = 1.5 + 0.42 * len(reports)
    ax = new_axes(height, narrow_height=height + 0.4) if ax is None else ax
    seen = [0.0, exact]
    for row, report in enumerate(reports):
        seen += _draw_report(ax, report, row)
    ax.axvline(exact, color=text_colour(), linewidth=1.1, zorder=2)
    ax.annotate(f"exact {number(exact)}", (exact, 1), (0, 4), ("data", "axes fraction"), "offset points",
                ha="center", va="bottom", fontweight="bold")  # fmt: skip
    ax.set_yticks(range(len(reports)), [str(report["method"]) for report in reports])
    ax.tick_params(axis="y", length=0, labelcolor=text_colour())
    ax.spines["left"].set_visible(False)
    ax.set_ylim(len(reports) - 0.5, -0.6)
    ax.grid(axis="y", color=text_colour(), alpha=0.12)
    _scale(ax, "x", np.array(seen), exact)
    ax.set_xlabel("$W_1$ (units of the data)")
    _marker_key(ax, any(report.get("corrected") is not None for report in reports))
    return ax


def _draw_history(ax: Axes, history: Mapping[str, Any], k: int) -> float:
    """Draw the k-th critic's curves; its last mean estimate."""
    colour, dash = series(k)
    step, estimate = np.asarray(history["step"], dtype=float), np.atleast_2d(history["estimate"])
    mean = estimate.mean(axis=0)
    ax.plot(step, mean, color=colour, linestyle=dash, linewidth=1.6, zorder=3)
    if len(estimate) > 1:
        ax.fill_between(step, estimate.min(axis=0), estimate.max(axis=0), color=colour, alpha=0.18, linewidth=0)
    if "held_out" in history:
        held_out = np.atleast_2d(history["held_out"]).mean(axis=0)
        ax.plot(step, held_out, color=colour, linestyle=(0, (3, 2)), linewidth=1.0, zorder=3)
    return float(mean[-1])


def _draw_report(ax: Axes, report: Mapping[str, Any], row: int) -> list[float]:
    """Draw the critic's numbers in its row; where they lie."""
    colour, _ = series(row)
    estimate, bound, corrected = float(report["estimate"]), float(report["lower_bound"]), report.get("corrected")
    spread = float(np.nan_to_num(report["stderr"] or 0.0))
    ax.errorbar(estimate, row, xerr=spread, fmt="o", color=colour, markersize=6, capsize=4, zorder=4)
    # The tip of the triangle is the number: it points at the exact distance and never passes it.
    ax.plot(bound, row, marker=CARETRIGHT, color=colour, markersize=8, linestyle="none", zorder=3)
    if corrected is None:
        return [estimate - spread, estimate + spread, bound]
    ax.plot(corrected, row, "o", color=colour, markerfacecolor=ax.get_facecolor(), markersize=6, zorder=5)
    return [estimate - spread, estimate + spread, bound, float(corrected)]


def _scale(ax: Axes, direction: str, values: NDArray[np.float64], exact: float) -> None:
    """Limits that hold every finite value; logarithmic beyond twice the exact distance if one lies far off."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    far = max(high, -low)
    set_limits = ax.set_ylim if direction == "y" else ax.set_xlim
    if exact > 0 and far > LOG_AXIS_FROM * exact:
        from matplotlib.ticker import FuncFormatter

        (ax.set_yscale if direction == "y" else ax.set_xscale)("symlog", linthresh=2 * exact)
        axis = ax.yaxis if direction == "y" else ax.xaxis
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, "g")))
        set_limits(low * 1.5 if low < 0 else 0.0, high * 1.5)
        return
    margin = 0.03 * (high - low or 1.0)
    set_limits(low - (margin if low < 0 else 0.0), high + margin)


def _label_ends(ax: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Write each line's name at its right end, moved apart where two would touch."""
    low, high = ax.get_ylim()
    to_axes = ax.transData + ax.transAxes.inverted()
    height = ax.get_window_extent().height / ax.figure.dpi * 72  # in points
    apart = 11.5 / height
    # A line that left the finite numbers is named at the edge.
    ends = sorted((np.clip(np.nan_to_num(value, nan=low), low, high), text, colour) for value, text, colour in ends)
    places = [float(to_axes.transform((0.0, value))[1]) for value, _, _ in ends]
    for (_, text, colour), place in zip(ends, _spread(places, apart), strict=True):
        weight = "bold" if text.startswith("exact ") else "normal"
        ax.annotate(text, (1, place), (5, 0), "axes fraction", "offset points",
                    color=colour, va="center", fontweight=weight)  # fmt: skip


def _spread(places: list[float], apart: float) -> list[float]:
    """Sorted ``places`` moved as little as keeps neighbours ``apart`` (pool adjacent violators, least squares)."""
    blocks: list[list[float]] = []  # sum of (place - rank * apart), count
    for rank, place in enumerate(places):
        blocks.append([place - rank * apart, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    level = [total / count for total, count in blocks for _ in range(int(count))]
    return [value + rank * apart for rank, value in enumerate(level)]


def _marker_key(ax: Axes, corrected: bool) -> None:
    """What the three shapes mean, in one line under the axes."""
    from matplotlib.lines import Line2D

    shapes = [("o", text_colour(), "estimate ± standard error"), (CARETRIGHT, text_colour(), "proven lower bound")]
    if corrected:
        shapes.insert(1, ("o", "none", "bias removed"))
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=marker,
            color=text_colour(),
            markerfacecolor=face,
            markersize=6,
            label=label,
        )
        for marker, face, label in shapes
    ]
    ax.figure.legend(handles=handles, loc="outside lower center", ncols=1 if is_narrow() else len(handles))
