"""The command ``otgan preflight DATA``."""

from __future__ import annotations

import shutil
import sys
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from otgan.cli.common import Count, Flag, Program, Target, on_terminal
from otgan.cli.say import say
from otgan.errors import InvalidInput
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from otgan.preflights.result import Preflight as Result

__all__ = ["Preflight"]

WIDEST = 100  # characters of a line of text


@dataclass(frozen=True)
class Preflight:
    """Which critic can be trusted on your data, before a GAN is trained: on pairs of them whose W1 is known."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA", help_behavior_hint="")]
    """A folder of images, a .npy, .npz, .csv, .parquet or .pt file, or a built-in name (see: otgan data)."""
    methods: Annotated[tuple[str, ...] | None, tyro.conf.arg(metavar="NAME [NAME ...]", help_behavior_hint="")] = None
    """Critics to train; by default clip, gp, lp and orthogonal. An unknown name lists all."""
    critic: Program = None
    """Your network, trained by these methods: script.py:build, a function that returns it. See --weights."""
    weights: Target = None
    """Its weights, .safetensors or .pt: then it is judged as it is, not trained. So is a file of torch.export.save."""
    trust: Flag = False
    """Run a critic that was saved as a program, which is code of whoever wrote it."""
    minutes: float = 10.0
    """For all of it: more minutes train longer."""
    n: Count = None
    """Real samples at most; by default 2000, or fewer of large images."""
    seeds: int = 2
    """Critics of each method on each pair."""
    steps: Count = None
    """Training steps on each pair, in place of what the minutes allow."""
    seed: int = 0
    """Everything random follows from it."""
    device: str = "auto"
    """Where critics train: auto, cpu, cuda, ..."""
    out: Target = None
    """Folder for the report (html, json), the figure, and what is done so far; by default runs/preflight-DATA."""
    debug: Flag = False
    """Print the traceback of an error."""

    def run(self) -> int:
        """Train and judge, say the answer, write the folder."""
        import otgan
        from otgan import report

        folder = Path("runs", f"preflight-{report.slug(self.data)}") if self.out is None else self.out
        report.check_folder(folder)  # better now than after the training
        critics, network = self._given()
        seen: list[Result] = []

        def watch(so_far: Result) -> None:
            seen[:] = [so_far]

        try:
            result = otgan.preflight(
                self.data,
                critics=critics,
                methods=self.methods,
                network=network,
                minutes=self.minutes,
                n=self.n,
                seeds=self.seeds,
                seed=self.seed,
                steps=self.steps,
                device=self.device,
                folder=folder,
                progress=on_terminal(),
                watch=watch,
            )
        except KeyboardInterrupt:
            if not seen or not seen[0].ranking:
                raise KeyboardInterrupt(f"interrupted; the same command goes on from what is in {folder}.") from None
            self._tell(seen[0], folder)
            raise KeyboardInterrupt("interrupted; the same command goes on from there.") from None
        self._tell(result, folder)
        return 0

    def _given(self) -> tuple[dict[str, Any] | None, Callable[[int], nn.Module] | None]:
        """A critic to be judged, by the file's name, or a network to be trained."""
        if self.critic is None:
            if self.weights is not None or self.trust:
                raise InvalidInput("--weights and --trust are for a --critic of yours.")
            return None, None
        with optional_dependency("torch", "torch", "A critic of yours"):
            from otgan.critics.files import load_critic
        spec = self.critic
        critic = load_critic(spec, self.weights, trust=self.trust)
        if self.weights is not None or not spec.rpartition(":")[0].endswith(".py"):
            return {Path(spec).name: critic}, None
        return None, _Builder(spec)

    def _tell(self, result: Result, folder: Path) -> None:
        """The answer, what to expect, one table, and where the page is."""
        from otgan import report
        from otgan.preflights.table import ranking_table

        weights = None if self.weights is None else str(self.weights)
        files = {"critic": self.critic, "weights": weights, "trust": self.trust} if self.critic else {}
        result = replace(result, settings={**result.settings, **files})
        result.write(folder)
        width = min(shutil.get_terminal_size().columns, WIDEST)
        said = result.verdict
        for text in (said.answer, said.advice):
            say("\n" + textwrap.fill(text, width))
        say("")
        report.print_table(ranking_table(result.cells))
        for text in said.expect:
            say("\n" + textwrap.fill(text, width))
        say(f"\nReport: {folder / 'report.html'}")
        if result.stopped:
            say("It was stopped: not all pairs are done.", sys.stderr)


class _Builder:
    """A function of d that builds a network by a script; its name tells it from others in a folder of results."""

    def __init__(self, spec: str) -> None:
        import hashlib

        self.spec = spec
        script = Path(spec.rpartition(":")[0]).read_bytes()
        self.name = f"{spec} {hashlib.sha256(script).hexdigest()}"

    def __call__(self, dimension: int) -> nn.Module:
        from otgan.critics.files import load_critic

        return load_critic(self.spec)
