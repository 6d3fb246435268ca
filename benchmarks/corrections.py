"""Corrections of a critic's estimate: the error with and without each, where the truth is known."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np
from common import arguments, machine, markdown, spread, tell
from critic_failures import digits, of_pair, two_points

import otgan
from otgan.critics import fit, richardson, training
from otgan.pairs import ShiftedGaussians, SphericalShells, random_funnels, random_max_cones

if TYPE_CHECKING:
    from collections.abc import Callable

    from critic_failures import Data

SEEDS = 3
WAYS = ("none", "congested", "gradient-norm", "richardson")
PENALISED: dict[str, Any] = {"width": 128, "batch_size": 256, "learning_rate": 2e-3, "decay": "cosine", "steps": 1500}
METHODS: dict[str, dict[str, Any]] = {
    "gp": PENALISED,
    "lp": PENALISED,
    "orthogonal": {"width": 128, "depth": 3, "steps": 900},
}
SITUATIONS: dict[str, Callable[[], Data]] = {
    "two points 4 apart, d = 8": lambda: two_points(4.0, 8),
    "400 threes and 400 eights of MNIST": digits,
    "16 funnels, d = 2": lambda: of_pair(random_funnels(2, 16, 0)),
    "64 funnels, d = 16": lambda: of_pair(random_funnels(16, 64, 0)),
    "greatest of 16 cones, d = 16": lambda: of_pair(random_max_cones(16, 16, 0)),
    "a point and a sphere around it, d = 16": lambda: of_pair(SphericalShells(np.zeros((1, 16)))),
    "Gaussians shifted by 2, d = 16": lambda: of_pair(ShiftedGaussians(2 * np.eye(16)[0])),
}


def measure(method: str, data: Data, seed: int, **options: Any) -> dict[str, float]:
    """Relative error of the estimate after each correction, from one training (two for Richardson)."""
    x, y, truth = data
    exact = truth.value if isinstance(truth, otgan.Solution) else truth.w1[0]
    given = {"seed": seed, "device": "cpu", "unit": 1.0, **options}
    if method == "orthogonal":
        single, found = fit(x, y, method, **given), {}
    else:
        pair = richardson(x, y, method, **given)
        single, found = pair.single, {"richardson": pair.estimate}
    found |= {"none": single.estimate} | single.corrections
    return {way: estimate / exact - 1 for way, estimate in found.items()}


def row(situation: str, method: str, errors: list[dict[str, float]]) -> dict[str, str]:
    """A line of the table: mean and range over seeds."""
    cells = {way: spread((100 * error[way] for error in errors), "+.1f") for way in WAYS if way in errors[0]}
    return {"situation": situation, "method": method} | {way: cells.get(way, "–") for way in WAYS}


def summary(results: list[tuple[str, str, list[dict[str, float]]]]) -> list[dict[str, str]]:
    """Mean absolute error of each way over all situations and seeds, a line for each method."""
    lines = []
    for method in METHODS:
        errors = [error for _, name, found in results if name == method for error in found]
        means = {way: f"{100 * mean(abs(e[way]) for e in errors):.1f}" for way in WAYS if errors and way in errors[0]}
        lines.append({"method": method} | {way: means.get(way, "–") for way in WAYS})
    return lines


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args()
    seeds = options.seeds
    training.RECORDS = 1  # the history is evaluated at the end only
    results = []
    for situation, make in SITUATIONS.items():
        data = make()
        for method, chosen in METHODS.items():
            errors = [measure(method, data, seed, **chosen) for seed in range(seeds)]
            results.append((situation, method, errors))
            print(row(*results[-1]), flush=True)
    words = (
        "Printed by `python benchmarks/corrections.py`. Error of the estimate in % of W1, signed, before and after "
        f"each correction: mean of {seeds} seeds (least to greatest). Samples are judged by their exact solution, "
        "distributions on fresh points. congested: the closed form for one ray; gradient-norm: divided by the mean "
        "slope over the points; richardson: from a second training with twice the weight."
    )
    rows = [row(*result) for result in results]
    result = {"machine": machine(["otgan", "numpy", "torch"]), "options": METHODS, "results": results}
    text = (
        f"{words}\n\n{markdown(rows)}\n\nMean absolute error, %, over all situations:\n\n{markdown(summary(results))}"
    )
    tell(options, "corrections", result, text)


if __name__ == "__main__":
    main()
