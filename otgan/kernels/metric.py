"""One entry ``metric(x, y) ** p`` and the list of the best few: what every kernel that prices pairs shares.

All of them add the coordinates in their order and round at the same places, so that they agree to the last bit
whichever of them computes an entry, and in whatever order the pairs are visited.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.line import power

__all__ = [
    "CHEBYSHEV",
    "CITYBLOCK",
    "EUCLIDEAN",
    "cost_of_sum",
    "entry",
    "insert",
    "keep",
    "price_slots",
    "sums_to_costs",
]

EUCLIDEAN, CITYBLOCK, CHEBYSHEV = 0, 1, 2


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
        difference = x[i, k] - y[j, k]
        if metric == EUCLIDEAN:
            total += difference * difference
        elif metric == CITYBLOCK:
            total += abs(difference)
        else:
            total = max(total, abs(difference))
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
def price_slots(points, target, metric, p, cost):
    """Entries of the slots of a leaf for one target."""
    for s in range(cost.size):
        cost[s] = 0.0
    for k in range(target.size):
        y = target[k]
        for s in range(cost.size):
            difference = abs(points[k, s] - y)
            if metric == EUCLIDEAN:
                cost[s] += difference * difference
            elif metric == CITYBLOCK:
                cost[s] += difference
            else:
                cost[s] = difference if difference > cost[s] else cost[s]
    sums_to_costs(cost, metric, p)


@kernel
def keep(cost, f, row, first, values, rows):
    """Insert the slots of a leaf into the list of a target where they fit; whether any did."""
    last = rows.size - 1
    for s in range(cost.size):
        cost[s] -= f[first + s]
    some = False
    for s in range(cost.size):
        some |= cost[s] <= values[last]
    if not some:
        return False
    changed = False
    for s in range(cost.size):
        if cost[s] < values[last] or (cost[s] == values[last] and row[first + s] < rows[last]):
            insert(cost[s], row[first + s], values, rows)
            changed = True
    return changed
