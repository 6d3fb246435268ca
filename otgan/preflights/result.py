"""The result of a preflight, and the folder it is kept in."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otgan import report
from otgan.preflights.figure import figures
from otgan.preflights.page import preflight_page
from otgan.preflights.ranking import Place, best_settings, ranking
from otgan.preflights.table import table
from otgan.preflights.verdict import Verdict, verdict

if TYPE_CHECKING:
    import os

    from otgan.data import SampleSet
    from otgan.preflights.cell import Cell

__all__ = ["Preflight"]

FORMAT = 1  # of report.json; it changes when a reader would have to


@dataclass(frozen=True, eq=False)
class Preflight:
    """How far critics are from the truth on pairs made of a user's own samples.

    Attributes
    ----------
    samples : SampleSet
        The real samples that were used.
    typical : float
        The mean distance between two of them, which sizes of moves are shares of.
    cells : tuple of Cell
        One a critic and pair, in the order of their training; those with ``stage == "settings"`` chose settings.
    settings : dict
        What was asked for.
    stopped : bool
        Whether it ended before all pairs were done.
    seconds : float
    environment : dict
        What it ran on; see :func:`otgan.report.environment`.
    """

    samples: SampleSet
    typical: float
    cells: tuple[Cell, ...]
    settings: dict[str, Any]
    stopped: bool
    seconds: float
    environment: dict[str, Any] = field(default_factory=report.environment)

    def __repr__(self) -> str:
        order = ", ".join(f"{place.method} {place.score:.2f}" for place in self.ranking)
        return f"Preflight({self.samples.name!r}, {order or 'nothing compared'}, cells={len(self.cells)})"

    @cached_property
    def ranking(self) -> tuple[Place, ...]:
        """Every critic that was compared, the best first."""
        return ranking(self.cells)

    @cached_property
    def verdict(self) -> Verdict:
        """The answer, what to expect of each critic, and what to do next, in words."""
        return verdict(self.cells, self.samples.name)

    @property
    def best_settings(self) -> dict[str, dict[str, Any]]:
        """Of each method of which several settings were tried, the options that did best."""
        return best_settings(self.cells)

    @property
    def table(self) -> list[list[str]]:
        """Rows of text, the first of them the head: critics by families and sizes."""
        return table(self.cells)

    def explain(self) -> str:
        """The verdict as one text, the answer first."""
        return "\n\n".join([self.verdict.answer, *self.verdict.expect, self.verdict.advice])

    @property
    def command(self) -> str | None:
        """The command that does the same again; None if the data were not given by name."""
        return _command(self.settings)

    @property
    def default_folder(self) -> Path:
        """``runs/preflight-DATA``, of letters that every file system takes."""
        return Path("runs", f"preflight-{report.slug(self.samples.name)}")

    def as_dict(self) -> dict[str, Any]:
        """Everything but the points and the networks; what report.json holds."""
        samples = self.samples
        return {
            "format": FORMAT,
            "data": {
                "name": samples.name,
                "source": samples.source,
                "shape": samples.shape,
                "n": len(samples),
                "sha256": samples.sha256,
                "typical_distance": self.typical,
            },
            "verdict": self.verdict._asdict(),
            "ranking": [asdict(place) for place in self.ranking],
            "best_settings": self.best_settings,
            "cells": [asdict(cell) for cell in self.cells],
            "settings": self.settings,
            "stopped": self.stopped,
            "command": self.command,
            "seconds": self.seconds,
            "environment": self.environment,
        }

    def to_html(self) -> str:
        """The page, a whole document without any reference to another file or host."""
        return preflight_page(self, figures(self.cells))

    def write(self, folder: str | os.PathLike[str] | None = None) -> Path:
        """Write ``report.json``, ``report.html`` and the figure as PNG into a folder.

        Parameters
        ----------
        folder : path, optional
            Made where it is missing; :attr:`default_folder` by default.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        OSError
            If it cannot be written to.
        """
        folder = self.default_folder if folder is None else Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        report.write_files(folder, {"report.json": report.to_json(self.as_dict()).encode() + b"\n"})
        drawn = figures(self.cells)
        shown = {f"{figure.name}.png": figure.light for figure in drawn}
        shown["report.html"] = preflight_page(self, drawn).encode("utf-8", "replace")
        report.write_files(folder, shown)
        return folder


def _command(settings: dict[str, Any]) -> str | None:
    if settings["data"] is None:
        return None
    words = ["otgan", "preflight", settings["data"]]
    for name in ("critic", "weights"):
        if settings.get(name) is not None:
            words += [f"--{name}", settings[name]]
    words += ["--trust"] if settings.get("trust") else []
    words += ["--methods", *settings["methods"]]
    for name in ("minutes", "n", "seeds", "seed", "steps", "device"):
        value = settings[name]
        if value is not None:
            words += [f"--{name}", f"{value:g}" if isinstance(value, float) else f"{value}"]
    return shlex.join(words)
