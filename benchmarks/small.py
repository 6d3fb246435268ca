"""Small problems, one at a time and many at once, against POT's ``emd2`` and SciPy's ``linear_sum_assignment``.

Cost matrices too: of tied costs, and large ones most of whose costs are one number, against lap where it is installed.

What a user calls: ``otgan.wasserstein`` with its checks and its proof, ``emd2`` with the cost matrix that it needs. The
two sides come from different distributions: y is shifted by 1 in each coordinate over the root of d, and half as wide.
The gap beside each time is that of ``otgan.solve`` for the same problem.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import math
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import ot as pot
from common import arguments, machine, markdown, medians, tell
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

import otgan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ot: Any = pot  # what its functions return depends on their flags, which type checkers cannot follow
SIZES = [
    (1, 1),
    (4, 3),
    (4, 4),
    (16, 12),
    (16, 16),
    (32, 32),
    (64, 51),
    (64, 64),
    (100, 80),
    (256, 256),
    (700, 560),
    (700, 700),
]
DIMENSIONS = [1, 2, 3, 8, 64, 784]
ORDERS = [1, 2]
SECONDS = 0.15  # that a cell's peer is called for, in all


def clouds(n: int, m: int, d: int, seed: int = 0) -> tuple[Array, Array]:
    """Two different distributions."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), 0.5 * rng.normal(size=(m, d)) + 1 / math.sqrt(d)


def cost(x: Array, y: Array, p: int) -> Array:
    """What POT's users write."""
    return ot.dist(x, y, metric="sqeuclidean" if p == 2 else "euclidean")


def by_pot(x: Array, y: Array, p: int, a: Array, b: Array) -> float:
    return float(ot.emd2(a, b, cost(x, y, p))) ** (1 / p)


def by_assignment(x: Array, y: Array, p: int) -> float:
    C = cdist(x, y, "sqeuclidean" if p == 2 else "euclidean")
    return float(C[linear_sum_assignment(C)].mean()) ** (1 / p)


def cell(n: int, m: int, d: int, p: int, weighted: bool) -> dict[str, Any]:
    """Median times of one size, and the gap that is proven."""
    x, y = clouds(n, m, d)
    rng = np.random.default_rng(1)
    a, b = (rng.dirichlet(np.ones(k)) if weighted else np.full(k, 1 / k) for k in (n, m))
    given: dict[str, Any] = {"a": a, "b": b} if weighted else {}
    functions: dict[str, Callable[[], float]] = {
        "otgan": lambda: otgan.wasserstein(x, y, p, **given),
        "POT": lambda: by_pot(x, y, p, a, b),
    }
    if n == m and not weighted:
        functions["scipy LSA"] = lambda: by_assignment(x, y, p)
    functions["POT"]()
    repeats = min(2000, max(5, int(SECONDS / seconds_of(functions["POT"]))))
    seconds, answers = medians(functions, repeats)
    for name, answer in answers.items():
        if abs(answer - answers["otgan"]) > 1e-9 * answers["otgan"]:
            raise SystemExit(f"{name} says {answer!r} where otgan says {answers['otgan']!r}")
    gap = otgan.solve(x, y, p, **given).gap
    return {
        "n": n,
        "m": m,
        "d": d,
        "p": p,
        "weights": "random" if weighted else "equal",
        "seconds": seconds,
        "gap": gap,
    }


def row(found: dict[str, Any]) -> dict[str, Any]:
    """A cell as a line of the table."""
    seconds = found["seconds"]
    micro = {name: f"{1e6 * value:,.1f}" for name, value in seconds.items()}
    return {
        "n x m": f"{found['n']} x {found['m']}",
        "d": found["d"],
        "p": found["p"],
        "weights": found["weights"],
        "otgan, us": micro["otgan"],
        "gap": f"{found['gap']:.0e}",
        "POT emd2, us": micro["POT"],
        "POT / otgan": f"{seconds['POT'] / seconds['otgan']:.1f}",
        "cdist + LSA, us": micro.get("scipy LSA", ""),
    }


def summary(cells: list[dict[str, Any]]) -> str:
    """What the cells say together: the worst and the median, not the friendliest."""
    ratios = sorted(found["seconds"]["POT"] / found["seconds"]["otgan"] for found in cells)
    both = [found for found in cells if "scipy LSA" in found["seconds"] and found["n"] >= 64]
    against = sorted(found["seconds"]["scipy LSA"] / found["seconds"]["otgan"] for found in both)
    small = max(found["seconds"]["otgan"] for found in cells if found["n"] < 64 and found["weights"] == "equal")
    return (
        f"POT / otgan over {len(ratios)} cells: worst {ratios[0]:.2f}, median {statistics.median(ratios):.1f}, "
        f"at least 2 in {sum(ratio >= 2 for ratio in ratios)}. cdist + linear_sum_assignment / otgan from 64 points "
        f"on, {len(against)} cells: worst {against[0]:.2f}, median {statistics.median(against):.1f}. "
        f"The longest call with equal weights below 64 points: {1e6 * small:.0f} us. "
        f"The largest gap: {max(found['gap'] for found in cells):.0e}."
    )


def matrix(count: int, p: int) -> dict[str, Any]:
    """The distances between all of ``count`` clouds; POT's by a loop over 400 of the pairs."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 3)) + rng.normal(size=3) for n in rng.integers(20, 61, count)]
    pairs = list(itertools.combinations(range(count), 2))
    share = [pairs[k] for k in rng.permutation(len(pairs))[:400]]
    functions: dict[str, Callable[[], Any]] = {
        "otgan": lambda: otgan.pairwise(X, p=p),
        "POT": lambda: [by_pot(X[i], X[j], p, equal(X[i]), equal(X[j])) for i, j in share],
    }
    seconds, answers = medians(functions, 3)
    ours = [answers["otgan"][pair] for pair in share]
    return line(
        f"pairwise, {count} clouds of 20 to 60 points, d = 3, p = {p}", seconds, len(pairs), ours, answers["POT"]
    )


def batch(p: int) -> dict[str, Any]:
    """A thousand minibatches; POT's by a loop over 100 of them."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1000, 128, 2)), 0.5 * rng.normal(size=(1000, 128, 2)) + 0.7
    functions: dict[str, Callable[[], Any]] = {
        "otgan": lambda: otgan.wasserstein_batch(x, y, p),
        "POT": lambda: [by_pot(x[k], y[k], p, equal(x[k]), equal(y[k])) for k in range(100)],
    }
    seconds, answers = medians(functions, 3)
    return line(f"wasserstein_batch, 128 points, d = 2, p = {p}", seconds, 1000, answers["otgan"][:100], answers["POT"])


def tied(n: int, top: int | None) -> dict[str, Any]:
    """A cost matrix of whole numbers from 1 to ``top``, or of real ones; SciPy's solver proves nothing."""
    rng = np.random.default_rng(0)
    C = rng.random((n, n)) if top is None else rng.integers(1, top + 1, (n, n)).astype(float)
    found: dict[str, otgan.Solution] = {}

    def ours() -> float:
        found["solution"] = otgan.solve_cost(C)
        return found["solution"].value

    functions: dict[str, Callable[[], Any]] = {
        "otgan": ours,
        "scipy LSA": lambda: float(C[linear_sum_assignment(C)].mean()),
    }
    seconds, answers = medians(functions, 200 if n < 500 else 15)
    assert abs(answers["otgan"] - answers["scipy LSA"]) <= 1e-12 * answers["otgan"], (n, top)
    return {
        "n x n": f"{n} x {n}",
        "costs": "real" if top is None else f"1 to {top}",
        "solve_cost, ms": f"{1e3 * seconds['otgan']:.2f}",
        "gap": f"{found['solution'].gap:.0e}",
        "LSA, ms": f"{1e3 * seconds['scipy LSA']:.2f}",
        "LSA / otgan": f"{seconds['scipy LSA'] / seconds['otgan']:.2f}",
    }


PATTERNS: dict[str, Callable[[NDArray[Any], NDArray[Any], int, np.random.Generator], NDArray[np.bool_]]] = {
    "random, 1 %": lambda i, j, n, rng: rng.random((n, n)) < 0.01,
    "random, 0.05 %": lambda i, j, n, rng: rng.random((n, n)) < 0.0005,
    "band": lambda i, j, n, rng: abs(i - j) <= n // 200,
    "square blocks": lambda i, j, n, rng: 100 * i // n == 100 * j // n,
    "other blocks": lambda i, j, n, rng: 100 * i // n == 83 * j // n,
}


def structured(pattern: str, whole: bool, n: int = 4000) -> dict[str, Any]:
    """Costs up to 100 where the pattern is, rows and columns in any order, and 1000 elsewhere."""
    rng = np.random.default_rng(0)
    place = np.arange(n)
    listed = PATTERNS[pattern](place[:, None], place, n, rng)[np.ix_(rng.permutation(n), rng.permutation(n))]
    C = np.where(listed, rng.integers(1, 101, (n, n)) if whole else 100 * rng.random((n, n)), 1000.0)
    found: dict[str, otgan.Solution] = {}

    def ours() -> float:
        found["solution"] = otgan.solve_cost(C)
        return found["solution"].value

    functions: dict[str, Callable[[], Any]] = {
        "otgan": ours,
        "scipy LSA": lambda: float(C[linear_sum_assignment(C)].mean()),
    }
    once: dict[str, float] = {}
    if importlib.util.find_spec("lap"):
        lap: Any = importlib.import_module("lap")
        functions["lap"] = lambda: lap.lapjv(C)[0] / n
        once = {name: seconds_of(functions[name]) for name in ("scipy LSA", "lap")}
        if once["lap"] > 3 * once["scipy LSA"]:  # not the best, and so long a pause that fresh memory is slow after it
            del functions["lap"]
    seconds, answers = medians(functions, 5)
    seconds = once | seconds
    assert all(abs(answer - answers["otgan"]) <= 1e-9 * answers["otgan"] for answer in answers.values()), pattern
    best = min(value for name, value in seconds.items() if name != "otgan")
    return {
        "n x n": f"{n} x {n}",
        "below 1000": pattern,
        "costs": "whole" if whole else "real",
        "solve_cost, ms": f"{1e3 * seconds['otgan']:.0f}",
        "gap": f"{found['solution'].gap:.0e}",
        "LSA, ms": f"{1e3 * seconds['scipy LSA']:.0f}",
        "lap, ms": f"{1e3 * seconds['lap']:.0f}" if "lap" in seconds else "",
        "best / otgan": f"{best / seconds['otgan']:.2f}",
    }


def seconds_of(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def equal(x: Array) -> Array:
    return np.full(len(x), 1 / len(x))


def line(name: str, seconds: dict[str, float], pairs: int, ours: list[float], theirs: list[float]) -> dict[str, Any]:
    """Microseconds a pair, of all pairs for otgan and of those that POT solved."""
    micro, peer = 1e6 * seconds["otgan"] / pairs, 1e6 * seconds["POT"] / len(theirs)
    return {
        "work": name,
        "pairs": f"{pairs:,}",
        "otgan, us a pair": f"{micro:.1f}",
        "POT emd2, us a pair": f"{peer:.1f}",
        "POT / otgan": f"{peer / micro:.1f}",
        "largest difference": f"{max(abs(a - b) / b for a, b in zip(ours, theirs, strict=True)):.0e}",
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--clouds", type=int, default=300, help="of the matrix of distances")
    options = parser.parse_args()
    cells = [
        cell(n, m, d, p, weighted)
        for (n, m), d, p, weighted in itertools.product(SIZES, DIMENSIONS, ORDERS, (False, True))
        if n * m * d <= 700 * 700 * 64
    ]
    about = machine(["otgan", "numpy", "scipy", "pot", "numba"])
    together = [make for p in ORDERS for make in (matrix(options.clouds, p), batch(p))]
    matrices = [tied(n, top) for n in (200, 1000) for top in (2, 10, 100, 1000, None)]
    most_alike = [structured(pattern, whole) for pattern in PATTERNS for whole in (False, True)]
    versions = ", ".join(f"{name} {about[name]}" for name in ("numpy", "scipy", "pot", "numba"))
    text = "\n\n".join(
        [
            f"{about['processor']}, {about['cores']} cores, {versions}",
            summary(cells),
            markdown(together),
            markdown(matrices),
            markdown(most_alike),
            markdown([row(found) for found in cells]),
        ]
    )
    tell(
        options,
        "small",
        {"machine": about, "cells": cells, "many": together, "matrices": matrices, "most_alike": most_alike},
        text,
    )


if __name__ == "__main__":
    main()
