"""Whether critics rank early as they rank late, and what the method "auto" gets from it, in equal time.

Pairs are those of the six families, whose W1 is known. Each candidate of "auto" trains for the same time of a core, and
for 10, 20 and 30 % of those steps, its rate decaying within them; "auto" has the same time for its trials and what
follows. Time is that of steps: what comes before them (k-means, in "prototypes") is on top, as in critics.py. Numbers
are E f(x) - E f(y) on fresh points, over W1.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from common import arguments, machine, markdown, tell
from critic.work import steps_within

from otgan import critics, pairs
from otgan.critics import training
from otgan.critics.methods import Auto

if TYPE_CHECKING:
    from collections.abc import Callable

    from otgan.pairs import Pair

POINTS = 2**16  # of each side to train on, drawn once for a cell
FRESH = 2**14  # to judge on
AT = 2048  # where gradients are compared
TIMED = 12  # steps
SEED = 3  # of critics, other than that of trials


class Cell:
    """A pair, with points to train on and to judge on."""

    def __init__(self, family: str, dimension: int) -> None:
        self.name, pair = f"{family}, d = {dimension}", pairs.by_name(family, dimension)
        rng = np.random.default_rng([dimension, len(family)])
        self.train = [torch.as_tensor(side, dtype=torch.float32) for side in _sample(pair, POINTS, rng)]
        self.fresh = pair.sample(FRESH, rng)
        moved, y = pair.coupled(FRESH, rng)
        self.truth = float(np.linalg.norm(moved - y, axis=1).mean())
        self.at = pair.gradient_test_points(AT, rng)
        self.direction = pair.gradient(self.at)
        self.drawn: list[float] = []

    def fit(self, method: str, steps: int, **options: Any) -> critics.CriticFit:
        """Critics of batches from the points to train on; ``drawn`` is when each batch was."""
        self.drawn = []
        sides = (_sampler(self.train[0], lambda: self.drawn.append(time.process_time())), _sampler(self.train[1]))
        return critics.fit(*sides, method, steps=max(1, steps), seed=SEED, unit=1.0, device="cpu", **options)

    def step(self, method: str) -> float:
        """Seconds of a step."""
        self.fit(method, TIMED)
        return float(np.median(np.diff(self.drawn[-TIMED:])))

    def number(self, fit: critics.CriticFit) -> float:
        """What the critic says, over W1."""
        return float(fit.estimates_on(*self.fresh)[0]) / self.truth

    def cosine(self, fit: critics.CriticFit) -> float:
        """Of its gradients with those of an optimal critic."""
        gradient = fit.gradient(self.at)
        norm = np.maximum(np.linalg.norm(gradient, axis=1), 1e-12)
        return float(((gradient * self.direction).sum(axis=1) / norm).mean())


def _sample(pair: Pair, n: int, rng: np.random.Generator) -> list[Any]:
    """Points of both sides, some at a time."""
    parts = [pair.sample(2**12, rng) for _ in range(n // 2**12)]
    return [np.concatenate(side) for side in zip(*parts, strict=True)]


def _sampler(points: torch.Tensor, told: Callable[[], None] = lambda: None) -> Any:
    def draw(n: int, generator: torch.Generator) -> torch.Tensor:
        told()
        return points[torch.randint(len(points), (n,), generator=generator)]

    return draw


def run(family: str, dimension: int, options: argparse.Namespace) -> dict[str, Any]:
    """All candidates and "auto" in one cell."""
    cell = Cell(family, dimension)
    names = tuple(dict.fromkeys((*Auto().candidates, *options.beside)))
    steps = {name: cell.step(name) for name in names}
    early: dict[str, list[float]] = {}
    late, cosine = {}, {}
    for name in names:
        full = options.budget / steps[name]
        early[name] = [cell.number(cell.fit(name, round(share * full))) for share in options.shares]
        fitted = cell.fit(name, round(full))
        late[name], cosine[name] = cell.number(fitted), cell.cosine(fitted)
    trials = sum(steps[name] for name in Auto().candidates)  # seconds of one step of each
    guess = max(Auto().candidates, key=lambda name: late[name])
    fitted = cell.fit("auto", steps_within(options.budget, Auto(), steps[guess], trials))
    assert fitted.choice is not None
    if fitted.choice.method != guess:  # another pace
        fitted = cell.fit("auto", steps_within(options.budget, Auto(), steps[fitted.choice.method], trials))
    assert fitted.choice is not None
    return {
        "cell": cell.name,
        "budget": options.budget,
        "seconds_of_a_step": steps,
        "early": early,
        "late": late | {"auto": cell.number(fitted)},
        "cosine": cosine | {"auto": cell.cosine(fitted)},
        "chosen": fitted.choice.method,
        "steps": fitted.steps,
    }


def row(cell: dict[str, Any]) -> dict[str, str]:
    """A line of the table."""
    late, cosine = cell["late"], cell["cosine"]
    return {"cell": cell["cell"], "chosen": cell["chosen"]} | {
        name: f"{late[name]:.3f} ({cosine[name]:.2f})" for name in ("auto", *(key for key in late if key != "auto"))
    }


def means(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """The same as a cell: the mean over cells."""
    names = cells[0]["late"]
    return {"cell": "mean", "chosen": ""} | {
        kind: {name: float(np.mean([cell[kind][name] for cell in cells])) for name in names}
        for kind in ("late", "cosine")
    }


def ranks(cells: list[dict[str, Any]], shares: list[float]) -> str:
    """How often the one that leads early leads late, and what it lacks of the best on average and at most."""
    lines = []
    for k, share in enumerate(shares):
        lost = []
        for cell in cells:
            leads = max(Auto().candidates, key=lambda name, cell=cell, k=k: cell["early"][name][k])
            lost.append(1 - cell["late"][leads] / max(cell["late"][name] for name in Auto().candidates))
        right = sum(one == 0 for one in lost)
        lines.append(
            {
                "trial": f"{share:.0%}",
                "leads late, too": f"{right} of {len(lost)}",
                "lacks, mean": f"{100 * np.mean(lost):.1f} %",
                "at most": f"{100 * max(lost):.1f} %",
            }
        )
    return markdown(lines)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--budget", type=float, default=5.0, help="seconds of a core, for each method")
    parser.add_argument("--dimensions", type=int, nargs="+", default=[2, 16, 64])
    parser.add_argument("--families", nargs="+", choices=pairs.families(), default=list(pairs.families()))
    parser.add_argument(
        "--shares", type=float, nargs="*", default=[0.1, 0.2, 0.3], help="of the steps, in early trials"
    )
    parser.add_argument("--beside", nargs="*", default=[], help="methods beside the candidates")
    options = parser.parse_args()
    torch.set_num_threads(1)
    training.RECORDS = 1
    cells = []
    for dimension in options.dimensions:
        for family in options.families:
            cells.append(run(family, dimension, options))
            print(row(cells[-1]), flush=True)
    text = markdown([row(cell) for cell in (*cells, means(cells))])
    text += f"\n\n{ranks(cells, options.shares)}" if options.shares else ""
    tell(options, "critic_choice", {"machine": machine(("otgan", "numpy", "torch")), "cells": cells}, text)


if __name__ == "__main__":
    main()
