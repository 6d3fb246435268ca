"""Train critics on a pair for some seconds, beside each other from several seeds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan.critics import METHODS, samplers
from otgan.critics.critic import Critic, prepare
from otgan.critics.networks import ModuleEnsemble, check_shape, given_network, join_members, member, n_members
from otgan.critics.source import Population, Sampler, sources
from otgan.critics.training import Job, go_on, history_of, train_side_by_side, trainings
from otgan.runtime.cores import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from otgan.critics.methods.method import Method
    from otgan.pairs import Rays
    from otgan.preflights.measure import Fresh

__all__ = ["Trainer", "takes_networks"]

FOLLOWED = 64  # points of each side on which the number is followed while a critic is trained
BATCH, WIDTH, DEPTH = 64, 128, 3  # of a step, and of the networks of all methods: equal, and cheap enough for minutes
WARM_UP, TIMED = 3, 8  # steps
ENTRIES = 100  # of the history around a move, half of them after it
FEWEST, MOST = 10, 50_000  # steps of a cell
NEAR = 0.1  # of its last number: a critic that stays within has settled


@dataclass(frozen=True)
class Trained:
    """Critics, high on real samples, and how they got there."""

    critics: tuple[Critic, ...]
    steps: int
    settled: int
    seconds: float


@dataclass(eq=False)
class Trainer:
    """Trains any method on any pair.

    Parameters
    ----------
    network : callable, optional
        ``network(d)`` gives a fresh module, for methods that train any.
    seeds, seed : int
    device : torch.device
    """

    network: Callable[[int], nn.Module] | None
    seeds: int
    seed: int
    device: torch.device

    def __post_init__(self) -> None:
        self._seconds: dict[tuple[str, str], float] = {}  # of a step

    def __call__(
        self, pair: Rays, points: Fresh, method: str, options: dict[str, Any], seconds: float, steps: int | None
    ) -> Trained:
        """Train for some seconds, or for so many steps."""
        key = (method, repr(options))
        if steps is None:
            if key not in self._seconds:
                self._run(pair, points, method, {**options, "steps": WARM_UP})
                begin = time.perf_counter()
                self._run(pair, points, method, {**options, "steps": TIMED})
                self._seconds[key] = (time.perf_counter() - begin) / TIMED
            steps = int(min(MOST, max(FEWEST, seconds / self._seconds[key])))
        begin = time.perf_counter()
        trained = self._run(pair, points, method, {**options, "steps": steps})
        self._seconds[key] = (time.perf_counter() - begin) / steps
        return trained

    def follow(
        self,
        moves: tuple[tuple[Rays, Fresh], tuple[Rays, Fresh]],
        method: str,
        options: dict[str, Any],
        seconds: float,
        steps: int | None,
    ) -> Trained:
        """Train on one pair, go on where its fakes have moved to those of another, and see how soon the number follows.

        Both take the same number of steps, at a rate that does not fall. ``settled`` counts from the move.
        """
        (pair, _), (other, points) = moves
        if steps is None:
            steps = int(min(MOST, max(FEWEST, seconds / 2 / self._seconds[method, repr(options)])))
        chosen = METHODS[method].with_options(
            {**_common(METHODS[method]), **options, "steps": 2 * steps, "decay": "none"}
        )
        (drawn, real), (later_drawn, _) = samplers(pair), samplers(other)
        source_x, source_y, scaling = sources(real, drawn, self.device)
        moved = Population(Sampler(later_drawn, "fake"), scaling, self.device)
        judged_on = tuple(prepare(side[:FOLLOWED], scaling, self.device) for side in (points.real, points.fake))
        begin = time.perf_counter()
        job = Job(
            chosen, source_x, source_y, {"estimate": (judged_on[0], judged_on[1])}, self.device, False, records=ENTRIES
        )
        started = trainings(job, self._ensembles(chosen, pair.dimension), self.seed)
        go_on(started, steps)
        for training in started:
            training.job = replace(training.job, y=moved)
        go_on(started, 2 * steps)
        history = history_of(started)
        later = history["step"] > steps
        after = {"step": history["step"][later] - steps, "estimate": history["estimate"][:, later]}
        critics = tuple(
            Critic(member(one.network, k).eval(), scaling) for one in started for k in range(n_members(one.network))
        )
        return Trained(critics, steps, _settled(after), time.perf_counter() - begin)

    def _run(self, pair: Rays, points: Fresh, method: str, options: dict[str, Any]) -> Trained:
        chosen = METHODS[method].with_options({**_common(METHODS[method]), **options})
        fake, real = samplers(pair)
        source_x, source_y, scaling = sources(real, fake, self.device)
        followed = tuple(prepare(side[:FOLLOWED], scaling, self.device) for side in (points.real, points.fake))
        ensembles = self._ensembles(chosen, pair.dimension)
        begin = time.perf_counter()
        job = Job(chosen, source_x, source_y, {"estimate": (followed[0], followed[1])}, self.device, False)
        history = train_side_by_side(job, ensembles, self.seed)
        critics = tuple(
            Critic(member(ensemble, k).eval(), scaling) for ensemble in ensembles for k in range(n_members(ensemble))
        )
        return Trained(critics, chosen.steps, _settled(history), time.perf_counter() - begin)

    def _ensembles(self, method: Method, dimension: int) -> list[nn.Module]:
        """Networks of all seeds, those of one core together."""
        return [
            self._ensemble(method, dimension, [self.seed + int(k) for k in part]).to(self.device)
            for part in np.array_split(np.arange(self.seeds), self._ways())
        ]

    def _ways(self) -> int:
        """A seed for each core; all side by side on a GPU."""
        return min(self.seeds, cores()) if self.device.type == "cpu" else 1

    def _ensemble(self, method: Method, dimension: int, seeds: Sequence[int]) -> nn.Module:
        if self.network is None or not takes_networks(method):
            return join_members([method.network(dimension, torch.Generator().manual_seed(one)) for one in seeds])
        modules = [given_network(self.network, dimension, one) for one in seeds]
        for module in modules:
            check_shape(module, dimension)
            method.check_network(module)
        return ModuleEnsemble(modules)


def _common(method: type[Method]) -> dict[str, Any]:
    """Options that are the same for all methods whose network is not the method itself."""
    return {"batch_size": BATCH} if method.own_network else {"batch_size": BATCH, "width": WIDTH, "depth": DEPTH}


def takes_networks(method: Method | type[Method]) -> bool:
    """Whether a method constrains any network; others are networks themselves."""
    return not (method.exact_lipschitz or method.own_network)


def _settled(history: dict[str, Any]) -> int:
    """The step from which on the mean number stays near its last."""
    estimate = history["estimate"].mean(axis=0)
    outside = np.flatnonzero(np.abs(estimate - estimate[-1]) > NEAR * abs(estimate[-1]))
    return int(history["step"][outside[-1] + 1 if len(outside) else 0])
