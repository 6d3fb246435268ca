"""The command ``otgan train``."""

from __future__ import annotations

from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from otgan.cli.common import Flag, Target, on_terminal
from otgan.cli.say import say
from otgan.errors import InvalidInput
from otgan.gan.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otgan.gan import Run

__all__ = ["Train", "settings_to_resume"]


@dataclass(frozen=True)
class Train:
    """Train a GAN; the exact distance is measured beside the critic's estimate."""

    config: Annotated[Config, tyro.conf.arg(name="")] = field(default_factory=Config)
    out: Target = None
    """Folder for the log, the checkpoint and the samples; by default runs/train-DATA-OBJECTIVE-SEED."""
    resume: Target = None
    """Folder of a run to resume, as if it had never stopped; --steps, --device and --devices alone may be given."""
    tensorboard: Flag = False
    """Write every number of the log to a TensorBoard in the folder too."""
    debug: Flag = False
    """Print the traceback of an error."""

    def run(self) -> int:
        """Train, and say where everything is."""
        from otgan.gan import load, train

        if self.resume is None:
            folder = self.out or default_folder(self.config)
        elif self.out is not None:
            raise InvalidInput("--out cannot go with --resume: a run is gone on with where it lies. Leave it out.")
        else:
            folder = self.resume if self.resume.is_dir() else self.resume.parent
        try:
            run = train(
                self.config,
                folder,
                resume=self.resume is not None,
                progress=on_terminal(),
                tensorboard=self.tensorboard,
            )
        except KeyboardInterrupt as stop:
            if stop.args:  # it says that a checkpoint was written, and goes on saying so after another Ctrl-C
                with suppress(KeyboardInterrupt):
                    _report(load(folder), folder)
            raise
        _report(run, folder)
        return 0


def default_folder(config: Config) -> Path:
    """The folder of a run that was given none.

    Examples
    --------
    >>> default_folder(Config(data="mnist:8", objective="wgan")).as_posix()
    'runs/train-mnist-8-wgan-0'
    """
    from otgan.report import slug

    return Path("runs", f"train-{slug(config.data)}-{config.objective}-{config.seed}")


def settings_to_resume(words: Sequence[str]) -> Train | None:
    """The settings of the run that the words of a command resume: they hold for options that are not among the words.

    Raises
    ------
    InvalidInput
        If there is no such run.

    Examples
    --------
    >>> settings_to_resume(["train", "--objective", "wgan"]) is None
    True
    """
    finder = ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--resume", nargs="?")
    folder = finder.parse_known_args(words)[0].resume if words[:1] == ["train"] else None
    if folder is None or {"-h", "--help"} & {*words}:
        return None
    from otgan.gan.checkpoint import NAME, read

    if not Path(folder).is_dir() and Path(folder).name != NAME:
        raise InvalidInput(f"--resume must be the folder of a run, or its {NAME}, but {folder!r} came.")
    return Train(read(folder).config)


def _report(run: Run, folder: Path) -> None:
    page = run.write_report()
    _print(run, folder)
    say(f"\nReport: {page}")


def _print(run: Run, folder: Path) -> None:
    say(f"{run.config.data}, {run.config.objective}: {run.step} steps, kept in {folder}")
    measured = run.measurements
    if not measured:
        return
    last = measured[-1]
    lines = {
        f"exact W1 to {last['n']} held-out samples": last["exact"],
        "  measured at step": last["step"],
        "  before training": measured[0]["exact"],
        "  of the averaged generator": last["exact_ema"],
        "  of as many samples trained on": last["floor"],
        f"the critic's {last['critic_estimates']} on the same": last["critic"],
        "  W1 that it proves, repaired": last["lower_bound"],
        "  W1 that a constant critic proves": last.get("constant_bound"),
        "rank correlation over the run": last.get("rank_correlation"),
    }
    for name, value in lines.items():
        if value is not None:
            say(f"  {name:40}{float(value):.5g}")
    say(f"  {'measuring took':40}{measuring_share(run.history):.1%} of the time")


def measuring_share(records: Sequence[Mapping[str, Any]]) -> float:
    """The share of a run's time, up to its last record, that measurements took.

    Examples
    --------
    >>> measuring_share([{"cost": 1.0, "seconds": 2.0}, {"seconds": 10.0}])
    0.1
    """
    return sum(record.get("cost", 0.0) for record in records) / (
        max((record.get("seconds", 0.0) for record in records), default=0.0) or 1.0
    )
