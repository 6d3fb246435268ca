"""The command ``otgan reproduce NAME``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from otgan.cli.common import Flag, Target, on_terminal
from otgan.cli.say import say

if TYPE_CHECKING:
    from otgan.experiments import Result

__all__ = ["Reproduce"]

DEFAULT = Path("runs", "reproduce")


@dataclass(frozen=True)
class Reproduce:
    """The papers' experiments: numbers, a figure, and whether what is claimed holds."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME|all", help_behavior_hint="")]
    """An experiment, or all; a wrong name lists them."""
    quick: Flag = False
    """Smaller settings: all experiments in minutes."""
    seeds: int = 3
    """How often each measurement is made."""
    out: Target = None
    """Folder for NAME.json, NAME.png and report.html; by default runs/reproduce, with --quick runs/reproduce-quick."""
    redo: Flag = False
    """Measure again what lies in the folder already."""
    debug: Flag = False
    """Print the traceback of an error."""

    def run(self) -> int:
        """Run, print each claim, write the folder; 1 if a claim does not hold."""
        from otgan import experiments, inputs, report
        from otgan.experiments.page import experiments_page, figure_files

        name = inputs.choice(self.name, "NAME", ("all", *experiments.NAMES))
        folder = self.out or (DEFAULT.with_name("reproduce-quick") if self.quick else DEFAULT)
        report.check_folder(folder)
        results: list[Result] = []
        for each in experiments.NAMES if name == "all" else (name,):
            chosen = experiments.experiment(each)
            settings = {"quick": self.quick, "seeds": self.seeds, "redo": self.redo}
            results.append(chosen.run(folder=folder, progress=on_terminal(), **settings))
            _print(results[-1])
            files = {**figure_files(results[-1]), "report.html": experiments_page(results).encode()}
            report.write_files(folder, files)
        say(f"\nReport: {folder / 'report.html'}")
        return int(not all(result.holds for result in results))


def _print(result: Result) -> None:
    say(f"{result.experiment.name}: {result.experiment.title}")
    for claim in result.claims:
        say(f"  {'holds' if claim.holds else 'FAILS'}  {claim}")
