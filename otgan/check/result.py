"""The result of a check, and the folder it is kept in."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otgan import report
from otgan.check.figures import figures
from otgan.check.page import check_page

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from otgan.critics import CriticFit, CriticReport
    from otgan.data import SampleSet
    from otgan.solution import Solution

__all__ = ["Check"]

FORMAT = 1  # of report.json; it changes when a reader would have to


@dataclass(frozen=True, eq=False)
class Check:
    """Two samples, their exact W1 with its proof, and what critics made of them.

    Attributes
    ----------
    a, b : SampleSet
        The n points of each side, which were solved for and trained on.
    held_out : (SampleSet, SampleSet) or None
        Points of the same sets that nothing was trained on.
    solution : Solution
        The exact W1 (p = 1, Euclidean) between ``a`` and ``b``.
    whole : Solution or None
        The exact W1 between all points of the two sets, of which ``a`` and ``b`` are a random part; None where these
        are all, where there is no end of them, or more than 5,000 on a side.
    fits : tuple of CriticFit
        One a method that did not diverge, in the order asked for.
    reports : tuple of CriticReport
        Each critic that was given and each fit, judged by ``solution``.
    failed : dict
        Method -> why there is no fit of it.
    settings : dict
        What was asked for; ``n`` is the number used.
    seconds : float
        Wall-clock time of the check.
    environment : dict
        What it ran on; see :func:`otgan.report.environment`.
    """

    a: SampleSet
    b: SampleSet
    held_out: tuple[SampleSet, SampleSet] | None
    solution: Solution
    whole: Solution | None
    fits: tuple[CriticFit, ...]
    reports: tuple[CriticReport, ...]
    failed: dict[str, str]
    settings: dict[str, Any]
    seconds: float
    environment: dict[str, Any] = field(default_factory=report.environment)

    @property
    def histories(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Each method's estimates while it was trained: ``step`` (k,), ``estimate`` and ``held_out`` (n_seeds, k)."""
        return {fit.method: fit.history for fit in self.fits}

    def without_the_rest(self, why: str) -> Check:
        """The same as a result of its own: why there is none of the critics that were asked for and are not there."""
        there = {fit.method for fit in self.fits} | {*self.failed}
        return replace(self, failed=self.failed | {name: why for name in self.settings["methods"] if name not in there})

    @property
    def command(self) -> str | None:
        """The command that does the same again; None if a side was not given by name."""
        return _command(self.settings)

    @property
    def default_folder(self) -> Path:
        """``runs/check-A-B-n``, of letters that every file system takes."""
        return default_folder(self.a.name, self.b.name, len(self.a))

    def as_dict(self) -> dict[str, Any]:
        """Everything but the points, the plan and the networks; what report.json holds.

        The keys are ``format``, ``data``, ``exact``, ``whole`` (None or as ``exact``, of all points), ``critics``,
        ``failed``, ``history``, ``settings``, ``command``, ``seconds`` and ``environment``.
        """
        rest_a, rest_b = self.held_out or (None, None)
        options = {fit.method: fit.options for fit in self.fits}
        critics = [
            {**verdict.as_dict(), "options": options.get(verdict.method, {}), "explained": verdict.explain()}
            for verdict in self.reports
        ]
        return {
            "format": FORMAT,
            "data": {"a": _about(self.a, rest_a), "b": _about(self.b, rest_b)},
            "exact": report.describe(self.solution),
            "whole": self.whole
            and {"n": self.whole.problem.a.size, "m": self.whole.problem.b.size, **report.describe(self.whole)},
            "critics": critics,
            "failed": self.failed,
            "history": self.histories,
            "settings": self.settings,
            "command": self.command,
            "seconds": self.seconds,
            "environment": self.environment,
        }

    def write(self, folder: str | os.PathLike[str] | None = None) -> Path:
        """Write ``report.json``, ``report.html``, ``plan.npz`` and the figures as PNG into a folder.

        The page needs nothing beside itself; the plan is described at :func:`otgan.report.save_plan`. The record and
        the plan are written first, then figures and page; no file is ever half an old and half a new one.

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

        Examples
        --------
        >>> import tempfile
        >>> from otgan.check import check
        >>> result = check("gaussians8", "swissroll", methods=["gp"], n=20, steps=20)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sorted(path.name for path in result.write(folder).iterdir())
        ['critics_against_exact.png', 'plan.npz', 'plan.png', 'report.html', 'report.json', 'training_curves.png']
        """
        from otgan.critics import methods

        folder = self.default_folder if folder is None else Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        record = self.as_dict()
        kept = {"plan.npz": report.plan_bytes(self.solution), "report.json": report.to_json(record).encode() + b"\n"}
        report.write_files(folder, kept)  # first, since a figure may go wrong, and all of this took long
        drawn = figures(self)
        shown = {
            **{f"{figure.name}.png": figure.light for figure in drawn},
            "report.html": check_page(record, drawn, methods()).encode("utf-8", "replace"),
        }
        report.write_files(folder, shown)
        return folder


def default_folder(a: str, b: str, n: int) -> Path:
    """Where the check of two sets by these names is kept.

    Examples
    --------
    >>> default_folder("digits:3", "/data/my faces.npy", 100).as_posix()
    'runs/check-digits-3-my-faces-100'
    """
    return Path("runs", f"check-{report.slug(a)}-{report.slug(b)}-{n}")


def _about(used: SampleSet, rest: SampleSet | None) -> dict[str, Any]:
    return {
        "name": used.name,
        "source": used.source,
        "shape": used.shape,
        "n": len(used),
        "sha256": used.sha256,
        "held_out": 0 if rest is None else len(rest),
        "held_out_sha256": None if rest is None else rest.sha256,
    }


def _command(settings: dict[str, Any]) -> str | None:
    sides = [settings["a"], settings["b"]]
    if None in sides:
        return None
    words = ["otgan", "check", *sides, "--methods", *settings["methods"]]
    for name in ("critic", "weights"):
        if settings.get(name) is not None:
            words += [f"--{name}", settings[name]]
    words += ["--trust"] if settings.get("trust") else []
    for name in ("n", "seeds", "steps", "batch_size", "seed", "rtol", "device"):
        if settings[name] is not None:
            words += [f"--{name.replace('_', '-')}", f"{settings[name]}"]
    return shlex.join(words)
