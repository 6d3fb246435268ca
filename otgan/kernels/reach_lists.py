"""The rounds of :mod:`otgan.kernels.reach` where the pairs within reach are few enough to be listed.

Where some hundred columns are within reach of a row, running through their list takes a tenth of asking the tree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.flow import augment, path_amount
from otgan.kernels.jit import kernel
from otgan.kernels.metric import price_tile
from otgan.kernels.reach import BLOCKED, DONE, FULL, GOES_ON, begin, nearest_sum, reach_rows, take_rows
from otgan.kernels.tree import LEAF
from otgan.kernels.wide import is_positive

__all__ = ["Lists", "count_within", "list_within", "one_round"]


class Lists(NamedTuple):
    """The columns within reach of each row.

    Attributes
    ----------
    start : (n + 1,) ndarray of int64
        Row i has the places ``start[i]`` to ``start[i + 1]``.
    cols : (k,) ndarray of int32
    sums : (k,) ndarray of float64
        Over coordinates.
    """

    start: NDArray[np.int64]
    cols: NDArray[np.int32]
    sums: NDArray[np.float64]


@kernel
def count_within(tree, x, limit, metric, most):
    """How many columns each row reaches, (n + 1,) with a 0 before; it ends where they are over ``most`` in all."""
    n = x.shape[0]
    counts = np.zeros(n + 1, np.int64)
    empty_cols, empty_sums = np.empty(0, np.int32), np.empty(0)
    total = 0
    for i in range(n):
        counts[i + 1] = within(tree, x[i], limit, metric, empty_cols, empty_sums)
        total += counts[i + 1]
        if total > most:
            break
    return counts


@kernel
def list_within(tree, x, limit, metric, start):
    """The lists, for places that were counted."""
    cols, sums = np.empty(start[-1], np.int32), np.empty(start[-1])
    for i in range(x.shape[0]):
        part = slice(start[i], start[i + 1])
        within(tree, x[i], limit, metric, cols[part], sums[part])
    return Lists(start, cols, sums)


@kernel
def within(tree, point, limit, metric, cols, sums):
    """How many columns a point reaches; those that fit into ``cols`` are written there."""
    leaves = tree.points.shape[0]
    tile, stack = np.empty(LEAF), np.empty(64, np.int64)
    stack[0] = 0
    top, count = 1, 0
    while top > 0:
        top -= 1
        node = stack[top]
        if nearest_sum(tree, node, point, metric) > limit:
            continue
        if node < leaves - 1:
            stack[top], stack[top + 1] = 2 * node + 1, 2 * node + 2
            top += 2
            continue
        leaf = node - (leaves - 1)
        price_tile(tree.points[leaf], point, metric, tile)
        for s in range(LEAF):
            col = tree.rows[leaf * LEAF + s]
            if tile[s] <= limit and col < tree.order.size:
                if count < cols.size:
                    cols[count], sums[count] = col, tile[s]
                count += 1
    return count


@kernel
def one_round(lists, limit, flow, seen, visits):
    """As :func:`otgan.kernels.reach.one_round`, with the columns that were visited, ``seen`` (m,) of bool."""
    last = set_layers(lists, limit, flow, seen, visits)
    if last < 0:
        return DONE if last == -1 else BLOCKED
    n = visits.layer.size
    visits.taken[:] = False
    following, stack = lists.start[:-1].copy(), visits.queue
    amount = np.empty(flow.a.shape[1], np.int64)
    for root in range(n):
        while is_positive(flow.a[root]):
            end, col = search(lists, limit, flow, visits, last, root, following, stack)
            if col < 0:
                break
            steps = path_amount(flow, visits, root, end, col, amount)
            if flow.unused[1] <= steps:
                return FULL
            augment(flow, visits, root, end, col, amount)
    return GOES_ON


@kernel
def set_layers(lists, limit, flow, seen, visits):
    """As :func:`otgan.kernels.reach.set_layers`."""
    seen[:] = False
    head, tail = 0, begin(flow, visits)
    if tail == 0:
        return -1
    last = -2
    while head < tail:
        i = visits.queue[head]
        head += 1
        if last >= 0 and visits.layer[i] >= last:
            break
        for place in range(lists.start[i], lists.start[i + 1]):
            j = lists.cols[place]
            if seen[j] or lists.sums[place] > limit:
                continue
            seen[j] = True
            if is_positive(flow.b[j]):
                last = visits.layer[i]
            tail = reach_rows(flow, visits, i, j, tail)
    return last


@kernel
def search(lists, limit, flow, visits, last, root, following, stack):
    """Depth first from layer to layer: a row, and a column with room that it reaches; or -1, -1."""
    stack[0] = root
    top = 1
    while top > 0:
        i = stack[top - 1]
        place = following[i]
        if place == lists.start[i + 1]:
            top -= 1
            continue
        if lists.sums[place] > limit:
            following[i] += 1
            continue
        j = lists.cols[place]
        if visits.layer[i] == last:
            if is_positive(flow.b[j]):  # and may have more room for the next path
                return i, np.int64(j)
            following[i] += 1
            continue
        following[i] += 1
        top = take_rows(flow, visits, i, j, stack, top)
    return np.int64(-1), np.int64(-1)
