"""The solvers that are compared, behind one interface: data and p in, an answer out.

What a peer needs to be built from the points, such as a matrix of costs, is built inside ``solve`` and so is timed.
Imports happen in the warm-up, which is not.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.cases import head

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from solvers.cases import Case, Data

UNLIMITED = 10**9  # pivots; POT's default of 100,000 is too few for a thousand points
LEVELS = 10**9  # integers that the largest cost is scaled to where a solver takes integers only
BEFORE = "otgan before"  # an older otgan, in the checkout that this variable of the environment names
CHECKOUT = "OTGAN_BEFORE"
WARM_UP = 1000  # points: enough for every branch of the compiled code


@dataclass(frozen=True)
class Answer:
    """What a solver said; bounds and status only where it has them."""

    value: float
    lower: float | None = None
    upper: float | None = None
    method: str = ""
    status: str = ""
    certificate_seconds: float | None = None


@dataclass(frozen=True)
class Peer:
    """A solver.

    Attributes
    ----------
    name : str
    package, module : str
        The distribution whose version counts, and what is imported.
    solve : callable
        From :class:`cases.Data` and p to an :class:`Answer`.
    bytes_per_pair : float
        Memory it takes for each of the n * m pairs, roughly: a cell that cannot fit is not tried.
    rough : (float, float)
        Seconds at n = 1000, and the growth exponent: for the estimate of how long a run will take, and for not trying
        what could only run over.
    equal : bool
        Whether it needs n = m and equal masses.
    largest : int
        More points than this are not tried.
    powers : tuple of int
    """

    name: str
    package: str
    module: str
    solve: Callable[[Data, int], Answer]
    bytes_per_pair: float
    rough: tuple[float, float]
    equal: bool = False
    largest: int = 10**9
    powers: tuple[int, ...] = (1, 2)

    def takes(self, case: Case) -> bool:
        """Whether the case is one for this solver."""
        return case.p in self.powers and max(case.n, case.m) <= self.largest and (case.assignment or not self.equal)

    def missing(self) -> str | None:
        """Why it cannot be measured here; None if it can."""
        if importlib.util.find_spec(self.module) is None:
            return f"{self.package} is not installed"
        if self.name == BEFORE and CHECKOUT not in os.environ:
            return "no --before"
        if self.name == "otgan sparse" and not _has_sparse():
            return "this otgan has no method 'sparse'"
        return None

    def versions(self) -> dict[str, str]:
        """Versions of what its time depends on."""
        names = dict.fromkeys([self.package, "numpy", "scipy"])
        return {name: importlib.metadata.version(name) for name in names}


def warm_up(peer: Peer, points: Data, p: int) -> None:
    """Import and compile all that ``peer.solve(points, p)`` will use, on a smaller problem."""
    if peer.name not in ("otgan auto", BEFORE):
        peer.solve(head(points, WARM_UP if peer.package == "otgan" else 20), p)
        return
    from otgan.exact.auto import choose
    from otgan.problem import Problem

    method = choose(Problem.from_points(points.x, points.y, p, a=points.a, b=points.b))
    _otgan(head(points, WARM_UP), p, method)  # the small problem alone might be given to another method


def _has_sparse() -> bool:
    from otgan.exact import METHODS

    return "sparse" in METHODS


def _otgan(points: Data, p: int, method: str) -> Answer:
    import otgan

    x, y, a, b = points
    solution = otgan.solve(x, y, p, a=a, b=b, method=method, throw=False)
    proof = solution.stats.get("certificate_seconds")
    return Answer(solution.value, solution.lower, solution.upper, solution.method, solution.status.name, proof)


def _otgan_auto(points: Data, p: int) -> Answer:
    return _otgan(points, p, "auto")


def _otgan_sparse(points: Data, p: int) -> Answer:
    return _otgan(points, p, "sparse")


def _metric(p: int) -> Any:
    return {1: "euclidean", 2: "sqeuclidean"}[p]


def _pot(points: Data, p: int) -> Answer:
    import ot

    x, y, a, b = points
    cost = ot.dist(x, y, _metric(p))
    value: Any = ot.emd2([] if a is None else a, [] if b is None else b, cost, numItermax=UNLIMITED)
    return Answer(float(value))


def _pot_lazy(points: Data, p: int) -> Answer:
    import ot

    x, y, a, b = points
    result = ot.solve_sample(x, y, a, b, metric=_metric(p), lazy=True, max_iter=UNLIMITED)
    value: Any = result.value
    return Answer(float(value))


def _scipy(points: Data, p: int) -> Answer:
    from scipy.optimize import linear_sum_assignment

    cost = _cdist(points, p)
    return Answer(float(cost[linear_sum_assignment(cost)].mean()))


def _scipy_nd(points: Data, p: int) -> Answer:
    from scipy.stats import wasserstein_distance_nd

    x, y, a, b = points
    assert p == 1
    return Answer(float(wasserstein_distance_nd(x, y, a, b)))


def _lapx(points: Data, p: int) -> Answer:
    import lap  # pyright: ignore[reportMissingImports]

    cost = _cdist(points, p)
    total: Any = lap.lapjv(cost)[0]
    return Answer(float(total) / len(cost))


def _ortools(points: Data, p: int) -> Answer:
    from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment  # pyright: ignore[reportMissingImports]

    cost = _cdist(points, p)
    n = len(cost)
    solver: Any = SimpleLinearSumAssignment()
    rows, columns = np.divmod(np.arange(n * n), n)
    whole = np.rint(cost.ravel() * (LEVELS / cost.max())).astype(np.int64)
    solver.add_arcs_with_cost(rows.astype(np.int32), columns.astype(np.int32), whole)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise RuntimeError(f"ortools ended with status {status}")
    mates = [solver.right_mate(i) for i in range(n)]
    return Answer(float(cost[np.arange(n), mates].mean()))  # its matching, valued with the costs before rounding


def _cdist(points: Data, p: int) -> NDArray[np.float64]:
    from scipy.spatial.distance import cdist

    cost: Any = cdist(points.x, points.y, _metric(p))
    return cost


PEERS = {
    peer.name: peer
    for peer in (
        Peer("otgan auto", "otgan", "otgan", _otgan_auto, 0, (0.1, 1.7)),
        Peer(BEFORE, "otgan", "otgan", _otgan_auto, 0, (0.1, 1.7)),
        Peer("otgan sparse", "otgan", "otgan", _otgan_sparse, 0, (0.1, 1.4)),
        Peer("POT", "POT", "ot", _pot, 48, (0.15, 2.2)),
        Peer("POT lazy", "POT", "ot", _pot_lazy, 1, (0.4, 2.4)),
        Peer("scipy assignment", "scipy", "scipy", _scipy, 24, (0.2, 2.9), equal=True),
        Peer("scipy nd", "scipy", "scipy", _scipy_nd, 3000, (60.0, 3.0), largest=300, powers=(1,)),
        Peer("lapx", "lapx", "lap", _lapx, 16, (0.4, 3.0), equal=True),
        Peer("ortools", "ortools", "ortools", _ortools, 80, (0.3, 2.2), equal=True),
    )
}
