"""The training loop: one for every method, and for all seeds of an ensemble at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from otgan.critics.methods.method import generators_for
from otgan.critics.networks import drop_cached_weights, n_members
from otgan.critics.source import batches
from otgan.errors import OTError
from otgan.runtime.cores import cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from otgan.critics.methods.method import Method
    from otgan.critics.source import Source

__all__ = ["Job", "shares", "train_side_by_side"]

RECORDS = 50  # entries of the history
# Multiplications of a layer from which on the overhead that seeds share in an ensemble is little, and none to speak of.
HEAVY, VERY_HEAVY = 2**21, 2**23
MANY = 10  # steps that make it worth while to start threads


@dataclass(frozen=True, eq=False)
class Job:
    """A training job: the method, the data, and the points that estimates are recorded on.

    Attributes
    ----------
    method : Method
    x, y : Source
    judged_on : dict
        Name of a record -> points of both sides, scaled tensors (n, d) and (m, d).
    device : torch.device
    progress : bool
    stop : threading.Event
        Set, it ends all ensembles at their next step.
    start : float
        When the job began, seconds of ``time.perf_counter``.
    records : int or None
        Entries of the history; None is the usual number.
    """

    method: Method
    x: Source
    y: Source
    judged_on: dict[str, tuple[torch.Tensor, torch.Tensor]]
    device: torch.device
    progress: bool
    stop: Event = field(default_factory=Event)
    start: float = field(default_factory=time.perf_counter)
    records: int | None = None


def _train(job: Job, network: nn.Module, seed: int, shown: bool) -> dict[str, NDArray[Any]]:
    """Train all members of an ensemble in place, each on batches of its own generator.

    Returns
    -------
    dict
        ``step`` and ``seconds`` since the start, (k,), and each record of ``job.judged_on``, (S, k).
    """
    method = job.method
    generators = generators_for(network, seed, job.device)
    method.start(network, job.x, job.y, generators)
    optimizer = method.optimizer(network)
    rates = [group["lr"] for group in optimizer.param_groups] if optimizer else []
    records: dict[str, list[Any]] = {name: [] for name in ("step", "seconds", *job.judged_on)}
    every = max(1, method.steps // (job.records or RECORDS))
    network.train()
    for step in tqdm(range(1, method.steps + 1), desc=method.name, disable=None if job.progress and shown else True):
        if job.stop.is_set():
            break
        for rate, group in zip(rates, optimizer.param_groups if optimizer else [], strict=True):
            group["lr"] = rate * method.schedule(step - 1)
        x, y = (batches(side, method.batch_size, generators, whole=method.whole) for side in (job.x, job.y))
        method.step(network, optimizer, x, y, generators)
        drop_cached_weights(network)

        if step % every == 0 or step == method.steps:
            network.eval()
            records["step"].append(step)
            records["seconds"].append(time.perf_counter() - job.start)
            for name, points in job.judged_on.items():
                records[name].append(method.estimates(network, *points).cpu().numpy())
                _check_finite(records[name][-1], method, step)
            network.train()
    network.eval()
    return {name: np.array(entries).T for name, entries in records.items()}


def _check_finite(estimates: NDArray[np.float64], method: Method, step: int) -> None:
    if not np.isfinite(estimates).all():
        raise OTError(
            f"the critic of method {method.name!r} diverged by step {step}. Lower learning_rate "
            f"(now {method.learning_rate:g})."
        )


def train_side_by_side(job: Job, ensembles: Sequence[nn.Module], seed: int) -> dict[str, NDArray[Any]]:
    """Train ensembles of consecutive seeds, each in a thread of its own, with one torch thread.

    Torch's own threads do not help here: steps this small lose time when each is spread over cores, most of all where
    other programs use the cores too.
    """
    first = np.cumsum([seed, *(n_members(ensemble) for ensemble in ensembles)])
    with ThreadPoolExecutor(min(len(ensembles), cores()), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            parts = list(
                pool.map(lambda k: _train(job, ensembles[k], int(first[k]), shown=k == 0), range(len(ensembles)))
            )
        finally:
            job.stop.set()  # after an error or Ctrl-C the others end at their next step
    together = {name: np.concatenate([part[name] for part in parts]) for name in job.judged_on}
    return {"step": parts[0]["step"], "seconds": np.max([part["seconds"] for part in parts], axis=0), **together}


def shares(method: Method, n_seeds: int, device: torch.device) -> list[NDArray[np.intp]]:
    """Which seeds each ensemble holds: one holds all; where steps are mostly arithmetic, there is one for each core."""
    work = method.batch_size * method.width**2
    ways = 1
    if work >= HEAVY and method.steps >= MANY and device.type == "cpu":
        ways = n_seeds if work >= VERY_HEAVY else min(n_seeds, cores())  # an ensemble that leaves the cache is no gain
    return np.array_split(np.arange(n_seeds), ways)
