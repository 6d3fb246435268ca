"""Sparse column generation for equal masses: against POT's dense emd2, and alone where a matrix does not fit.

    python benchmarks/sparse_equal.py [small|large|all] [results.json]

Both samples are Gaussian, the second one shifted by 0.5 in every coordinate ("shifted") or not ("alike"). POT's time
includes the cost matrix. Compilation is done before anything is timed. The parts are those of the solver: start
(order, coarse problem, first arcs), inner (auction, augmenting paths), pricing, certificate.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

import otgan

PARTS = ("start", "inner", "pricing", "certificate")


def samples(n: int, d: int, shift: float) -> tuple[Any, Any]:
    rng = np.random.default_rng(n + d)
    return rng.normal(size=(n, d)), rng.normal(size=(n, d)) + shift


def sparse(x: Any, y: Any, p: float) -> dict[str, Any]:
    begin = time.perf_counter()
    solution = otgan.solve(x, y, p, method="sparse", throw=False)
    seconds = time.perf_counter() - begin
    stats = solution.stats
    row = {"seconds": seconds, "value": solution.value, "gap": solution.gap, "status": solution.status.name}
    row |= {"rounds": stats["rounds"], "arcs_per_row": stats["arcs"] / len(x)}
    return row | {part: stats[f"seconds_{part}"] for part in PARTS}


def dense(x: Any, y: Any, p: float) -> tuple[float, float]:
    import ot

    begin = time.perf_counter()
    cost = ot.dist(x, y, "euclidean" if p == 1 else "sqeuclidean")
    value: Any = ot.emd2([], [], cost, numItermax=10**8)
    return time.perf_counter() - begin, float(value)


def report(n: int, d: int, p: float, shift: float, against: bool) -> dict[str, Any]:
    x, y = samples(n, d, shift)
    row = {"n": n, "d": d, "p": p, "shift": shift} | sparse(x, y, p)
    if against:
        row["pot_seconds"], value = dense(x, y, p)
        row["difference"] = abs(value - row["value"]) / value
    parts = " ".join(f"{row[part]:8.3f}" for part in PARTS)
    pot = f"{row['pot_seconds']:8.2f} {row['difference']:8.0e}" if against else f"{'':17}"
    kind = "shifted" if shift else "alike"
    print(
        f"{n:7d} {d:3d} {p:2g} {kind:>8} {row['seconds']:8.3f} {pot} {parts} {row['rounds']:4d} "
        f"{row['arcs_per_row']:5.1f} {row['gap']:8.1e} {row['status']}",
        flush=True,
    )
    return row


def main(size: str = "all", path: str | None = None) -> None:
    for d in (2, 3, 64):
        for p in (1, 2):
            sparse(*samples(1000, d, 0.0), p)  # compiles
    print(
        f"{'n':>7} {'d':>3} {'p':>2} {'samples':>8} {'seconds':>8} {'POT':>8} {'differs':>8} "
        + " ".join(f"{part[:8]:>8}" for part in PARTS)
        + f" {'rnds':>4} {'arcs':>5} {'gap':>8}"
    )
    rows = []
    if size in ("small", "all"):
        rows += [report(n, d, p, 0.0, True) for n in (1000, 3000, 6000) for d in (2, 3, 64) for p in (1, 2)]
    if size in ("large", "all"):
        rows += [report(n, 2, p, s, False) for n in (20_000, 50_000, 100_000) for p in (1, 2) for s in (0.0, 0.5)]
    if path:
        with open(path, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
