"""Column minima of |x_i - y_j|^p - f_i for sorted points in O((n + m) log m): the matrix is Monge.

Subtracting a number from each row keeps the Monge property, so the row of the minimum moves monotonically with the
column, and the minimum of a middle column splits the rest in two (Aggarwal et al. 1987, with one more logarithm).
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.line import power, two_sum

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
def ahead(x, f, i, k):
    """Whether x_i + f_i > x_k + f_k, in twice the working precision."""
    step, step_error = two_sum(x[i], -x[k])
    rise, rise_error = two_sum(f[i], -f[k])
    total, error = two_sum(step, rise)
    return total + (error + step_error + rise_error) > 0.0


@kernel
def nearest_minima(x, f, y, values, errors):
    """Lower ``values`` to the least (y_j - x_i) - f_i over rows with x_i <= y_j, for sorted x and y.

    The rows are parallel lines in y: one that is below another stays below.
    """
    best, i = -1, 0
    for j in range(y.size):
        while i < x.size and x[i] <= y[j]:
            if f[i] > -np.inf and (best < 0 or ahead(x, f, i, best)):
                best = i
            i += 1
        if best >= 0:
            cost = y[j] - x[best]
            if cost - f[best] < values[j]:
                values[j], errors[j] = cost - f[best], ROUNDING * (cost + abs(f[best]))


@kernel
def column_minima(x, f, y, p):
    """For each j the least |x_i - y_j|^p - f_i, and its rounding error. ``f`` may hold -inf: that row is left out."""
    m = y.size
    if p == 1.0:  # f has slope one wherever mass flows, so that whole ranges of rows tie: two sweeps instead
        values, errors = np.full(m, np.inf), np.zeros(m)
        nearest_minima(x, f, y, values, errors)
        nearest_minima(-x[::-1], f[::-1], -y[::-1], values[::-1], errors[::-1])
        return values, errors
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
