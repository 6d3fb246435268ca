"""Figures of a GAN over its training: the exact distance beside the critic's number, and scores of the samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.plot.style import NARROW, is_narrow, new_axes, new_figure, panels, series, text_colour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["critic_and_exact", "generated_points", "run_curves", "score_curves"]

SCORES = {
    "frechet_distance": "Frechet distance",
    "precision": "precision",
    "recall": "recall",
    "class_score": "class score",
    "modes": "modes covered",
    "outside": "share in other classes",
    "in_modes": "share in modes",
}
SHARES = ("precision", "recall", "in_modes")


def run_curves(records: Sequence[Mapping[str, Any]], ax: Axes | None = None) -> Axes:
    """The exact W1 to held-out samples over a run, with its floor, the critic's number and what it proves.

    Beside what the critic proves stands what a constant function proves: a critic that knows nothing.

    Parameters
    ----------
    records : sequence of mappings
        Of a run's log or a monitor's history; those of kind "monitor" are drawn, and there must be one. What a record
        does not have is left out.
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
    >>> one = {"kind": "monitor", "exact": 2.0, "floor": 1.0, "critic": 1.5, "lower_bound": 1.8}
    >>> ax = run_curves([{**one, "step": 1}, {**one, "step": 2, "exact": 1.5}])
    >>> [line.get_label() for line in ax.get_lines()]
    ['lower bound', 'critic', 'floor', 'exact']
    """
    ax = new_axes(4.2, narrow_height=3.2) if ax is None else ax
    measured = _measured(records)
    steps = [record["step"] for record in measured]
    _band(ax, measured, "exact", text_colour())
    # From the back to the front. A good bound runs along the exact line: it is wider and pale, so that both are seen.
    lines = {
        "lower bound": ("lower_bound", series(1)[0], {"linewidth": 4.0, "alpha": 0.5}),
        "constant": ("constant_bound", series(1)[0], {"linewidth": 1.3, "linestyle": "--"}),
        "critic": ("critic", series(0)[0], {"linewidth": 1.5}),
        "floor": ("floor", text_colour(), {"linewidth": 1.3, "linestyle": ":"}),
        "exact": ("exact", text_colour(), {"linewidth": 1.5}),
    }
    for rank, (label, (key, colour, look)) in enumerate(lines.items()):
        if any(record.get(key) is not None for record in measured):
            ax.plot(steps, _numbers(measured, key), color=colour, label=label, zorder=3 + rank, **look)
    ax.set_xlabel("step of the generator")
    ax.set_ylabel("units of the data")
    columns = 2 if is_narrow() else len(lines)
    handles = ax.get_lines()[::-1]  # what counts most is named first
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
    return ax


def score_curves(records: Sequence[Mapping[str, Any]]) -> Figure | None:
    """A panel for each score over a run, with its 95 % band.

    Parameters
    ----------
    records : sequence of mappings
        Of a run's log; those of kind "monitor" are drawn.

    Returns
    -------
    matplotlib Figure or None
        None where the data have no scores.

    Examples
    --------
    >>> records = [{"kind": "monitor", "step": k, "modes": 5 + k, "in_modes": 0.9} for k in (1, 2)]
    >>> [ax.get_ylabel() for ax in score_curves(records).axes]
    ['modes covered', 'share in modes']
    """
    measured = _measured(records)
    there = [key for key in SCORES if measured and all(record.get(key) is not None for record in measured)]
    if not there:
        return None
    columns = min(2 if is_narrow() else 3, len(there))
    figure, axes = panels(len(there), 2.1, across=3, narrow=2, narrow_height=1.8)
    for k, (key, ax) in enumerate(zip(there, axes, strict=True)):
        _band(ax, measured, key, series(0)[0])
        steps = [record["step"] for record in measured]
        ax.plot(steps, [float(record[key]) for record in measured], color=series(0)[0], linewidth=1.5)
        ax.set_ylabel(SCORES[key])
        if key in SHARES:
            ax.set_ylim(-0.03, 1.03)
        if key == "modes":
            ax.set_ylim(bottom=-0.5)
            ax.locator_params(axis="y", integer=True)
        if key == "frechet_distance":  # falls by orders of magnitude
            ax.set_yscale("log")
        ax.locator_params(axis="x", nbins=3)
        if k + columns >= len(there):  # nothing is below
            ax.set_xlabel("step")
    return figure


def critic_and_exact(records: Sequence[Mapping[str, Any]], ax: Axes | None = None) -> Axes:
    """The critic's number against the exact W1 on the same points, one dot a measurement, from pale to dark.

    Parameters
    ----------
    records : sequence of mappings
        Of a run's log; those of kind "monitor" are drawn, but for step 0, at which the critic has not learnt anything.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> records = [{"kind": "monitor", "exact": 2.0 / k, "critic": 1.0 / k} for k in (1, 2, 3)]
    >>> critic_and_exact(records).get_xlabel()
    'exact W1'
    """
    ax = new_axes(3.8, narrow_height=2.8) if ax is None else ax
    trained = [record for record in _measured(records) if record.get("step") != 0]
    measured = [record for record in trained if record.get("critic") is not None]
    exact, critic = (_numbers(measured, key) for key in ("exact", "critic"))
    ax.plot(exact, critic, color=series(0)[0], linewidth=0.6, alpha=0.4)
    shades = [(series(0)[0], alpha) for alpha in np.linspace(0.3, 1, len(measured))]
    ax.scatter(exact, critic, s=14, c=shades, linewidths=0)
    ax.set_xlabel("exact W1")
    ax.set_ylabel("critic")
    return ax


def generated_points(real: Any, generated: Any, ax: Axes | None = None, *, legend: bool = True) -> Axes:
    """Generated points in the plane over real ones.

    Parameters
    ----------
    real : (n, 2) array_like
        May be empty, of shape (0, 2).
    generated : (m, 2) array_like
    ax : matplotlib Axes, optional
        Where to draw.
    legend : bool, default True
        Whether to say which are which.

    Returns
    -------
    matplotlib Axes
        With the limits of the real points, a tenth wider; of the generated ones where there are no real ones. How
        many generated points lie outside stands below.

    Examples
    --------
    >>> ax = generated_points([[0, 0], [1, 2]], [[0.5, 1], [9, 9]])
    >>> [round(float(end), 6) for end in ax.get_xlim()]
    [-0.1, 1.1]
    >>> ax.get_xlabel()
    '1 of 2 outside'
    """
    ax = new_figure(NARROW, NARROW).subplots() if ax is None else ax
    real, generated = np.asarray(real, dtype=float), np.asarray(generated, dtype=float)
    framed = real if len(real) else generated
    low, high = framed.min(axis=0), framed.max(axis=0)
    margin = 0.1 * (high - low)
    if len(real):
        ax.scatter(*real.T, s=4, color=text_colour(), alpha=0.25, linewidths=0, label="real")
    ax.scatter(*generated.T, s=4, color=series(1)[0], linewidths=0, label="generated")
    ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
    ax.set_ylim(low[1] - margin[1], high[1] + margin[1])
    outside = np.any((generated < low - margin) | (generated > high + margin), axis=1).sum()
    if outside:
        ax.set_xlabel(f"{outside} of {len(generated)} outside")
    if legend:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, handletextpad=0.2, markerscale=2)
    return ax


def _measured(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [record for record in records if record["kind"] == "monitor"]


def _numbers(measured: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    """One number of each measurement, NaN where there is none."""
    return [math.nan if record.get(key) is None else float(record[key]) for record in measured]


def _band(ax: Axes, measured: Sequence[Mapping[str, Any]], key: str, colour: Any) -> None:
    """The 95 % intervals of a number, where they are known."""
    known = [(record["step"], ends) for record in measured if (ends := record.get("intervals", {}).get(key))]
    if known:
        low, high = zip(*((float(low), float(high)) for _, (low, high) in known), strict=True)
        ax.fill_between([step for step, _ in known], low, high, color=colour, alpha=0.15, linewidth=0)
