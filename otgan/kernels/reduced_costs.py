"""Least reduced costs ``C_ij - g_j`` of rows, in SIMD lanes, and the prices g that solvers begin with."""

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

LANES = 8
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
    groups = min(n, LANES)
    prices, least, upper, nothing = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    for j in range(m):
        prices[j], upper[j], nothing[j] = 0.0, np.inf, 0.0
    for first in range(groups):
        for j in range(m):
            least[j] = np.inf
        for i in range(first, n, groups):
            near = mean_of_least(C[i], nothing)
            for j in range(m):
                least[j] = lesser(C[i, j], least[j])
                upper[j] = lesser(C[i, j] - near, upper[j])
        for j in range(m):
            prices[j] += least[j] / groups
    for j in range(m):
        prices[j] = 0.5 * (prices[j] + upper[j])
    return prices


@kernel
def mean_of_least(costs, g):
    """The mean of :func:`least_in_lanes`, of all where there are fewer columns than lanes."""
    if g.size < LANES:
        total = 0.0
        for j in range(g.size):
            total += costs[j] - g[j]
        return total / g.size
    m0, m1, m2, m3, m4, m5, m6, m7 = least_in_lanes(costs, g)
    return (((m0 + m1) + (m2 + m3)) + ((m4 + m5) + (m6 + m7))) / LANES


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
def least_difference(costs, g):
    """The least ``costs_j - g_j``."""
    if g.size < LANES:
        least = np.inf
        for j in range(g.size):
            least = lesser(costs[j] - g[j], least)
        return least
    m0, m1, m2, m3, m4, m5, m6, m7 = least_in_lanes(costs, g)
    return lesser(lesser(lesser(m0, m1), lesser(m2, m3)), lesser(lesser(m4, m5), lesser(m6, m7)))


@inlined
def least_in_lanes(costs, g):
    """The least ``costs_j - g_j`` of every eighth column, from each of the first eight on; the last eight count twice.

    Twice, since columns left over would have to be looked at one after the other.
    """
    e = g.size - LANES
    m0, m1, m2, m3 = costs[e] - g[e], costs[e + 1] - g[e + 1], costs[e + 2] - g[e + 2], costs[e + 3] - g[e + 3]
    m4, m5, m6, m7 = costs[e + 4] - g[e + 4], costs[e + 5] - g[e + 5], costs[e + 6] - g[e + 6], costs[e + 7] - g[e + 7]
    for j in range(0, e, LANES):
        m0, m1 = lesser(costs[j] - g[j], m0), lesser(costs[j + 1] - g[j + 1], m1)
        m2, m3 = lesser(costs[j + 2] - g[j + 2], m2), lesser(costs[j + 3] - g[j + 3], m3)
        m4, m5 = lesser(costs[j + 4] - g[j + 4], m4), lesser(costs[j + 5] - g[j + 5], m5)
        m6, m7 = lesser(costs[j + 6] - g[j + 6], m6), lesser(costs[j + 7] - g[j + 7], m7)
    return m0, m1, m2, m3, m4, m5, m6, m7


@inlined
def least_of(values):
    """The least value, as :func:`least_difference`."""
    if values.size < LANES:
        least = np.inf
        for value in values:
            least = lesser(value, least)
        return least
    e = values.size - LANES
    m0, m1, m2, m3 = values[e], values[e + 1], values[e + 2], values[e + 3]
    m4, m5, m6, m7 = values[e + 4], values[e + 5], values[e + 6], values[e + 7]
    for j in range(0, e, LANES):
        m0, m1 = lesser(values[j], m0), lesser(values[j + 1], m1)
        m2, m3 = lesser(values[j + 2], m2), lesser(values[j + 3], m3)
        m4, m5 = lesser(values[j + 4], m4), lesser(values[j + 5], m5)
        m6, m7 = lesser(values[j + 6], m6), lesser(values[j + 7], m7)
    return lesser(lesser(lesser(m0, m1), lesser(m2, m3)), lesser(lesser(m4, m5), lesser(m6, m7)))


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
