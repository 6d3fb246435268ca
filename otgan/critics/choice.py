"""The choice between critics that are 1-Lipschitz by construction, while all of them begin to train.

Each of them says no more than W1, so on points that none was trained on the greatest number is the best. A fixed sample
is split for the trials: they see three quarters of each side, and are compared on the rest. Of a population all points
are fresh. Points that the caller holds out have no part in it, so what the fit says of them in the end is untouched by
the choice.

All begin. Then the one that promises most goes on for a little, again and again: what it promises is what it says now
and what it would gain until the end if it went on to gain with the logarithm of its work, as lately. One that has
stopped to learn promises no more than it says, and waits, which costs it nothing, while slower ones try to catch up.
After half of all the work the one that promises most is trained to the end, on all points. If those that wait say more
even then, the best of them is taken as it is. The rate falls with the work of all, so that it is zero when all is done.

Work is counted in multiplications, not in seconds, so the same seed gives the same numbers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import torch

from otgan.critics.networks.cones import quick_least
from otgan.critics.source import Fewer, Sample
from otgan.critics.training import Job, Training, check_finite, go_on, trainings
from otgan.errors import OTError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from otgan.critics.methods.auto import Auto
    from otgan.critics.methods.method import Method
    from otgan.critics.source import Source

__all__ = ["Choice", "train_best"]

SPLIT_SEED = 10**6 + 1  # of the points that are held out from trials
HELD_OUT = 1 / 4  # of a sample
MOST = 2**12  # points of each side that trials are compared on: the same for all, so that most of the noise is, too
BEGIN_WITH = 0.5  # chunks of work of each
DECIDED = 0.5  # of all the work
WINDOW = 1.5  # ratio of work, over which it is seen how fast a candidate gains
LEARNING = 0.015  # of its number: one that gains less has stopped
TRIED = 0.15  # of all the work: nothing that has had less has stopped, for its number is noisy
REACH = 0.4  # of the leader's number, for one that was hardly tried
HOPE = 0.1  # of its number, that one may gain beside: rates that are still high hide some
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
        Each candidate's ``E f(x) - E f(y)`` after half of all the work, on points held out from it: a mean over seeds.
        One that diverged is absent.
    steps : dict of str to int
        How many each took in all.
    seconds : float
        Until half of all the work was done.
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
        If all of them diverge, or the one chosen does in the end.
    """
    generator = torch.Generator(job.device).manual_seed(SPLIT_SEED)
    (train_x, held_x), (train_y, held_y) = (_split(side, generator) for side in (job.x, job.y))
    race = Race(auto.trial, unit, held_x, held_y)
    for name, method in auto.planned(held_x.shape[1]).items():
        prepared = replace(job, method=method, x=Fewer(train_x, BEGIN), y=Fewer(train_y, BEGIN), stop=Event())
        started = trainings(prepared, ensembles(method), seed)
        go_on(started, 0)
        _see(started, train_x, train_y)
        race.running[name] = Runner(started)
    for part in (BEGIN_WITH / 2, BEGIN_WITH / 2):  # two numbers of each tell how fast it gains
        for name in list(race.running):
            race.advance(name, part)
    while race.elapsed < DECIDED and len(race.running) > 1:
        race.advance(race.next(), 1.0)
    name, trials, seconds = race.leader(), race.said(), time.perf_counter() - job.start
    last = race.running[name]
    _see(last.started, job.x, job.y)
    go_on(last.started, max(last.done, round(last.steps - race.lag(last))), race.lag(last))
    last.marks.append((last.share, unit * _said(last.started, held_x, held_y)))
    best = max(race.running, key=lambda other: (race.running[other].said, other == name))
    for training in race.running[best].started:
        training.record_end()
    steps = {other: one.done for other, one in race.running.items()}
    return race.running[best].started, Choice(best, trials, steps, seconds)


@dataclass
class Runner:
    """A candidate in training: its ensembles, and what it said after which share of all the work."""

    started: list[Training]
    marks: list[tuple[float, float]] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """How many would be all the work."""
        return self.started[0].job.method.steps

    @property
    def done(self) -> int:
        """How many it has taken."""
        return self.started[0].done

    @property
    def share(self) -> float:
        """The same as a share of all the work."""
        return self.done / self.steps if self.started else self.marks[-1][0]

    def promise(self, left: float) -> float:
        """What it would say after this share of the work more, by what it gained lately; and hope while it gains."""
        hope = HOPE * abs(self.said) if self.learns() else 0.0
        return self.said + self.gained() / np.log(WINDOW) * np.log(1 + left / self.share) + hope

    def learns(self) -> bool:
        """Whether it still gains, or has had too little work to tell."""
        return self.share < TRIED or self.gained() > LEARNING * abs(self.said)

    def gained(self) -> float:
        """What it gained lately."""
        shares, said = (np.array(of) for of in zip(*self.marks, strict=True))
        return float(said[-1] - np.interp(np.log(shares[-1] / WINDOW), np.log(shares), said))

    @property
    def said(self) -> float:
        """What it says now."""
        return self.marks[-1][1]


@dataclass
class Race:
    """Candidates by name, between whom the work is shared out ``chunk`` by ``chunk``, shares of all of it."""

    chunk: float
    unit: float
    x: torch.Tensor
    y: torch.Tensor
    running: dict[str, Runner] = field(default_factory=dict)
    elapsed: float = 0.0
    diverged: list[OTError] = field(default_factory=list)

    def advance(self, name: str, part: float) -> None:
        """Train a candidate for a part of a chunk, a step at least, and ask it; it is out if it has diverged."""
        one = self.running[name]
        before = one.share
        until = min(one.steps, max(one.done + 1, round((before + part * self.chunk) * one.steps)))
        try:
            go_on(one.started, until, self.lag(one))
            one.marks.append((one.share, self.unit * _said(one.started, self.x, self.y)))
        except OTError as error:
            self.diverged.append(error)
            del self.running[name]
        self.elapsed += one.share - before

    def lag(self, one: Runner) -> float:
        """The others' work in steps of this one."""
        return max(0.0, self.elapsed - one.share) * one.steps

    def leader(self) -> str:
        """Who promises most."""
        if not self.running:
            raise self.diverged[0]
        left = max(0.0, 1 - self.elapsed)
        return max(self.running, key=lambda name: self.running[name].promise(left))

    def next(self) -> str:
        """Who goes on: who promises most, or where that one has stopped, one within reach that was hardly tried."""
        leader = self.leader()
        first = self.running[leader]
        hardly = [name for name, one in self.running.items() if one.share < TRIED and one.said > REACH * first.said]
        return min(hardly, key=lambda name: self.running[name].share) if hardly and not first.learns() else leader

    def said(self) -> dict[str, float]:
        """What each says now."""
        return {name: one.said for name, one in self.running.items()}


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
