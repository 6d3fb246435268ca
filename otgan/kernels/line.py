"""Transport between sorted points on the line, where the monotone plan is optimal for every p >= 1.

Masses that are whole numbers (held in float64) are matched without any rounding; :mod:`otgan.exact.line` passes
unweighted problems that way.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.sort import sorted_values

__all__ = [
    "mass_total",
    "matched_distance",
    "matched_distances",
    "merged_distance",
    "merged_distances",
    "monotone_plan",
    "monotone_plans",
    "potentials_of_plans",
    "staircase_potentials",
    "unsorted_distances",
]

# Below this share of the total, a remainder is the rounding of the weights and not a mass to move.
MASS_EPS = 8 * np.finfo(np.float64).eps
NEGLIGIBLE = 1e-12  # share of its own mass that a point may lose to rounding


@kernel
def power(distance, p):
    """``distance ** p``, exact and fast for the two common orders."""
    if p == 1.0:
        return distance
    if p == 2.0:
        return distance * distance
    return distance**p


@kernel
def root(value, p):
    """``value ** (1 / p)``, the inverse of :func:`power`."""
    if p == 1.0:
        return value
    if p == 2.0:
        return np.sqrt(value)
    return value ** (1.0 / p)


@kernel
def two_sum(a, b):
    """The rounded sum and its exact error (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@kernel
def mass_total(masses):
    """The sum of masses, rounded once; NaN if one of them is negative or NaN."""
    total, error = 0.0, 0.0
    for mass in masses:
        if not mass >= 0.0:
            return np.nan
        total, e = two_sum(total, mass)
        error += e
    return total + error


@kernel
def matched_distance(x, y, p):
    """W_p between sorted x and y of one length, each point with mass 1 / n.

    Distances are taken relative to the largest, so that no power of them leaves float64.
    """
    largest = 1.0 if p == 1.0 else np.abs(x - y).max()
    if p == np.inf or largest == 0.0:
        return largest
    total, error = 0.0, 0.0
    for i in range(x.size):
        total, e = two_sum(total, power(abs(x[i] - y[i]) / largest, p))
        error += e
    return largest * root((total + error) / x.size, p)


@kernel
def matched_distances(x, y, p):
    """:func:`matched_distance` of each row of x and y, (k, n) both."""
    distances = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        distances[k] = matched_distance(x[k], y[k], p)
    return distances


@kernel
def unsorted_distances(x, y, p):
    """:func:`matched_distances` of rows in any order, each sorted while it is in the processor's cache."""
    distances = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        distances[k] = matched_distance(sorted_values(x[k]), sorted_values(y[k]), p)
    return distances


@kernel
def north_west(i, j, a, b, left_a, left_b, eps):
    """One step of the north-west corner rule, where left_a and left_b remain of the masses of points i and j.

    Gives the mass to move, and which of the two points it uses up: both, if what remains is the rounding of the sums
    so far (below ``eps``) and next to nothing of the point that it belongs to. No mass is lost to rounding: what
    remains goes along, and the last point of a side takes whatever comes.
    """
    last_i, last_j = i + 1 == a.size, j + 1 == b.size
    rest = abs(left_a - left_b)
    both = rest <= eps and rest <= NEGLIGIBLE * (a[i] if left_a > left_b else b[j])
    if both or (last_i and last_j):
        return max(left_a, left_b), True, True
    if last_j or (left_a <= left_b and not last_i):
        return left_a, True, False
    return left_b, False, True


@kernel
def merged_sum(x, a, y, b, p, largest, eps):
    """Sum of mass * (distance / largest)^p over the monotone plan; for p = inf the largest distance that is paid.

    Which side is used up first is as good as random, so the rule of :func:`north_west` is written without a branch
    that a processor would have to guess; the rare cases leave to the rule itself.
    """
    i, j = 0, 0
    left_a, left_b = a[0], b[0]
    farthest = 0.0
    total, error = 0.0, 0.0
    while i < x.size and j < y.size:
        rest = left_a - left_b
        use_a = rest <= 0.0
        next_i, next_j = use_a, not use_a
        mass = min(left_a, left_b)
        if abs(rest) <= eps or i + 1 == a.size or j + 1 == b.size:
            mass, next_i, next_j = north_west(i, j, a, b, left_a, left_b, eps)
        distance = abs(x[i] - y[j])
        if p != np.inf:
            total, e = two_sum(total, mass * power(distance / largest, p))
            error += e
        elif mass > eps or mass > NEGLIGIBLE * min(a[i], b[j]):
            farthest = max(farthest, distance)
        i += next_i
        j += next_j
        new_a, new_b = a[min(i, a.size - 1)], b[min(j, b.size - 1)]
        left_a = new_a if next_i else left_a - mass
        left_b = new_b if next_j else left_b - mass
    return farthest if p == np.inf else total + error


@kernel
def merged_distance(x, a, y, b, p, unit):
    """W_p between sorted points with masses that count in ``unit``, relative to the largest distance paid."""
    eps = MASS_EPS * max(a.sum(), b.sum())
    largest = 1.0 if p == 1.0 else merged_sum(x, a, y, b, np.inf, 1.0, eps)
    if p == np.inf or largest == 0.0:
        return largest
    return largest * root(unit * merged_sum(x, a, y, b, p, largest, eps), p)


@kernel
def merged_distances(x, a, y, b, p, unit):
    """:func:`merged_distance` of each row of x and a, (k, n), with each row of y and b, (k, m)."""
    distances = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        distances[k] = merged_distance(x[k], a[k], y[k], b[k], p, unit)
    return distances


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
        mass[k], next_i, next_j = north_west(i, j, a, b, left_a, left_b, eps)
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
        rows[k, : i.size], cols[k, : i.size], mass[k, : i.size] = i, j, moved
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
