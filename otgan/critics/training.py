"""The training loop: one for every method, and for all seeds of an ensemble at once; it can pause, and go on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from otgan.critics.methods.method import DECAYS, generators_for
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

__all__ = ["Job", "Training", "check_finite", "go_on", "history_of", "shares", "train_side_by_side", "trainings"]

RECORDS = 50  # entries of the history
# Multiplications of a layer from which on the overhead that seeds share in an ensemble is little, and none to speak of.
HEAVY, VERY_HEAVY = 2**21, 2**23
COOLING = DECAYS["cosine"]  # of what is smooth to begin with, whatever the rate does
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


@dataclass(eq=False)
class Training:
    """An ensemble that is trained in place, each member on batches of its own generator; it can pause after any step.

    Attributes
    ----------
    job : Job
    network : torch.nn.Module
    seed : int
        Of the first member; the others' follow.
    shown : bool
        Whether a bar may show it.
    done : int
        Steps so far.
    records : dict
        ``step`` and ``seconds`` since the start, and each record of ``job.judged_on``, a list each.
    """

    job: Job
    network: nn.Module
    seed: int
    shown: bool = False
    done: int = 0
    records: dict[str, list[Any]] = field(default_factory=dict)

    def begin(self) -> None:
        """Prepare the network and its optimiser, once."""
        if self.records:
            return
        job, method = self.job, self.job.method
        self.records = {name: [] for name in ("step", "seconds", *job.judged_on)}
        self.generators = generators_for(self.network, self.seed, job.device)
        method.start(self.network, job.x, job.y, self.generators)
        self.optimizer = method.optimizer(self.network)
        self.rates = [group["lr"] for group in self.optimizer.param_groups] if self.optimizer else []

    def until(self, last: int, lag: float = 0.0, *, settle: bool = False) -> None:
        """Go on to this step; the rate is that of so many steps later in the whole length of the method.

        To ``settle`` it falls from there to what it is at the end of all, as if this step were the last one. What is
        smooth to begin with is so again, and is not at this step, whatever the rate does.
        """
        self.begin()
        first = self.done
        job, method, network, optimizer = self.job, self.job.method, self.network, self.optimizer
        every = max(1, method.steps // (job.records or RECORDS))
        network.train()
        hidden = None if job.progress and self.shown else True
        for step in tqdm(range(self.done + 1, last + 1), desc=method.name, disable=hidden):
            if job.stop.is_set():
                break
            share = (step - 1 - first) / (last - first)
            method.cool(network, COOLING(share))
            for rate, group in zip(self.rates, optimizer.param_groups if optimizer else [], strict=True):
                group["lr"] = rate * method.schedule(step - 1 + lag) * (method.falls(share) if settle else 1.0)
            x, y = (batches(side, method.batch_size, self.generators, whole=method.whole) for side in (job.x, job.y))
            method.step(network, optimizer, x, y, self.generators)
            drop_cached_weights(network)
            self.done = step

            if step % every == 0 or step == method.steps:
                self._record(step)
        method.cool(network, 0.0)
        network.eval()

    def record_end(self) -> None:
        """The last entry of the history is of the last step, wherever that was."""
        if self.records["step"][-1:] != [self.done]:
            self._record(self.done)
            self.network.eval()

    def _record(self, step: int) -> None:
        job = self.job
        self.network.eval()
        self.records["step"].append(step)
        self.records["seconds"].append(time.perf_counter() - job.start)
        for name, points in job.judged_on.items():
            self.records[name].append(job.method.estimates(self.network, *points).cpu().numpy())
            check_finite(self.records[name][-1], job.method, step)
        self.network.train()


def check_finite(estimates: NDArray[np.float64], method: Method, step: int) -> None:
    """Raise an OTError if critics have diverged by this step."""
    if not np.isfinite(estimates).all():
        raise OTError(
            f"the critic of method {method.name!r} diverged by step {step}. Lower learning_rate "
            f"(now {method.learning_rate:g})."
        )


def trainings(job: Job, ensembles: Sequence[nn.Module], seed: int) -> list[Training]:
    """Those of ensembles of consecutive seeds, none begun."""
    first = np.cumsum([seed, *(n_members(ensemble) for ensemble in ensembles)])
    return [Training(job, ensemble, int(first[k]), shown=k == 0) for k, ensemble in enumerate(ensembles)]


def go_on(started: Sequence[Training], last: int, lag: float = 0.0, *, settle: bool = False) -> None:
    """Train ensembles side by side up to this step, each in a thread of its own, with one torch thread.

    Torch's own threads do not help here: steps this small lose time when each is spread over cores, most of all where
    other programs use the cores too.
    """
    with ThreadPoolExecutor(min(len(started), cores()), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            list(pool.map(lambda training: training.until(last, lag, settle=settle), started))
        except BaseException:  # after an error or Ctrl-C the others end at their next step
            for training in started:
                training.job.stop.set()
            raise


def history_of(ended: Sequence[Training]) -> dict[str, NDArray[Any]]:
    """What was recorded: ``step`` and ``seconds``, (k,), and each record, (S, k) for all members in order."""
    parts = [{name: np.array(entries).T for name, entries in one.records.items()} for one in ended]
    together = {name: np.concatenate([part[name] for part in parts]) for name in ended[0].job.judged_on}
    return {"step": parts[0]["step"], "seconds": np.max([part["seconds"] for part in parts], axis=0), **together}


def train_side_by_side(job: Job, ensembles: Sequence[nn.Module], seed: int) -> dict[str, NDArray[Any]]:
    """Train ensembles of consecutive seeds from beginning to end, and give the history of all."""
    started = trainings(job, ensembles, seed)
    go_on(started, job.method.steps)
    return history_of(started)


def shares(method: Method, n_seeds: int, device: torch.device) -> list[NDArray[np.intp]]:
    """Which seeds each ensemble holds: one holds all; where steps are mostly arithmetic, there is one for each core."""
    work = method.batch_size * method.width**2
    ways = 1
    if work >= HEAVY and method.steps >= MANY and device.type == "cpu":
        ways = n_seeds if work >= VERY_HEAVY else min(n_seeds, cores())  # an ensemble that leaves the cache is no gain
    return np.array_split(np.arange(n_seeds), ways)
