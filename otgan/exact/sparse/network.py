"""A transport problem on a list of arcs, with a simplex basis that survives every change of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.kernels.simplex import Tree, simplex, tree_potentials
from otgan.kernels.spanning import spanning_tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.costs import Cost

    Indices = NDArray[np.intp]
    Places = NDArray[np.integer[Any]]  # indices of any width

__all__ = ["Network"]

MAX_REFRESHES = 10  # of the potentials in one solve
ARCS_AT_ONCE = 2**18  # whose costs are computed: coordinates of both ends take several times the room of what is kept


class Network:
    """Rows, columns and arcs, a feasible spanning tree, and its potentials.

    Parameters
    ----------
    cost : Cost
        n rows, m columns.
    rows, cols : (k,) ndarray
        Arcs; duplicates are dropped.
    plan : tuple of ndarray
        Rows, columns and masses (positive whole numbers, (k, digits)) of a feasible plan without cycles. Its arcs join
        the list.
    """

    def __init__(
        self, cost: Cost, rows: Places, cols: Places, plan: tuple[Indices, Indices, NDArray[np.int64]]
    ) -> None:
        self.cost = cost
        self.n, self.m = cost.shape
        self.cap = np.inf
        self.start = self.pivots = 0
        link_rows, link_cols = _links(self.n, self.m, *plan[:2])
        rows, cols = np.concatenate([rows, plan[0], link_rows]), np.concatenate([cols, plan[1], link_cols])
        keys = _unique(self._key(rows, cols))
        self.tails, self.heads, self.true_costs = self._arcs(keys)
        self.costs = self.true_costs
        self.tree = self._plant(plan, keys)
        self.potential = tree_potentials(self.tree, self.n)

    def _key(self, rows: Places, cols: Places) -> NDArray[np.int64]:
        key = cols.astype(np.int64)
        key *= self.n
        key += rows
        return key

    def _arcs(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Tails, heads and costs of the arcs of these keys."""
        tails, heads, costs = np.empty(len(keys), np.int32), np.empty(len(keys), np.int32), np.empty(len(keys))
        for start in range(0, len(keys), ARCS_AT_ONCE):
            part = slice(start, start + ARCS_AT_ONCE)
            cols, rows = np.divmod(keys[part], self.n)
            tails[part], heads[part], costs[part] = rows, cols + self.n, self.cost.entries(rows, cols)
        return tails, heads, costs

    def _plant(self, plan: tuple[Indices, Indices, NDArray[np.int64]], keys: NDArray[np.int64]) -> Tree:
        rows, cols, mass = plan
        arcs = np.searchsorted(keys, self._key(rows, cols)).astype(np.int32)
        first = np.searchsorted(self.heads, np.arange(self.n, self.n + self.m + 1))
        tails, heads = rows.astype(np.int32), (cols + self.n).astype(np.int32)
        return spanning_tree(self.n, self.m, tails, heads, mass, arcs, first, self.tails, self.costs)

    def solve(self, max_pivots: int) -> bool:
        """Go on from the present tree; whether it ended optimal for the list within the number of pivots."""
        for _ in range(MAX_REFRESHES):
            pivots, self.start = simplex(
                self.tree, self.potential, self.n, self.tails, self.heads, self.costs, self.start, max_pivots
            )
            self.pivots += pivots
            max_pivots -= pivots
            # Potentials were updated step by step: read them off the tree, and see whether the tree still is optimal.
            self.potential = tree_potentials(self.tree, self.n)
            if pivots == 0 or max_pivots <= 0:
                break
        return max_pivots > 0

    def append(self, rows: Indices, cols: Indices) -> None:
        """New arcs; they must not be in the list yet."""
        keys = _unique(self._key(rows, cols))
        tails, heads, costs = self._arcs(keys)
        self.tails, self.heads = np.concatenate([self.tails, tails]), np.concatenate([self.heads, heads])
        self.start = len(self.costs)  # the new arcs are looked at first
        self.true_costs = np.concatenate([self.true_costs, costs])
        self.costs = np.minimum(self.true_costs, self.cap)

    def prune(self, size: int) -> None:
        """Keep the tree's arcs and about ``size`` arcs of least reduced cost."""
        reduced = self.costs - self.potential[self.tails] - self.potential[self.heads]
        in_tree = self.tree.arc[self.tree.arc >= 0]
        reduced[in_tree] = -np.inf
        keep = reduced <= np.partition(reduced, min(size, len(reduced) - 1))[min(size, len(reduced) - 1)]
        place = np.cumsum(keep) - 1
        self.tree.arc[self.tree.arc >= 0] = place[in_tree]
        self.tails, self.heads = self.tails[keep], self.heads[keep]
        self.true_costs, self.costs = self.true_costs[keep], self.costs[keep]
        self.start = 0

    def set_cap(self, cap: float) -> None:
        """Let no arc cost more than ``cap``."""
        self.cap = cap
        self.costs = np.minimum(self.true_costs, cap)
        in_tree = self.tree.arc >= 0
        self.tree.cost[in_tree] = self.costs[self.tree.arc[in_tree]]
        self.potential = tree_potentials(self.tree, self.n)

    @property
    def carries(self) -> NDArray[np.bool_]:
        """Whether the tree arc of each node carries mass, (N,)."""
        return np.logical_or.reduce(self.tree.flow != 0, axis=1)

    @property
    def f(self) -> NDArray[np.float64]:
        """Potentials of the rows."""
        return self.potential[: self.n]

    @property
    def g(self) -> NDArray[np.float64]:
        """Potentials of the columns."""
        return self.potential[self.n :]

    def plan(self) -> tuple[Indices, Indices, NDArray[np.int64], NDArray[np.float64]]:
        """Rows, columns, masses (k, digits) and costs of the arcs with mass, in the order of rows, then columns."""
        node = np.flatnonzero(self.carries)
        arc = self.tree.arc[node]
        rows, cols = self.tails[arc].astype(np.intp), self.heads[arc].astype(np.intp) - self.n
        order = np.lexsort((cols, rows))
        return rows[order], cols[order], self.tree.flow[node][order], self.true_costs[arc][order]


def _unique(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Without duplicates; sorts ``keys`` in place."""
    keys.sort()
    first = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return keys[first]


def _links(n: int, m: int, rows: Indices, cols: Indices) -> tuple[Indices, Indices]:
    """Arcs by which every component of a plan reaches the one before it, so that a spanning tree exists."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    graph = sparse.coo_array((np.ones(len(rows), np.int8), (rows, cols + n)), shape=(n + m, n + m))
    count, label = connected_components(graph, directed=False)
    # Labels rise with the first row of a component; the first entry of a label is its first row or column.
    first_row = np.unique(label[:n], return_index=True)[1]
    first_col = np.unique(label[n:], return_index=True)[1]
    assert len(first_row) == len(first_col) == count
    return first_row[1:], first_col[:-1]
