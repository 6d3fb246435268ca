"""How often exact solvers are wrong without a warning, on problems where tiny masses matter.

Each family of :mod:`hard.problems` that peers can be asked about (points, finite p, weights on both sides) is drawn a
few hundred times for each solver, with what the solver is for: SciPy's distances with p = 1 and, in more than one
dimension, the Euclidean metric. The truth is rational arithmetic. An answer is wrong if it is off by more than 1e-6 of
the truth or, where the truth is zero, by more than 1e-6 of what the product of the two measures would cost.

The table counts answers that are wrong and came without a warning; beside them those with one, what was raised instead
of an answer, and where otgan says of its own that it cannot prove it. The costs for POT's `emd2` are computed from the
differences, as `ot.dist` is not the question here.
"""

from __future__ import annotations

import math
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple, cast

import numpy as np
import ot
from common import arguments, machine, markdown, tell
from hard.problems import ORDERS, POINT_FAMILIES, Points, draw_points
from hard.truth import exact_costs, exact_value, shares
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance, wasserstein_distance_nd
from tqdm import tqdm

import otgan
from otgan.errors import NotConverged

WRONG = Fraction(1, 10**6)


class Peer(NamedTuple):
    """A solver, and the problems that it is for."""

    solve: Callable[[Points], float]
    orders: tuple[float, ...] = ORDERS
    dim: int | None = None
    metric: str | None = None


def emd2(problem: Points) -> float:
    C = cdist(problem.x, problem.y, cast("Any", problem.metric)) ** problem.p
    cost: Any = ot.emd2(problem.a, problem.b, C)
    return float(cost)


def emd2_1d(problem: Points) -> float:
    x, y = problem.x[:, 0], problem.y[:, 0]
    cost: Any = ot.emd2_1d(x, y, problem.a, problem.b, metric="minkowski", p=problem.p)
    return float(cost)


def scipy_line(problem: Points) -> float:
    distance = wasserstein_distance(problem.x[:, 0], problem.y[:, 0], problem.a, problem.b)
    return float(distance) * mass(problem)  # SciPy's weights are shares


def scipy_nd(problem: Points) -> float:
    distance = wasserstein_distance_nd(problem.x, problem.y, problem.a, problem.b)
    return float(distance) * mass(problem)


def mass(problem: Points) -> float:
    """The total of the first side."""
    assert problem.a is not None  # problems() left them out
    return math.fsum(problem.a)


def solve(problem: Points) -> float:
    x, y, a, b = problem.x, problem.y, problem.a, problem.b
    return otgan.solve(x, y, problem.p, a=a, b=b, metric=problem.metric).value


PEERS = {
    "POT emd2": Peer(emd2),
    "POT emd2_1d": Peer(emd2_1d, dim=1),
    "SciPy wasserstein_distance": Peer(scipy_line, (1.0,), dim=1),
    "SciPy wasserstein_distance_nd": Peer(scipy_nd, (1.0,), metric="euclidean"),
    "otgan solve": Peer(solve),
}


def problems(family: str, peer: Peer, count: int, seed: int) -> Iterator[Points]:
    """The first so many problems of a family with weights on both sides, within what the solver is for."""
    index = 0
    while count:
        rng = np.random.default_rng([seed, zlib.crc32(family.encode()), index])
        problem = draw_points(family, rng, peer.orders, peer.dim)
        index += 1
        if problem.a is not None and problem.b is not None:
            count -= 1
            yield problem if peer.metric is None else replace(problem, metric=peer.metric)


def allowed(problem: Points) -> tuple[Fraction, Fraction]:
    """The truth, and by how much an answer may miss it."""
    C = exact_costs(problem.x.tolist(), problem.y.tolist(), problem.p, problem.metric)
    truth = exact_value(C, problem.a, problem.b)
    if truth:
        return truth, WRONG * truth
    a, b = shares(problem.a, len(problem.x)), shares(problem.b, len(problem.y))
    product = sum((a[i] * b[j] * C[i][j] for i in range(len(a)) for j in range(len(b))), Fraction(0))
    return truth, WRONG * product / sum(b)


def outcome(solver: Callable[[Points], float], problem: Points, truth: Fraction, within: Fraction) -> str:
    """In a word."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = solver(problem)
        except NotConverged:
            return "unproven"
        except Exception:
            return "raised"
    right = np.isfinite(found) and abs(Fraction(found) - truth) <= within
    return "right" if right else "wrong with a warning" if caught else "wrong"


def run(count: int, seed: int = 0, progress: bool = False) -> list[dict[str, Any]]:
    """One row a family, one column a solver."""
    rows = []
    for family in tqdm(POINT_FAMILIES, disable=None if progress else True):
        row = {"family": family}
        for name, peer in PEERS.items():
            drawn = problems(family, peer, count, seed)
            row[name] = told(Counter(outcome(peer.solve, problem, *allowed(problem)) for problem in drawn))
        rows.append(row)
    return rows


def told(counts: Counter[str]) -> str:
    """How many are wrong and silent, and what else there was."""
    others = [f"{counts[word]} {word}" for word in ("wrong with a warning", "raised", "unproven") if counts[word]]
    return str(counts["wrong"]) + (f" ({', '.join(others)})" if others else "")


def main() -> None:
    parser = arguments("Exact solvers on masses that nearly balance, and the like.")
    parser.add_argument("--count", type=int, default=1000, help="problems a family")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = run(options.count, options.seed, progress=True)
    about = machine(["otgan", "POT", "scipy", "numpy"])
    versions = ", ".join(f"{name} {about[name]}" for name in ("otgan", "POT", "scipy", "numpy"))
    about_it = f"Of {options.count} problems each. {versions}"
    tell(
        options,
        "peers_on_hard_masses",
        {"machine": about, "count": options.count, "seed": options.seed, "rows": rows},
        "\n".join([markdown(rows), "", about_it]),
    )


if __name__ == "__main__":
    main()
