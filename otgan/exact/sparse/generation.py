"""Column generation around a network simplex: solve on a list of arcs, price all pairs, list what was missed.

The loop that :mod:`~otgan.exact.sparse.general` runs on its finest level, and that :mod:`otgan.exact.polish` runs on
the costs of a matrix. Where to start from is up to them: a network with a feasible basis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otgan.kernels.wide import as_floats
from otgan.metric import EPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.costs import Cost
    from otgan.exact.sparse.network import Network
    from otgan.exact.sparse.progress import Progress

    Indices = NDArray[np.intp]

__all__ = ["ColumnGeneration", "solve_on_arcs"]

NEW_ARCS_PER_POINT = 12  # most violated arcs that a row or column adds in a round
MAX_ROUNDS = 200  # of pricing
PIVOTS_PER_NODE = 1000  # at most, in all rounds
PIVOTS_PER_LOOK = 100_000  # at whether there was a Ctrl-C: about a second
ARCS_PER_NODE = 40  # the list is cut to half of this when it grows longer
STALE = 4  # ulps of a potential that count as no change
WIDE_RATIO = 1e3  # arcs without mass this much dearer than those with mass are capped


def solve_on_arcs(network: Network, progress: Progress) -> bool:
    """Make a network optimal for its list of arcs; whether the number of pivots allowed it."""
    limit = PIVOTS_PER_NODE * (network.n + network.m)
    while not progress.interrupted and network.pivots < limit:
        if network.solve(min(PIVOTS_PER_LOOK, limit - network.pivots)):
            return True
    return False


def violated(
    cost: Cost, f: NDArray[np.float64], g: NDArray[np.float64], asked: NDArray[np.bool_]
) -> tuple[Indices, Indices, NDArray[np.bool_]]:
    """The most violated arcs of the columns that are ``asked`` for, and which columns may have more than these."""
    rows, cols, _ = cost.pricing.below(f, np.where(asked, g, -np.inf), NEW_ARCS_PER_POINT)
    return rows, cols, np.bincount(cols, minlength=len(g)) >= NEW_ARCS_PER_POINT


class ColumnGeneration:
    """A network between points that all carry mass, and the rounds that make it optimal over all pairs.

    Parameters
    ----------
    network : Network
        With a cost whose pairs can be priced (``cost.pricing``).
    a : (n, digits) ndarray of int64
    b : (m, digits) ndarray of int64
        The masses that its plan moves.
    progress : Progress
    """

    def __init__(self, network: Network, a: NDArray[np.int64], b: NDArray[np.int64], progress: Progress) -> None:
        self.network, self.progress = network, progress
        self.a, self.b = as_floats(a), as_floats(b)
        self._known: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._more = np.ones(len(a), np.bool_), np.ones(len(b), np.bool_)

    def run(self, wanted: float) -> bool:
        """Rounds until the estimated gap is at most ``wanted``, or nothing is violated; whether the budgets lasted."""
        network = self.network
        self._known = None
        for _ in range(MAX_ROUNDS):
            with self.progress.part("inner"):
                if self.progress.exhausted or not solve_on_arcs(network, self.progress):
                    return False
            with self.progress.part("pricing"):
                rows, cols, gap = self._price()
            self.progress.record_round(arcs=len(network.costs), gap=gap)
            if gap <= wanted or not len(rows):
                if not self._adjust_cap():
                    return True
                self._known = None
                continue
            if len(network.costs) > ARCS_PER_NODE * (network.n + network.m):
                network.prune(ARCS_PER_NODE // 2 * (network.n + network.m))
            network.append(rows, cols)
        return False

    def _price(self) -> tuple[Indices, Indices, float]:
        """The most violated arcs, and the gap that they leave open.

        At first all columns are priced. Later a pair that was not violated, or is listed since, can only be violated if
        one of its potentials has risen: those rows and columns are priced, and the ones that had more violated arcs
        than were listed.
        """
        network = self.network
        f, g = network.f, network.g
        asked_rows, asked_cols = self._asked(f, g)
        rows, cols, more_of_cols = violated(network.cost, f, g, asked_cols)
        others, those, more_of_rows = violated(network.cost.T, g, f, asked_rows)
        self._known, self._more = (f.copy(), g.copy()), (more_of_rows, more_of_cols)
        rows, cols = np.r_[rows, those], np.r_[cols, others]
        arc_cost, feasible = network.cost.entries(rows, cols), g.copy()
        np.minimum.at(feasible, cols, arc_cost - f[rows])
        # What the simplex and the pricing may see differently is rounding, and would join the list in every round.
        scale = arc_cost + np.abs(f[rows]) + np.abs(g[cols])
        clear = arc_cost - f[rows] - g[cols] < -(32 * EPS + 4 * network.cost.rounding) * scale
        _, _, mass, paid = network.plan()
        primal = float(as_floats(mass) @ paid)
        dual = float(self.a @ f + self.b @ feasible)
        gap = (primal - dual) / primal if primal > 0 else 0.0
        return rows[clear], cols[clear], gap

    def _asked(self, f: NDArray[np.float64], g: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The rows and the columns that have to be priced for the potentials f and g."""
        rows, cols = np.zeros(len(f), np.bool_), np.ones(len(g), np.bool_)
        if self._known is None:
            return rows, cols
        rise_f, rise_g = f - self._known[0], g - self._known[1]
        shift = float(np.median(np.concatenate([rise_f, -rise_g])))  # a constant that means nothing
        rows = (rise_f - shift > STALE * EPS * (np.abs(f) + abs(shift))) | self._more[0]
        cols = (rise_g + shift > STALE * EPS * (np.abs(g) + abs(shift))) | self._more[1]
        return rows, cols

    def _adjust_cap(self) -> bool:
        """Cap arcs that only hold the tree together, so that potentials stay as small as what is paid.

        Capped costs have the same optimal plan as long as no capped arc carries mass, and their potentials are
        feasible for the true costs too. Whether the cap was set or raised, so that the search has to go on.
        """
        network = self.network
        carries = network.carries
        true = network.true_costs[network.tree.arc]
        paid = float(np.max(true, where=carries, initial=0.0))
        if np.isinf(network.cap):
            joined = float(np.max(true, where=~carries & (network.tree.arc >= 0), initial=0.0))
            if joined <= WIDE_RATIO * paid or paid == 0:
                return False
            network.set_cap(4 * paid)
            return True
        if paid <= network.cap:
            return False
        network.set_cap(16 * network.cap)
        return True
