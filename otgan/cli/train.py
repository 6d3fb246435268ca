"""``otgan train``."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from otgan.cli.common import Flag, Target, on_terminal
from otgan.errors import InvalidInput
from otgan.gan.config import MAY_CHANGE, Config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otgan.gan import Run

__all__ = ["Train"]


@dataclass(frozen=True)
class Train:
    """A GAN, with the exact distance measured beside the critic's number."""

    config: Annotated[Config, tyro.conf.arg(name="")] = field(default_factory=Config)
    out: Target = None
    """Folder for the log, the checkpoint and the samples; by default runs/train-DATA-OBJECTIVE-SEED."""
    resume: Target = None
    """Folder of a run to go on with, as if it had never stopped; --steps, --device and --devices alone may be given."""
    tensorboard: Flag = False
    """Write every number of the log to a TensorBoard in the folder too."""
    debug: Flag = False
    """Print the traceback of an error."""

    def run(self) -> int:
        """Train, and say where everything is."""
        from otgan.gan import load, train

        if self.resume is None:
            folder, config = self.out or default_folder(self.config), self.config
        elif self.out is not None:
            raise InvalidInput("--out cannot go with --resume: a run is gone on with where it lies. Leave it out.")
        else:
            folder, config = self.resume, _as_before(self.config, self.resume)
        options = {"progress": on_terminal(), "tensorboard": self.tensorboard}
        try:
            run = train(config, folder, resume=self.resume is not None, **options)
        except KeyboardInterrupt as stop:
            if stop.args:  # it says that a checkpoint was written
                _report(load(folder), folder)
            raise
        _report(run, folder)
        return 0


def default_folder(config: Config) -> Path:
    """Where a run is kept that was given no folder.

    Examples
    --------
    >>> default_folder(Config(data="mnist:8", objective="wgan")).as_posix()
    'runs/train-mnist-8-wgan-0'
    """
    from otgan.report import slug

    return Path("runs", f"train-{slug(config.data)}-{config.objective}-{config.seed}")


def _as_before(config: Config, folder: Path) -> Config:
    """The settings of the run in ``folder``, with those given that may change."""
    from otgan.gan.checkpoint import read

    before, default = read(folder).config, Config()
    given = {f.name: getattr(config, f.name) for f in fields(Config)}
    given = {name: value for name, value in given.items() if value != getattr(default, name)}
    for name, value in given.items():
        if name not in MAY_CHANGE and value != getattr(before, name):
            option = name.replace("_", "-")
            raise InvalidInput(
                f"--{option} must be {getattr(before, name)!r}, as in the run to go on with, but {value!r} came. Leave "
                "it out, or start a new run."
            )
    return replace(before, **given)


def _report(run: Run, folder: Path) -> None:
    page = run.write_report()
    _print(run, folder)
    print(f"\nReport: {page}")


def _print(run: Run, folder: Path) -> None:
    print(f"{run.config.data}, {run.config.objective}: {run.step} steps, kept in {folder}")
    measured = run.measurements
    if not measured:
        return
    last = measured[-1]
    lines = {
        f"exact W1 to {last['n']} held-out samples": last["exact"],
        "  before training": measured[0]["exact"],
        "  of the averaged generator": last["exact_ema"],
        "  of as many samples trained on": last["floor"],
        f"the critic's {last['critic_estimates']} on the same": last["critic"],
        "  W1 that it proves, repaired": last["lower_bound"],
        "rank correlation over the run": last["rank_correlation"],
    }
    for name, value in lines.items():
        if value is not None:
            print(f"  {name:40}{value:.5g}")
    print(f"  {'measuring took':40}{measuring_share(measured):.1%} of the time")


def measuring_share(measured: Sequence[Mapping[str, Any]]) -> float:
    """How much of the time of a run went into its measurements.

    Examples
    --------
    >>> measuring_share([{"cost": 1.0, "seconds": 10.0}, {"cost": 1.0, "seconds": 20.0}])
    0.1
    """
    return sum(record["cost"] for record in measured) / measured[-1]["seconds"]
