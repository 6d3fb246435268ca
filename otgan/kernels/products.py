"""Euclidean costs in high dimension from the scalar products of the points, as bounds from below.

A matrix product takes a third of the time that the squares of all differences take, but loses digits where points are
nearer to each other than to the origin. So costs are lowered by all that may have been lost. The dual of lower costs is
a bound from below on the true one; what a plan costs is computed from differences, for its few pairs.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import any_order, kernel
from otgan.kernels.metric import EUCLIDEAN, cost_of_sum, sums_to_costs

__all__ = ["least_costs", "plan_costs"]

EPS = 2.0**-52
UNDERFLOW = 2.0**-960  # more than products may lose to it in any dimension
LOST = 1e-10  # of the squared distances, on average: where more is lost, bounds would hardly meet


@kernel
def least_costs(products, x, y, p):
    """Lower bounds (n, m) on the p-th powers of distances, p = 1 or 2, and whether they are close.

    ``products`` (n, m) are those of all x_i and y_j. A sum of d products, in whatever order, is off by at most ``d u /
    (1 - d u)`` of the sum of their sizes, u = EPS / 2 (Higham 2002, section 3.1), and that of scalar products at most
    ``(|x|^2 + |y|^2) / 2``. So ``|x|^2 + |y|^2 - 2 x.y`` is off by less than ``(d + 8) EPS (|x|^2 + |y|^2)``, all
    roundings counted.
    """
    (n, d), m = x.shape, y.shape[0]
    C, norms, error = np.empty((n, m)), np.empty(m), (d + 8) * EPS
    squares = lost = 0.0
    for j in range(m):
        norms[j] = square(y, j)
    for i in range(n):
        norm = square(x, i)
        for j in range(m):
            size = norm + norms[j]
            least = size - 2.0 * products[i, j] - (error * size + UNDERFLOW)
            C[i, j] = 0.0 if least < 0.0 else least  # NaN stays
        for j in range(m):
            squares += C[i, j]
            lost += norm + norms[j]
        sums_to_costs(C[i], EUCLIDEAN, p)
        for j in range(m):
            C[i, j] *= 1.0 - 2 * EPS  # the last difference and the root are rounded
    return C, error * lost <= LOST * squares


@kernel
def plan_costs(C, x, y, rows, cols, p):
    """Put the costs of a plan's pairs into C, from their differences."""
    for k in range(rows.size):
        C[rows[k], cols[k]] = cost_of_sum(squared_distance(x, rows[k], y, cols[k]), EUCLIDEAN, p)


@any_order
def square(x, i):
    """``|x_i|^2``."""
    total = 0.0
    for k in range(x.shape[1]):
        total += x[i, k] * x[i, k]
    return total


@any_order
def squared_distance(x, i, y, j):
    """``|x_i - y_j|^2``."""
    total = 0.0
    for k in range(x.shape[1]):
        u = x[i, k] - y[j, k]
        total += u * u
    return total
