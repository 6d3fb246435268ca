"""W_inf (bottleneck transport) between points of the plane: seconds, and the plan and the cut that prove it, checked.

    python benchmarks/w_inf.py --save          # minutes
    python benchmarks/w_inf.py --sizes 1000    # a look

"plan" is the longest way of the plan over W_inf, "within" how many more points the cut has than it reaches at a shorter
distance, counted again by SciPy's k-d tree.
"""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from common import arguments, machine, markdown, tell
from scipy.spatial import KDTree
from solvers.cases import Case
from solvers.families import data

from otgan.exact.bottleneck import Bottleneck, solve_bottleneck
from otgan.problem import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAIRS = ("uniform", "same", "half", "squared")
SIZES = [10_000, 100_000]
WARM_UP = 1000  # points


def points(pair: str, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both sides: of the six pairs of ``exact.py``, and of one uniform distribution."""
    if pair == "uniform":
        x, y = np.random.default_rng(n).uniform(size=(2, n, 2))
        return x, y
    drawn = data(Case("different", n, n, 2, 1, pair))
    return drawn.x, drawn.y


def measured(pair: str, n: int) -> dict[str, Any]:
    x, y = points(pair, n)
    start = time.perf_counter()
    found = solve_bottleneck(Problem.from_points(x, y, 1))
    seconds = time.perf_counter() - start
    longest = np.linalg.norm(x[found.rows] - y[found.cols], axis=1).max()
    return {
        "pair": pair,
        "n": f"{n:,}",
        "seconds": round(seconds, 2),
        "W_inf": f"{found.distance:.8g}",
        "plan": f"{longest / found.distance:.15g}",
        "within": excess(x, y, found),
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def excess(x: NDArray[np.float64], y: NDArray[np.float64], found: Bottleneck) -> int:
    """Points of the cut less the points that they reach within less than W_inf."""
    assert found.cut is not None
    near, _ = KDTree(x[found.cut[0]]).query(y, distance_upper_bound=found.distance * (1 - 1e-12))
    return len(found.cut[0]) - int(np.isfinite(near).sum())


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args()
    measured("squared", WARM_UP)
    measured("uniform", WARM_UP)
    rows = []
    for n in options.sizes:
        for pair in PAIRS:
            rows.append(measured(pair, n))
            print(rows[-1], flush=True)
    text = f"# W_inf in the plane\n\nPrinted by `python benchmarks/w_inf.py`.\n\n{markdown(rows)}"
    tell(options, "w_inf", {"machine": machine(["numpy", "scipy", "numba"]), "rows": rows}, text)


if __name__ == "__main__":
    main()
