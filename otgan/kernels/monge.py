"""Column minima of |x_i - y_j|^p - f_i for sorted points in O((n + m) log m): the matrix is Monge.

Subtracting a number from each row keeps the Monge property, so the row of the minimum moves monotonically with the
column, and the minimum of a middle column splits the rest in two (Aggarwal et al. 1987, without the last logarithm).
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.line import power

__all__ = ["column_minima"]


@kernel
def column_minima(x, f, y, p):
    """For each j the least |x_i - y_j|^p - f_i, and its row. ``f`` may hold -inf (row left out), not only -inf."""
    m = y.size
    values = np.empty(m, np.float64)
    argmin = np.empty(m, np.int64)
    stack = np.empty((64 * 2 + 2, 4), np.int64)  # first and last column, first and last row
    stack[0] = np.array([0, m - 1, 0, x.size - 1])
    top = 1
    while top > 0:
        top -= 1
        first, last, low, high = stack[top]
        middle = (first + last) // 2
        best, where = np.inf, low
        for i in range(low, high + 1):
            value = power(abs(x[i] - y[middle]), p) - f[i]
            if value < best:
                best, where = value, i
        values[middle], argmin[middle] = best, where
        if first < middle:
            stack[top] = np.array([first, middle - 1, low, where])
            top += 1
        if middle < last:
            stack[top] = np.array([middle + 1, last, where, high])
            top += 1
    return values, argmin
