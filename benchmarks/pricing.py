"""Seconds to price all pairs, ``min_i C_ij - f_i`` for every j, beside going through them all.

Potentials: "solved" are those of an exact solution on 1500 of the points, extended to all by the c-transform; "noisy"
are these less exponential noise of 1 % of their spread, as prices are in the middle of a solve; "random" are normal.
"Warm" starts from the argmin of the solved potentials.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from common import arguments, tell

import otgan
from otgan.costs import PointCost

if TYPE_CHECKING:
    from collections.abc import Callable

SCANNED = 10**9  # pairs times dimensions up to which the scan is timed beside the tree


def clouds(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """One Gaussian, and two wider ones beside it."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, d)), 1.3 * rng.normal(size=(n, d))
    y[:, 0] += np.where(rng.random(n) < 0.5, 1.5, -1.0)
    return x, y


def solved(x: np.ndarray, y: np.ndarray, p: float, k: int = 1500) -> np.ndarray:
    """Potentials of x, near the optimal ones."""
    solution = otgan.solve(x[:k], y[:k], p, method="assignment", rtol=1e-6)
    return PointCost(y[:k], x, p).pricing.minima(solution.g)[0]


def seconds(call: Callable[[], object], repeats: int) -> float:
    """The best of several."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(n: int, d: int, p: float, repeats: int) -> dict[str, float]:
    """Seconds by case."""
    x, y = clouds(n, d)
    rng = np.random.default_rng(1)
    f = solved(x, y, p)
    noisy = f - 0.01 * f.std() * rng.exponential(size=n)
    priced = PointCost(x, y, p).pricing
    start = time.perf_counter()
    if d <= 6:
        _ = priced.x.tree, priced.y.tree
    out = {"trees": time.perf_counter() - start}
    values, rows = priced.minima(f)
    cases: dict[str, Callable[[], object]] = {
        "solved": lambda: priced.minima(f),
        "solved, warm": lambda: priced.minima(f, rows),
        "noisy, warm": lambda: priced.minima(noisy, rows),
        "random": lambda: priced.minima(rng.normal(size=n)),
        "violated, k = 8": lambda: priced.below(noisy, values, 8),
    }
    if d <= 6 and n * n * d <= SCANNED:
        scan = replace(priced, way="scan")
        scan.minima(f)
        cases["scan"] = lambda: scan.minima(f)
    return out | {name: seconds(call, repeats) for name, call in cases.items()}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=[6000, 100_000])
    parser.add_argument("--high", type=int, nargs="*", default=[6000, 20_000], help="sizes in 64 dimensions")
    options = parser.parse_args()
    runs = [(n, d, p) for n in options.sizes for d in (2, 3) for p in (1.0, 2.0)]
    runs += [(n, 64, p) for n in options.high for p in (1.0, 2.0)]
    for d in (2, 64):
        measure(2000, d, 1.0, 1)  # compile
    results = []
    for n, d, p in runs:
        row = measure(n, d, p, options.repeats)
        results.append({"n": n, "d": d, "p": p, **row})
        print(f"n = m = {n}, d = {d}, p = {p:g}:  " + "   ".join(f"{k} {v:.3f}" for k, v in row.items()), flush=True)
    tell(options, "pricing", results)


if __name__ == "__main__":
    main()
