"""Experiments: settings, cases that are measured from several seeds, claims about the numbers, and a figure."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tqdm import tqdm

from otgan import inputs, plot, report
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

__all__ = ["SEEDS", "Claim", "Experiment", "Record", "Result", "of_case"]

SEEDS = 3  # runs of each case
Settings = TypeVar("Settings")
Record = dict[str, Any]
"""What was measured of one case from one seed: "case", "seed", and numbers or lists of them.

"seconds", where there are any, are the only ones that differ when it is measured again."""


def of_case(runs: Sequence[Record], case: str) -> list[Record]:
    """The records of one case, a seed each."""
    return [run for run in runs if run["case"] == case]


@dataclass(frozen=True)
class Claim:
    """A statement, and the numbers that decide it.

    Attributes
    ----------
    text : str
        What is claimed of each number.
    measured : tuple of float
        One number a seed; a number that is not finite counts against the claim unless a limit is infinite too.
    least, most : float
        Where each number must lie.

    Examples
    --------
    >>> claim = Claim("the gradient shrinks at least a thousandfold", (2000.0, 900.0), least=1000.0)
    >>> claim.holds, str(claim)
    (False, 'the gradient shrinks at least a thousandfold: 900 to 2000, must be at least 1000')
    """

    text: str
    measured: tuple[float, ...]
    least: float = -math.inf
    most: float = math.inf

    @property
    def holds(self) -> bool:
        """Whether it is true of every number, and there is one."""
        return bool(self.measured) and all(self.least <= value <= self.most for value in self.measured)

    @property
    def limits(self) -> str:
        """Where the numbers must lie, in words."""
        if self.least == self.most:
            return f"exactly {self.least:.4g}"
        if math.isinf(self.most):
            return f"at least {self.least:.4g}"
        return f"at most {self.most:.4g}" if math.isinf(self.least) else f"from {self.least:.4g} to {self.most:.4g}"

    @property
    def spread(self) -> str:
        """The least and the greatest number."""
        if not self.measured:
            return "nothing"
        low, high = f"{min(self.measured):.4g}", f"{max(self.measured):.4g}"
        return low if low == high else f"{low} to {high}"

    def __str__(self) -> str:
        return f"{self.text}: {self.spread}, must be {self.limits}"


@dataclass(frozen=True, eq=False)
class Result(Generic[Settings]):
    """What an experiment found.

    Attributes
    ----------
    experiment : Experiment
    settings : frozen dataclass
        What it was run with.
    runs : list of dict
        What was measured: a record for each case and seed.
    """

    experiment: Experiment[Settings]
    settings: Settings
    runs: list[Record] = field(repr=False)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What is claimed, with the numbers that decide it."""
        return self.experiment.claims(self.settings, self.runs)

    @property
    def holds(self) -> bool:
        """Whether every claim holds from every seed."""
        return all(claim.holds for claim in self.claims)

    @property
    def is_quick(self) -> bool:
        """Whether its settings are those of ``quick``."""
        return self.settings == self.experiment.quick != self.experiment.full

    @property
    def seeds(self) -> int:
        """From how many seeds each case was measured."""
        return len({run["seed"] for run in self.runs})

    def draw(self) -> Figure:
        """The counterpart of the paper's figure, in the matplotlib style in force."""
        return self.experiment.draw(self.settings, self.runs)

    @cached_property
    def renderings(self) -> plot.Renderings | None:
        """The figure as PNG files in every style and width, drawn once; None without matplotlib."""
        return plot.render_all(self.draw)

    def as_dict(self) -> dict[str, Any]:
        """Everything but the figure, as it is kept."""
        claims = [{"text": c.text, "measured": c.measured, "must be": c.limits, "holds": c.holds} for c in self.claims]
        return {
            "experiment": self.experiment.name,
            "settings": self.settings,
            "claims": claims,
            "runs": self.runs,
            "environment": report.environment(),
        }


@dataclass(frozen=True)
class Experiment(Generic[Settings]):
    """One experiment of a paper.

    Attributes
    ----------
    name : str
        That of its module.
    title : str
    source : str
        The paper, and where in it.
    about : str
        What is shown, in a sentence or two.
    full, quick : frozen dataclass
        Settings: those of the paper as far as a CPU allows, and smaller ones.
    cases : callable
        Settings -> names of what is compared.
    measure : callable
        Settings, case and seed -> numbers and lists of numbers by their names; the same for the same seed.
    claims : callable
        Settings and records -> claims.
    draw : callable
        Settings and records -> a figure.
    """

    name: str
    title: str
    source: str
    about: str
    full: Settings
    quick: Settings
    cases: Callable[[Settings], Sequence[str]]
    measure: Callable[[Settings, str, int], Record]
    claims: Callable[[Settings, Sequence[Record]], tuple[Claim, ...]]
    draw: Callable[[Settings, Sequence[Record]], Figure]

    def run(
        self,
        settings: Settings | None = None,
        *,
        quick: bool = False,
        seeds: int = SEEDS,
        folder: str | Path | None = None,
        redo: bool = False,
        progress: bool = False,
    ) -> Result[Settings]:
        """Measure every case from every seed.

        Parameters
        ----------
        settings : frozen dataclass, optional
            By default those of ``full``, or of ``quick``.
        quick : bool, default False
        seeds : int, default 3
            How many; they are 0, 1, ...
        folder : path, optional
            Where ``NAME.json`` is written anew after each measurement. Measurements that are there already are not made
            again: an interrupted experiment goes on. Those of other seeds stay.
        redo : bool, default False
            Forget what is there, and measure again.
        progress : bool, default False
            Show a bar on a terminal.

        Returns
        -------
        Result

        Raises
        ------
        InvalidInput
            If ``seeds`` is not a whole number of at least 1, the folder holds measurements of other settings or a
            damaged record, or another process measures there.
        OSError
            If the folder cannot be written into.
        """
        settings = settings or (self.quick if quick else self.full)
        seeds = inputs.count(seeds, "seeds")
        folder = None if folder is None else inputs.path(folder, "folder")
        if folder is None:
            return self._run(settings, seeds, None, redo, progress)
        report.check_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # Without a lock, each of two processes would forget what the other has measured.
        with report.exclusive_lock(folder / f".{self.name}.lock"):
            return self._run(settings, seeds, folder, redo, progress)

    def _run(self, settings: Settings, seeds: int, folder: Path | None, redo: bool, progress: bool) -> Result[Settings]:
        """:meth:`run`, with all that it says checked, and the folder to itself."""
        wanted = [(case, seed) for case in self.cases(settings) for seed in range(seeds)]
        kept = {} if folder is None or redo else self._kept(folder, settings)
        runs = [kept[key] for key in wanted if key in kept]
        others = [kept[key] for key in kept if key not in wanted]
        result = Result(self, settings, runs)
        bar = tqdm(wanted, desc=self.name, disable=None if progress else True)
        for case, seed in bar:
            if (case, seed) in kept:
                continue
            bar.set_postfix_str(case)
            # As plain as it will be read from a file, so that a kept record and a new one are the same.
            measured = report.plain(self._measured(settings, case, seed))
            runs.append({"case": case, "seed": seed, **measured})
            runs.sort(key=lambda run: wanted.index((run["case"], run["seed"])))
            if folder is not None and len(runs) < len(wanted):
                self._write(folder, {"settings": settings, "runs": runs + others})
        if folder is not None:
            self._write(folder, {**result.as_dict(), "runs": runs + others})
        return result

    def _measured(self, settings: Settings, case: str, seed: int) -> Record:
        if "torch" not in sys.modules:  # an experiment without networks
            return self.measure(settings, case, seed)
        from otgan.critics.modes import own_modes

        with own_modes():
            return self.measure(settings, case, seed)

    def _write(self, folder: Path, record: dict[str, Any]) -> None:
        report.write_files(folder, {f"{self.name}.json": report.to_json(record).encode()})

    def _kept(self, folder: Path, settings: Settings) -> dict[tuple[str, int], Record]:
        """What was measured before."""
        path = folder / f"{self.name}.json"
        try:
            record = json.loads(path.read_bytes())
            runs = {(run["case"], run["seed"]): run for run in record["runs"]}
            known = record["settings"]
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InvalidInput(f"{path} must be readable, but is not: {error.strerror or error}.") from None
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise InvalidInput(
                f"{path} must hold measurements, but is damaged or of another kind ({error}). Move it away, choose "
                "another folder, or redo them: then it is overwritten."
            ) from None
        if known != report.plain(settings):
            raise InvalidInput(f"{path} holds measurements of other settings. Choose another folder, or redo them.")
        return runs
