"""How often the interval for a population's W1 holds it, and how wide it is, on distributions whose W1 is known."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from common import arguments, machine, markdown, tell
from scipy.stats import binomtest

import otgan
from otgan.pairs import ShiftedGaussians, SphericalShells, random_funnels, random_max_cones

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Samples = tuple[NDArray[np.float64], NDArray[np.float64]]
    Draw = Callable[[int, np.random.Generator], Samples]

SHIFT = 2.0  # of Gaussians with standard deviation one


def shells(dim: int) -> SphericalShells:
    """Three spheres of radius 2 against the same of radius 0.5, along a diagonal."""
    return SphericalShells(np.outer([-4.0, 0.0, 4.0], np.full(dim, dim**-0.5)), inner=0.5, outer=2.0)


def equal_gaussians(dim: int) -> Draw:
    """Two samples of one distribution."""
    return lambda n, rng: (rng.standard_normal((n, dim)), rng.standard_normal((n, dim)))


def cases() -> dict[str, tuple[int, float, Draw]]:
    """By name: the dimension, W1, and how to draw samples."""
    pairs: dict[str, Any] = {"funnels, d = 2": random_funnels(2, 4, 0)}
    pairs |= {f"funnels, d = {d}": random_funnels(d, 16, 0) for d in (16, 64)}
    pairs["greatest of cones, d = 4"] = random_max_cones(4, 8, 0)
    pairs |= {f"shells, d = {d}": shells(d) for d in (3, 10)}
    pairs |= {f"shifted Gaussians, d = {d}": ShiftedGaussians(np.full(d, SHIFT / d**0.5)) for d in (1, 2, 8, 64)}
    known = {name: (pair.dimension, pair.w1[0], pair.sample) for name, pair in pairs.items()}
    return known | {f"equal Gaussians, d = {d}": (d, 0.0, equal_gaussians(d)) for d in (1, 5)}


def run(name: str, n: int, repetitions: int) -> dict[str, Any]:
    """Coverage and width of one case."""
    dim, truth, draw = cases()[name]
    start = time.perf_counter()
    found = []
    for repetition in range(repetitions):
        x, y = draw(n, np.random.default_rng([repetition, dim, n]))
        found.append(otgan.population_interval(x, y, seed=repetition))
    too_high, too_low = sum(i.lower > truth for i in found), sum(i.upper < truth for i in found)
    covered = repetitions - too_high - too_low
    proportion = binomtest(covered, repetitions).proportion_ci(0.95, "exact")
    functions = [name for i in found for name in i.below.how.split("; ")]
    return {
        "case": name,
        "d": dim,
        "n": n,
        "repetitions": repetitions,
        "W1": truth,
        "lower_above": too_high,
        "upper_below": too_low,
        "coverage": covered / repetitions,
        "coverage_interval": [proportion.low, proportion.high],
        "mean_lower": float(np.mean([i.lower for i in found])),
        "mean_upper": float(np.mean([i.upper for i in found])),
        "mean_width": float(np.mean([i.width for i in found])),
        "mean_sample_distance": float(np.mean([i.above.estimate for i in found])),
        "most_used_function": max(set(functions), key=functions.count),
        "seconds_each": (time.perf_counter() - start) / repetitions,
    }


def row(cell: dict[str, Any]) -> dict[str, str]:
    """A line of the table."""
    low, high = cell["coverage_interval"]
    return {
        "case": cell["case"],
        "n": f"{cell['n']:,}",
        "W1": f"{cell['W1']:.3f}",
        "mean interval": f"[{cell['mean_lower']:.3f}, {cell['mean_upper']:.3f}]",
        "mean width": f"{cell['mean_width']:.3f}",
        "covered": f"{100 * cell['coverage']:.1f} % ({100 * low:.1f} to {100 * high:.1f})",
        "lower > W1": f"{cell['lower_above']} of {cell['repetitions']}",
        "upper < W1": f"{cell['upper_below']} of {cell['repetitions']}",
        "function used most": cell["most_used_function"],
        "s each": f"{cell['seconds_each']:.2f}",
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[500])
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    options = parser.parse_args()
    otgan.population_interval(np.zeros((20, 2)), np.ones((20, 2)))  # compiles
    cells = []
    for n in options.n:
        for name in cases():
            if options.only in name:
                cells.append(run(name, n, options.repetitions))
                print(row(cells[-1]), flush=True)
    about = machine(("otgan", "numpy", "scipy", "numba"))
    tell(options, "population_interval", {"machine": about, "cells": cells}, markdown([row(cell) for cell in cells]))


if __name__ == "__main__":
    main()
