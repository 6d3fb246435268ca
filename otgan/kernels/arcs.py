"""Adjacency lists of a restricted problem, in one pool with room to grow in place.

Row i owns ``col[start[i] : start[i] + count[i]]`` and the costs beside it, with room for ``room[i]``. A row that is
full moves to the end of the pool with twice the room; what it leaves behind is at most as much as it has then.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.copies import copy_into
from otgan.kernels.jit import kernel
from otgan.kernels.metric import entry

__all__ = ["Arcs", "Matching", "add_arcs", "best_two", "release", "row_minima"]


class Arcs(NamedTuple):
    """The arcs of n rows in one pool.

    Attributes
    ----------
    start, degree : (n,) ndarray of int64
        Where those of each row begin, and how many they are.
    col : (k,) ndarray of int64
    cost : (k,) ndarray of float64
    """

    start: NDArray[np.int64]
    degree: NDArray[np.int64]
    col: NDArray[np.int64]
    cost: NDArray[np.float64]


class Matching(NamedTuple):
    """A partial matching of rows and columns along arcs, changed in place.

    Attributes
    ----------
    match : (n,) ndarray of int64
        Place of the matched arc among those of its row, -1 for none.
    row_of : (m,) ndarray of int64
        Matched row of each column, -1 for none.
    """

    match: NDArray[np.int64]
    row_of: NDArray[np.int64]


@kernel
def grown(array, size):
    """A longer copy of ``array``."""
    longer = np.empty(size, array.dtype)
    copy_into(longer, array)
    return longer


@kernel
def holds(start, count, col, i, j):
    """Whether row i has an arc to column j."""
    for t in range(start[i], start[i] + count[i]):  # noqa: SIM110 (compiled)
        if col[t] == j:
            return True
    return False


@kernel
def add_arcs(arcs, room, used, rows, cols, x, y, metric, p):
    """Add arcs that are not there yet; those with a negative column are left out.

    Returns
    -------
    col, cost : ndarray
        The pool, a new one if it had to grow.
    used, added : int
    """
    start, count, col, cost = arcs
    added = 0
    for k in range(rows.size):
        i, j = rows[k], cols[k]
        if j < 0 or holds(start, count, col, i, j):
            continue
        size = count[i]
        if size == room[i]:
            wider = max(8, 2 * size)
            if used + wider > col.size:
                col = grown(col, 3 * (used + wider) // 2)
                cost = grown(cost, col.size)
            first = start[i]
            copy_into(col[used:], col[first : first + size])
            copy_into(cost[used:], cost[first : first + size])
            start[i], room[i] = used, wider
            used += wider
        t = start[i] + size
        col[t], cost[t] = j, entry(x, i, y, j, metric, p)
        count[i] = size + 1
        added += 1
    return col, cost, used, added


@kernel
def best_two(arcs, g, i):
    """Place in the pool of the arc of row i with the least ``C_ij - g_j``, that value, and the second least."""
    start, count, col, cost = arcs
    best, second, place = np.inf, np.inf, -1
    for t in range(start[i], start[i] + count[i]):
        value = cost[t] - g[col[t]]
        if value < best:
            best, second, place = value, best, t
        elif value < second:
            second = value
    return place, best, second


@kernel
def row_minima(arcs, g):
    """The least ``C_ij - g_j`` on the arcs of each row."""
    f = np.empty(arcs.start.size)
    for i in range(f.size):
        f[i] = best_two(arcs, g, i)[1]
    return f


@kernel
def release(arcs, f, g, matching, slack):
    """Unmatch the rows whose matched arc lies more than slack above f; returns all free rows."""
    (start, _, col, cost), (match, row_of) = arcs, matching
    free = np.empty(start.size, np.int64)
    size = 0
    for i in range(start.size):
        if match[i] >= 0:
            t = start[i] + match[i]
            if cost[t] - g[col[t]] - f[i] > slack:
                row_of[col[t]] = -1
                match[i] = -1
        if match[i] < 0:
            free[size] = i
            size += 1
    return free[:size]
