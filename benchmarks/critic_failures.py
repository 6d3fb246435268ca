"""Where each critic fails: one small situation for every method, and beside it a method that does not fail there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from common import arguments, machine, markdown, spread, tell

import otgan
from otgan.critics import fit, samplers, training
from otgan.pairs import ShiftedGaussians, SphericalShells, by_name, random_funnels, random_max_cones

if TYPE_CHECKING:
    from collections.abc import Callable

    from otgan.pairs import Pair

    Data = tuple[Any, Any, otgan.Solution | Pair]  # both sides as `fit` takes them, and the truth

SEEDS = 3
REPORTED = ("estimate", "corrected", "cosine", "gradient_norm")
# Short trainings: seconds in place of a minute.
NARROW: dict[str, Any] = {"width": 128, "depth": 3, "steps": 900}
QUICK: dict[str, Any] = {"width": 64, "batch_size": 64, "learning_rate": 2e-3, "decay": "cosine", "steps": 1500}


@dataclass(frozen=True)
class Run:
    """A method, with options that differ from its defaults."""

    method: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Situation:
    """Data with a known W1, methods that fail on it, and one that does not."""

    data: Callable[[], Data]
    fails: tuple[Run, ...]
    holds: Run
    seeds: int = SEEDS


def of_sample(x: Any, y: Any) -> Data:
    """A fixed sample, judged by its exact plan."""
    return x, y, otgan.solve(x, y)


def of_pair(pair: Pair) -> Data:
    """Distributions: every batch is a fresh draw."""
    return *samplers(pair), pair


def digits() -> Data:
    """Pixels in [0, 1], 784 dimensions."""
    return of_sample(*(otgan.data.load(f"mnist:{digit}", n=400).points for digit in (3, 8)))


def two_points(distance: float, dim: int) -> Data:
    """All mass moves along one ray."""
    x, y = np.zeros((2, 1, dim))
    x[0, 0] = distance
    return of_sample(x, y)


def plane() -> Data:
    """Two Gaussian samples in the plane."""
    return of_sample(*ShiftedGaussians([1.0, 0.0]).sample(300, np.random.default_rng(0)))


SITUATIONS: dict[str, Situation] = {
    "MNIST, 400 threes and 400 eights": Situation(
        digits, (Run("clip", {"width": 128}), Run("clip", {"width": 512})), Run("c-transform")
    ),
    "two points 10 apart, d = 8": Situation(
        lambda: two_points(10.0, 8),
        (Run("gp", QUICK), Run("lp", QUICK), Run("mm-reversed", {"width": 64, "depth": 2, "steps": 800})),
        Run("orthogonal", NARROW | {"steps": 300}),
    ),
    "two points 1 apart on the line": Situation(
        lambda: two_points(1.0, 1), (Run("gp", {"width": 64, "steps": 2000}),), Run("lp", QUICK), seeds=8
    ),
    "a point and a sphere around it, d = 16": Situation(
        lambda: of_pair(SphericalShells(np.zeros((1, 16)))), (Run("spectral"),), Run("orthogonal", NARROW)
    ),
    "64 funnels, d = 16": Situation(
        lambda: of_pair(random_funnels(16, 64, 0)),
        (
            *(Run(name, NARROW) for name in ("orthogonal", "orthogonal-abs", "aol", "sll")),
            Run("lp", {"width": 128, "steps": 1500}),
        ),
        Run("prototypes", {"steps": 1000}),
    ),
    "folds of a network, d = 16": Situation(
        lambda: of_pair(by_name("networks", 16)),
        (Run("lattice", {"steps": 1000}),),
        Run("deep-lattice", {"steps": 1000}),
    ),
    "a tree of cones, d = 16": Situation(
        lambda: of_pair(by_name("trees", 16)),
        (Run("deep-lattice", {"steps": 1000}),),
        Run("lattice", {"steps": 1000}),
    ),
    "greatest of 16 cones, d = 16": Situation(
        lambda: of_pair(random_max_cones(16, 16, 0)), (Run("prototypes"), Run("cones")), Run("orthogonal", NARROW)
    ),
    "Gaussians shifted by 1, d = 64": Situation(
        lambda: of_pair(ShiftedGaussians(np.eye(64)[0])),
        (
            Run("c-transform", {"steps": 300}),
            Run("cowgan", {"batch_size": 64}),
            Run("cowgan", {"batch_size": 1024, "steps": 500}),
            Run("mm-reversed", {"width": 64, "depth": 2, "steps": 800}),
            Run("discrete"),
        ),
        Run("orthogonal", NARROW),
    ),
    "300 Gaussian points a side in the plane": Situation(
        plane, tuple(Run("c-eps-transform", {"epsilon": epsilon}) for epsilon in (0.1, 1.0)), Run("c-transform")
    ),
}


@cache
def data(name: str) -> Data:
    """A situation's data, made once."""
    return SITUATIONS[name].data()


def measure(name: str, run: Run, fails: bool, seeds: int) -> dict[str, Any]:
    """Fits from several seeds in turn, each by itself, and what the truth says of each."""
    x, y, truth = data(name)
    found: dict[str, list[Any]] = {key: [] for key in (*REPORTED, "seconds")}
    for seed in range(seeds):
        start = time.process_time()
        critic = fit(x, y, run.method, seed=seed, device="cpu", unit=1.0, **run.options)
        found["seconds"].append(time.process_time() - start)
        report = critic.compare(truth)
        for key in REPORTED:
            found[key].append(getattr(report, key))
    exact = truth.value if isinstance(truth, otgan.Solution) else truth.w1[0]
    about = {"situation": name, "exact": exact, "method": run.method, "options": run.options, "fails": fails}
    return about | found


def row(cell: dict[str, Any]) -> dict[str, str]:
    """A line of the table."""
    known = None not in cell["corrected"]
    return {
        "situation": cell["situation"],
        "W1": f"{cell['exact']:.2f}",
        "method": cell["method"],
        "fails": "yes" if cell["fails"] else "no",
        "estimate": spread(cell["estimate"], ".2f"),
        "corrected": f"{np.mean(cell['corrected']):.2f}" if known else "–",
        "cosine": spread(cell["cosine"], ".2f"),
        "slope": f"{np.mean(cell['gradient_norm']):.2f}",
        "s": f"{np.mean(cell['seconds']):.0f}",
        "options": ", ".join(f"{key} {value}" for key, value in cell["options"].items()),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--only", default="", help="print situations whose name holds this, as they are")
    options = parser.parse_args()
    only = options.only
    training.RECORDS = 1  # the history is evaluated at the end only
    cells = []
    for name, situation in SITUATIONS.items():
        if only in name:
            for run in (*situation.fails, situation.holds):
                cells.append(measure(name, run, run is not situation.holds, situation.seeds))
                print(row(cells[-1]), flush=True)
    words = (
        "Printed by `python benchmarks/critic_failures.py`. Situations in which methods fail, each for a reason that "
        "docs/critics.md gives, and on the same data a method that does not. Samples are judged by their exact "
        f"solution, distributions on fresh points. Means of {SEEDS} seeds, 8 on the line, trained in turn (least to "
        "greatest). Corrected: the estimate with the known bias of the method removed. Cosine: of the critic's "
        "gradient with the optimal one; slope: its mean norm, 1 where a critic is optimal. s: mean processor seconds "
        "of one fit, on one core. Options: what differs from the defaults. Trainings are short, so that numbers show "
        "what goes wrong and rank nobody."
    )
    if not only:
        result = {"machine": machine(["otgan", "numpy", "torch"]), "cells": cells}
        tell(options, "critic_failures", result, f"{words}\n\n{markdown([row(cell) for cell in cells])}")


if __name__ == "__main__":
    main()
