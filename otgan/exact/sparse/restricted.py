"""A transport problem restricted to a few arcs, with proven bounds on all the others.

An auction and shortest augmenting paths only ever lower the prices g, and that can only raise ``C_ij - g_j``. So when a
row is priced for its k best columns, the k-th value stays a lower bound for every column that it does not know. The row
need not be priced again before the best of its own arcs has risen above that bound (the look-back of Bus & Tvrdik
2009). ``min(row minimum, bound)`` is at all times a feasible f over *all* pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.metric import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.costs import PointCost
    from otgan.kernels.arcs import Arcs

__all__ = ["Restricted"]


class Restricted:
    """Arcs by row with room to grow, prices, and a bound for what is not among the arcs.

    Parameters
    ----------
    cost : PointCost
        n rows, m columns, both sides in an order that keeps neighbours together.
    g : (m,) ndarray of float64
        First prices; kept, and lowered in place.
    room : int
        Arcs that a row holds before it has to move.

    Attributes
    ----------
    bound : (n,) ndarray of float64
        Below ``C_ij - g_j`` for every arc (i, j) that is not known.
    queries : int
        Rows priced so far.
    """

    def __init__(self, cost: PointCost, g: NDArray[np.float64], room: int) -> None:
        n = cost.shape[0]
        self.cost, self.g = cost, g
        self.start = np.arange(n) * room
        self.count = np.zeros(n, np.int64)
        self.room = np.full(n, room)
        self.used = n * room
        self.col = np.empty(n * room, np.int64)
        self.arc_cost = np.empty(n * room)
        self.bound = np.full(n, -np.inf)
        self.queries = 0

    @property
    def arcs(self) -> Arcs:
        """The arcs as kernels take them."""
        from otgan.kernels.arcs import Arcs

        return Arcs(self.start, self.count, self.col, self.arc_cost)

    def add(self, rows: NDArray[Any], cols: NDArray[Any]) -> int:
        """Add those of the arcs that are not known; how many that were."""
        from otgan.kernels.arcs import add_arcs

        cost = self.cost
        points = cost.x, cost.y, METRICS[cost.metric].code, float(cost.p)
        self.col, self.arc_cost, self.used, added = add_arcs(
            self.arcs,
            self.room,
            self.used,
            np.ascontiguousarray(rows, np.int64),
            np.ascontiguousarray(cols, np.int64),
            *points,
        )
        return added

    def minima(self) -> NDArray[np.float64]:
        """The least ``C_ij - g_j`` on the arcs of each row."""
        from otgan.kernels.arcs import row_minima

        return row_minima(self.arcs, self.g)

    def price(self, stale: NDArray[np.bool_], k: int) -> int:
        """Find the k best columns of all those rows, add them, and renew the bounds; how many arcs were new."""
        n, m = self.cost.shape
        k = min(k, m)
        limit = np.where(stale, np.inf, -np.inf)
        cols, rows, values = self.cost.T.pricing.below(self.g, limit, k)
        last = np.full(n, -1)
        last[rows] = np.arange(len(rows))  # row by row, the best first: the last one stays
        priced = np.flatnonzero(stale)
        self.bound[priced] = values[last[priced]] if k < m else np.inf
        self.queries += len(priced)
        return self.add(rows, cols)

    def add_best_rows_per_column(self, f: NDArray[np.float64], k: int) -> int:
        """Give every column arcs to its k best rows under f; how many were new."""
        n, m = self.cost.shape
        rows, cols, _ = self.cost.pricing.below(f, np.full(m, np.inf), min(k, n))
        return self.add(rows, cols)
