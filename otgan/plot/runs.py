"""A GAN over its training: the exact distance beside what the critic says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otgan.plot.style import ink, new_axes, series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["run_curves"]


def run_curves(records: Sequence[Mapping[str, Any]], ax: Axes | None = None) -> Axes:
    """The exact W1 to held-out samples over a run, with its floor, the critic's number and what it proves.

    Parameters
    ----------
    records : sequence of mappings
        Of a run's log; those of kind "monitor" are drawn, and there must be one.
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
    ['exact', 'floor', 'critic', 'lower bound']
    """
    ax = new_axes(6.4, 3.8) if ax is None else ax
    measured = [record for record in records if record["kind"] == "monitor"]
    steps = [record["step"] for record in measured]
    lines = {
        "exact": ("exact", ink(), "-"),
        "floor": ("floor", ink(), ":"),
        "critic": ("critic", series(0)[0], "-"),
        "lower bound": ("lower_bound", series(1)[0], "--"),
    }
    for label, (key, colour, dash) in lines.items():
        ax.plot(steps, [float(record[key]) for record in measured], dash, color=colour, label=label, linewidth=1.5)
    ax.set_xlabel("step of the generator")
    ax.set_ylabel("units of the data")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(lines), borderaxespad=0.2)
    return ax
