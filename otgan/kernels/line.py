"""Transport between sorted points on the line, where the monotone plan is optimal for every p >= 1.

Masses that are whole numbers (held in float64) are matched without any rounding; :mod:`otgan.exact.line` passes
unweighted problems that way.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel

__all__ = ["matched_cost", "merged_cost", "monotone_plan", "staircase_potentials"]

# Below this share of the total, a remainder is the rounding of the weights and not a mass to move.
MASS_EPS = 8 * np.finfo(np.float64).eps


@kernel
def power(distance, p):
    """``distance ** p``, exact and fast for the two common orders."""
    if p == 1.0:
        return distance
    if p == 2.0:
        return distance * distance
    return distance**p


@kernel
def two_sum(a, b):
    """The rounded sum and its exact error (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@kernel
def matched_cost(x, y, p):
    """Sum of |x_i - y_i|^p over sorted x and y of one length, or the largest distance for p = inf."""
    largest = 0.0
    total, error = 0.0, 0.0
    for i in range(x.size):
        distance = abs(x[i] - y[i])
        largest = max(largest, distance)
        if p != np.inf:
            total, e = two_sum(total, power(distance, p))
            error += e
    return largest if p == np.inf else total + error


@kernel
def north_west(left_a, left_b, eps):
    """One step of the north-west corner rule: the mass to move, and which of the two points it uses up."""
    both = abs(left_a - left_b) <= eps
    return min(left_a, left_b), both or left_a <= left_b, both or left_b <= left_a


@kernel
def merged_cost(x, a, y, b, p):
    """Cost of the monotone plan between sorted weighted points, or its largest distance for p = inf."""
    eps = MASS_EPS * max(a.sum(), b.sum())
    i, j = 0, 0
    left_a, left_b = a[0], b[0]
    largest = 0.0
    total, error = 0.0, 0.0
    while i < x.size and j < y.size:
        mass, next_i, next_j = north_west(left_a, left_b, eps)
        distance = abs(x[i] - y[j])
        if mass > eps:
            largest = max(largest, distance)
        if p != np.inf:
            total, e = two_sum(total, mass * power(distance, p))
            error += e
        left_a -= mass
        left_b -= mass
        if next_i:
            i += 1
            left_a = a[i] if i < x.size else 0.0
        if next_j:
            j += 1
            left_b = b[j] if j < y.size else 0.0
    return largest if p == np.inf else total + error


@kernel
def monotone_plan(a, b):
    """The north-west corner plan of sorted points: rows, columns, masses, at most n + m - 1 arcs."""
    n, m = a.size, b.size
    eps = MASS_EPS * max(a.sum(), b.sum())
    rows = np.empty(n + m - 1, np.int64)
    cols = np.empty(n + m - 1, np.int64)
    mass = np.empty(n + m - 1, np.float64)
    i, j, k = 0, 0, 0
    left_a, left_b = a[0], b[0]
    while i < n and j < m:
        rows[k], cols[k] = i, j
        mass[k], next_i, next_j = north_west(left_a, left_b, eps)
        left_a -= mass[k]
        left_b -= mass[k]
        k += 1
        if next_i:
            i += 1
            left_a = a[i] if i < n else 0.0
        if next_j:
            j += 1
            left_b = b[j] if j < m else 0.0
    return rows[:k], cols[:k], mass[:k]


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
