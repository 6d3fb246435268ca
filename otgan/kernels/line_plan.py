"""Monotone plans between sorted points on the line, and potentials that complement them."""

from __future__ import annotations

import numpy as np

from otgan.kernels.copies import copy_into
from otgan.kernels.jit import kernel
from otgan.kernels.line import power, ratio, surveyed, times
from otgan.kernels.twofold import two_sum

__all__ = ["monotone_plan", "monotone_plans", "potentials_of_plans", "staircase_potentials"]


@kernel
def difference(a, a_low, b, b_low):
    """``(a + a_low) - (b + b_low)`` as the sum of two floats."""
    s, e = two_sum(a, -b)
    e += a_low - b_low
    high = s + e
    return high, e - (high - s)


@kernel
def monotone_plan(a, b):
    """The north-west corner plan of sorted points: rows, columns, masses, at most n + m - 1 arcs.

    The total of ``b`` may differ from that of ``a``: it stands for ``b * sum(a) / sum(b)``. The masses are right to
    their last digits, or to 2^-100 of the total: gradients do not ask for more.
    """
    n, m = a.size, b.size
    high, low = ratio(surveyed(a)[0], surveyed(b)[0])
    b, rests, share = times(b, high, low)
    rows = np.empty(n + m - 1, np.int64)
    cols = np.empty(n + m - 1, np.int64)
    mass = np.empty(n + m - 1, np.float64)
    i, j, k = 0, 0, 0
    left_a, low_a = a[0], 0.0
    left_b, low_b = b[0], b[0] * share + rests[0]
    while i < n and j < m:
        rest, low_rest = difference(left_a, low_a, left_b, low_b)
        use_a = rest <= 0.0
        rows[k], cols[k], mass[k] = i, j, left_a if use_a else left_b
        k += 1
        if (use_a and i + 1 < n) or j + 1 == m:
            i += 1
            left_b, low_b = -rest, -low_rest
            left_a, low_a = (a[i] if i < n else 0.0), 0.0
        else:
            j += 1
            left_a, low_a = rest, low_rest
            left_b, low_b = (b[j], b[j] * share + rests[min(j, rests.size - 1)]) if j < m else (0.0, 0.0)
    return rows[:k], cols[:k], np.maximum(mass[:k], 0.0)


@kernel
def monotone_plans(a, b):
    """:func:`monotone_plan` of each row of a and b: rows, cols and mass, (k, n + m - 1), and how many arcs each has.

    What follows the arcs of a plan has no mass.
    """
    batch, arcs = a.shape[0], a.shape[1] + b.shape[1] - 1
    rows, cols = np.zeros((batch, arcs), np.int64), np.zeros((batch, arcs), np.int64)
    mass = np.zeros((batch, arcs))
    count = np.empty(batch, np.int64)
    for k in range(batch):
        i, j, moved = monotone_plan(a[k], b[k])
        count[k] = i.size
        copy_into(rows[k], i)
        copy_into(cols[k], j)
        copy_into(mass[k], moved)
    return rows, cols, mass, count


@kernel
def potentials_of_plans(x, y, rows, cols, count, p):
    """:func:`staircase_potentials` of each plan of :func:`monotone_plans`."""
    f, g = np.empty(x.shape), np.empty(y.shape)
    for k in range(x.shape[0]):
        arcs = count[k]
        f[k], g[k] = staircase_potentials(x[k], y[k], rows[k, :arcs], cols[k, :arcs], p)
    return f, g


@kernel
def staircase_potentials(x, y, rows, cols, p):
    """Potentials that complement the monotone plan with arcs (rows, cols) between sorted x and y.

    Arcs in a chain share a row or a column and fix each other. Where the chain breaks, the Monge property leaves an
    interval for the next potential; the value nearest to an even split keeps the potentials as small as the costs
    that are really paid, however far apart the clusters lie. Sums run in twice the working precision.
    """
    f, f_err = np.zeros(x.size), np.zeros(x.size)
    g, g_err = np.zeros(y.size), np.zeros(y.size)
    i, j = rows[0], cols[0]
    cost = power(abs(x[i] - y[j]), p)
    f[i] = 0.5 * cost
    g[j] = cost - f[i]
    for k in range(1, rows.size):
        last_i, last_j = i, j
        i, j = rows[k], cols[k]
        cost = power(abs(x[i] - y[j]), p)
        if i == last_i:
            g[j], e = two_sum(cost, -f[i])
            g_err[j] = e - f_err[i]
        elif j == last_j:
            f[i], e = two_sum(cost, -g[j])
            f_err[i] = e - g_err[j]
        else:
            high, high_err = two_sum(power(abs(x[i] - y[last_j]), p), -g[last_j])
            high_err -= g_err[last_j]
            low, low_err = two_sum(cost - power(abs(x[last_i] - y[j]), p), f[last_i])
            low_err += f_err[last_i]
            f[i] = 0.5 * cost
            if f[i] > high:
                f[i], f_err[i] = high, high_err
            elif f[i] < low:
                f[i], f_err[i] = low, low_err
            g[j], e = two_sum(cost, -f[i])
            g_err[j] = e - f_err[i]
    return f + f_err, g + g_err
