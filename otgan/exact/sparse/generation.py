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
WIDE_RATIO = 1e3  # arcs without mass this much dearer than those with mass are capped


def solve_on_arcs(network: Network, progress: Progress) -> bool:
    """Make a network optimal for its list of arcs; whether the number of pivots allowed it."""
    limit = PIVOTS_PER_NODE * (network.n + network.m)
    while not progress.interrupted and network.pivots < limit:
        if network.solve(min(PIVOTS_PER_LOOK, limit - network.pivots)):
            return True
    return False


def violated(
    cost: Cost, f: NDArray[np.float64], g: NDArray[np.float64]
) -> tuple[Indices, Indices, NDArray[np.float64]]:
    """The most violated arcs of every column, as rows and columns, and prices that are feasible with f."""
    rows, cols, values = cost.pricing.below(f, g, NEW_ARCS_PER_POINT)
    feasible = g.copy()
    np.minimum.at(feasible, cols, values)
    return rows, cols, feasible


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
        self._by_column = True

    def run(self, wanted: float) -> bool:
        """Rounds until the estimated gap is at most ``wanted``, or nothing is violated; whether the budgets lasted."""
        network = self.network
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
                continue
            if len(network.costs) > ARCS_PER_NODE * (network.n + network.m):
                network.prune(ARCS_PER_NODE // 2 * (network.n + network.m))
            network.append(rows, cols)
        return False

    def _price(self) -> tuple[Indices, Indices, float]:
        """The most violated arcs of every column, in the next round of every row, and the gap that they leave open.

        One side finds out whether there are any. Both sides in each round take a fifth longer.
        """
        network, by_column = self.network, self._by_column
        f, g = network.f, network.g
        if by_column:
            rows, cols, feasible = violated(network.cost, f, g)
        else:
            cols, rows, feasible = violated(network.cost.T, g, f)
        self._by_column = not by_column
        # What the simplex and the pricing may see differently is rounding, and would join the list in every round.
        arc_cost = network.cost.entries(rows, cols)
        scale = arc_cost + np.abs(f[rows]) + np.abs(g[cols])
        clear = arc_cost - f[rows] - g[cols] < -(32 * EPS + 4 * network.cost.rounding) * scale
        _, _, mass, paid = network.plan()
        primal = float(as_floats(mass) @ paid)
        dual = float(self.a @ f + self.b @ feasible) if by_column else float(self.a @ feasible + self.b @ g)
        gap = (primal - dual) / primal if primal > 0 else 0.0
        return rows[clear], cols[clear], gap

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
