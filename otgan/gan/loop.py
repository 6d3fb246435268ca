"""The training loop."""

from __future__ import annotations

import math
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm

from otgan import report
from otgan.errors import InvalidInput, OTError
from otgan.gan import checkpoint as checkpoints
from otgan.gan.config import LIPSCHITZ_CRITICS, MAY_CHANGE, Config
from otgan.gan.dataset import Dataset, dataset
from otgan.gan.grid import picture
from otgan.gan.log import Log, board
from otgan.gan.monitor import APART, Monitor
from otgan.gan.objectives import objective as objective_of
from otgan.gan.players import Players
from otgan.gan.run import Run, generate
from otgan.gan.team import ALONE, Team

if TYPE_CHECKING:
    from torch import nn

    from otgan.gan.checkpoint import Checkpoint

__all__ = ["train_alone"]

SHOWN, SHOWN_POINTS = 64, 1000  # images in a grid, points in a plane


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
    if before is not None:
        _check_same(config, samples, before)
    team.meet()  # before one of them writes what another looks for
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers are none of our business
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
    objective, recipe, device = objective_of(config), config.recipe, samples.train.device
    out = folder if team.leads else None
    players = Players.fresh(config, samples.units.network_shape, device)
    if before is not None:
        players.restore(before)
    generator, critic, random = players.generator, players.critic, players.random
    make, score = _callables(config, generator, critic)
    monitor = Monitor(config, samples, objective) if config.monitor_every and team.leads else None
    start, seconds_before = (0, 0.0) if before is None else (before.step, before.seconds)
    started = time.perf_counter() - seconds_before
    critic_loss = players.losses[0]  # bound also for readers who cannot know that there is a critic step

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)  # not before it is sure that training can begin
        checkpoints.clear_ruins(out)
    with Log(out, 0 if before is None else before.log_bytes, board) as log:
        if before is None:
            log.write("run", 0, {"config": config, "data": _about(samples), "environment": report.environment()})
            _save(out, config, samples, players, log, 0, 0.0)
        bar = tqdm(
            range(start + 1, config.steps + 1),
            desc=config.objective,
            initial=start,
            total=config.steps,
            disable=None if progress else True,
        )
        for step in bar:
            critic.requires_grad_(True)
            for _ in range(recipe.critic_steps(step)):
                real, noise = _drawn(config, samples, random, team)
                share = team.part(torch.rand(recipe.batch_size, generator=random, device=device))
                with torch.no_grad():
                    fake = make(noise)
                critic_loss = objective.critic_loss(score, real, fake, share)
                players.critic_optimizer.zero_grad(set_to_none=True)
                critic_loss.backward()
                team.average_gradients(critic)
                players.critic_optimizer.step()
                objective.constrain(critic)

            critic.requires_grad_(False)
            real, noise = _drawn(config, samples, random, team)
            generator_loss = objective.generator_loss(score, real, make(noise))
            players.generator_optimizer.zero_grad(set_to_none=True)
            generator_loss.backward()
            team.average_gradients(generator)
            players.generator_optimizer.step()
            players.ema.update_parameters(generator)
            players.losses.add_(torch.stack([critic_loss.detach(), generator_loss.detach()]))

            last = step == config.steps
            if last or step % config.log_every == 0:
                team.average(players.losses)
                losses = _mean_losses(players, (step - 1) % config.log_every + 1)
                log.write("losses", step, {**losses, "seconds": time.perf_counter() - started})
                _check_finite(losses, config, step, folder)
                bar.set_postfix({name: f"{value:.3g}" for name, value in losses.items()}, refresh=False)
            if monitor is not None and (last or step % config.monitor_every == 0):
                begun = time.perf_counter()
                measured = monitor.measure(players, log.records)
                ended = time.perf_counter()
                log.write("monitor", step, {**measured, "cost": ended - begun, "seconds": ended - started})
            if config.sample_every and (last or step % config.sample_every == 0):
                _write_picture(out, samples, players, config, step)
            if last or step % config.checkpoint_every == 0:
                if not players.are_finite():
                    raise _diverged("a weight is not finite", config, step, folder)
                _save(out, config, samples, players, log, step, time.perf_counter() - started)
        history = log.records
    return Run(
        config=config,
        step=max(start, config.steps),
        generator=players.ema.module,
        critic=critic.requires_grad_(True).eval(),
        units=samples.units,
        history=history,
        folder=folder,
    )


def _callables(config: Config, generator: nn.Module, critic: nn.Module) -> tuple[Any, Any]:
    """Both networks as they are called in a step: compiled, and in mixed precision, where that is asked for."""
    make: Any = generator
    score: Any = critic
    if config.compile:
        make = torch.compile(generator)
        if not config.penalised and config.critic not in LIPSCHITZ_CRITICS:
            score = torch.compile(critic)
    if config.precision == "float32":
        return make, score
    kind = next(generator.parameters()).device.type

    def lighter(network: Any) -> Any:
        def call(x: torch.Tensor) -> torch.Tensor:
            with torch.autocast(kind, torch.bfloat16):
                return network(x).float()  # means and losses are taken in float32

        return call

    return lighter(make), lighter(score)


def _drawn(config: Config, samples: Dataset, random: torch.Generator, team: Team) -> tuple[torch.Tensor, torch.Tensor]:
    """What one of the team works on: real samples, and noise to generate from."""
    n = config.recipe.batch_size
    real = samples.batch(n, random)
    return team.part(real), team.part(torch.randn(n, config.latent, generator=random, device=random.device))


def _mean_losses(players: Players, steps: int) -> dict[str, float]:
    """Mean losses over the last steps; the sums begin anew."""
    critic, generator = (players.losses / steps).tolist()
    players.losses.zero_()
    return {"critic_loss": critic, "generator_loss": generator}


def _check_finite(losses: dict[str, float], config: Config, step: int, folder: Path | None) -> None:
    for name, value in losses.items():
        if not math.isfinite(value):
            raise _diverged(f"{name} is {value}", config, step, folder)


def _diverged(what: str, config: Config, step: int, folder: Path | None) -> OTError:
    last = (
        "No folder was given, so nothing is kept."
        if folder is None
        else f"The last good checkpoint is {folder / checkpoints.NAME}, of step {checkpoints.read(folder).step}."
    )
    rates = config.recipe
    return OTError(
        f"training diverged by step {step}: {what}. {last} Lower learning_rate (now {rates.learning_rate:g}, of the "
        f"critic {rates.critic_learning_rate:g}), or rescale the data to span about 1."
    )


def _open(folder: Path | None, resume: bool) -> Checkpoint | None:
    """The checkpoint to go on from; else make sure that a new run can begin in the folder."""
    if resume:
        if folder is None:
            raise InvalidInput("resume needs the folder of the run to go on with. Pass it.")
        return checkpoints.read(folder)
    if folder is not None:
        report.check_folder(folder)
        if (folder / checkpoints.NAME).exists():
            raise InvalidInput(f"{folder} holds a run already. Go on with it (resume), or name another folder.")
    return None


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
    drawn = picture(generate(players.ema.module, noise, samples.units), samples.held_out, samples.units)
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
