"""Transport between sorted points on a circle, where the one choice is how far the quantile functions are turned.

Unroll the circle: positions and masses go on for ever, one period and the whole mass further after each turn. Matching
in order, with the second side delayed by a mass ``theta``, costs C(theta), which is convex for p >= 1 and affine
between the meetings, the values of ``theta`` at which a point of x and a point of y end together (Delon, Salomon &
Sobolevskii 2010). So the optimum is at a meeting. Cut both sides there, and what is left is a problem on the line.

A cut is a pair (i, j): the line begins with points i and j of the unrolled sides, i % n and j % m after i // n and
j // m turns.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.line import MASS_EPS, NEGLIGIBLE, monotone_plan, power, root, two_sum
from otgan.kernels.select import weighted_median

__all__ = ["circle_distance", "circle_distances"]

MEETING_EPS = 8 * np.finfo(np.float64).eps  # share of the mass below which two meetings are one
SECTION = 0.4837  # near one half, but not where meetings of simple fractions are
PLAIN_POWER = 8.0  # up to here powers relative to the period hardly leave float64
DIGITS = 280.0  # decimal digits between the largest and the smallest power that float64 can hold


@kernel
def lifted_difference(x, y, shift):
    """``x + shift - y``, accurate even where ``shift`` cancels the rest."""
    s, e = two_sum(x, shift)
    return (s - y) + e


@kernel
def power_difference(distance, gap, p):
    """``|distance|^p - |distance - gap|^p`` for gap >= 0, without cancellation."""
    beyond = distance - gap
    if beyond >= 0.0:
        excess = gap
    elif distance <= 0.0:
        excess = -gap
    else:
        excess = distance + beyond
    if p == 1.0 or excess == 0.0:
        return excess
    if p == 2.0:
        return excess * (abs(distance) + abs(beyond))
    far = max(abs(distance), abs(beyond))
    return -np.sign(excess) * far**p * np.expm1(p * np.log1p(-min(1.0, abs(excess) / far)))


@kernel
def slope_at(theta, x, ends_a, y, ends_b, p, period, scale):
    """The slope of C, of distances relative to ``scale``, just left of ``theta``; and the two meetings around it.

    ``ends_a`` and ``ends_b`` are cumulated masses of one total. Where p is infinite, C is the farthest distance, and
    what stands for its slope, increasing as well, is how much farther any point goes to the left than to the right.

    Returns the slope; how far ``theta`` is beyond the last meeting, and the cut of that meeting; the same for the next.
    """
    n, m, mass = x.size, y.size, ends_a[-1]
    behind, ahead = np.inf, np.inf
    last_cut, next_cut = (0, 0), (0, 0)
    slope, error, to_left, to_right = 0.0, 0.0, -np.inf, -np.inf
    turns = np.floor(theta / mass)
    i = min(np.searchsorted(ends_a, theta - turns * mass), n - 1)
    for j in range(m):
        end = ends_b[j] + theta
        while True:  # through the points of x that share mass with point j, up to the one in which it ends
            rest = (ends_a[i] - end) + turns * mass
            away = lifted_difference(x[i], y[j], turns * period)
            if p == np.inf:
                to_left, to_right = max(to_left, away), max(to_right, -away)
            if rest >= 0.0:
                break
            if -rest < behind:
                behind, last_cut = -rest, (int(turns) * n + i + 1, j + 1)
            i += 1
            if i == n:
                i, turns = 0, turns + 1.0
        if rest < ahead:
            ahead, next_cut = rest, (int(turns) * n + i + 1, j + 1)
        if p != np.inf:
            gap = y[j + 1] - y[j] if j + 1 < m else lifted_difference(y[0], y[j], period)
            slope, e = two_sum(slope, power_difference(away / scale, gap / scale, p))
            error += e
    return (to_left - to_right if p == np.inf else slope + error), behind, last_cut, ahead, next_cut


@kernel
def cheapest_cuts(x, ends_a, y, ends_b, p, period, scale):
    """The last meeting before, and the first after, which C does not fall; at one of them it is least.

    Bisection on the slope, with a secant step wherever the last step was a good one. Every step ends at a meeting, so
    few points need few steps.
    """
    mass = ends_a[-1]
    low, high = -mass, mass
    low_cut, high_cut = (-x.size, 0), (x.size, 0)
    low_slope, high_slope = -np.inf, np.inf
    section = SECTION
    while high - low > MEETING_EPS * mass:
        width = high - low
        theta = low + section * width
        slope, behind, last_cut, ahead, next_cut = slope_at(theta, x, ends_a, y, ends_b, p, period, scale)
        if slope <= 0.0:
            low, low_cut, low_slope = theta + ahead, next_cut, slope
        if slope >= 0.0:
            high, high_cut, high_slope = theta - behind, last_cut, slope
        if not slope < 0.0 and not slope > 0.0:
            break
        section = SECTION
        if high - low <= 0.5 * width and -np.inf < low_slope and high_slope < np.inf:
            section = min(max(low_slope / (low_slope - high_slope), 0.02), 0.98)
    return low_cut, high_cut


@kernel
def median_cut(x, a, y, b, period):
    """Where to cut for p = 1 (Rabin, Delon & Gousseau 2011).

    What flows past a place is the difference of the cdfs less a constant, best their median over the circle. Nothing
    flows where the difference is at its median, so the circle may be cut there.
    """
    n, m = x.size, y.size
    flow, length = np.empty(n + m), np.empty(n + m)
    cut = np.empty(n + m, np.int64)
    i, j = 0, 0
    mass_a, error_a, mass_b, error_b = 0.0, 0.0, 0.0, 0.0
    for k in range(n + m):
        if j == m or (i < n and x[i] <= y[j]):
            at = x[i]
            mass_a, e = two_sum(mass_a, a[i])
            error_a += e
            i += 1
        else:
            at = y[j]
            mass_b, e = two_sum(mass_b, b[j])
            error_b += e
            j += 1
        if i < n or j < m:
            following = min(x[i] if i < n else np.inf, y[j] if j < m else np.inf)
            length[k] = following - at
        else:
            length[k] = lifted_difference(min(x[0], y[0]), at, period)
        flow[k] = (mass_a - mass_b) + (error_a - error_b)
        cut[k] = i
    median = weighted_median(flow.copy(), length)
    k = np.argmax(flow == median)
    return cut[k], k + 1 - cut[k]


@kernel
def cut_distance(x, a, y, b, p, period, unit, cut):
    """W_p of the line that begins at ``cut``, with masses that count in ``unit``."""
    n, m = x.size, y.size
    first_i, first_j = cut[0] % n, cut[1] % m
    turns = cut[0] // n - cut[1] // m
    a, b = np.concatenate((a[first_i:], a[:first_i])), np.concatenate((b[first_j:], b[:first_j]))
    rows, cols, mass = monotone_plan(a, b)
    eps = MASS_EPS * max(a.sum(), b.sum())
    largest = 0.0
    distance = np.empty(mass.size)
    for k in range(mass.size):
        i, j = first_i + rows[k], first_j + cols[k]
        shift = turns + (1 if i >= n else 0) - (1 if j >= m else 0)
        distance[k] = abs(lifted_difference(x[i % n], y[j % m], shift * period))
        if mass[k] > eps or mass[k] > NEGLIGIBLE * min(a[rows[k]], b[cols[k]]):
            largest = max(largest, distance[k])
    if p == np.inf or largest == 0.0:
        return largest
    total, error = 0.0, 0.0
    for k in range(mass.size):
        total, e = two_sum(total, mass[k] * power(distance[k] / largest, p))
        error += e
    return largest * root(unit * (total + error), p)


@kernel
def ends(masses):
    """Cumulated masses, each rounded once."""
    out = np.empty(masses.size)
    total, error = 0.0, 0.0
    for i in range(masses.size):
        total, e = two_sum(total, masses[i])
        error += e
        out[i] = total + error
    return out


@kernel
def searched_distance(x, a, y, b, p, period, unit, scale):
    """W_p by the search for the cheapest cut, with powers of distances relative to ``scale``."""
    ends_a, ends_b = ends(a), ends(b)
    ends_b[-1] = ends_a[-1]
    low, high = cheapest_cuts(x, ends_a, y, ends_b, p, period, scale)
    distance = cut_distance(x, a, y, b, p, period, unit, low)
    if low != high:
        distance = min(distance, cut_distance(x, a, y, b, p, period, unit, high))
    return distance


@kernel
def circle_distance(x, a, y, b, p, period, unit):
    """W_p between sorted points on the circle; NaN where the powers that decide leave float64."""
    x, a = x[a > 0.0], a[a > 0.0]
    y, b = y[b > 0.0], b[b > 0.0]
    if p == 1.0:
        return cut_distance(x, a, y, b, p, period, unit, median_cut(x, a, y, b, period))
    if p <= PLAIN_POWER or p == np.inf:
        distance = searched_distance(x, a, y, b, p, period, unit, period)
        if p == np.inf or -p * np.log10(distance / period) < 0.5 * DIGITS:
            return distance
    farthest = searched_distance(x, a, y, b, np.inf, period, unit, period)
    if farthest == 0.0:
        return 0.0
    if p * np.log10(period / farthest) > DIGITS:
        return np.nan
    return searched_distance(x, a, y, b, p, period, unit, farthest)


@kernel
def circle_distances(x, a, y, b, p, period, unit):
    """:func:`circle_distance` of each row of x and a, (k, n), with each row of y and b, (k, m)."""
    distances = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        distances[k] = circle_distance(x[k], a[k], y[k], b[k], p, period, unit)
    return distances
