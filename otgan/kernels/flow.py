"""Flows as lists of arcs for each column, which searches for augmenting paths change in place.

Masses are multi-digit integers (:mod:`otgan.kernels.wide`), so that any are exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.jit import kernel
from otgan.kernels.metric import accumulate
from otgan.kernels.wide import add_at, is_zero, subtract_at, take_lesser

__all__ = ["Flow", "arcs", "augment", "flow_of", "longest", "path_amount", "shorten"]


class Flow(NamedTuple):
    """A flow as a list of arcs for each column, with what is left on both sides; changed in place.

    Attributes
    ----------
    a, b : (n, k) and (m, k) ndarray of int64
        Mass that has not been sent, and room that has not been filled.
    head : (m,) ndarray of int64
        The first arc of each column, -1 for none.
    row, next : (c,) ndarray of int64
        Of each arc: its row, and the next arc of its column. Arcs that are not used are a list of their own.
    mass : (c, k) ndarray of int64
    unused : (2,) ndarray of int64
        The first arc that is not used, and how many there are.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    head: NDArray[np.int64]
    row: NDArray[np.int64]
    next: NDArray[np.int64]
    mass: NDArray[np.int64]
    unused: NDArray[np.int64]


@kernel
def flow_of(a, b, rows, cols, mass, room):
    """The flow of a plan between masses a (n, k) and b (m, k), with room for so many arcs."""
    digits = a.shape[1]
    following = np.arange(1, room + 1)
    following[-1] = -1
    empty = np.empty(room, np.int64), np.zeros((room, digits), np.int64)
    flow = Flow(a.copy(), b.copy(), np.full(b.shape[0], -1), empty[0], following, empty[1], np.array([0, room]))
    for k in range(rows.size):
        send(flow, rows[k], cols[k], mass[k])
        subtract_at(flow.a, rows[k], mass[k])
        subtract_at(flow.b, cols[k], mass[k])
    return flow


@kernel
def path_amount(flow, visits, root, end, col, amount):
    """Set what a path can take, and return the number of its rows."""
    take_lesser(flow.a[root], flow.b[col], amount)
    i, steps = end, 1
    while i != root:
        take_lesser(amount, flow.mass[visits.arc[i]], amount)
        i = visits.before[i]
        steps += 1
    return steps


@kernel
def augment(flow, visits, root, end, col, amount):
    """Send an amount from the root to a column with room: each row on the path to the next column, less to the last."""
    subtract_at(flow.b, col, amount)
    subtract_at(flow.a, root, amount)
    i, j = end, col
    while True:
        send(flow, i, j, amount)
        if i == root:
            return
        j, arc = visits.through[i], visits.arc[i]
        subtract_at(flow.mass, arc, amount)
        if is_zero(flow.mass[arc]):
            drop(flow, j, arc)
        i = visits.before[i]


@kernel
def send(flow, i, j, amount):
    """More from row i to column j."""
    arc = flow.head[j]
    while arc >= 0 and flow.row[arc] != i:
        arc = flow.next[arc]
    if arc < 0:
        arc = flow.unused[0]
        flow.unused[0] = flow.next[arc]
        flow.unused[1] -= 1
        flow.row[arc], flow.next[arc] = i, flow.head[j]
        flow.mass[arc] = 0
        flow.head[j] = arc
    add_at(flow.mass, arc, amount)


@kernel
def drop(flow, j, arc):
    """Take an arc out of the list of column j."""
    if flow.head[j] == arc:
        flow.head[j] = flow.next[arc]
    else:
        before = flow.head[j]
        while flow.next[before] != arc:
            before = flow.next[before]
        flow.next[before] = flow.next[arc]
    flow.next[arc] = flow.unused[0]
    flow.unused[0] = arc
    flow.unused[1] += 1


@kernel
def shorten(x, y, limit, metric, flow):
    """Take back what is sent further than the limit."""
    for j in range(y.shape[0]):
        arc = flow.head[j]
        while arc >= 0:
            following, i = flow.next[arc], flow.row[arc]
            if between(x, i, y, j, metric) > limit:
                add_at(flow.a, i, flow.mass[arc])
                add_at(flow.b, j, flow.mass[arc])
                drop(flow, j, arc)
            arc = following


@kernel
def between(x, i, y, j, metric):
    """The sum over coordinates of a pair."""
    total = 0.0
    for k in range(x.shape[1]):
        total = accumulate(total, abs(x[i, k] - y[j, k]), metric)
    return total


@kernel
def longest(x, y, metric, flow):
    """The largest sum that mass is sent over, and its pair."""
    best, row, col = -1.0, np.int64(-1), np.int64(-1)
    for j in range(y.shape[0]):
        arc = flow.head[j]
        while arc >= 0:
            total = between(x, flow.row[arc], y, j, metric)
            if total > best:
                best, row, col = total, flow.row[arc], np.int64(j)
            arc = flow.next[arc]
    return best, row, col


@kernel
def arcs(flow):
    """Rows, columns and masses of all arcs."""
    used = flow.row.size - flow.unused[1]
    rows, cols, mass = np.empty(used, np.int64), np.empty(used, np.int64), np.empty((used, flow.a.shape[1]), np.int64)
    count = 0
    for j in range(flow.head.size):
        arc = flow.head[j]
        while arc >= 0:
            rows[count], cols[count] = flow.row[arc], j
            mass[count] = flow.mass[arc]
            count += 1
            arc = flow.next[arc]
    return rows, cols, mass
