"""The optimal plan between sorted points on a circle, and potentials of it.

Arcs of the plan that share a point form chains, along which one potential follows from the other. Where a chain ends,
the Monge property leaves an interval for the next one, and as the plan is optimal all around the circle, the intervals
admit potentials that meet themselves again after one turn.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.circle import cheapest_cut, mean_distance, plan_from, sides
from otgan.kernels.circle_median import lifted_difference
from otgan.kernels.jit import kernel
from otgan.kernels.line import power
from otgan.kernels.wide import as_float

__all__ = ["circle_plan"]

HALVINGS = 64  # of the interval for a potential; there are no more bits to find


@kernel
def places_with_mass(a):
    """Which of the masses (n, k) are positive."""
    places = np.empty(a.shape[0], np.int64)
    count = 0
    for i in range(a.shape[0]):
        if a[i].any():
            places[count] = i
            count += 1
    return places[:count]


@kernel
def chains(x, y, rows, cols, turns, cost, p, period, scale):
    """Where chains begin; the least and the most that f may rise from the start of the last one; f along each.

    That is how far f at every arc is above f at the first arc of its chain. The plan begins with a chain.
    """
    starts, count = np.empty(rows.size, np.int64), 0
    low, high, rise = np.empty(rows.size), np.empty(rows.size), np.zeros(rows.size)
    for k in range(rows.size):
        i, j, last_i, last_j = rows[k], cols[k], rows[k - 1], cols[k - 1]
        if k > 0 and j == last_j:
            rise[k] = rise[k - 1] + (cost[k] - cost[k - 1])
        elif k > 0 and i == last_i:
            rise[k] = rise[k - 1]
        else:
            to_last = lifted_difference(x[i], y[last_j], (turns[k] + (j <= last_j)) * period)
            from_last = lifted_difference(x[last_i], y[j], (turns[k] - (i <= last_i)) * period)
            high[count] = power(abs(to_last) / scale, p) - cost[k - 1]
            low[count] = cost[k] - power(abs(from_last) / scale, p)
            starts[count] = k
            count += 1
    for c in range(count):
        before = rise[starts[c] - 1]
        low[c] += before
        high[c] += before
    return starts[:count], low[:count], high[:count], rise


@kernel
def once_around(level, even, low, high, first):
    """Set the levels behind ``first`` as near as can be to an even split; how far above itself ``first`` ends."""
    last = level[first]
    for step in range(1, level.size):
        c = (first + step) % level.size
        last = min(max(even[c], last + low[c]), last + high[c])
        level[c] = last
    return min(max(even[first], last + low[first]), last + high[first]) - level[first]


@kernel
def levels(even, low, high):
    """Values of f at the starts of chains.

    The excess of :func:`once_around` falls with the level that it starts from.
    """
    first = np.argmax(high - low)
    level = even.copy()
    excess = once_around(level, even, low, high, first)
    if excess == 0.0:
        return level
    inner, step = level[first], excess
    for _ in range(HALVINGS):  # until the level that is sought lies between the last two
        level[first] += step
        if once_around(level, even, low, high, first) * step <= 0.0:
            break
        inner, step = level[first], 2.0 * step
    outer = level[first]
    for _ in range(HALVINGS):
        level[first] = 0.5 * (inner + outer)
        if once_around(level, even, low, high, first) * step > 0.0:
            inner = level[first]
        else:
            outer = level[first]
    return level


@kernel
def potentials(x, y, rows, cols, turns, away, p, period, scale):
    """Values of f and g, relative to ``scale^p``, of points that all have mass."""
    cost = np.empty(rows.size)
    for k in range(rows.size):
        cost[k] = power(abs(away[k]) / scale, p)
    starts, low, high, rise = chains(x, y, rows, cols, turns, cost, p, period, scale)
    level = levels(0.5 * cost[starts], low, high)
    f, g = np.empty(x.size), np.empty(y.size)
    chain = -1
    for k in range(rows.size):
        if chain + 1 < starts.size and starts[chain + 1] == k:
            chain += 1
        f[rows[k]] = level[chain] + rise[k]
        g[cols[k]] = cost[k] - f[rows[k]]
    return f, g


@kernel
def arc_length(x, y, period):
    """The length of the shorter arc from x to y, both within half a period of zero."""
    straight = abs(lifted_difference(x, y, 0.0))
    around = min(abs(lifted_difference(x, y, period)), abs(lifted_difference(x, y, -period)))
    return min(straight, around)


@kernel
def with_points_without_mass(x, places, f, y, g, first, last, p, period, scale):
    """Values of f: those of the points in ``places``, and of all others the most they may have beside g.

    That is what a little mass put there would cost. It would share its target with the points around: ``first`` and
    ``last`` have the targets of each point with mass.
    """
    full = np.empty(x.size)
    following = 0  # the next point with mass
    for i in range(x.size):
        if following < places.size and places[following] == i:
            full[i] = f[following]
            following += 1
            continue
        full[i] = np.inf
        for j in (last[following - 1], first[following % first.size]):
            full[i] = min(full[i], power(arc_length(x[i], y[j], period) / scale, p) - g[j])
    return full


@kernel
def neighbours(sources, targets):
    """The first and the last target of each source, along the arcs of a plan."""
    first, last = np.empty(sources.max() + 1, np.int64), np.empty(sources.max() + 1, np.int64)
    for k in range(sources.size):
        last[sources[k]] = targets[k]
    for k in range(sources.size - 1, -1, -1):
        first[sources[k]] = targets[k]
    return first, last


@kernel
def circle_plan(x, a, y, b, p, period):
    """The plan of :func:`otgan.kernels.circle.circle_distance`, and its potentials.

    Returns rows, columns, how far each mass moves to the left, and masses; the greatest distance; potentials. Relative
    to the greatest distance, the cost of the plan is one; potentials are relative to its power (zero for p = inf).
    """
    places_x, places_y = places_with_mass(a), places_with_mass(b)
    u, mass_u, ends_u, v, mass_v, ends_v = sides(x, a, y, b)
    cut, _ = cheapest_cut(u, ends_u, v, ends_v, p, period)
    rows, cols, turns, away, mass, _ = plan_from(u, mass_u, v, mass_v, period, cut)
    total = as_float(ends_u[-1])
    scale, mean = mean_distance(away, mass, total, p)
    f, g = np.zeros(x.size), np.zeros(y.size)
    if p < np.inf and scale > 0.0:
        mass /= total * power(mean, p)
        f_u, g_v = potentials(u, v, rows, cols, turns, away, p, period, scale)
        f = with_points_without_mass(x, places_x, f_u, v, g_v, *neighbours(rows, cols), p, period, scale)
        g = with_points_without_mass(y, places_y, g_v, u, f_u, *neighbours(cols, rows), p, period, scale)
    return places_x[rows], places_y[cols], away, mass, scale, f, g
