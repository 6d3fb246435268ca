"""Optimal transport on a circle between sorted points, where the one choice is by how much mass one side is turned.

Unroll the circle: positions and masses go on for ever, one period and the whole mass further after each turn. Matching
in order, with the second side delayed by a mass ``theta``, costs C(theta), which is convex for p >= 1 and affine
between the meetings, the values of ``theta`` at which a point of x and a point of y end together (Delon, Salomon &
Sobolevskii 2010). So the optimum is at a meeting. Cut both sides there, and what is left is a problem on the line.

A cut is a pair (i, j): the line begins with points i and j of the unrolled sides, i % n and j % m after i // n and
j // m turns.

Masses are whole numbers (:mod:`otgan.kernels.wide`), so are their sums, the meetings and ``theta``, and nothing that
is compared is rounded. Only the slope of C is, and there it does no harm: C(theta) is an integral, over pairs of places
u < v, of c''(v - u) times the mass that crosses both, so a sum of functions max(0, theta - h) and max(0, h - theta)
with weights that are not negative. A slope that vanishes up to rounding has as much weight W on either side, so on
the way to the optimum, ``far`` away, C can fall by rounding * W * far, but not below W * far.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.circle_median import copy_at, lifted_difference, median_distance
from otgan.kernels.copies import copy_into
from otgan.kernels.jit import kernel
from otgan.kernels.line import power, root
from otgan.kernels.twofold import two_sum
from otgan.kernels.wide import (
    BASE,
    BITS,
    add,
    as_float,
    compare,
    is_less,
    is_positive,
    subtract,
)

__all__ = ["circle_distance", "circle_distances", "ordered_circle_distances"]

SECTION = 0.4837  # share of the interval where it is cut: near one half, but not where meetings of simple fractions are
HEADROOM = 64.0  # the scale of the powers leaves room for distances up to 1 + HEADROOM / p times as long
FEW_DIGITS = 8  # that a float can span twice
SLIVER = 2.0 ** (-BITS * (FEW_DIGITS - 1))  # with a mass from here on, the first FEW_DIGITS digits are needed
FURTHEST = np.iinfo(np.int64).max // 2  # above every difference of two leading digits that matters


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
def cumulated(masses):
    """Sums of the masses (n, k) up to each."""
    ends = masses.copy()
    for i in range(1, ends.shape[0]):
        carry = np.int64(0)
        for d in range(ends.shape[1] - 1, 0, -1):
            digit = ends[i, d] + ends[i - 1, d] + carry
            carry = np.int64(digit >= BASE)
            ends[i, d] = digit - BASE if carry else digit
        ends[i, 0] += ends[i - 1, 0] + carry
    return ends


@kernel
def spare_bits(total):
    """By how many bits masses of this total can be shifted until it fills the first digit."""
    bits = 0
    while total[0] << bits < BASE >> 1:
        bits += 1
    return bits


@kernel
def shift(masses, bits):
    """``masses *= 2^bits`` for masses (n, k), where that fits into the digits."""
    up, down, last = np.int64(bits), np.int64(BITS - bits), masses.shape[1] - 1
    for i in range(masses.shape[0]):
        for d in range(last):
            masses[i, d] = ((masses[i, d] << up) & (BASE - 1)) | (masses[i, d + 1] >> down)
        masses[i, last] = (masses[i, last] << up) & (BASE - 1)


@kernel
def set_rest(rest, ends_a, i, ends_b, j, theta):
    """``rest = ends_a[i] - ends_b[j] - theta``."""
    borrow = np.int64(0)
    for d in range(rest.size - 1, 0, -1):
        digit = ends_a[i, d] - ends_b[j, d] - theta[d] - borrow
        borrow = np.int64(0)
        while digit < 0:
            digit += BASE
            borrow += 1
        rest[d] = digit
    rest[0] = ends_a[i, 0] - ends_b[j, 0] - theta[0] - borrow


@kernel
def first_end(ends, mass):
    """The first of the increasing ends (n, k) that is no less than ``mass``."""
    low, high = 0, ends.shape[0] - 1
    while low < high:
        middle = (low + high) // 2
        if is_less(ends[middle], mass):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def slope_at(theta, x, ends_a, y, ends_b, p, period, behind, ahead):
    """The slope of C just left of ``theta``, of distances in a unit of its own; and the two meetings around it.

    Where p is infinite, C is the farthest distance, and what stands for its slope, increasing as well, is how much
    farther any point goes to the left than to the right.

    Leading digits tell most masses apart. The difference of three numbers is less than the difference of their
    leading digits by no more than two, and not more than one above it.

    Returns the slope, the unit, and the cut of the next meeting, at the latest at ``theta`` itself. Sets ``ahead`` to
    where that is, seen from ``theta``, and ``behind`` to where the last one before ``theta`` is.
    """
    n, m, whole = x.size, y.size, theta.size == 1
    slack = 0 if whole else 3
    last, next_, next_cut = -FURTHEST, FURTHEST, (0, 0)
    rest, start, turn = np.empty_like(theta), theta.copy(), 0
    if not is_positive(theta):
        add(start, ends_a[n - 1])
        turn = -1
    i, start_lead = first_end(ends_a, start), start[0]
    slope, error, scale, to_left, to_right = 0.0, 0.0, 0.0, -np.inf, -np.inf
    for j in range(m):
        lead_b = ends_b[j, 0]
        while True:  # through the points of x that share mass with point j, up to the one in which it ends
            lead = ends_a[i, 0] - lead_b - start_lead
            ended = lead >= 0
            if not whole and 0 <= lead < 2:
                set_rest(rest, ends_a, i, ends_b, j, start)
                ended = rest[0] >= 0
            away = lifted_difference(x[i], y[j], turn * period)
            if p == np.inf:
                to_left, to_right = max(to_left, away), max(to_right, -away)
            if ended:
                break
            if lead > last - slack:
                set_rest(rest, ends_a, i, ends_b, j, start)
                if last == -FURTHEST or is_less(behind, rest):
                    copy_into(behind, rest)
                    last = lead
            i += 1
            if i == n:
                i, turn = 0, turn + 1
                subtract(start, ends_a[n - 1])
                start_lead = start[0]
        if lead < next_ + slack:
            set_rest(rest, ends_a, i, ends_b, j, start)
            if next_ == FURTHEST or is_less(rest, ahead):
                copy_into(ahead, rest)
                next_, next_cut = lead, (turn * n + i + 1, j + 1)
        if p != np.inf:
            gap = y[j + 1] - y[j] if j + 1 < m else lifted_difference(y[0], y[j], period)
            far = max(abs(away), abs(away - gap))
            if far > scale:
                far *= 1.0 + min(1.0, HEADROOM / p)
                shrink = power(scale / far, p)
                slope, error, scale = slope * shrink, error * shrink, far
            if far > 0.0:
                slope, e = two_sum(slope, power_difference(away / scale, gap / scale, p))
                error += e
    return (to_left - to_right if p == np.inf else slope + error), scale, next_cut


@kernel
def set_between(theta, low, high, section):
    """Set ``theta`` to about this share of the way from low to high, beyond the one and at most at the other."""
    width = high.copy()
    subtract(width, low)
    d = 0
    while width[d] == 0:
        d += 1
    theta[:] = 0
    if d + 1 == width.size:
        theta[d] = max(1, np.int64(section * width[d]))
    else:
        step = section * (width[d] * float(BASE) + width[d + 1])
        theta[d] = np.int64(np.floor(step / float(BASE)))
        theta[d + 1] = np.int64(step - theta[d] * float(BASE))
    add(theta, low)


@kernel
def distance_between(low, high):
    """``high - low`` as a float."""
    width = high.copy()
    subtract(width, low)
    return as_float(width)


@kernel
def cheapest_cut(x, ends_a, y, ends_b, p, period):
    """The meeting at which C is least, where it stops to fall: its cut, and its ``theta``.

    Bisection on the slope, with a secant step wherever the last step was a good one. Every step ends at a meeting, so
    few points need few steps.
    """
    high = ends_a[-1].copy()
    low, theta, behind, ahead = np.zeros_like(high), np.empty_like(high), np.empty_like(high), np.empty_like(high)
    subtract(low, high)
    low_cut = (-x.size, 0)
    low_slope, low_scale, high_slope, high_scale = -np.inf, 1.0, np.inf, 1.0
    section = SECTION
    while is_less(low, high):
        width = distance_between(low, high)
        set_between(theta, low, high, section)
        slope, scale, next_cut = slope_at(theta, x, ends_a, y, ends_b, p, period, behind, ahead)
        if slope <= 0.0:
            low[:], low_cut, low_slope, low_scale = theta, next_cut, slope, scale
            add(low, ahead)
        if slope == 0.0:
            break
        if slope > 0.0:
            high[:], high_slope, high_scale = theta, slope, scale
            add(high, behind)
        section = SECTION
        if -np.inf < low_slope and high_slope < np.inf and distance_between(low, high) <= 0.5 * width:
            share = 1.0 if p == np.inf else power(high_scale / low_scale, p)
            section = min(max(low_slope / (low_slope - high_slope * share), 0.02), 0.98)
    return low_cut, low


@kernel
def matched_in_order(x, a, y, b, period, cut, first):
    """The plan that begins at ``cut``: rows, columns, by how many turns x is ahead, how far, and masses.

    Masses are in units of their digit ``first``.
    """
    n, m = x.size, y.size
    rows, cols, turns = np.empty(n + m, np.int64), np.empty(n + m, np.int64), np.empty(n + m, np.int64)
    away, mass = np.empty(n + m), np.empty(n + m)
    i, j, turn = cut[0] % n, cut[1] % m, cut[0] // n - cut[1] // m
    left_a, left_b = a[i].copy(), b[j].copy()
    count_a, count_b, arcs = 0, 0, 0
    while count_a < n and count_b < m:
        rows[arcs], cols[arcs], turns[arcs] = i, j, turn
        away[arcs] = lifted_difference(x[i], y[j], turn * period)
        sign = compare(left_a, left_b)
        mass[arcs] = as_float((left_a if sign < 0 else left_b)[first:])
        arcs += 1
        if sign < 0:
            subtract(left_b, left_a)
        elif sign > 0:
            subtract(left_a, left_b)
        if sign <= 0:
            count_a, i = count_a + 1, i + 1
            if i == n:
                i, turn = 0, turn + 1
            copy_at(left_a, a, i)
        if sign >= 0:
            count_b, j = count_b + 1, j + 1
            if j == m:
                j, turn = 0, turn - 1
            copy_at(left_b, b, j)
    return rows[:arcs], cols[:arcs], turns[:arcs], away[:arcs], mass[:arcs]


@kernel
def largest_mass(away, mass):
    """The largest mass that moves at all."""
    largest = 0.0
    for k in range(away.size):
        if away[k] != 0.0:
            largest = max(largest, mass[k])
    return largest


@kernel
def mean_distance(away, mass, total, p):
    """The greatest distance, and relative to it ``(sum(mass * distance^p) / total) ^ (1 / p)``; 1 for p = inf."""
    largest = np.abs(away).max()
    if p == np.inf or largest == 0.0:
        return largest, 1.0
    cost, error = 0.0, 0.0
    for k in range(away.size):
        cost, e = two_sum(cost, mass[k] * power(abs(away[k]) / largest, p))
        error += e
    return largest, root((cost + error) / total, p)


@kernel
def plan_from(x, a, y, b, period, cut):
    """:func:`matched_in_order`, and the digit that masses count in.

    The masses that move may all be slivers; then their leading digits are left out, before floats run out of exponents.
    """
    first = 0
    rows, cols, turns, away, mass = matched_in_order(x, a, y, b, period, cut, first)
    while first + FEW_DIGITS < a.shape[1] and largest_mass(away, mass) < SLIVER:
        first += FEW_DIGITS
        rows, cols, turns, away, mass = matched_in_order(x, a, y, b, period, cut, first)
    return rows, cols, turns, away, mass, first


@kernel
def with_mass(x, a):
    """The points that have mass, and their masses (n, k)."""
    moves = np.empty(x.size, np.bool_)
    for i in range(x.size):
        moves[i] = False
        for d in range(a.shape[1]):
            moves[i] |= a[i, d] > 0
    return (x, a) if moves.all() else (x[moves], a[moves])


@kernel
def sides(x, a, y, b):
    """Both sides' points with mass, masses and cumulated masses, scaled until the total fills the first digit."""
    x, a = with_mass(x, a)
    y, b = with_mass(y, b)
    ends_a, ends_b = cumulated(a), cumulated(b)
    if a.shape[1] > 1:
        a, b = a.copy(), b.copy()
        bits = spare_bits(ends_a[-1])
        for masses in (a, b, ends_a, ends_b):
            shift(masses, bits)
    return x, a, ends_a, y, b, ends_b


@kernel
def circle_distance(x, a, y, b, p, period):
    """W_p between sorted points on the circle with masses (n, k) and (m, k) of one total, which counts as one."""
    x, a, ends_a, y, b, ends_b = sides(x, a, y, b)
    if p == 1.0:
        return median_distance(x, ends_a, y, ends_b, period)
    cut, _ = cheapest_cut(x, ends_a, y, ends_b, p, period)
    _, _, _, away, mass, first = plan_from(x, a, y, b, period, cut)
    largest, mean = mean_distance(away, mass, as_float(ends_a[-1]), p)
    return largest * mean * 2.0 ** (-BITS * first / p)


@kernel
def circle_distances(x, a, y, b, p, period):
    """:func:`circle_distance` of each row of x, (batch, n), with each row of y, and the same masses."""
    distances = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        distances[k] = circle_distance(x[k], a, y[k], b, p, period)
    return distances


@kernel
def ordered_circle_distances(x, order_x, a, y, order_y, b, p, period):
    """:func:`circle_distances` where the masses are in another order; ``a[order_x[k]]`` belongs to ``x[k]``."""
    distances = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        distances[k] = circle_distance(x[k], a[order_x[k]], y[k], b[order_y[k]], p, period)
    return distances
