"""W_1 on a circle between sorted points: the area between the distribution functions less their median.

What flows past a place is the difference of the cdfs less a constant, best their median over the circle (Rabin, Delon
& Gousseau 2011). In twice the working precision, or of masses that are whole numbers where that does not do.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.copies import copy_into
from otgan.kernels.jit import kernel
from otgan.kernels.line import DOUBT, HALF_ULP, RESOLVED, ratio, surveyed, times
from otgan.kernels.select import weighted_median
from otgan.kernels.twofold import two_sum
from otgan.kernels.wide import BASE, as_float, is_less, subtract

__all__ = ["lifted_difference", "median_distance", "quick_median_distances"]


@kernel
def lifted_difference(x, y, shift):
    """``x + shift - y``, accurate even where ``shift`` cancels the rest."""
    s, e = two_sum(x, shift)
    return (s - y) + e


@kernel
def copy_at(out, x, i):
    """``out = x[i]`` for x (n, k) and out (k,), without a view of the row."""
    for d in range(out.size):
        out[d] = x[i, d]


@kernel
def abs_difference(x, i, y, difference):
    """``|x[i] - y|`` as a float, of x (n, k) and y (k,), with ``difference`` (k,) to work in."""
    if y.size == 1:
        return float(abs(x[i, 0] - y[0]))
    copy_at(difference, x, i)
    if is_less(difference, y):
        copy_into(difference, y)
        for d in range(y.size - 1, 0, -1):
            difference[d] -= x[i, d]
            if difference[d] < 0:
                difference[d] += BASE
                difference[d - 1] -= 1
        difference[0] -= x[i, 0]
    else:
        subtract(difference, y)
    return as_float(difference)


@kernel
def flows_between(x, ends_a, y, ends_b, period):
    """What flows past the place behind each point, but for one constant, and how far it is to the next point."""
    n, m, k = x.size, y.size, ends_a.shape[1]
    flows, length = np.empty((n + m, k), np.int64), np.empty(n + m)
    i, j = 0, 0
    for between in range(n + m):
        if j == m or (i < n and x[i] <= y[j]):
            at = x[i]
            i += 1
        else:
            at = y[j]
            j += 1
        if i < n or j < m:
            length[between] = min(x[i] if i < n else np.inf, y[j] if j < m else np.inf) - at
        else:
            length[between] = lifted_difference(min(x[0], y[0]), at, period)
        borrow = np.int64(0)
        for d in range(k - 1, -1, -1):
            digit = (ends_a[i - 1, d] if i > 0 else 0) - (ends_b[j - 1, d] if j > 0 else 0) - borrow
            borrow = np.int64(digit < 0 and d > 0)
            flows[between, d] = digit + BASE if borrow else digit
    return flows, length


@kernel
def median_distance(x, ends_a, y, ends_b, period):
    """W_1 (Rabin, Delon & Gousseau 2011).

    What flows past a place is the difference of the cdfs less a constant, best their median over the circle.
    """
    flows, length = flows_between(x, ends_a, y, ends_b, period)
    median = weighted_median(flows, length)
    difference = np.empty_like(median)
    total, error = 0.0, 0.0
    for between in range(length.size):
        total, e = two_sum(total, abs_difference(flows, between, median, difference) * length[between])
        error += e
    return (total + error) / as_float(ends_a[-1])


@kernel
def flows_in_two_floats(x, a, y, b, period):
    """:func:`flows_between` of masses in floats, (n + m, 2); the lengths; how far off a flow may be; and the mass."""
    sum_a, exact_a, _, _ = surveyed(a)
    sum_b, exact_b, _, _ = surveyed(b)
    exact = exact_a and exact_b and sum_a == sum_b  # while two floats hold a flow, too
    high, low = ratio(sum_a, sum_b)
    b, rests, share = times(b, high, low)
    n, m = x.size, y.size
    flows, length = np.empty((n + m, 2)), np.empty(n + m)
    i, j = 0, 0
    high, low, lowest, most = 0.0, 0.0, 0.0, 0.0
    at = 0.0
    for between in range(n + m):
        at_x, at_y = min(i, n - 1), min(j, m - 1)
        from_x = i < n and (j == m or x[at_x] <= y[at_y])
        at = x[at_x] if from_x else y[at_y]
        high, e = two_sum(high, a[at_x] if from_x else -b[at_y])
        low, e = two_sum(low, e - (0.0 if from_x else b[at_y] * share + rests[min(at_y, rests.size - 1)]))
        lowest += e
        flows[between, 0], flows[between, 1] = two_sum(high, low + lowest)
        most = max(most, abs(high))
        exact &= lowest == 0.0
        i += from_x
        j += not from_x
        following = min(x[i] if i < n else np.inf, y[j] if j < m else np.inf)
        length[between] = following - at
    length[n + m - 1] = lifted_difference(min(x[0], y[0]), at, period)
    doubt = 0.0 if exact else 2.0 * DOUBT * sum_a[0] + 2.0**-104 * (n + m) * most
    return flows, length, doubt, sum_a[0]


@kernel
def quick_median_distance(x, a, y, b, period):
    """:func:`median_distance` of masses in floats, for a total of one; NaN where twice the precision does not do."""
    flows, length, doubt, mass = flows_in_two_floats(x, a, y, b, period)
    median = weighted_median(flows, length)
    total, error = 0.0, 0.0
    for between in range(length.size):
        away = (flows[between, 0] - median[0]) + (flows[between, 1] - median[1])
        total, e = two_sum(total, abs(away) * length[between])
        error += e
    total += error
    if 2.0 * doubt * period > HALF_ULP * total or 0.0 < total < RESOLVED:
        return np.nan
    return total / mass


@kernel
def quick_median_distances(x, order_x, a, y, order_y, b, period):
    """:func:`quick_median_distance` of each row; ``a[order_x[k]]`` belongs to ``x[k]``."""
    distances = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        distances[k] = quick_median_distance(x[k], a[order_x[k]], y[k], b[order_y[k]], period)
    return distances
