"""The training loop: one for every method, several seeds side by side."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

import torch
from tqdm import tqdm

from otgan.errors import OTError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from otgan.critics.critic import Critic
    from otgan.critics.method import Method
    from otgan.critics.source import Source

__all__ = ["Job", "estimate", "evaluation_points", "train_all"]

EVALUATION = 4096  # fresh points of a population that an estimate averages over
RECORDS = 50  # entries of the history


@dataclass(frozen=True, eq=False)
class Job:
    """What all seeds of a fit share."""

    method: Method
    x: Source
    y: Source
    held_out: tuple[NDArray[np.float64], NDArray[np.float64]] | None
    device: torch.device
    progress: bool
    stop: Event = field(default_factory=Event)


def train_all(job: Job, critics: list[Critic], seed: int) -> list[dict[str, list[float]]]:
    """Train all seeds, one torch thread each: networks this small lose time when one step is spread over cores."""
    workers = min(len(critics), os.cpu_count() or 1) if job.device.type == "cpu" else 1
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            return list(pool.map(lambda k: _train(job, critics[k], seed + k), range(len(critics))))
        finally:
            job.stop.set()  # after an error or Ctrl-C the other seeds end at their next step


def _train(job: Job, critic: Critic, seed: int) -> dict[str, list[float]]:
    """Train one critic in place; its records."""
    method, net = job.method, critic.network
    optimizer = method.optimizer(net)
    generator = torch.Generator(job.device).manual_seed(seed)
    judged_on = evaluation_points(job.x, job.y, seed + 2 * 10**6, job.device)
    records: dict[str, list[float]] = {"step": [], "estimate": []} | ({"held_out": []} if job.held_out else {})
    every = max(1, method.steps // RECORDS)
    bar = tqdm(range(1, method.steps + 1), desc=f"{method.name}, seed {seed}", disable=None if job.progress else True)
    for step in bar:
        if job.stop.is_set():
            break
        net.train()
        x, y = job.x.batch(method.batch_size, generator), job.y.batch(method.batch_size, generator)
        loss = method.loss(net, x, y, generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        method.after_step(net)

        if step % every == 0 or step == method.steps:
            net.eval()
            records["step"].append(step)
            records["estimate"].append(estimate(critic, *judged_on))
            if job.held_out is not None:
                records["held_out"].append(estimate(critic, *job.held_out))
            _check_finite(records["estimate"][-1], method, step)
    net.eval()
    return records


def _check_finite(estimate: float, method: Method, step: int) -> None:
    if not math.isfinite(estimate):
        raise OTError(
            f"the critic of method {method.name!r} diverged by step {step}. Lower learning_rate "
            f"(now {method.learning_rate:g}), or rescale the data to span about 1."
        )


def estimate(critic: Critic, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """``E f(x) - E f(y)`` over the points given."""
    return float(critic(x).mean() - critic(y).mean())


def evaluation_points(
    x: Source, y: Source, seed: int, device: torch.device
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points of both sides that estimates are averages over."""
    generator = torch.Generator(device).manual_seed(seed)
    return x.evaluation(EVALUATION, generator), y.evaluation(EVALUATION, generator)
