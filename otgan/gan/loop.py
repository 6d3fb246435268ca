"""GAN training: critic steps, generator steps, the moving average and the measurements, in one loop."""

from __future__ import annotations

import math
import tempfile
import time
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from tqdm import tqdm

from otgan import inputs, report
from otgan.critics.methods.clipping import clip_weights
from otgan.critics.modes import own_modes
from otgan.errors import InvalidInput
from otgan.gan.config import Config
from otgan.gan.dataset import OWN, Dataset, dataset
from otgan.gan.distributed import SINGLE_PROCESS, ProcessGroup
from otgan.gan.ema import with_recalibrated_batch_norm
from otgan.gan.given import Given
from otgan.gan.log import Board, Log
from otgan.gan.networks import OwnNetworks, compiled, try_losses, unwrapped
from otgan.gan.objectives import objective_of
from otgan.gan.run import NotFinite, Run, load
from otgan.gan.run_folder import (
    check_resumable,
    claimed,
    diverged,
    interrupted,
    logger_failed,
    open_folder,
    save_checkpoint,
    save_picture,
)
from otgan.gan.run_monitor import RunMonitor
from otgan.gan.threads import threads_for
from otgan.gan.train_state import TrainState, frozen
from otgan.gan.user_functions import undisturbed
from otgan.runtime.interrupts import Interrupts

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from torch import nn

    from otgan.gan.checkpoint import Checkpoint

    Network = nn.Module | Callable[[tuple[int, ...]], nn.Module]

__all__ = ["train", "train_in_process", "training_loop"]

TRIED = 8  # samples that losses of the user's networks are tried on


def train(
    config: Config,
    folder: str | os.PathLike[str] | None = None,
    *,
    generator: Network | None = None,
    critic: Network | None = None,
    data: Any = None,
    channels: Literal["first", "last"] | None = None,
    loggers: Any = (),
    callback: Callable[[int, TrainState], object] | None = None,
    resume: bool = False,
    progress: bool = False,
    tensorboard: bool = False,
) -> Run:
    """Train a GAN, and measure the exact W1 beside the critic's estimate.

    Parameters
    ----------
    config : Config
    folder : path, optional
        Where the run is kept: ``log.jsonl``, ``checkpoint.safetensors`` and grids of samples. Made where it is missing;
        nothing is written without one.
    generator : torch.nn.Module or callable, optional
        Yours, from noise (k, latent) to samples (k, *shape) as networks see them: points (d,), centred and scaled to
        about [-2, 2], or images (c, h, w) in [-1, 1]. A module is copied as it stands. A function ``generator(shape)``
        makes one, with weights from the seed of the run.
    critic : torch.nn.Module or callable, optional
        Yours, from samples (k, *shape) to (k,) or (k, 1), with a linear output. Given as the generator is. What the
        objective's paper rules out is refused: batch norm under a gradient penalty, and for "wgan-lipschitz" whatever
        does not prove a constant of 1 by a method ``lipschitz()``.
    data : array_like, SampleSet, torch Dataset or DataLoader, optional
        Samples (n, d), (n, h, w), (n, h, w, c) or (n, c, h, w) to train on, instead of those that ``config.data``
        names. Items of a dataset may be tuples that start with the sample, such as (image, label).
    channels : {"first", "last"}, optional
        Where images have their channels. By default first in datasets of tensors, and in arrays where the first axis of
        an image has 1 or 3 entries and the last one neither 1 nor 3; else last.
    loggers : object with ``log_metrics``, or sequence of them
        Such as Lightning's: ``log_metrics(numbers, step)`` is called with every number that is logged, by names such as
        "losses/critic_loss" and "monitor/exact"; ``save()``, if there is one, at every checkpoint and at the end.
    callback : callable, optional
        ``callback(step, state)`` is called after each step, when what was due is logged and measured. What it returns
        ends the run if it is true: a checkpoint is written, and the run can be resumed. ``state`` is what training goes
        on with: ``generator``, ``critic``, ``ema`` (the averaged generator), ``generator_optimizer``,
        ``critic_optimizer``, ``random`` and ``losses``; what is changed there, such as a learning rate, holds from then
        on, but learning rates are no part of a checkpoint. Where several processes train, each calls it, and the answer
        of the first one counts.
    resume : bool, default False
        Go on from the checkpoint in ``folder``, as if the run had never stopped; on a CPU to the last bit. The
        configuration must be that of the run, but for ``steps``. With more steps the networks are those of one long
        run. The log is not: it keeps the measurement and the losses at the old end, where one long run logs nothing.
        The next means of losses are over the steps since then, and rank correlations count the additional measurement.
    progress : bool, default False
        Show a bar on a terminal.
    tensorboard : bool, default False
        Write every number of the log to ``folder/tensorboard`` too.

    Returns
    -------
    Run
        With the averaged generator and the critic, of your classes where you passed them.

    Raises
    ------
    InvalidInput
        For data, networks or options that do not go together; if ``folder`` already holds a run, or none to resume, or
        another process trains there.
    OTError
        If training diverges; the message names the last good checkpoint. If a critic of yours proves no longer what
        "wgan-lipschitz" needs. If a logger raises, when a checkpoint of the step is written.
    OSError
        If something cannot be written. The last checkpoint is as it was.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, when the step is made and a checkpoint is written, or from the error that this ended
        with; at once after a second one, and where several processes train.

    Examples
    --------
    >>> from otgan.gan import Config, train
    >>> run = train(Config(data="gaussians25", n=200, steps=3, width=16, monitor_every=3))
    >>> measured = run.history[-1]
    >>> measured["lower_bound"] <= measured["exact"] and measured["critic_estimates"]
    'W1'

    Networks of your own:

    >>> from torch import nn
    >>> run = train(
    ...     Config(data="gaussians8", n=100, steps=2, latent=3, monitor_every=0),
    ...     generator=nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2)),
    ...     critic=lambda shape: nn.Sequential(nn.Linear(*shape, 16), nn.ReLU(), nn.Linear(16, 1)),
    ... )
    >>> run.sample(5).shape
    (5, 2)
    """
    if not isinstance(config, Config):
        raise InvalidInput(f"config must be an otgan.gan.Config, but {config!r} came. Write Config(data={config!r}).")
    folder = None if folder is None else inputs.path(folder, "folder")
    given = Given.of(generator, critic, data, channels, loggers, callback)
    options = {"given": given, "resume": resume, "progress": progress, "tensorboard": tensorboard}
    if config.devices == 1:
        return train_in_process(config, folder, **options)
    from otgan.gan.distributed.launch import launch

    given.check_sendable(config.devices)
    with tempfile.TemporaryDirectory() as temporary:
        shared = Path(temporary) if folder is None else folder  # where processes leave what they have computed
        launch(partial(train_in_process, config, shared, **options), config.device, config.devices)
        run = load(shared, generator=generator, critic=critic, device=config.device)
    return run if folder is not None else replace(run, folder=None)


@own_modes()
def train_in_process(
    config: Config,
    folder: Path | None,
    *,
    given: Given,
    resume: bool,
    progress: bool,
    tensorboard: bool,
    group: ProcessGroup = SINGLE_PROCESS,
) -> Run:
    """Train in this process, which may be one of a group; other parameters and errors are those of :func:`train`."""
    checkpoint = open_folder(folder, resume)
    device = group.device(config.device)
    samples = dataset(config, device, given.data, given.channels)
    shape = samples.scaling.network_shape
    own = OwnNetworks.made(given.generator, given.critic, config, shape, device)
    config = own.settled(config).resolved(shape)
    if given.data is not None:
        config = replace(config, data=samples.name or OWN)
    if checkpoint is not None:
        check_resumable(config, samples, own, checkpoint)
    group.barrier()  # before one of them writes what another looks for
    # The caller's random numbers are none of our business.
    with threads_for(config, own), torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        state = TrainState.fresh(config, shape, device, own)
        if roles := own.modules().keys():
            real = samples.batch(TRIED, torch.Generator(device).manual_seed(config.seed))
            try_losses(state.generator, state.critic, roles, objective_of(config), real, config.latent)
        board = Board(folder, checkpoint.step if checkpoint else 0) if tensorboard and group.is_main else None
        loggers = [*given.loggers, *([board] if tensorboard else [])]  # of the first process; the others know of them
        with nullcontext() if board is None else closing(board):
            return training_loop(
                config, samples, state, folder, checkpoint, progress and group.is_main, loggers, given.callback, group
            )


def training_loop(
    config: Config,
    samples: Dataset,
    state: TrainState,
    folder: Path | None,
    checkpoint: Checkpoint | None,
    progress: bool,
    loggers: Sequence[Any],
    callback: Callable[[int, TrainState], object] | None,
    group: ProcessGroup,
) -> Run:
    """Train from the first step, or from a checkpoint, to the last step.

    Parameters
    ----------
    config : Config
        Resolved.
    samples : Dataset
    state : TrainState
        Fresh.
    folder : Path or None
    checkpoint : Checkpoint or None
        Where training goes on from.
    progress : bool
    loggers : sequence
    callback : callable or None
        Every process calls it, and the answer of the first one counts.
    group : ProcessGroup
        The processes that share each batch.
    """
    if checkpoint is not None:
        state.restore(checkpoint)
    generator, critic, random = state.generator, state.critic, state.random
    generate, score = compiled(config, generator, critic)  # both networks, as they are called
    objective, recipe = objective_of(config), config.recipe
    critic_loss = torch.zeros(())  # until the first critic step

    out = folder if group.is_main else None
    monitor = RunMonitor(config, samples, objective) if config.monitor_every and group.is_main else None
    first, seconds_before, log_bytes = 0, 0.0, 0
    if checkpoint is not None:
        first, seconds_before, log_bytes = checkpoint.step, checkpoint.seconds, checkpoint.log_bytes
    started = time.perf_counter() - seconds_before

    interrupts = Interrupts(terminate=True)
    waiting = interrupts if group.size == 1 else nullcontext()  # a group would have to agree on the step
    # Only now is the folder written to: it is sure that training can begin.
    with claimed(out, checkpoint), Log(out, log_bytes, loggers if group.is_main else ()) as log, waiting:
        if checkpoint is None:
            about = {"config": config, "data": samples.facts(), "environment": report.environment()}
            log.write("run", 0, {**about, **state.own.facts()})
            save_checkpoint(out, config, samples, state, log, 0, 0.0)
        if first == 0:
            _measure(monitor, state, log, 0, started)
        bar = tqdm(
            range(first + 1, config.steps + 1),
            desc=config.objective,
            initial=first,
            total=config.steps,
            disable=None if progress else True,
        )
        step, ended = first, False  # by a logger that failed, or by the callback
        for step in bar:
            # Critic steps, each on a batch of its own.
            for _ in range(recipe.critic_steps(step)):
                real = group.shard(samples.batch(recipe.batch_size, random))
                noise = group.shard(_noise(recipe.batch_size, config.latent, random))
                t = group.shard(torch.rand(recipe.batch_size, generator=random, device=random.device))
                with torch.no_grad():
                    fake = generate(noise)
                critic_loss = objective.critic_loss(score, real, fake, t)  # with its gradient penalty, if it has one
                state.critic_optimizer.zero_grad(set_to_none=True)
                critic_loss.backward()
                group.average_gradients(critic)
                state.critic_optimizer.step()
                if recipe.clip is not None:
                    clip_weights(critic, recipe.clip)

            # Generator step.
            real = group.shard(samples.batch(recipe.batch_size, random))
            noise = group.shard(_noise(recipe.batch_size, config.latent, random))
            with frozen(critic):
                generator_loss = objective.generator_loss(score, real, generate(noise))
                state.generator_optimizer.zero_grad(set_to_none=True)
                generator_loss.backward()
            group.average_gradients(generator)
            state.generator_optimizer.step()

            # Moving average of the generator's weights, and sums of the losses.
            state.ema.update_parameters(generator)
            state.add_losses(critic_loss, generator_loss)  # of the last critic step

            # What is logged, measured, drawn and saved every so many steps.
            stopping = interrupts.asked  # what comes from here on is for the next step to see
            measuring = _is_due(config.monitor_every, step, config)
            drawing = _is_due(config.sample_every, step, config)
            saving = stopping or _is_due(config.checkpoint_every, step, config)
            if _is_due(config.log_every, step, config):
                group.average(state.losses)
                losses = state.mean_losses()
                log.write("losses", step, {**losses, "seconds": time.perf_counter() - started})
                for name, value in losses.items():
                    if not math.isfinite(value):
                        raise diverged(f"{name} is {value}", config, step, folder)
                bar.set_postfix({name: f"{value:.3g}" for name, value in losses.items()}, refresh=False)
            if (measuring or drawing or saving) and not state.are_finite():
                raise diverged("a weight is not finite", config, step, folder)
            if measuring or saving:
                state.own.check_constant(config, step)
            try:
                if measuring:
                    _measure(monitor, state, log, step, started)
                if drawing:
                    save_picture(out, config, samples, state, step)
            except NotFinite as error:  # weights are finite, and still too large
                raise diverged(str(error), config, step, folder) from None
            if loggers or callback is not None:  # nothing else ends a run before its time
                ended = group.agreed(log.failure is not None or bool(callback and callback(step, state)))
            if ended and not state.are_finite():
                raise diverged("a weight is not finite", config, step, folder)
            if saving or ended:
                group.average(state.losses)
                save_checkpoint(out, config, samples, state, log, step, time.perf_counter() - started)
            if stopping or ended:
                break
        if interrupts.asked:
            raise KeyboardInterrupt(*interrupted(step, folder, config, state.own))
        log.save()
        if log.failure is not None:
            raise logger_failed(log.failure, step, folder, config, state.own) from log.failure[1]
        history = log.records
    return Run(
        config=config,
        step=step,
        generator=with_recalibrated_batch_norm(state.ema, config),
        critic=unwrapped(critic.eval()),
        scaling=samples.scaling,
        history=history,
        folder=folder,
    )


def _noise(n: int, latent: int, random: torch.Generator) -> torch.Tensor:
    """The generator's input, standard normal (n, latent)."""
    return torch.randn(n, latent, generator=random, device=random.device)


def _is_due(every: int, step: int, config: Config) -> bool:
    """Whether what is done every so many steps, and after the last one, is done now; 0 is never."""
    return every > 0 and (step == config.steps or step % every == 0)


def _measure(monitor: RunMonitor | None, state: TrainState, log: Log, step: int, started: float) -> None:
    """Log what the monitor measures, and the seconds that it takes."""
    if monitor is None:
        return
    begun = time.perf_counter()
    with undisturbed(monitor.config.seed):  # layers of the user's may draw, as dropout does
        measured = monitor.measure(state, log.records)
    ended = time.perf_counter()
    log.write("monitor", step, {**measured, "cost": ended - begun, "seconds": ended - started})
