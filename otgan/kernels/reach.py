"""Largest flows between points that reach each other: mass goes only from a row to columns within a limit.

The pairs are never listed. A search for an augmenting path visits each column once, so it asks a k-d tree of the
columns for any that is within the limit and has not been visited yet, and takes it out: n walks over the tree a
round, however many pairs there are (Efrat, Itai & Katz 2001, "Geometry helps in bottleneck matching"). Rounds are
those of Hopcroft & Karp 1973 and Dinic 1970: as many shortest paths as can be. Flows are multi-digit integers, so that
any masses are exact.

Limits are on the sum over coordinates of :mod:`otgan.kernels.metric`: for the Euclidean metric on the square of the
distance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.flow import augment, path_amount
from otgan.kernels.jit import kernel
from otgan.kernels.metric import accumulate, price_tile
from otgan.kernels.tree import LEAF, Tree
from otgan.kernels.wide import is_positive, is_zero

__all__ = [
    "BLOCKED",
    "DONE",
    "FULL",
    "GOES_ON",
    "Left",
    "Visits",
    "begin",
    "left_of",
    "next_limit",
    "one_round",
    "reach_rows",
    "room_for_visits",
    "take_rows",
]

DONE, GOES_ON, BLOCKED, FULL = 0, 1, 2, 3  # what a round ended with
ANY = -1  # layer


class Left(NamedTuple):
    """The columns of a tree that have not been taken out.

    Attributes
    ----------
    slots : (L * LEAF,) ndarray of bool
    counts : (2 L - 1,) ndarray of int64
        Of each node.
    """

    slots: NDArray[np.bool_]
    counts: NDArray[np.int64]


class Visits(NamedTuple):
    """What a round has visited.

    Attributes
    ----------
    layer : (n,) ndarray of int64
        How many steps each row is from one with mass left; -1 if it is not reached.
    taken : (n,) ndarray of bool
        Rows that the search for paths has come to.
    before, through, arc : (n,) ndarray of int64
        The row and the column from which a row was visited, and the arc of that column.
    slot_layer : (L * LEAF,) ndarray of int64
        The layer of the rows that reach a column first, by slots.
    lowest, highest : (2 L - 1,) ndarray of int64
        Of the columns of each node.
    following : (n,) ndarray of int64
        The slot at which the search for paths goes on from a row: none before it is left for it.
    queue : (n,) ndarray of int64
    """

    layer: NDArray[np.int64]
    taken: NDArray[np.bool_]
    before: NDArray[np.int64]
    through: NDArray[np.int64]
    arc: NDArray[np.int64]
    slot_layer: NDArray[np.int64]
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]
    following: NDArray[np.int64]
    queue: NDArray[np.int64]


@kernel
def room_for_visits(n, tree):
    """Arrays for what the rounds between n rows and the columns of a tree visit."""
    slots, nodes = tree.rows.size, tree.first_row.size
    return Visits(
        np.empty(n, np.int64),
        np.empty(n, np.bool_),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(slots, np.int64),
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )


@kernel
def left_of(tree: Tree, kept):
    """Those columns of a tree, and no others, of which ``kept`` (m,) is true."""
    leaves = tree.points.shape[0]
    slots, counts = np.zeros(leaves * LEAF, np.bool_), np.zeros(2 * leaves - 1, np.int64)
    for slot in range(slots.size):
        j = tree.rows[slot]
        if j < kept.size and kept[j]:
            slots[slot] = True
            counts[leaves - 1 + slot // LEAF] += 1
    for node in range(leaves - 2, -1, -1):
        counts[node] = counts[2 * node + 1] + counts[2 * node + 2]
    return Left(slots, counts)


@kernel
def change(left, slot, by):
    """Take a column out (-1) or put it in again (1)."""
    left.slots[slot] = by > 0
    node = left.counts.size // 2 + slot // LEAF
    left.counts[node] += by
    while node > 0:
        node = (node - 1) // 2
        left.counts[node] += by


@kernel
def nearest_sum(tree, node, point, metric):
    """No point of a node has a smaller sum; rounded as entries are, so below them as floats too."""
    total = 0.0
    for k in range(point.size):
        gap = max(tree.low[node, k] - point[k], point[k] - tree.high[node, k])
        total = accumulate(total, max(gap, 0.0), metric)
    return total


@kernel
def find(tree, left, point, limit, metric, sums, start, visits, layer):
    """The first slot from ``start`` on whose column is left, within the limit and of the layer; -1 if there is none.

    A ``layer`` of ANY takes all. The tree is walked from left to right, from the leaf of ``start`` on.
    """
    leaves = tree.points.shape[0]
    node = leaves - 1 + start // LEAF if start > 0 else 0
    while node < left.counts.size:
        wanted = left.counts[node] > 0 and (layer == ANY or visits.lowest[node] <= layer <= visits.highest[node])
        if wanted and nearest_sum(tree, node, point, metric) <= limit:
            if node < leaves - 1:
                node = 2 * node + 1
                continue
            first = (node - (leaves - 1)) * LEAF
            price_tile(tree.points[node - (leaves - 1)], point, metric, sums)
            for slot in range(max(first, start), first + LEAF):
                near = sums[slot - first] <= limit and left.slots[slot]
                if near and (layer == ANY or visits.slot_layer[slot] == layer):
                    return slot
        while node > 0 and node % 2 == 0:  # the right one of two
            node = (node - 1) // 2
        if node == 0:
            return -1
        node += 1
    return -1


@kernel
def one_round(tree, x, limit, metric, flow, free, unseen, visits):
    """Send mass along shortest paths within the limit, from rows that have some left.

    Parameters
    ----------
    tree : Tree
        Of the columns.
    x : (n, d) ndarray
    limit : float
    metric : int
    flow : Flow
    free, unseen : Left
        Columns with room, and all columns; of the latter those are left in the end that were not visited.
    visits : Visits

    Returns
    -------
    int
        DONE: all mass is sent. BLOCKED: the rows that were visited have more than the columns that were, and reach no
        others. GOES_ON: some was sent. FULL: as that, and there is no arc left to send more.
    """
    sums = np.empty(LEAF)
    last = set_layers(tree, x, limit, metric, flow, free, unseen, visits, sums)
    if last < 0:
        return DONE if last == -1 else BLOCKED
    seen = layered(tree, unseen, visits)
    visits.taken[:] = False
    visits.following[:] = 0
    amount = np.empty(flow.a.shape[1], np.int64)
    for root in range(x.shape[0]):
        while is_positive(flow.a[root]):
            end, slot = search(tree, x, limit, metric, flow, free, seen, visits, last, root, sums)
            if slot < 0:
                break
            col = tree.rows[slot]
            steps = path_amount(flow, visits, root, end, col, amount)
            if flow.unused[1] <= steps:
                return FULL
            augment(flow, visits, root, end, col, amount)
            if is_zero(flow.b[col]):
                change(free, slot, -1)
    return GOES_ON


@kernel
def begin(flow, visits):
    """Rows with mass left are the first layer and the queue; how many there are."""
    tail = 0
    for i in range(visits.layer.size):
        visits.layer[i] = -1
        if is_positive(flow.a[i]):
            visits.layer[i] = 0
            visits.queue[tail] = i
            tail += 1
    return tail


@kernel
def reach_rows(flow, visits, i, j, tail):
    """Row i reaches column j: the rows that send there and were not reached join the queue; its new end."""
    arc = flow.head[j]
    while arc >= 0:
        k = flow.row[arc]
        if visits.layer[k] < 0:
            visits.layer[k] = visits.layer[i] + 1
            visits.queue[tail] = k
            tail += 1
        arc = flow.next[arc]
    return tail


@kernel
def take_rows(flow, visits, i, j, stack, top):
    """The path goes from row i through column j: the next layer's rows that send there, not taken yet; the new top."""
    arc = flow.head[j]
    while arc >= 0:
        k = flow.row[arc]
        if visits.layer[k] == visits.layer[i] + 1 and not visits.taken[k]:
            visits.taken[k] = True
            visits.before[k], visits.through[k], visits.arc[k] = i, j, arc
            stack[top] = k
            top += 1
        arc = flow.next[arc]
    return top


@kernel
def set_layers(tree, x, limit, metric, flow, free, unseen, visits, sums):
    """Breadth first from all rows with mass left, to the first layer of rows that reach a column with room.

    Returns that layer; -1 if no row has mass left, and -2 if no column is reached that has room.
    """
    head, tail = 0, begin(flow, visits)
    if tail == 0:
        return -1
    last = -2
    while head < tail:
        i = visits.queue[head]
        head += 1
        if last >= 0 and visits.layer[i] >= last:
            break
        if find(tree, free, x[i], limit, metric, sums, 0, visits, ANY) >= 0:
            last = visits.layer[i]
            break
        slot = np.int64(-1)
        while True:
            slot = find(tree, unseen, x[i], limit, metric, sums, slot + 1, visits, ANY)
            if slot < 0:
                break
            change(unseen, slot, -1)
            visits.slot_layer[slot] = visits.layer[i]
            tail = reach_rows(flow, visits, i, tree.rows[slot], tail)
    return last


@kernel
def layered(tree, unseen, visits):
    """The columns that were visited, with the range of their layers in each node."""
    leaves = tree.points.shape[0]
    slots, counts = np.zeros(leaves * LEAF, np.bool_), np.zeros(2 * leaves - 1, np.int64)
    for node in range(2 * leaves - 2, -1, -1):
        visits.lowest[node], visits.highest[node] = np.int64(2**62), np.int64(-1)
        if node < leaves - 1:
            left, right = 2 * node + 1, 2 * node + 2
            counts[node] = counts[left] + counts[right]
            visits.lowest[node] = min(visits.lowest[left], visits.lowest[right])
            visits.highest[node] = max(visits.highest[left], visits.highest[right])
            continue
        for slot in range((node - leaves + 1) * LEAF, (node - leaves + 2) * LEAF):
            if tree.rows[slot] < tree.order.size and not unseen.slots[slot]:
                slots[slot] = True
                counts[node] += 1
                visits.lowest[node] = min(visits.lowest[node], visits.slot_layer[slot])
                visits.highest[node] = max(visits.highest[node], visits.slot_layer[slot])
    return Left(slots, counts)


@kernel
def search(tree, x, limit, metric, flow, free, seen, visits, last, root, sums):
    """Depth first from layer to layer: a row, and the slot of a column with room that it reaches; or -1, -1."""
    stack = visits.queue
    stack[0] = root
    top = 1
    while top > 0:
        i = stack[top - 1]
        layer = visits.layer[i]
        if layer == last:
            slot = find(tree, free, x[i], limit, metric, sums, visits.following[i], visits, ANY)
            if slot >= 0:
                visits.following[i] = slot  # which may have more room
                return i, slot
            top -= 1
            continue
        slot = find(tree, seen, x[i], limit, metric, sums, visits.following[i], visits, layer)
        if slot < 0:
            top -= 1
            continue
        visits.following[i] = slot + 1
        change(seen, slot, -1)
        top = take_rows(flow, visits, i, tree.rows[slot], stack, top)
    return np.int64(-1), np.int64(-1)


@kernel
def next_limit(tree, x, rows, left, metric):
    """The least sum between one of some rows (n,) of bool and a column that is left; infinite if there is none."""
    sums, stack = np.empty(LEAF), np.empty(64, np.int64)
    leaves = tree.points.shape[0]
    best = np.inf
    for i in range(x.shape[0]):
        if not rows[i]:
            continue
        stack[0] = 0
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            if left.counts[node] == 0 or nearest_sum(tree, node, x[i], metric) >= best:
                continue
            if node < leaves - 1:
                stack[top], stack[top + 1] = 2 * node + 1, 2 * node + 2
                top += 2
                continue
            leaf = node - (leaves - 1)
            price_tile(tree.points[leaf], x[i], metric, sums)
            for s in range(LEAF):
                if sums[s] < best and left.slots[leaf * LEAF + s]:
                    best = sums[s]
    return best
