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
from otgan.kernels.jit import kernel
from otgan.kernels.metric import entry, keep, price_slots
from otgan.kernels.tree import LEAF

__all__ = ["LANES", "Targets", "k_best"]

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
    last = rows.shape[1] - 1
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
    previous = np.full(LANES, -1)
    for base in range(start, stop, LANES):
        load_packet(y, order, base, stop, py)
        for t in range(LANES):
            if base + t >= stop:
                worst[t], worst_row[t] = -np.inf, -1
                continue
            j = order[base + t]
            if seeded:
                seed(x, y, envelope.f, j, previous[t], metric, p, values, rows)
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
                for t in range(LANES):
                    bound = bounds[top, t]
                    if bound < worst[t] or (bound == worst[t] and tree.first_row[node] < worst_row[t]):
                        for k in range(d):
                            target[k] = py[k, t]
                        price_slots(tree.points, leaf, target, metric, p, cost)
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
