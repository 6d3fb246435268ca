"""Column generation for any masses against POT's dense simplex, and its inner simplex against POT's sparse one.

Every case runs in one process, after a warm-up of the compiled code. "POT sparse" solves the arc lists of the finest
level that our simplex was given, one after another, each from scratch, as it cannot keep a basis.
"""

from __future__ import annotations

import argparse
import json
import resource
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest import mock

import numpy as np

from otgan.costs import dense
from otgan.exact import sparse_general
from otgan.exact.network import Network
from otgan.problem import Problem

#        n, m, d, p, weights
SMALL = [
    (6000, 4500, 2, 1, "random"),
    (6000, 4500, 2, 2, "random"),
    (6000, 6000, 2, 1, None),
    (6000, 6000, 2, 2, None),
    (6000, 4500, 3, 2, "random"),
    (3000, 2500, 64, 1, "random"),
    (3000, 2500, 64, 2, "random"),
]
LARGE = [(30_000, 24_000, 2, 1, "random"), (100_000, 80_000, 2, 1, "random"), (100_000, 80_000, 2, 2, "random")]


def draw(n: int, m: int, d: int, p: float, weights: str | None, seed: int = 0) -> Problem:
    rng = np.random.default_rng(seed)
    x, y = (rng.random((n, d)), rng.random((m, d))) if d < 10 else (rng.normal(size=(n, d)), rng.normal(size=(m, d)))
    if weights is None:
        return Problem.from_points(x, y, p)
    a, b = rng.random(n), rng.random(m)
    return Problem.from_points(x, y, p, a=a / a.sum(), b=b / b.sum())


def ours(problem: Problem) -> dict[str, Any]:
    start = perf_counter()
    solution = sparse_general.solve(problem, rtol=1e-9)
    seconds = perf_counter() - start
    return {"seconds": seconds, "gap": solution.gap, "value": solution.value, **solution.stats}


def pot_dense(problem: Problem) -> dict[str, float]:
    import ot

    start = perf_counter()
    value: Any = ot.emd2(
        problem.a, problem.b * (problem.a.sum() / problem.b.sum()), dense(problem.cost), numItermax=10**9
    )
    return {"pot_seconds": perf_counter() - start, "pot_value": float(np.asarray(value))}


def pot_sparse(problem: Problem) -> dict[str, float]:
    """Seconds that POT's sparse simplex takes for the lists of the finest level."""
    from ot.lp.emd_wrap import emd_c_sparse

    size, seconds = min(problem.shape), []

    class Timed(Network):
        def solve(self, max_pivots: int) -> bool:
            if min(self.n, self.m) >= size:
                rows, cols, mass, _ = self.plan()
                a, b = np.bincount(rows, mass, self.n), np.bincount(cols, mass, self.m)
                tails, heads = self.tails.astype(np.uint64), (self.heads - self.n).astype(np.uint64)
                start = perf_counter()
                emd_c_sparse(a / a.sum(), b / a.sum(), tails, heads, self.costs, 10**9)
                seconds.append(perf_counter() - start)
            return super().solve(max_pivots)

    with mock.patch.object(sparse_general, "Network", Timed):
        sparse_general.solve(problem, rtol=1e-9)
    return {"pot_sparse_seconds": sum(seconds), "pot_sparse_runs": len(seconds)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="100,000 points too, without POT")
    large = parser.parse_args().large
    for p, d in ((1, 2), (2, 2), (2, 3), (1, 64), (2, 64)):
        ours(draw(2000, 1500, d, p, "random"))
    results = []
    for case in SMALL + (LARGE if large else []):
        problem = draw(*case)
        result: dict[str, Any] = {"case": case, **ours(problem)}
        if case in SMALL:
            result |= pot_dense(problem) | pot_sparse(problem)
        result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        results.append(result)
        print({k: round(v, 4) if isinstance(v, float) and v > 1e-3 else v for k, v in result.items()}, flush=True)
    path = Path(__file__).parent / "results" / "sparse_general.json"
    path.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
