"""Column minima of the Monge matrix |x_i - y_j|^p - f_i for sorted points, in O((n + m) log m).

Subtracting a number from each row keeps the Monge property, so the row of the minimum moves monotonically with the
column, and the minimum of a middle column splits the rest in two (Aggarwal et al. 1987, with one more logarithm).

That holds for real numbers. A few rows beside each other that float64 cannot tell apart at the middle column all stay,
on both sides. Of many (all of them, where the two sides lie far apart) twice the precision finds the one that stays,
and what even that leaves open is charged to the columns that forget the others: for p >= 1 the difference between a row
and one to its right only grows along the columns, so a row that the middle column likes better by at most ``lost`` is
nowhere beyond it better by more.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels import twofold
from otgan.kernels.jit import kernel
from otgan.kernels.line import power
from otgan.kernels.twofold import TINIEST, precision, two_sum

__all__ = ["column_minima"]

FEW_ROWS = 32  # beside each other
ALIKE = 4.0  # times as large as that of the row with the smallest error the error may be
EPS = float(np.finfo(np.float64).eps)


@kernel
def rounding(p):
    """Relative error of |x_i - y_j|^p in float64, and of what is subtracted: (p + 3) / 2 ulps, with room."""
    return (p + 6.0) * EPS


@kernel
def column_minimum(x, f, target, p, low, high):
    """The least |x_i - target|^p - f_i over rows low to high.

    Returns the value, by how much it may be too high, the first and last row that have to stay, and how much better
    than those another row may be.
    """
    share = rounding(p)
    best, error = np.inf, 0.0
    for i in range(low, high + 1):
        cost = power(abs(x[i] - target), p)
        value = cost - f[i]
        if value < best:
            best, error = value, share * (cost + abs(f[i])) + TINIEST
    limit = best + error + TINIEST
    first, last = high, low
    for i in range(low, high + 1):
        cost = power(abs(x[i] - target), p)
        if cost - f[i] <= limit + share * (cost + abs(f[i])):
            first, last = min(first, i), max(last, i)
    if last - first < FEW_ROWS:
        floor, finest = np.inf, np.inf
        for i in range(first, last + 1):
            cost = power(abs(x[i] - target), p)
            doubt = share * (cost + abs(f[i])) + TINIEST
            floor, finest = min(floor, cost - f[i] - doubt), min(finest, doubt)
        if best - floor <= ALIKE * finest:
            return best, best - floor + TINIEST, first, last, 0.0
    return least_of_tied(x, f, target, p, first, last, limit)


@kernel
def least_of_tied(x, f, target, p, low, high, limit):
    """:func:`column_minimum`, in twice the precision, of the rows that may be as low as ``limit``."""
    share = rounding(p)
    best, best_rest, row, own = np.inf, 0.0, low, 0.0
    floor, floor_rest = np.inf, 0.0
    for i in range(low, high + 1):
        cost = power(abs(x[i] - target), p)
        if cost - f[i] <= limit + share * (cost + abs(f[i])):
            apart, apart_rest = two_sum(max(x[i], target), -min(x[i], target))
            exact, exact_rest = twofold.power(apart, apart_rest, p)
            value, rest = two_sum(exact, -f[i])
            value, rest = two_sum(value, rest + exact_rest)
            margin = precision(p) * (cost + abs(f[i])) + TINIEST
            if (value - best) + (rest - best_rest) < 0.0:
                best, best_rest, row, own = value, rest, i, margin
            if (value - floor) + (rest - margin - floor_rest) < 0.0:
                floor, floor_rest = value, rest - margin
    lost = (best - floor) + (best_rest - floor_rest) + own
    return best, EPS * abs(best) + lost, row, row, lost


@kernel
def ahead(x, f, i, k):
    """How much ``x_i + f_i`` is above ``x_k + f_k``, in twice the precision, and by how much that may be off."""
    step, step_error = two_sum(x[i], -x[k])
    rise, rise_error = two_sum(f[i], -f[k])
    total, error = two_sum(step, rise)
    return total + (error + step_error + rise_error), EPS * (abs(error) + abs(step_error) + abs(rise_error))


@kernel
def nearest_minima(x, f, y, values, floors):
    """Lower ``values`` to the least (y_j - x_i) - f_i over rows with x_i <= y_j, for sorted x and y.

    The rows are parallel lines in y: one that is below another stays below. ``floors`` are lowered to what the least
    certainly is not below.
    """
    best, i, lost = -1, 0, 0.0
    for j in range(y.size):
        while i < x.size and x[i] <= y[j]:
            if best < 0:
                best = i
            else:
                lead, doubt = ahead(x, f, i, best)
                lost += doubt if abs(lead) <= doubt else 0.0
                best = i if lead > 0.0 else best
            i += 1
        if best >= 0:
            cost, cost_rest = two_sum(y[j], -x[best])
            value, rest = two_sum(cost, -f[best])
            value += rest + cost_rest
            values[j] = min(values[j], value)
            floors[j] = min(floors[j], value - (2 * EPS * abs(value) + precision(1.0) * (cost + abs(f[best])) + lost))


@kernel
def column_minima(x, f, y, p):
    """For each j the least |x_i - y_j|^p - f_i, over sorted x and y and finite f, and by how much that may be too high.

    Without rows it is infinite.
    """
    m = y.size
    values, errors = np.full(m, np.inf), np.zeros(m)
    if x.size == 0:
        return values, errors
    if p == 1.0:  # f has slope one wherever mass flows, so that whole ranges of rows tie: two sweeps instead
        floors = np.full(m, np.inf)
        nearest_minima(x, f, y, values, floors)
        nearest_minima(-x[::-1], f[::-1], -y[::-1], values[::-1], floors[::-1])
        return values, values - floors
    stack = np.empty((64 * 2 + 2, 4), np.int64)  # first and last column, first and last row
    losses = np.empty(len(stack))  # and how much better rows may be that are left out
    push(stack, losses, 0, 0, m - 1, 0, x.size - 1, 0.0)
    top = 1
    while top > 0:
        top -= 1
        left, right, low, high, loss = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3], losses[top]
        middle = (left + right) // 2
        values[middle], error, first, last, lost = column_minimum(x, f, y[middle], p, low, high)
        errors[middle] = error + loss
        if left < middle:
            push(stack, losses, top, left, middle - 1, low, last, loss + lost)
            top += 1
        if middle < right:
            push(stack, losses, top, middle + 1, right, first, high, loss + lost)
            top += 1
    return values, errors


@kernel
def push(stack, losses, top, left, right, low, high, loss):
    """Note columns whose minima are left to find, and the rows where they are."""
    stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3], losses[top] = left, right, low, high, loss
