"""The choice between critics that are 1-Lipschitz by construction, by a short trial of each.

Each of them says no more than W1, so on points that none was trained on the greatest number is the best. A fixed sample
is split for the trials: they see three quarters of each side, and are compared on the rest. Of a population all points
are fresh. Points that the caller holds out have no part in it, so what the fit says of them in the end is untouched by
the choice, and so is the training, which starts anew and sees all points of the sample.

The trials always have the same seed. So all seeds of a fit share one choice, and a fit is to the bit that of the method
chosen; its standard error over seeds does not contain the choice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from otgan.critics.source import Sample
from otgan.critics.training import Job, train_side_by_side
from otgan.errors import OTError

if TYPE_CHECKING:
    from otgan.critics.methods.auto import Auto
    from otgan.critics.methods.method import Method
    from otgan.critics.source import Source

__all__ = ["Choice", "choose"]

SEED = 0  # of the networks and batches of trials
SPLIT_SEED = 10**6 + 1  # of the points that are held out from them
HELD_OUT = 1 / 4  # of a sample
MOST = 2**14  # points of each side that trials are compared on: the noise of few would choose
FEWEST = 8  # points that are split: fewer are trained on and compared on


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why.

    Attributes
    ----------
    method : str
        The candidate with the greatest number.
    trials : dict of str to float
        Each candidate's ``E f(x) - E f(y)`` after its trial, on points held out from it. One that diverged is absent.
    steps : dict of str to int
        How long each trial was.
    seconds : float
        That all of them took.
    """

    method: str
    trials: dict[str, float]
    steps: dict[str, int]
    seconds: float


def choose(
    auto: Auto, x: Source, y: Source, unit: float, device: torch.device, progress: bool
) -> tuple[Method, Choice]:
    """The best of the candidates after a trial of each, and what they said, in units of the data.

    ``unit`` of those are one of the networks'.

    Raises
    ------
    OTError
        If all of them diverge.
    """
    start = time.perf_counter()
    generator = torch.Generator(device).manual_seed(SPLIT_SEED)
    (train_x, held_x), (train_y, held_y) = (_split(side, generator) for side in (x, y))
    methods = auto.methods()
    trials: dict[str, float] = {}
    steps: dict[str, int] = {}
    diverged: list[OTError] = []
    for name, method in methods.items():
        short = replace(method, steps=auto.trial_steps(method.steps))
        job = Job(short, train_x, train_y, {"held_out": (held_x, held_y)}, device, progress, records=1)
        network = short.network(held_x.shape[1], torch.Generator().manual_seed(SEED)).to(device)
        try:
            said = train_side_by_side(job, [network], SEED)["held_out"]
        except OTError as error:
            diverged.append(error)
            continue
        trials[name], steps[name] = unit * float(said[0, -1]), short.steps
    if not trials:
        raise diverged[0]
    best = max(trials, key=lambda name: trials[name])
    return methods[best], Choice(best, trials, steps, time.perf_counter() - start)


def _split(side: Source, generator: torch.Generator) -> tuple[Source, torch.Tensor]:
    """What trials see of a side, and the points (k, d) that they are compared on."""
    if not isinstance(side, Sample):
        return side, side.some(MOST, generator)
    if side.size < FEWEST:
        return side, side.scaled
    order = torch.randperm(side.size, generator=generator, device=side.scaled.device)
    held, seen = order.split([k := min(MOST, round(HELD_OUT * side.size)), side.size - k])
    return Sample(side.points[seen.cpu().numpy()], side.scaled[seen]), side.scaled[held]
