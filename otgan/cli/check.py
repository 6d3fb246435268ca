"""The command ``otgan check A B``."""

from __future__ import annotations

import shutil
import sys
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otgan.cli.common import (
    Count,
    FirstSet,
    Flag,
    Names,
    Program,
    SecondSet,
    Several,
    Target,
    listed,
    on_terminal,
    points_of,
)
from otgan.cli.say import say
from otgan.errors import InvalidInput
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from otgan.check import Check as Result
    from otgan.solution import Solution

__all__ = ["Check"]


@dataclass(frozen=True)
class Check:
    """Each critic's estimate of W1 beside the exact distance, on the same points."""

    a: FirstSet
    """A built-in name (see: otgan data), a .npy, .npz, .csv, .tsv, .parquet or .pt file, or a folder of images."""
    b: SecondSet
    """Another one, of points of the same space."""
    methods: Names = ("clip", "gp")
    """Critics to train, after A and B: gp is objective wgan-gp of otgan train; an unknown name lists all."""
    critic: Program = None
    """A critic of yours to judge, too: script.py:build, a function that returns it, or a file of torch.export.save."""
    weights: Target = None
    """The weights of what script.py:build returns, a .safetensors or .pt file, of which nothing is run."""
    trust: Flag = False
    """Run a critic that was saved as a program, which is code of whoever wrote it."""
    n: Count = None
    """Points of each set for the critics; by default 4/5 of the smaller set, at most 1000. The rest is held out."""
    columns: Several = None
    """Columns of tables that are the coordinates; by default all. Two tables are compared by the names of theirs."""
    drop: Several = None
    """Columns of tables to leave out."""
    seeds: int = 2
    """Critics of each method; from two on there is a standard error."""
    steps: Count = None
    """Training steps; by default the method's own number."""
    batch_size: Count = None
    """Points of each set in a step; by default the method's own number."""
    seed: int = 0
    """Everything random follows from it."""
    rtol: float = 1e-9
    """Largest relative gap between the proven bounds on the exact distance."""
    device: str = "auto"
    """Where critics train: auto, cpu, cuda, ..."""
    out: Target = None
    """Folder for the report (html, json), the figures and plan.npz, the proof; by default runs/check-A-B-n."""
    debug: Flag = False
    """Print the traceback of an error."""

    def run(self) -> int:
        """Check, print the tables, write the folder."""
        from otgan import report
        from otgan.check import check

        report.check_folder(Path("runs") if self.out is None else self.out)  # better now than after the training
        given = self._given()
        seen: list[Result] = []

        def watch(so_far: Result) -> None:
            seen.append(so_far)
            _print_newest(so_far)

        try:
            result = check(
                *self._sides(),
                methods=self.methods,
                critics=given,
                n=self.n,
                seeds=self.seeds,
                steps=self.steps,
                batch_size=self.batch_size,
                seed=self.seed,
                rtol=self.rtol,
                device=self.device,
                progress=on_terminal(),
                watch=watch,
            )
        except KeyboardInterrupt:
            if not seen:
                raise
            self._write(seen[-1].without_the_rest("it was interrupted."))
            raise KeyboardInterrupt("interrupted; what was done by then is in the report.") from None
        say("")
        verdicts, width = [verdict.as_dict() for verdict in result.reports], shutil.get_terminal_size().columns
        report.print_tables(verdicts, width)
        if warning := report.unsettled(verdicts):
            say("\n" + textwrap.fill(warning, min(width, 100)))
        for verdict in result.reports:
            if verdict.method in given:
                say("\n" + textwrap.fill(f"{verdict.method}: {verdict.explain()}", min(width, 100)))
        self._write(result)
        for method, message in result.failed.items():
            say(f"otgan: no {method}: {message}", sys.stderr)
        return int(bool(result.failed))

    def _given(self) -> dict[str, Any]:
        """The critic of a file, by the file's name."""
        if self.critic is None:
            if self.weights is not None or self.trust:
                raise InvalidInput(
                    "--weights and --trust are for a --critic of yours. Every point counts alike here: for points with "
                    "weights see otgan distance --weights."
                )
            return {}
        with optional_dependency("torch", "torch", "Judging a critic"):
            from otgan.critics.files import load_critic
        return {Path(self.critic).name: load_critic(self.critic, self.weights, trust=self.trust)}

    def _files(self) -> dict[str, Any]:
        """Where the critic came from, for the command that does the same again."""
        if self.critic is None:
            return {}
        return {
            "critic": self.critic,
            "weights": None if self.weights is None else str(self.weights),
            "trust": self.trust,
        }

    def _write(self, result: Result) -> None:
        result = replace(result, settings={**result.settings, **self._files()})
        folder = result.default_folder if self.out is None else self.out
        replaced = " (replaced)" if Path(folder, "report.json").exists() else ""
        result.write(folder)
        say(f"\nReport{replaced}: {Path(folder, 'report.html')}")

    def _sides(self) -> tuple[Any, Any]:
        """Both sets as the check takes them: tables of which columns are chosen are loaded here."""
        if self.columns is None and self.drop is None:
            return self.a, self.b
        from otgan.data import load
        from otgan.data.pairing import is_table_spec

        if not (is_table_spec(self.a) or is_table_spec(self.b)):
            raise InvalidInput(f"--columns and --drop are for tables, but {self.a} and {self.b} are none.")
        chosen: dict[str, Any] = {"columns": listed(self.columns), "drop": listed(self.drop) or ()}
        a, b = (load(spec, **chosen) if is_table_spec(spec) else spec for spec in (self.a, self.b))
        return a, b


def _print_newest(result: Result) -> None:
    """The exact distance as soon as it is known, and each critic's number as soon as it is."""
    if result.reports:
        last = result.reports[-1]
        after = "" if last.seconds is None else f" after {last.seconds:.1f} s"
        say(f"  {last.method}: {last.estimate:.4g}{after}")
        return
    exact, whole = result.solution, result.whole
    n, m = (whole or exact).problem.shape
    say(f"{result.a.name} against {result.b.name}: {points_of(n, m, shape=result.a.shape)}")
    for side in (result.a, result.b):
        if side.notes:
            say(f"{side.name}: {'; '.join(side.notes)}")
    if whole:
        say(f"exact W1 = {_proven(whole)}")
    rest = result.held_out
    if whole or rest:
        others = f"; {len(rest[0])} and {len(rest[1])} more are held out" if rest else ""
        say(f"critics get {len(result.a)} of each, drawn at random{others}")
    say(f"exact W1{' of those' if whole or rest else ''} = {_proven(exact)}")


def _proven(solution: Solution) -> str:
    return f"{solution.distance:.7g}, proven to {solution.gap:.1g} by {solution.method}"
