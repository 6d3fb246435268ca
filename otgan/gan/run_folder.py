"""The folder of a run: opened, locked and resumed; its checkpoint and its pictures."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

import torch

from otgan import report
from otgan.errors import InvalidInput, OTError
from otgan.gan import checkpoint as checkpoints
from otgan.gan.config import RESUMABLE_FIELDS, Config
from otgan.gan.dataset import OWN
from otgan.gan.ema import with_recalibrated_batch_norm
from otgan.gan.grid import picture
from otgan.gan.log import NAME as LOG
from otgan.gan.monitor import NOISE_SEED_OFFSET
from otgan.gan.run import generate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otgan.gan.checkpoint import Checkpoint
    from otgan.gan.dataset import Dataset
    from otgan.gan.log import Log
    from otgan.gan.networks import OwnNetworks
    from otgan.gan.train_state import TrainState

__all__ = [
    "check_resumable",
    "claimed",
    "diverged",
    "interrupted",
    "logger_failed",
    "open_folder",
    "save_checkpoint",
    "save_picture",
]

LOCK = ".lock"
GRID_IMAGES, PLOTTED_POINTS = 64, 1000  # samples in a picture


def open_folder(folder: Path | None, resume: bool) -> Checkpoint | None:
    """The checkpoint to resume from; None, where a new run can begin in the folder.

    Raises
    ------
    InvalidInput
        If there is no run to resume, or one where a new one should begin.
    """
    if resume:
        if folder is None:
            raise InvalidInput("resume needs the folder of the run to go on with. Pass it.")
        return checkpoints.read(folder)
    if folder is not None:
        report.check_folder(folder)
        _check_unused(folder)
    return None


def _check_unused(folder: Path) -> None:
    """Refuse to begin a run where there is one, or the log of one."""
    if (folder / checkpoints.NAME).exists():
        raise InvalidInput(f"{folder} holds a run already. Go on with it (resume), or name another folder.")
    if (folder / LOG).is_file() and b"\n" in (folder / LOG).read_bytes()[:-1]:
        raise InvalidInput(f"{folder} holds the log of a run whose checkpoint is gone. Name another folder.")


def check_resumable(config: Config, samples: Dataset, own: OwnNetworks, checkpoint: Checkpoint) -> None:
    """Refuse to resume a run with other settings, networks or data than it began with.

    Raises
    ------
    InvalidInput
        If they are others.
    """
    own.check_same(checkpoint)
    for field in fields(Config):
        ours, theirs = getattr(config, field.name), getattr(checkpoint.config, field.name)
        if ours != theirs and field.name not in RESUMABLE_FIELDS:
            raise InvalidInput(
                f"{field.name} must be {theirs!r}, as in the run to go on with, but {ours!r} came. Leave it as it was, "
                "or start a new run in another folder."
            )
    if samples.sha256 != checkpoint.data_sha256:
        raise InvalidInput(f"{samples.name} is not what the run was trained on: its values differ. Pass the same data.")
    if config.steps < checkpoint.step:
        raise InvalidInput(
            f"steps must be at least {checkpoint.step}, which the run has made, but {config.steps} came."
        )


@contextmanager
def claimed(folder: Path | None, checkpoint: Checkpoint | None) -> Iterator[None]:
    """Lock the folder of a run, which must be as it was when the run was opened.

    Raises
    ------
    InvalidInput
        If another process trains there, or did meanwhile.
    """
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with report.exclusive_lock(folder / LOCK):
        if checkpoint is None:  # another process may have been here since we looked
            _check_unused(folder)
        elif checkpoints.read(folder).step != checkpoint.step:
            raise InvalidInput(f"{folder} was gone on with by another process meanwhile. Try again.")
        checkpoints.remove_partial_files(folder)
        yield


def save_checkpoint(
    folder: Path | None, config: Config, samples: Dataset, state: TrainState, log: Log, step: int, seconds: float
) -> None:
    """Write a checkpoint, after the log is on the disk as far as it counts."""
    if folder is None:
        return
    checkpoint = checkpoints.Checkpoint(
        config=config,
        scaling=samples.scaling,
        data_sha256=samples.sha256,
        step=step,
        log_bytes=log.settle(),
        seconds=seconds,
        tensors=state.tensors(),
        structures=state.own.structures(),
    )
    checkpoints.write(folder, checkpoint)


def save_picture(folder: Path | None, config: Config, samples: Dataset, state: TrainState, step: int) -> None:
    """Draw samples of the averaged generator, from the same noise at every step."""
    if folder is None:
        return
    n = GRID_IMAGES if samples.scaling.is_image else PLOTTED_POINTS
    seed = config.seed + NOISE_SEED_OFFSET
    noise = torch.randn(n, config.latent, generator=torch.Generator().manual_seed(seed))
    points = generate(with_recalibrated_batch_norm(state.ema, config), noise, samples.scaling)
    drawn = picture(points, samples.held_out, samples.scaling)
    if drawn is not None:
        (folder / "samples").mkdir(exist_ok=True)
        report.write_files(folder / "samples", {f"{step:07d}.png": drawn})


def interrupted(step: int, folder: Path | None, config: Config, own: OwnNetworks) -> tuple[str, ...]:
    """The message of an interrupted run, if it has a checkpoint to go on from."""
    if folder is None:
        return ()
    return (f"interrupted after step {step}, which is kept. Go on with: {_how_to_go_on(folder, config, own)}",)


def logger_failed(
    failure: tuple[str, Exception], step: int, folder: Path | None, config: Config, own: OwnNetworks
) -> OTError:
    """The error of a run that a logger has ended."""
    call, error = failure
    kept = (
        "No folder was given, so nothing is kept."
        if folder is None
        else f"What was trained is kept. Repair the logger or leave it out, and go on with: "
        f"{_how_to_go_on(folder, config, own)}"
    )
    return OTError(f"{call} raised {type(error).__name__}: {error}. The run ended after step {step}. {kept}")


def _how_to_go_on(folder: Path, config: Config, own: OwnNetworks) -> str:
    passed = [*own.modules(), *(["data"] if config.data == OWN else [])]
    if not passed:
        return f"otgan train --resume {shlex.quote(str(folder))}"
    return f"train(config, {str(folder)!r}, {''.join(f'{name}=..., ' for name in passed)}resume=True)"


def diverged(what: str, config: Config, step: int, folder: Path | None) -> OTError:
    """The error of a run that has diverged, which names the last good checkpoint."""
    last = (
        "No folder was given, so nothing is kept."
        if folder is None
        else f"The last good checkpoint is {folder / checkpoints.NAME}, of step {checkpoints.read(folder).step}."
    )
    rates = config.recipe
    return OTError(
        f"training diverged by step {step}: {what}. {last} Lower learning_rate (now {rates.learning_rate:g}, of the "
        f"critic {rates.critic_learning_rate:g})."
    )
