"""Optimal transport between sorted points on the line, where the monotone plan is optimal for every p >= 1.

Which mass meets which is decided by differences of sums of masses, however small. Sums in twice the working precision
know their own error; where that is too large, the masses have to come as whole numbers (:mod:`otgan.kernels.wide`).
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.sort import sorted_values
from otgan.kernels.spanning import merge_masses
from otgan.kernels.twofold import two_product, two_sum
from otgan.kernels.wide import as_float

__all__ = [
    "counted_cost",
    "mass_total",
    "matched_cost",
    "matched_distance",
    "matched_distances",
    "merged_cost",
    "merged_distance",
    "merged_distances",
    "unsorted_distances",
    "whole_distance",
]

RENEWED = 256  # steps after which the low part of a sum is again below half an ulp of the high one
UNSURE = 2.0**-42  # share of the largest mass that low parts stay below in between, with room
DOUBT = 2.0**-96  # relative error of a difference in such a sum, with room
HALF_ULP = 2.0**-53
SIMILAR = 2.0**-46  # totals so close have a ratio whose difference from 1 is known to 2^-99 as a single float
RESOLVED = 1e-200  # sums below this may have lost powers to underflow


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
def matched_cost(x, y, p, length):
    """W_p^p between sorted x and y of one number of points, each with mass 1 / n; distances count in a ``length``."""
    total, error = 0.0, 0.0
    for i in range(x.size):
        total, e = two_sum(total, power(abs(x[i] - y[i]) / length, p))
        error += e
    return (total + error) / x.size


@kernel
def matched_distance(x, y, p):
    """W_p between sorted x and y of one length, each point with mass 1 / n.

    Distances are taken relative to the largest, so that no power of them leaves float64.
    """
    largest = 1.0 if p == 1.0 else np.abs(x - y).max()
    if p == np.inf or largest == 0.0:
        return largest
    return largest * root(matched_cost(x, y, p, largest), p)


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
def surveyed(masses):
    """The sum of masses as two floats, right to 2^-104; whether it is exact; the largest mass; whether one is zero."""
    total, error, third, exact = 0.0, 0.0, 0.0, True
    largest, least = 0.0, np.inf
    for mass in masses:
        total, e = two_sum(total, mass)
        error, e = two_sum(error, e)
        third += e
        exact &= e == 0.0
        largest, least = max(largest, mass), min(least, mass)
    total, error = two_sum(total, error + third)
    return (total, error), exact, largest, least == 0.0


@kernel
def ratio(above, below):
    """The quotient of two numbers that are sums of two floats, as such a number."""
    if above == below:
        return 1.0, 0.0
    high = above[0] / below[0]
    product, error = two_product(high, below[0])
    return high, ((above[0] - product) - error + above[1] - high * below[1]) / below[0]


@kernel
def times(masses, high, low):
    """Masses times a ratio, each as ``mass * (1 + share) + rest``: products, rests and share.

    Totals that differ by rounding only need no new array: ``rests`` is a single zero then.
    """
    share = (high - 1.0) + low
    if abs(share) <= SIMILAR:
        return masses, np.zeros(1), share
    products, rests = np.empty(masses.size), np.empty(masses.size)
    for j in range(masses.size):
        products[j], error = two_product(masses[j], high)
        rests[j] = error + masses[j] * low
    return products, rests, 0.0


@kernel
def crossing_sum(x, a, y, b, rests, share, total_a, exact):
    """W_1 of sorted points: the area between the distribution functions, and its error.

    Masses are positive and those of y are ``b (1 + share) + rests``; both sides have one total. What lies left of a
    place on one side and not on the other is a sum of three floats, so that for n points it is off by n 2^-104 times
    the most that it was so far; or not at all while two floats hold it, and ``exact`` says that the totals are the same
    without any rounding. Which side has the next point is as good as random, so there is no branch.

    Returns
    -------
    total, error : float
    """
    n, m = x.size, y.size
    i, j = 0, 0
    high, low, lowest, most = 0.0, 0.0, 0.0, 0.0
    total, error, inexact = 0.0, 0.0, 0.0
    last = min(x[0], y[0])
    while i < n or j < m:
        at_x, at_y = min(i, n - 1), min(j, m - 1)
        from_x = i < n and (j == m or x[at_x] <= y[at_y])
        place = x[at_x] if from_x else y[at_y]
        gap = place - last
        total, e = two_sum(total, abs(high + (low + lowest)) * gap)
        error += e
        inexact += 0.0 if exact else gap
        last = place
        high, e = two_sum(high, a[at_x] if from_x else -b[at_y])
        low, e = two_sum(low, e - (0.0 if from_x else b[at_y] * share + rests[min(at_y, rests.size - 1)]))
        lowest += e
        exact &= lowest == 0.0
        most = max(most, abs(high))
        i += from_x
        j += not from_x
    return total + error, inexact * (DOUBT * 2.0 * total_a + 2.0**-104 * (n + m) * most)


@kernel
def merged_sum(x, a, y, b, rests, share_b, p, scale, doubt, unsure):
    """Sum of mass * (distance / scale)^p over the monotone plan, in twice the working precision, and its error.

    Masses are positive and those of y are ``b (1 + share_b) + rests``; both sides have one total.

    What is left of a point is off by at most ``doubt``, and by less than ``unsure`` without its low part. Wherever the
    former may decide which point is used up first, the distances on both ways count with that mass. For p = inf the
    result is the farthest distance, and the error is infinite where that may not be decided.

    Which side is used up first is as good as random, so there is no branch that a processor would have to guess.

    Returns
    -------
    total, error : float
    """
    n, m = x.size, y.size
    i, j = 0, 0
    left_a, low_a = a[0], 0.0
    left_b, low_b = b[0], b[0] * share_b + rests[0]
    farthest, undecided = 0.0, False
    total, error, spread = 0.0, 0.0, 0.0
    while i < n and j < m:
        rest, e = two_sum(left_a, -left_b)
        low_rest = e + (low_a - low_b)
        next_i = rest <= 0.0
        if abs(rest) <= unsure:  # hardly ever, so that the next step need not wait for the low parts
            ahead = rest + low_rest
            next_i = ahead <= 0.0
            if abs(ahead) <= doubt and (i + 1 < n or j + 1 < m):
                undecided = True
                if p != np.inf:
                    spread += power(abs(x[min(i + 1, n - 1)] - y[j]) / scale, p)
                    spread += power(abs(x[i] - y[min(j + 1, m - 1)]) / scale, p)
        if (i + j) % RENEWED == 0:
            rest, low_rest = two_sum(rest, low_rest)
        next_i = (next_i and i + 1 < n) or j + 1 == m
        distance = abs(x[i] - y[j])
        if p == np.inf:
            farthest = max(farthest, distance)
        else:
            share = power(distance / scale, p)
            spread += share
            total, e = two_sum(total, min(left_a + low_a, left_b + low_b) * share)
            error += e
        i += next_i
        j += not next_i
        new_a, new_b = a[min(i, n - 1)], b[min(j, m - 1)]
        new_low = new_b * share_b + rests[min(j, rests.size - 1)]
        left_a, low_a = new_a if next_i else rest, 0.0 if next_i else low_rest
        left_b, low_b = -rest if next_i else new_b, -low_rest if next_i else new_low
    if p == np.inf:
        return farthest, np.inf if undecided else 0.0
    return total + error, 2.0 * doubt * spread


@kernel
def merged_cost(x, a, y, b, p, relative):
    """W_p^p between sorted points with masses that are not negative, for a total mass of ``sum(a)``; W_inf for p = inf.

    NaN where twice the working precision does not do: the masses have to be whole numbers then, see
    :func:`whole_distance`. Where ``relative``, distances are taken relative to the span of the data.

    Returns
    -------
    cost, length : float
        The cost, and the length that distances count in.
    """
    sum_a, exact_a, largest_a, zero_a = surveyed(a)
    sum_b, exact_b, largest_b, zero_b = surveyed(b)
    if zero_a:
        x, a = x[a > 0.0], a[a > 0.0]
    if zero_b:
        y, b = y[b > 0.0], b[b > 0.0]
    high, low = ratio(sum_a, sum_b)
    b, rests, share = times(b, high, low)
    length = 1.0
    if p == 1.0:
        total, error = crossing_sum(x, a, y, b, rests, share, sum_a[0], exact_a and exact_b and sum_a == sum_b)
    else:
        if relative and p != np.inf:
            length = max(x[-1] - y[0], y[-1] - x[0])
        if length <= 0.0:
            return 0.0, 1.0
        doubt = DOUBT * ((x.size + y.size) * max(largest_a, largest_b) + 2.0 * sum_a[0])
        unsure = doubt + UNSURE * max(largest_a, largest_b)
        total, error = merged_sum(x, a, y, b, rests, share, p, length, doubt, unsure)
    if error > HALF_ULP * total or 0.0 < length * total < RESOLVED or (total == 0.0 and p > 1.0):
        return np.nan, length
    return total, length


@kernel
def merged_distance(x, a, y, b, p):
    """W_p between such points, by :func:`merged_cost`: NaN where that is NaN."""
    total, length = merged_cost(x, a, y, b, p, True)
    return total if p == np.inf else length * root(total, p)


@kernel
def counted_sum(x, mass_x, y, mass_y, p, largest):
    """Sum of mass * (distance / largest)^p between points with equal masses, whole numbers held in floats.

    For p = inf the farthest distance. Nothing is rounded. Which side is used up first is as good as random, so there is
    no branch that a processor would have to guess.
    """
    i, j = 0, 0
    left_x, left_y = mass_x, mass_y
    farthest, total, error = 0.0, 0.0, 0.0
    while i < x.size and j < y.size:
        mass = min(left_x, left_y)
        distance = abs(x[i] - y[j])
        if p == np.inf:
            farthest = max(farthest, distance)
        else:
            total, e = two_sum(total, mass * power(distance / largest, p))
            error += e
        use_x, use_y = left_x <= left_y, left_y <= left_x
        left_x, left_y = mass_x if use_x else left_x - mass, mass_y if use_y else left_y - mass
        i += use_x
        j += use_y
    return farthest if p == np.inf else total + error


@kernel
def counted_cost(x, y, p, total):
    """W_p^p between sorted points of equal weights; ``total`` is the least common multiple of their numbers."""
    return counted_sum(x, float(total // x.size), y, float(total // y.size), p, 1.0) / total


@kernel
def counted_distance(x, y, p, total):
    """W_p between sorted points of equal weights; ``total`` is the least common multiple of their numbers."""
    masses = float(total // x.size), float(total // y.size)
    largest = 1.0 if p == 1.0 else counted_sum(x, masses[0], y, masses[1], np.inf, 1.0)
    if p == np.inf or largest == 0.0:
        return largest
    return largest * root(counted_sum(x, masses[0], y, masses[1], p, largest) / total, p)


@kernel
def counted_distances(x, y, p, total):
    """:func:`counted_distance` of each row of x (k, n) with each row of y (k, m)."""
    distances = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        distances[k] = counted_distance(x[k], y[k], p, total)
    return distances


@kernel
def merged_distances(x, a, y, b, p):
    """:func:`merged_distance` of each row of x and a, (k, n), with each row of y and b, (k, m)."""
    distances = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        distances[k] = merged_distance(x[k], a[k], y[k], b[k], p)
    return distances


@kernel
def whole_distance(x, a, y, b, p, unit):
    """W_p between sorted points whose masses are whole numbers, (n, k) and (m, k), that count in ``unit``.

    Distances are taken relative to the largest that is paid, so that no power of them leaves float64.
    """
    rows, cols, mass = merge_masses(a, b)
    largest = 0.0
    for k in range(rows.size):
        largest = max(largest, abs(x[rows[k]] - y[cols[k]]))
    if p == np.inf or largest == 0.0:
        return largest
    total, error = 0.0, 0.0
    for k in range(rows.size):
        total, e = two_sum(total, as_float(mass[k]) * power(abs(x[rows[k]] - y[cols[k]]) / largest, p))
        error += e
    return largest * root(unit * (total + error), p)
