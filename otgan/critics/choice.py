"""The choice between critics that are 1-Lipschitz by construction, while all of them begin to train.

Each of them says no more than W1, so on points that none was trained on the greatest number is the best. A fixed sample
is split for the trials: they see three quarters of each side, and are compared on the rest. Of a population all points
are fresh. Points that the caller holds out have no part in it, so what the fit says of them in the end is untouched by
the choice.

Of two that are one method from either side one is tried: the one whose prototypes stand among the side that gathers
about fewer points. Each has a trial, and before they are compared the rate of each falls to zero, for what a critic
says at a high rate is not what it will say in the end: some gain much when it falls. The one that says most then is
trained on, on all points, at the rate that is due again (a warm restart, Loshchilov & Hutter 2017). If one of those
left behind says more even in the end, it is taken as it is. The rate falls with the work of all, so that it is zero
when all is done.

Work is counted in multiplications, not in seconds, so the same seed gives the same numbers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import torch

from otgan.critics.methods.prototypes import clusters, mean_distance
from otgan.critics.networks.cones import quick_least
from otgan.critics.source import Fewer, Sample
from otgan.critics.training import Job, Training, check_finite, go_on, trainings
from otgan.errors import InvalidInput, OTError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from otgan.critics.methods.auto import Auto
    from otgan.critics.methods.method import Method
    from otgan.critics.source import Source

__all__ = ["Choice", "train_best"]

SPLIT_SEED = 10**6 + 1  # of the points that are held out from trials
HELD_OUT = 1 / 4  # of a sample
MOST = 2**14  # points of each side that trials are compared on: of fewer, chance decides between those that are close
GATHERED_ON, CENTERS = 2**11, 32  # points of each side that say which one gathers, and k-means centres in them
GATHERED = 0.9  # of the distance of points of x to their centres, below which y is taken to be the one that gathers
FEWEST = 8  # points that are split: fewer are trained on and compared on
BEGIN = 2**13  # points that networks are prepared by: a k-means of all of them costs as much as a trial


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why.

    Attributes
    ----------
    method : str
        The candidate that was taken.
    trials : dict of str to float
        Each candidate's ``E f(x) - E f(y)`` when it was last compared, on points held out from it: a mean over seeds.
        One that diverged is absent, and one whose mirror image was tried in its place.
    steps : dict of str to int
        How many each took in all.
    seconds : float
        Until it was made.
    """

    method: str
    trials: dict[str, float]
    steps: dict[str, int]
    seconds: float


def train_best(
    auto: Auto, job: Job, ensembles: Callable[[Method], Sequence[nn.Module]], seed: int, unit: float
) -> tuple[Sequence[Training], Choice]:
    """Train the best of the candidates to the end.

    ``job`` says all but the method, ``ensembles`` makes its networks, and ``unit`` of the data are one of theirs.

    Raises
    ------
    OTError
        If all of them diverge.
    """
    generator = torch.Generator(job.device).manual_seed(SPLIT_SEED)
    (train_x, held_x), (train_y, held_y) = (_split(side, generator) for side in (job.x, job.y))
    race = Race(unit, held_x, held_y)
    for name, method in _from_one_side(auto.planned(held_x.shape[1]), train_x, train_y, generator).items():
        prepared = replace(job, method=method, x=Fewer(train_x, BEGIN), y=Fewer(train_y, BEGIN), stop=Event())
        started = trainings(prepared, ensembles(method), seed)
        go_on(started, 0)
        _see(started, train_x, train_y)
        race.running[name] = Runner(started)
    settle = len(race.running) > 1
    for name in list(race.running):
        race.advance(name, auto.share, settle=settle)
    name, trials, seconds = race.best(), race.said(), time.perf_counter() - job.start
    _see(race.running[name].started, job.x, job.y)
    race.advance(name, 1.0)
    best = race.best(name)
    for training in race.running[best].started:
        training.record_end()
    steps = {other: one.done for other, one in race.running.items()}
    return race.running[best].started, Choice(best, trials, steps, seconds)


@dataclass
class Runner:
    """A candidate in training: its ensembles, and what it said last."""

    started: list[Training]
    said: float = -np.inf

    @property
    def method(self) -> Method:
        """With as many steps as would be all the work."""
        return self.started[0].job.method

    @property
    def done(self) -> int:
        """How many it has taken."""
        return self.started[0].done

    @property
    def share(self) -> float:
        """The same as a share of all the work."""
        return self.done / self.method.steps


@dataclass
class Race:
    """Candidates by name, and the points that they are compared on."""

    unit: float
    x: torch.Tensor
    y: torch.Tensor
    running: dict[str, Runner] = field(default_factory=dict)
    diverged: list[OTError] = field(default_factory=list)
    lost: float = 0.0  # work of those

    def advance(self, name: str, share: float, *, settle: bool = False) -> None:
        """Train a candidate to this share of all the work, or to the end of it, and ask it; out if it has diverged."""
        one = self.running[name]
        others = self.lost + sum(other.share for other in self.running.values() if other is not one)
        lag = others * one.method.steps
        until = min(max(one.done + 1, round(share * one.method.steps)), round(one.method.steps - lag))
        try:
            go_on(one.started, max(one.done, until, 1), lag, settle=settle)  # untrained, nobody is compared
            one.said = self.unit * _said(one.started, self.x, self.y)
        except InvalidInput:
            raise
        except OTError as error:
            self.diverged.append(error)
            self.lost += one.share
            del self.running[name]

    def best(self, preferred: str = "") -> str:
        """Who says most; of equals the preferred one."""
        if not self.running:
            raise self.diverged[0]
        return max(self.running, key=lambda name: (self.running[name].said, name == preferred))

    def said(self) -> dict[str, float]:
        """What each says now."""
        return {name: one.said for name, one in self.running.items()}


def _from_one_side(methods: dict[str, Method], x: Source, y: Source, generator: torch.Generator) -> dict[str, Method]:
    """All methods but those whose mirror image suits the data better."""
    if not any(method.mirror in methods for method in methods.values()):
        return methods
    of_x, of_y = (side.some(GATHERED_ON, generator) for side in (x, y))
    n = min(len(of_x), len(of_y))  # of fewer points k-means centres are closer
    better = "y" if _to_centers(of_y[:n]) < GATHERED * _to_centers(of_x[:n]) else "x"
    return {name: one for name, one in methods.items() if one.mirror not in methods or one.side == better}


def _to_centers(points: torch.Tensor) -> float:
    """How far points are from the nearest one of some centres of their own, on average."""
    return float(mean_distance(points, clusters(points, points[: max(1, min(CENTERS, len(points) // 4))])))


def _see(started: Sequence[Training], x: Source, y: Source) -> None:
    """Draw batches from these from now on."""
    for training in started:
        training.job = replace(training.job, x=x, y=y)


def _said(started: Sequence[Training], x: torch.Tensor, y: torch.Tensor) -> float:
    """The mean number of all members on some points, in the networks' units, to the digits that a comparison needs.

    Exact distances to all cones would take a fifth of all the time.
    """
    method, numbers = started[0].job.method, []
    for training in started:
        with quick_least(training.network):
            numbers.append(method.estimates(training.network, x, y).cpu().numpy())
    numbers = np.concatenate(numbers)
    check_finite(numbers, method, started[0].done)
    return float(numbers.mean())


def _split(side: Source, generator: torch.Generator) -> tuple[Source, torch.Tensor]:
    """What trials see of a side, and the points (k, d) that they are compared on."""
    if not isinstance(side, Sample):
        return side, side.some(MOST, generator)
    if side.size < FEWEST:
        return side, side.scaled
    order = torch.randperm(side.size, generator=generator, device=side.scaled.device)
    held, seen = order.split([k := min(MOST, round(HELD_OUT * side.size)), side.size - k])
    return Sample(side.points[seen.cpu().numpy()], side.scaled[seen]), side.scaled[held]
