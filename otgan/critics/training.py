"""The training loop: one for every method, and for all seeds at once."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from otgan.critics.networks import forget
from otgan.critics.source import batches
from otgan.errors import OTError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from otgan.critics.method import Method
    from otgan.critics.source import Source

__all__ = ["Job", "few_threads", "train"]

RECORDS = 50  # entries of the history
ONE_THREAD = 2**27  # multiplications of a layer, for all copies, below which a second thread costs more than it gives


@dataclass(frozen=True, eq=False)
class Job:
    """What is trained on what, and what it is judged by meanwhile.

    Attributes
    ----------
    method : Method
    x, y : Source
    judged_on : dict
        Name of a record -> points of both sides, centred tensors (n, d) and (m, d).
    device : torch.device
    progress : bool
    """

    method: Method
    x: Source
    y: Source
    judged_on: dict[str, tuple[torch.Tensor, torch.Tensor]]
    device: torch.device
    progress: bool


def train(job: Job, network: nn.Module, generators: Sequence[torch.Generator]) -> dict[str, NDArray[Any]]:
    """Train all copies of a stack in place, each on batches of its own generator.

    Returns
    -------
    dict
        ``step`` and ``seconds`` since the start, (k,), and each record of ``job.judged_on``, (S, k).
    """
    method, start = job.method, time.perf_counter()
    method.start(network, job.x, job.y, generators)
    optimizer = method.optimizer(network)
    rates = [group["lr"] for group in optimizer.param_groups] if optimizer else []
    records: dict[str, list[Any]] = {name: [] for name in ("step", "seconds", *job.judged_on)}
    every = max(1, method.steps // RECORDS)
    network.train()
    for step in tqdm(range(1, method.steps + 1), desc=method.name, disable=None if job.progress else True):
        for rate, group in zip(rates, optimizer.param_groups if optimizer else [], strict=True):
            group["lr"] = rate * method.schedule(step - 1)
        x, y = (batches(side, method.batch_size, generators) for side in (job.x, job.y))
        method.step(network, optimizer, x, y, generators)
        forget(network)

        if step % every == 0 or step == method.steps:
            network.eval()
            records["step"].append(step)
            records["seconds"].append(time.perf_counter() - start)
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
            f"(now {method.learning_rate:g}), or rescale the data to span about 1."
        )


@contextmanager
def few_threads(method: Method, n_seeds: int) -> Iterator[None]:
    """One torch thread on the CPU while steps are small: they lose time when they are spread over cores."""
    threads = torch.get_num_threads()
    if n_seeds * method.batch_size * method.width**2 < ONE_THREAD:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
