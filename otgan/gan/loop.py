"""The training loop."""

from __future__ import annotations

import math
import shlex
import time
from contextlib import contextmanager, nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm

from otgan import report
from otgan.critics.modes import own_modes
from otgan.errors import InvalidInput, OTError
from otgan.gan import checkpoint as checkpoints
from otgan.gan.averages import settled
from otgan.gan.config import MAY_CHANGE, Config
from otgan.gan.dataset import OWN, Dataset, dataset
from otgan.gan.game import Game
from otgan.gan.grid import picture
from otgan.gan.log import NAME as LOG
from otgan.gan.log import Log, board
from otgan.gan.monitor import APART, Monitor
from otgan.gan.players import Players
from otgan.gan.run import NotFinite, Run, generate
from otgan.gan.team import ALONE, Team
from otgan.gan.threads import threads_for
from otgan.runtime.interrupts import Interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otgan.gan.checkpoint import Checkpoint

__all__ = ["train_alone"]

LOCK = ".lock"
SHOWN, SHOWN_POINTS = 64, 1000  # images in a grid, points in a plane


@own_modes()
def train_alone(
    config: Config,
    folder: Path | None,
    *,
    data: Any,
    resume: bool,
    progress: bool,
    tensorboard: bool,
    team: Team = ALONE,
) -> Run:
    """:func:`otgan.gan.train` in this process, which may be one of a team; parameters and errors are those."""
    before = _open(folder, resume)
    samples = dataset(config, team.device(config), data)
    config = config.resolved(samples.units.network_shape)
    if data is not None:
        config = replace(config, data=samples.name or OWN)
    if before is not None:
        _check_same(config, samples, before)
    team.meet()  # before one of them writes what another looks for
    with threads_for(config), torch.random.fork_rng(devices=[]):  # the caller's random numbers are none of our business
        torch.manual_seed(config.seed)
        shown = board(folder, 0 if before is None else before.step) if tensorboard and team.leads else None
        return _train(config, samples, folder, before, progress and team.leads, shown, team)


def _train(
    config: Config,
    samples: Dataset,
    folder: Path | None,
    before: Checkpoint | None,
    progress: bool,
    board: Any,
    team: Team,
) -> Run:
    """The loop itself, from the first step or from a checkpoint."""
    out = folder if team.leads else None
    players = Players.fresh(config, samples.units.network_shape, samples.train.device)
    if before is not None:
        players.restore(before)
    game = Game.of(config, samples, players, team)
    monitor = Monitor(config, samples, game.objective) if config.monitor_every and team.leads else None
    start, seconds_before = (0, 0.0) if before is None else (before.step, before.seconds)
    started = time.perf_counter() - seconds_before

    interrupts = Interrupts(terminate=True)
    waiting = interrupts if team.size == 1 else nullcontext()  # a team would have to agree on the step
    length = 0 if before is None else before.log_bytes
    with _claimed(out, before), Log(out, length, board) as log, waiting:  # it is sure now that training can begin
        if before is None:
            log.write("run", 0, {"config": config, "data": _about(samples), "environment": report.environment()})
            _save(out, config, samples, players, log, 0, 0.0)
        if start == 0:
            _measure(monitor, players, log, 0, started)
        bar = tqdm(
            range(start + 1, config.steps + 1),
            desc=config.objective,
            initial=start,
            total=config.steps,
            disable=None if progress else True,
        )
        step = start
        for step in bar:
            game.step(step)
            stopping = interrupts.asked  # what comes from here on is for the next step to see
            measuring = _due(config.monitor_every, step, config)
            drawing = _due(config.sample_every, step, config)
            keeping = stopping or _due(config.checkpoint_every, step, config)
            if _due(config.log_every, step, config):
                team.average(players.losses)
                losses = _mean_losses(players)
                log.write("losses", step, {**losses, "seconds": time.perf_counter() - started})
                _check_finite(losses, config, step, folder)
                bar.set_postfix({name: f"{value:.3g}" for name, value in losses.items()}, refresh=False)
            if (measuring or drawing or keeping) and not players.are_finite():
                raise _diverged("a weight is not finite", config, step, folder)
            try:
                if measuring:
                    _measure(monitor, players, log, step, started)
                if drawing:
                    _write_picture(out, samples, players, config, step)
            except NotFinite as error:  # weights are finite, and still too large
                raise _diverged(str(error), config, step, folder) from None
            if keeping:
                team.average(players.losses)
                _save(out, config, samples, players, log, step, time.perf_counter() - started)
            if stopping:
                break
        if interrupts.asked:
            raise KeyboardInterrupt(*_interrupted(step, folder, config))
        history = log.records
    return Run(
        config=config,
        step=max(start, config.steps),
        generator=settled(players.ema, config),
        critic=players.critic.eval(),
        units=samples.units,
        history=history,
        folder=folder,
    )


def _due(every: int, step: int, config: Config) -> bool:
    """Whether what is done every so many steps, and after the last one, is done now; 0 is never."""
    return every > 0 and (step == config.steps or step % every == 0)


def _measure(monitor: Monitor | None, players: Players, log: Log, step: int, started: float) -> None:
    """Log what the monitor finds, and what that cost."""
    if monitor is None:
        return
    begun = time.perf_counter()
    measured = monitor.measure(players, log.records)
    ended = time.perf_counter()
    log.write("monitor", step, {**measured, "cost": ended - begun, "seconds": ended - started})


def _mean_losses(players: Players) -> dict[str, float]:
    """Mean losses since the log's last line; the sums begin anew."""
    critic, generator, steps = players.losses.tolist()
    players.losses.zero_()
    return {"critic_loss": critic / steps, "generator_loss": generator / steps}


def _check_finite(losses: dict[str, float], config: Config, step: int, folder: Path | None) -> None:
    for name, value in losses.items():
        if not math.isfinite(value):
            raise _diverged(f"{name} is {value}", config, step, folder)


def _interrupted(step: int, folder: Path | None, config: Config) -> tuple[str, ...]:
    """What to say, if there is a checkpoint to go on from."""
    if folder is None:
        return ()
    own = f"train(config, {str(folder)!r}, data=..., resume=True)"
    command = own if config.data == OWN else f"otgan train --resume {shlex.quote(str(folder))}"
    return (f"interrupted after step {step}, which is kept. Go on with: {command}",)


def _diverged(what: str, config: Config, step: int, folder: Path | None) -> OTError:
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


def _open(folder: Path | None, resume: bool) -> Checkpoint | None:
    """The checkpoint to go on from; else make sure that a new run can begin in the folder."""
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


@contextmanager
def _claimed(folder: Path | None, before: Checkpoint | None) -> Iterator[None]:
    """Have the folder of a run to oneself, as it was when the run was opened."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with report.alone(folder / LOCK):
        if before is None:  # another process may have been here since we looked
            _check_unused(folder)
        elif checkpoints.read(folder).step != before.step:
            raise InvalidInput(f"{folder} was gone on with by another process meanwhile. Try again.")
        checkpoints.clear_ruins(folder)
        yield


def _check_same(config: Config, samples: Dataset, before: Checkpoint) -> None:
    """Refuse to go on with other settings or data than the run began with."""
    for field in fields(Config):
        ours, theirs = getattr(config, field.name), getattr(before.config, field.name)
        if ours != theirs and field.name not in MAY_CHANGE:
            raise InvalidInput(
                f"{field.name} must be {theirs!r}, as in the run to go on with, but {ours!r} came. Leave it as it was, "
                "or start a new run in another folder."
            )
    if samples.sha256 != before.data_sha256:
        raise InvalidInput(f"{samples.name} is not what the run was trained on: its values differ. Pass the same data.")
    if config.steps < before.step:
        raise InvalidInput(f"steps must be at least {before.step}, which the run has made, but {config.steps} came.")


def _about(samples: Dataset) -> dict[str, Any]:
    return {
        "name": samples.name,
        "sha256": samples.sha256,
        "shape": samples.units.shape,
        "trained_on": len(samples.train_points),
        "held_out": len(samples.held_out),
    }


def _write_picture(folder: Path | None, samples: Dataset, players: Players, config: Config, step: int) -> None:
    """Samples of the averaged generator, from the same noise at every step."""
    if folder is None:
        return
    n = SHOWN if samples.units.is_image else SHOWN_POINTS
    noise = torch.randn(n, config.latent, generator=torch.Generator().manual_seed(config.seed + APART))
    drawn = picture(generate(settled(players.ema, config), noise, samples.units), samples.held_out, samples.units)
    if drawn is not None:
        (folder / "samples").mkdir(exist_ok=True)
        report.write_files(folder / "samples", {f"{step:07d}.png": drawn})


def _save(
    folder: Path | None,
    config: Config,
    samples: Dataset,
    players: Players,
    log: Log,
    step: int,
    seconds: float,
) -> None:
    """Write a checkpoint, after the log is on the disk as far as it counts."""
    if folder is None:
        return
    kept = checkpoints.Checkpoint(config, samples.units, samples.sha256, step, log.settle(), seconds, players.tensors())
    checkpoints.write(folder, kept)
