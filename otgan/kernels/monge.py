"""Column minima of |x_i - y_j|^p - f_i for sorted points in O((n + m) log m): the matrix is Monge.

Subtracting a number from each row keeps the Monge property, so the row of the minimum moves monotonically with the
column, and the minimum of a middle column splits the rest in two (Aggarwal et al. 1987, with one more logarithm).
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.line import power

__all__ = ["column_minima"]

ROUNDING = 8 * np.finfo(np.float64).eps


@kernel
def column_minimum(x, f, target, p, low, high):
    """The least |x_i - target|^p - f_i over rows low to high, and the first and last row that may attain it.

    Rows whose values differ by less than their rounding cannot be told apart, and all count.
    """
    best, error = np.inf, 0.0
    for i in range(low, high + 1):
        cost = power(abs(x[i] - target), p)
        value = cost - f[i]
        if value < best:
            best, error = value, ROUNDING * (cost + abs(f[i]))
    first, last = high, low
    for i in range(low, high + 1):
        cost = power(abs(x[i] - target), p)
        if cost - f[i] <= best + error + ROUNDING * (cost + abs(f[i])):
            first, last = min(first, i), max(last, i)
    return best, error, first, last


@kernel
def column_minima(x, f, y, p):
    """For each j the least |x_i - y_j|^p - f_i, and its rounding error. ``f`` may hold -inf: that row is left out."""
    m = y.size
    values = np.empty(m, np.float64)
    errors = np.empty(m, np.float64)
    stack = np.empty((64 * 2 + 2, 4), np.int64)  # first and last column, first and last row
    stack[0] = np.array([0, m - 1, 0, x.size - 1])
    top = 1
    while top > 0:
        top -= 1
        left, right, low, high = stack[top]
        middle = (left + right) // 2
        values[middle], errors[middle], first, last = column_minimum(x, f, y[middle], p, low, high)
        if left < middle:
            stack[top] = np.array([left, middle - 1, low, last])
            top += 1
        if middle < right:
            stack[top] = np.array([middle + 1, right, first, high])
            top += 1
    return values, errors
