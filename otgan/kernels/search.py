"""Branch and bound in a k-d tree: column minima of ``metric(x_i, y_j) ** p - f_i``, exact to the last bit.

Two bounds rule a node out for a target y:

* ``dist(y, box)^p - max f``. It is computed by the operations of an entry in the order of an entry, and rounding is
  monotone, so the float bound is below every float entry (but for ``**`` of a general p, which gets a few ulps).
* Potentials are nowhere near constant on a box: where mass moves far they are steep, and only there. So each node
  also keeps a plane above f, ``f(x) <= top + slope . (x - centre)``, and the cost is convex, hence above its tangent:
  ``C - f >= c(u) - top - sum_k |c'(u)_k - slope_k| half_k`` with ``u = centre - y``. The two slopes agree exactly
  where the minimum is (that is what optimal potentials mean), so the bound is sharp where it has to be. For squared
  Euclidean costs the minimum over the box is taken without the tangent. All of it is charged a generous rounding.

Targets come in the order of a tree of their own and go down in packets of 32, so that one visit of a node bounds 32
targets in SIMD lanes, each with its own bound. (One target at a time took five to ten times as long at n = m =
100,000.) Ties go to the lowest row, so the answer does not depend on the order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.bounds import Room, bound_packet, reaches
from otgan.kernels.envelope import TINY
from otgan.kernels.jit import inlined, kernel
from otgan.kernels.metric import EUCLIDEAN, entry, keep, lower_limit, sum_slots, sums_to_costs
from otgan.kernels.tree import LEAF

__all__ = ["LANES", "Targets", "k_best"]

EPS = float(np.finfo(np.float64).eps)
LANES = 32  # targets that go down together; for why 32 see the size of a leaf


class Targets(NamedTuple):
    """Points to find rows for.

    Attributes
    ----------
    points : (m, d) ndarray of float64
    order : (m,) ndarray of int64
        Neighbours in space beside each other.
    """

    points: NDArray[np.float64]
    order: NDArray[np.int64]


@kernel
def k_best(tree, envelope, x, targets, metric, p, seeded, lists, start, stop):
    """The rows with the least ``metric(x_i, y_j) ** p - f_i`` for the targets ``order[start:stop]``.

    Parameters
    ----------
    tree, envelope : Tree, Envelope
        Of x and f.
    x : (n, d) ndarray
    targets : Targets
    metric, p : int, float
        A code of :mod:`otgan.kernels.metric`, and the order.
    seeded : bool
        Whether rows hold first guesses, one a target (K = 1); a good guess rules most of the tree out at once, a bad
        one costs nothing but time. Otherwise values hold limits, and rows -1: only what is below is found.
    lists : Lists
        Overwritten, best first; what was not found keeps the limit and -1.
    start, stop : int
        Part of ``order``, for one of several threads.
    """
    y, order = targets
    values, rows = lists
    leaves, d = tree.points.shape[0], tree.points.shape[1]
    slots, slot_rows = envelope.slots.reshape(leaves, LEAF), tree.rows.reshape(leaves, LEAF)
    last, rooted = rows.shape[1] - 1, metric == EUCLIDEAN and p == 1.0 and 2 <= d <= 3
    py = np.empty((d, LANES))
    target = np.empty(d)
    worst, worst_row = np.empty(LANES), np.empty(LANES, np.int64)
    depth = 2
    while 2 ** (depth - 2) < leaves:
        depth += 1
    stack = np.empty(depth, np.int64)
    bounds = np.empty((depth, LANES))
    near, far = np.empty(LANES), np.empty(LANES)
    room, cost = Room(np.empty(LANES), np.empty(LANES), np.empty(LANES)), np.empty(LEAF)
    previous, lanes = np.full(LANES, -1), np.empty(LANES, np.int64)
    many = last > 0 and not seeded
    for base in range(start, stop, LANES):
        load_packet(y, order, base, stop, py)
        for t in range(LANES):
            if base + t >= stop:
                worst[t], worst_row[t] = -np.inf, -1
                continue
            j = order[base + t]
            if seeded:
                seed(x, y, envelope.f, j, previous[t], metric, p, values, rows)
            elif many and base > start:
                lower_limit(x, envelope.f, y, j, order[base + t - LANES], metric, p, values, rows)
            worst[t], worst_row[t] = values[j, last], rows[j, last]
        top = 0
        bound_packet(tree, envelope, 0, py, metric, p, room, worst, worst_row, bounds[0])
        stack[0] = 0
        while top >= 0:
            node = stack[top]
            if not reaches(bounds[top], worst, worst_row, tree.first_row[node]):
                top -= 1
                continue
            if node >= leaves - 1:
                leaf = node - (leaves - 1)
                alive = lanes_within(tree.points, slots, leaf, py, bounds[top], worst, envelope.size, rooted, lanes)
                for t in lanes[:alive]:
                    bound = bounds[top, t]
                    if bound < worst[t] or (bound == worst[t] and tree.first_row[node] < worst_row[t]):
                        for k in range(d):
                            target[k] = py[k, t]
                        sum_slots(tree.points, leaf, target, metric, cost)
                        sums_to_costs(cost, metric, p)
                        j = order[base + t]
                        if keep(cost, slots, slot_rows, leaf, values, rows, j):
                            worst[t], worst_row[t] = values[j, last], rows[j, last]
                top -= 1
                continue
            left, right = 2 * node + 1, 2 * node + 2
            bound_packet(tree, envelope, left, py, metric, p, room, worst, worst_row, near)
            bound_packet(tree, envelope, right, py, metric, p, room, worst, worst_row, far)
            if right_first(near, far):
                near, far = far, near
                left, right = right, left
            stack[top] = right
            for t in range(LANES):
                bounds[top, t] = far[t]
            stack[top + 1] = left
            for t in range(LANES):
                bounds[top + 1, t] = near[t]
            top += 1
        for t in range(LANES):
            if base + t < stop:
                previous[t] = rows[order[base + t], 0]


@kernel
def lanes_within(points, f, leaf, py, bound, worst, size, rooted, lanes):
    """Write down the lanes that a leaf may hold something for, and return how many.

    Of Euclidean distances in two or three dimensions (``rooted``) the squares are compared, slot by slot, with that of
    f + worst: a root takes several times as long as all else that a slot takes, and most leaves that are reached hold
    nothing. No f is larger than ``size``; the limit is raised by what ``C - f <= worst``, the sum and squares round.
    """
    d, count = py.shape[0], 0
    share = 1 + 8 * (d + 2) * EPS
    for t in range(worst.size):
        if bound[t] > worst[t]:
            continue
        some = 1
        if rooted:
            some = 0
            limit = worst[t] + 4 * EPS * (abs(worst[t]) + size)
            y0, y1 = py[0, t], py[1, t]
            if d == 2:
                for s in range(f.shape[1]):
                    u0, u1 = points[leaf, 0, s] - y0, points[leaf, 1, s] - y1
                    some += u0 * u0 + u1 * u1 <= square_of_positive(f[leaf, s] + limit) * share + TINY
            else:
                y2 = py[2, t]
                for s in range(f.shape[1]):
                    u0, u1, u2 = points[leaf, 0, s] - y0, points[leaf, 1, s] - y1, points[leaf, 2, s] - y2
                    some += u0 * u0 + u1 * u1 + u2 * u2 <= square_of_positive(f[leaf, s] + limit) * share + TINY
        if some > 0:
            lanes[count] = t
            count += 1
    return count


@inlined
def square_of_positive(t):
    """The square of the positive part."""
    t = t if t > 0.0 else 0.0
    return t * t


@kernel
def load_packet(y, order, base, stop, py):
    """Copy the coordinates of a packet of targets into lanes; the last target fills the lanes left over."""
    for t in range(LANES):
        j = order[min(base + t, stop - 1)]
        for k in range(y.shape[1]):
            py[k, t] = y[j, k]


@kernel
def seed(x, y, f, j, other, metric, p, values, rows):
    """Price the guessed row of target j, and the row ``other`` that was best nearby (-1: none)."""
    guess = rows[j, 0]
    values[j, 0] = entry(x, guess, y, j, metric, p) - f[guess]
    if other >= 0:
        value = entry(x, other, y, j, metric, p) - f[other]
        if value < values[j, 0] or (value == values[j, 0] and other < guess):
            values[j, 0], rows[j, 0] = value, other


@kernel
def right_first(near, far):
    """Whether the right child promises less to most lanes."""
    votes = 0
    for t in range(far.size):
        votes += far[t] < near[t]
    return votes > far.size // 2
