"""Metrics in compiled code: one entry ``metric(x, y) ** p``, sums over coordinates, and lists of the best few.

All of them add the coordinates in their order and round at the same places, so that they agree to the last bit
whichever of them computes an entry, and in whatever order the pairs are visited.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.jit import kernel
from otgan.kernels.line import power

__all__ = [
    "CHEBYSHEV",
    "CITYBLOCK",
    "EUCLIDEAN",
    "Lists",
    "accumulate",
    "add_coordinates",
    "cost_of_sum",
    "entry",
    "gradient",
    "insert",
    "keep",
    "lower_limit",
    "price_tile",
    "sum_slots",
    "sums_to_costs",
]

EUCLIDEAN, CITYBLOCK, CHEBYSHEV = 0, 1, 2  # the codes of the metrics of otgan.metric


class Lists(NamedTuple):
    """The best K rows of each of m targets, sorted by value, then row; changed in place.

    Attributes
    ----------
    values : (m, K) ndarray of float64
    rows : (m, K) ndarray of int64
    """

    values: NDArray[np.float64]
    rows: NDArray[np.int64]


@kernel
def accumulate(total, u, metric):
    """The sum over coordinates (Euclidean: of squares; Chebyshev: the maximum) with one more difference u >= 0."""
    if metric == EUCLIDEAN:
        return total + u * u
    if metric == CITYBLOCK:
        return total + u
    return u if u > total else total


@kernel
def gradient(u, steep, total, metric):
    """What the coordinate of difference u has of the gradient of a cost, and the sum for the coordinates that follow.

    ``steep`` is the derivative of the cost by its sum (Euclidean: half of it, as that of squares is twice u).
    """
    if metric == EUCLIDEAN:
        return steep * u, total
    signed = steep if u > 0.0 else -steep
    if metric == CITYBLOCK:
        return signed, total
    largest = abs(u) == total  # one largest coordinate has the whole gradient
    return (signed if largest else 0.0), (-1.0 if largest else total)


@kernel
def cost_of_sum(total, metric, p):
    """The cost from the sum (Chebyshev: the maximum) over coordinates; squares for the Euclidean metric."""
    if metric == EUCLIDEAN:
        if p == 2.0:
            return total
        return power(np.sqrt(total), p)
    return power(total, p)


@kernel
def entry(x, i, y, j, metric, p):
    """``metric(x_i, y_j) ** p`` for points x (n, d) and y (m, d)."""
    total = 0.0
    for k in range(x.shape[1]):
        total = accumulate(total, abs(x[i, k] - y[j, k]), metric)
    return cost_of_sum(total, metric, p)


@kernel
def insert(value, row, values, rows):
    """Put (value, row) into a list sorted by value, then row, and drop the last; the caller knows that it fits."""
    k = rows.size - 1
    while k > 0 and (value < values[k - 1] or (value == values[k - 1] and row < rows[k - 1])):
        values[k], rows[k] = values[k - 1], rows[k - 1]
        k -= 1
    values[k], rows[k] = value, row


@kernel
def sums_to_costs(total, metric, p):
    """Turn sums over coordinates into costs, in place."""
    if metric == EUCLIDEAN and p == 2.0:
        return
    if metric == EUCLIDEAN:
        for t in range(total.size):
            total[t] = np.sqrt(total[t])
    if p == 2.0:
        for t in range(total.size):
            total[t] = total[t] * total[t]
    elif p != 1.0:
        for t in range(total.size):
            total[t] = total[t] ** p


@kernel
def sum_slots(points, leaf, target, metric, cost):
    """Sums over coordinates of the slots of a leaf for one target; ``points`` (leaves, d, slots).

    Two and three coordinates are written out, and no leaf is taken out of the array first: that takes a third of the
    time.
    """
    d = target.size
    if metric == EUCLIDEAN and d == 2:
        y0, y1 = target[0], target[1]
        for s in range(cost.size):
            u0, u1 = points[leaf, 0, s] - y0, points[leaf, 1, s] - y1
            cost[s] = u0 * u0 + u1 * u1
    elif metric == EUCLIDEAN and d == 3:
        y0, y1, y2 = target[0], target[1], target[2]
        for s in range(cost.size):
            u0, u1, u2 = points[leaf, 0, s] - y0, points[leaf, 1, s] - y1, points[leaf, 2, s] - y2
            cost[s] = (u0 * u0 + u1 * u1) + u2 * u2
    else:
        for s in range(cost.size):
            cost[s] = 0.0
        for k in range(d):
            y = target[k]
            for s in range(cost.size):
                cost[s] = accumulate(cost[s], abs(points[leaf, k, s] - y), metric)


@kernel
def price_tile(points, y, metric, cost):
    """Sums over coordinates for one target and a tile."""
    for s in range(cost.size):
        cost[s] = 0.0
    add_coordinates(points, y, metric, cost)


@kernel
def add_coordinates(points, y, metric, cost):
    """Add coordinates to the sums of a tile, four at a time, in their order.

    Written out, as four calls of :func:`accumulate` would take a third longer.
    """
    d = y.size
    whole = d - d % 4
    for k in range(0, whole, 4):
        y0, y1, y2, y3 = y[k], y[k + 1], y[k + 2], y[k + 3]
        for s in range(cost.size):
            u0, u1 = abs(points[k, s] - y0), abs(points[k + 1, s] - y1)
            u2, u3 = abs(points[k + 2, s] - y2), abs(points[k + 3, s] - y3)
            if metric == EUCLIDEAN:
                cost[s] = (((cost[s] + u0 * u0) + u1 * u1) + u2 * u2) + u3 * u3
            elif metric == CITYBLOCK:
                cost[s] = (((cost[s] + u0) + u1) + u2) + u3
            else:
                u0 = u0 if u0 > u1 else u1
                u2 = u2 if u2 > u3 else u3
                u0 = u0 if u0 > u2 else u2
                cost[s] = u0 if u0 > cost[s] else cost[s]
    for k in range(whole, d):
        for s in range(cost.size):
            cost[s] = accumulate(cost[s], abs(points[k, s] - y[k]), metric)


@kernel
def keep(cost, f, row, block, values, rows, j):
    """Insert the slots of a block (a leaf, a tile) into the list of target j where they fit; whether any did.

    ``f`` and ``row`` are (blocks, slots): with one axis the compiler could not see that no place is negative, and
    would compute them one by one.
    """
    last = rows.shape[1] - 1
    limit, some = values[j, last], False
    for s in range(cost.size):
        cost[s] -= f[block, s]
        some |= cost[s] <= limit
    if not some:
        return False
    changed = False
    for s in range(cost.size):
        value = cost[s]
        if value > limit:
            continue
        if value < values[j, last] or (value == values[j, last] and row[block, s] < rows[j, last]):
            insert(value, row[block, s], values[j], rows[j])
            limit, changed = values[j, last], True
    return changed


@kernel
def lower_limit(x, f, y, j, neighbour, metric, p, values, rows):
    """Lower the limit of target j to just above the worst of what the best rows of a neighbour are worth to it.

    These rows, or better ones, will be in its list. Only where nothing is in it yet.
    """
    last = rows.shape[1] - 1
    if rows[j, 0] >= 0 or rows[neighbour, last] < 0:
        return
    worst = -np.inf
    for k in range(last + 1):
        i = rows[neighbour, k]
        worst = max(worst, entry(x, i, y, j, metric, p) - f[i])
    worst = np.nextafter(worst, np.inf)
    if worst < values[j, last]:
        for k in range(last + 1):
            values[j, k] = worst
