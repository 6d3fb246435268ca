"""Where exact solvers are silently wrong: the answer of each beside the truth, on problems whose truth is known.

The truth is that of the same problem in harmless units (costs near one, no offset), where every solver agrees; it is
computed with scipy's assignment solver, which none of the rows is about.
"""

from __future__ import annotations

import importlib.metadata
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import ot
from common import arguments, tell
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance_nd

import otgan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Points = NDArray[np.float64]


def gaussians(n: int) -> tuple[Points, Points]:
    """Two samples of one Gaussian in the plane."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 2)), rng.normal(size=(n, 2))


def reference(x: Points, y: Points, p: int) -> float:
    """The transport cost of two samples of one size whose costs are near one."""
    C = cdist(x, y) ** p
    return float(C[linear_sum_assignment(C)].mean())


def with_far_pair(distance: float) -> tuple[Points, Points, float]:
    """200 Gaussian points a side and one far pair, one unit apart: the far points can only go to each other."""
    x, y = gaussians(200)
    near = reference(x, y, 2)
    far_x, far_y = [[distance, 0.0]], [[distance, 1.0]]
    return np.vstack([x, far_x]), np.vstack([y, far_y]), (200 * near + 1.0) / 201


def pot(x: Points, y: Points, p: int, numItermax: int = 10**9) -> float:
    """The transport cost as POT's users compute it."""
    metric = "euclidean" if p == 1 else "sqeuclidean"
    return emd2(None, ot.dist(x, y, metric), numItermax)


def emd2(a: Points | None, C: Any, numItermax: int = 10**9) -> float:
    """POT's exact cost."""
    cost: Any = ot.emd2([] if a is None else a, [], C, numItermax=numItermax)
    return float(cost)


def attempt(function: Callable[[], float]) -> str:
    """What came back, or the name of what was raised; warnings are counted."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = f"{function():.6g}"
        except Exception as error:
            return type(error).__name__
    return answer + (" (with a warning)" if caught else "")


def rows() -> list[dict[str, str]]:
    """One row a case."""
    table = []

    def add(case: str, peer: str, truth: str, theirs: Callable[[], float], ours: Callable[[], float]) -> None:
        table.append({"case": case, "truth": truth, "peer": peer, "theirs": attempt(theirs), "otgan": attempt(ours)})

    for distance in (1e6, 1e7, 1e9):
        x, y, truth = with_far_pair(distance)
        case = f"200 Gaussian points and one pair at distance {distance:.0e}, p = 2"
        add(case, "ot.emd2", f"{truth:.6g}", lambda x=x, y=y: pot(x, y, 2), lambda x=x, y=y: otgan.solve(x, y, 2).value)
    x, y = gaussians(100)
    # multiples of 2^-20 keep their digits under an offset of 2^27, so the truth does not move
    x, y = np.round(x * 2**20) / 2**20, np.round(y * 2**20) / 2**20
    truth = reference(x, y, 2)
    u, v = x + 2.0**27, y + 2.0**27
    add(
        "data offset by 2^27, p = 2",
        "ot.dist + ot.emd2",
        f"{truth:.6g}",
        lambda: pot(u, v, 2),
        lambda: otgan.solve(u, v, 2).value,
    )
    truth = reference(x, y, 1)
    add(
        "data times 1e-8, in units of 1e-8, p = 1",
        "scipy wasserstein_distance_nd",
        f"{truth:.6g}",
        lambda: wasserstein_distance_nd(1e-8 * x, 1e-8 * y) / 1e-8,
        lambda: otgan.solve(1e-8 * x, 1e-8 * y).value / 1e-8,
    )
    add(
        "stopped after 50 pivots, p = 1",
        "ot.emd2(numItermax=50)",
        f"{truth:.6g}",
        lambda: pot(x, y, 1, numItermax=50),
        lambda: otgan.solve(x, y, method="network-simplex", max_steps=50).value,
    )
    z = x.copy()
    z[0, 0] = np.nan
    add("one NaN in the data, p = 1", "ot.emd2", "none", lambda: pot(z, y, 1), lambda: otgan.solve(z, y).value)
    a = np.full(100, 0.01)
    a[0] = -0.01
    C = ot.dist(x, y, "euclidean")
    add(
        "a negative weight, p = 1",
        "ot.emd2",
        "none",
        lambda: emd2(a / a.sum(), C),
        lambda: otgan.solve_cost(C, a / a.sum(), np.full(100, 0.01)).value,
    )
    return table


def main() -> None:
    options = arguments(__doc__).parse_args()
    table = rows()
    versions = {name: importlib.metadata.version(name) for name in ("otgan", "POT", "scipy", "numpy")}
    lines = ["| problem | truth | peer | it returns | otgan |", "|---|---|---|---|---|"]
    lines += ["| {case} | {truth} | {peer} | {theirs} | {otgan} |".format(**row) for row in table]
    text = "\n".join([*lines, "", ", ".join(f"{name} {version}" for name, version in versions.items())])
    tell(options, "silent_errors", {"versions": versions, "rows": table}, text)


if __name__ == "__main__":
    main()
