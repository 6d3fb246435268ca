"""Least reduced costs ``C_ij - g_j`` of rows, in SIMD lanes, and the prices g that solvers begin with.

Compilers put minima of whole numbers into lanes, and leave those of floats one after the other, since NaN has no order:
so floats are compared as whole numbers that have their order, which takes a quarter of the time.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import inlined, kernel

__all__ = [
    "cheapest",
    "first_prices",
    "least_difference",
    "least_of",
    "least_reduced_cost",
    "lesser",
    "lower_columns",
    "place_of",
]

GROUPS = 8
WHOLE = np.int64(2**63 - 1)  # all bits but the sign
LOOK = 256  # columns that are compared before the first is looked for


@kernel
def lesser(a, b):
    """The minimum as one instruction: Python's and NumPy's own say more about NaN than it can."""
    return a if a < b else b


@kernel
def first_prices(C):
    """Prices of the columns (m,) that leave each row something cheap: between two bounds on optimal ones.

    The lower is what a column costs the rows that it is near to: its least costs in each of eight groups of rows, on
    average. The upper is the c-transform of the same for the rows.
    """
    n, m = C.shape
    groups = min(n, GROUPS)
    prices, least, upper, room = np.zeros(m), np.empty(m), np.full(m, np.inf), np.empty(GROUPS)
    for first in range(groups):
        for j in range(m):
            least[j] = np.inf
        for i in range(first, n, groups):
            near = mean_of_least(C[i], room)
            for j in range(m):
                least[j] = lesser(C[i, j], least[j])
                upper[j] = lesser(C[i, j] - near, upper[j])
        for j in range(m):
            prices[j] += least[j] / groups
    for j in range(m):
        prices[j] = 0.5 * (prices[j] + upper[j])
    return prices


@kernel
def mean_of_least(costs, least):
    """The mean of the least of every eighth cost, from each of the first eight on; ``least`` (8,) is room to work in.

    Of all costs where there are fewer.
    """
    whole, total = costs.size // GROUPS * GROUPS, 0.0
    for k in range(GROUPS):
        least[k] = np.inf
    for start in range(0, whole, GROUPS):
        for k in range(GROUPS):
            least[k] = lesser(costs[start + k], least[k])
    for j in range(whole, costs.size):
        least[j - whole] = lesser(costs[j], least[j - whole])
    groups = min(costs.size, GROUPS)
    for k in range(groups):
        total += least[k]
    return total / groups


@kernel
def cheapest(C, g, i):
    """The column of the least ``C_ij - g_j`` in row i."""
    return place_of(C[i], g, least_reduced_cost(C, g, i))


@kernel
def least_reduced_cost(C, g, i):
    """The least ``C_ij - g_j`` in row i."""
    return least_difference(C[i], g)


@kernel
def lower_columns(costs, f, minima):
    """``minima_j = min(minima_j, costs_j - f)``."""
    for j in range(minima.size):
        value = costs[j] - f
        minima[j] = value if value < minima[j] else minima[j]


@inlined
def ordered(bits):
    """The bits of a float as a whole number in the order of the floats, and such a number as bits."""
    return bits ^ ((bits >> 63) & WHOLE)


@inlined
def least_difference(costs, g):
    """The least ``costs_j - g_j``."""
    least = WHOLE
    for j in range(g.size):
        least = min(least, ordered(np.float64(costs[j] - g[j]).view(np.int64)))
    return np.int64(ordered(least)).view(np.float64)


@inlined
def least_of(values):
    """The least value."""
    least = WHOLE
    for bits in values.view(np.int64):
        least = min(least, ordered(bits))
    return np.int64(ordered(least)).view(np.float64)


@inlined
def place_of(costs, g, value):
    """The first column where ``costs_j - g_j`` is ``value``: all are compared, a block at a time, in SIMD lanes."""
    start, place = 0, LOOK
    while place == LOOK and start < g.size:
        part, prices = costs[start : start + LOOK], g[start : start + LOOK]
        for j in range(part.size):
            here = j if part[j] - prices[j] == value else LOOK
            place = here if here < place else place
        start += LOOK
    return min(start - LOOK + place, g.size - 1)
