"""Estimates of a c-transform and of an exactly 1-Lipschitz network for one finite sample, beside its exact distance."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from common import arguments, machine, markdown, spread, tell

import otgan
from otgan.critics import fit, training
from otgan.critics.repair import constant_bound
from otgan.pairs import ShiftedGaussians

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMENSIONS, POINTS, SEEDS = (2, 16, 64), 1000, 3
METHODS: dict[str, dict[str, Any]] = {"c-transform": {}, "orthogonal": {"width": 128, "depth": 3, "steps": 900}}


def samples(dim: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Normal points, n of each side, one side shifted by 1 along the first axis."""
    return ShiftedGaussians(np.eye(dim)[0]).sample(n, np.random.default_rng(dim))


def run(method: str, options: dict[str, Any], dim: int, n: int, seeds: int) -> dict[str, Any]:
    """Fits from several seeds in turn, each by itself: their shares of the exact distance, and seconds."""
    x, y = samples(dim, n)
    truth = otgan.solve(x, y)
    constant = constant_bound(truth.problem) / truth.value
    cell: dict[str, Any] = {"d": dim, "n": n, "exact": truth.value, "method": method, "options": options}
    cell["constant_bound"] = constant
    found: dict[str, list[float]] = {"estimate": [], "lower_bound": [], "seconds": []}
    for seed in range(seeds):
        start = time.process_time()
        critic = fit(x, y, method, seed=seed, device="cpu", unit=1.0, **options)
        found["seconds"].append(time.process_time() - start)
        found["estimate"].append(critic.estimate / truth.value)
        found["lower_bound"].append(critic.lower_bound(x, y) / truth.value)
    return cell | found


def row(cell: dict[str, Any]) -> dict[str, str]:
    """A line of the table."""
    percent = {key: [100 * share for share in cell[key]] for key in ("estimate", "lower_bound")}
    return {
        "d": str(cell["d"]),
        "exact W1": f"{cell['exact']:.4f}",
        "method": cell["method"],
        "estimate, %": spread(percent["estimate"], ".2f"),
        "proven, %": spread(percent["lower_bound"], ".2f"),
        "a constant proves, %": f"{100 * cell['constant_bound']:.2f}",
        "the critic's share, %": spread(
            [100 * (proven - cell["constant_bound"]) / (1 - cell["constant_bound"]) for proven in cell["lower_bound"]],
            ".1f",
        ),
        "s": f"{np.mean(cell['seconds']):.0f}",
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args()
    seeds = options.seeds
    training.RECORDS = 1  # the history is evaluated at the end only
    cells = []
    for dim in DIMENSIONS:
        for method, chosen in METHODS.items():
            cells.append(run(method, chosen, dim, POINTS, seeds))
            print(row(cells[-1]), flush=True)
    result = {"machine": machine(["otgan", "numpy", "torch"]), "cells": cells}
    changed = ", ".join(f"{key} {value}" for key, value in METHODS["orthogonal"].items())
    words = (
        f"Printed by `python benchmarks/fixed_samples.py`. {POINTS} Gaussian points a side, one of them shifted by 1 "
        f"along the first axis. Shares of the exact W1 of the sample: mean of {seeds} seeds that were trained in turn "
        f"on the same points (least to greatest). Proven: the repaired lower bound; beside it that of a "
        f"constant critic, and the part of what it leaves open that the critic adds. s: mean processor seconds of one "
        f"seed, on one core. Defaults, but for orthogonal {changed}."
    )
    tell(options, "fixed_samples", result, f"{words}\n\n{markdown([row(cell) for cell in cells])}")


if __name__ == "__main__":
    main()
