"""For every target the rows with the least ``metric(x_i, y_j) ** p - f_i``, over all rows, by bounds on blocks.

Rows that follow each other should be neighbours in space: blocks of them get a box and a largest f, and a block whose
box is too far for its largest f is passed over. Targets that follow each other try the same block first.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.line import power

__all__ = ["CHEBYSHEV", "CITYBLOCK", "EUCLIDEAN", "k_smallest"]

EUCLIDEAN, CITYBLOCK, CHEBYSHEV = 0, 1, 2
BLOCK, GROUP = 16, 16


@kernel
def boxes(x, size):
    """Lower and upper corners, (blocks, d) each, of blocks of ``size`` rows of x (n, d)."""
    n, d = x.shape
    count = (n + size - 1) // size
    low, high = np.empty((count, d)), np.empty((count, d))
    for block in range(count):
        for k in range(d):
            part = x[block * size : (block + 1) * size, k]
            low[block, k], high[block, k] = part.min(), part.max()
    return low, high


@kernel
def largest_by_block(f, size):
    """Largest f of every block of ``size``."""
    count = (f.size + size - 1) // size
    largest = np.empty(count)
    for block in range(count):
        largest[block] = f[block * size : (block + 1) * size].max()
    return largest


@kernel
def k_smallest(x, f, y, limits, metric, p, count):
    """Values and rows, (m, count) each, in rising order, of what lies below ``limits`` (m,); row -1 where nothing."""
    m = y.shape[0]
    values, rows = np.empty((m, count)), np.full((m, count), -1, np.int64)
    low, high = boxes(x, BLOCK)
    big_low, big_high = boxes(x, BLOCK * GROUP)
    largest, big_largest = largest_by_block(f, BLOCK), largest_by_block(f, BLOCK * GROUP)
    best = 0
    for j in range(m):
        values[j] = limits[j]
        scan_block(x, f, y[j], metric, p, best, values[j], rows[j])
        for group in range(big_largest.size):
            if not reaches(big_low, big_high, big_largest, group, y[j], metric, p, values[j, count - 1]):
                continue
            for block in range(group * GROUP, min((group + 1) * GROUP, largest.size)):
                if block != best and reaches(low, high, largest, block, y[j], metric, p, values[j, count - 1]):
                    scan_block(x, f, y[j], metric, p, block, values[j], rows[j])
        if rows[j, 0] >= 0:
            best = rows[j, 0] // BLOCK
    return values, rows


@kernel
def reaches(low, high, largest, block, target, metric, p, worst):
    """Whether a block may hold a value below ``worst``; a few ulps make up for the rounding of its bound."""
    bound = box_cost(low[block], high[block], target, metric, p)
    return bound * (1 - 1e-14) - largest[block] < worst


@kernel
def scan_block(x, f, target, metric, p, block, values, rows):
    """Put the rows of a block where they belong in the sorted list of the best."""
    last = values.size - 1
    for i in range(block * BLOCK, min((block + 1) * BLOCK, x.shape[0])):
        value = pair_cost(x[i], target, metric, p) - f[i]
        if value < values[last]:
            k = last
            while k > 0 and value < values[k - 1]:
                values[k], rows[k] = values[k - 1], rows[k - 1]
                k -= 1
            values[k], rows[k] = value, i


@kernel
def pair_cost(u, v, metric, p):
    """``metric(u, v) ** p``."""
    total = 0.0
    for k in range(u.size):
        total = accumulate(total, abs(u[k] - v[k]), metric)
    return finish(total, metric, p)


@kernel
def box_cost(low, high, v, metric, p):
    """``metric ** p`` from v to the nearest point of a box."""
    total = 0.0
    for k in range(v.size):
        total = accumulate(total, max(low[k] - v[k], v[k] - high[k], 0.0), metric)
    return finish(total, metric, p)


@kernel
def accumulate(total, difference, metric):
    """Take one coordinate into a sum of squares, a sum, or a maximum."""
    if metric == EUCLIDEAN:
        return total + difference * difference
    if metric == CITYBLOCK:
        return total + difference
    return max(total, difference)


@kernel
def finish(total, metric, p):
    """The cost from what was accumulated."""
    if metric == EUCLIDEAN:
        return total if p == 2.0 else power(np.sqrt(total), p)
    return power(total, p)
