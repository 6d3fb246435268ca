"""Balanced k-d trees over points, with leaves laid out for SIMD lanes, and the order of points by such a tree.

It halves the points at the median of the widest side of their box, down to leaves of at most 64. It is balanced, so it
needs no pointers: the children of node v are 2v + 1 and 2v + 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.jit import kernel

__all__ = ["LEAF", "Tree", "build", "halving_order"]

# Slots of a leaf. Loops over them run to the size of an array: a constant would be unrolled into scalar code before it
# can be vectorised. Of fewer slots more nodes have to be bounded: 32 take a sixth more time, 16 twice to four times as
# much; 128 are as fast as 64 where mass moves far, and a little slower elsewhere.
LEAF = 64
EPS = float(np.finfo(np.float64).eps)


class Tree(NamedTuple):
    """A balanced k-d tree over n points with L leaves and 2 L - 1 nodes, root first.

    Attributes
    ----------
    order : (n,) ndarray of int64
        Rows, leaf by leaf: neighbours in this order are neighbours in space.
    rows : (L * LEAF,) ndarray of int64
        Row of each slot, n where the slot is empty.
    points : (L, d, LEAF) ndarray of float64
        Coordinates by leaf. Empty slots repeat a point of the leaf.
    low, high, centre, half : (2 L - 1, d) ndarray of float64
        Boxes: corners, centre, half the widths.
    first_row : (2 L - 1,) ndarray of int64
        Lowest row in the node.
    """

    order: NDArray[np.int64]
    rows: NDArray[np.int64]
    points: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    centre: NDArray[np.float64]
    half: NDArray[np.float64]
    first_row: NDArray[np.int64]


@kernel
def build(x):
    """The tree of points x (n, d), in O(n log n)."""
    n, d = x.shape
    leaves = 1
    while leaves * LEAF < n:
        leaves *= 2
    nodes = 2 * leaves - 1
    order = np.arange(n)
    start = np.empty(nodes + 1, np.int64)
    stop = np.empty(nodes + 1, np.int64)
    start[0], stop[0] = 0, n
    low, high = np.empty((nodes, d)), np.empty((nodes, d))
    key = np.empty(n)
    for node in range(nodes):
        bounding_box(x, order[start[node] : stop[node]], low[node], high[node])
        if node < leaves - 1:
            middle = (start[node] + stop[node] + 1) // 2
            split(x[:, widest(low[node], high[node])], order, key, start[node], middle, stop[node])
            start[2 * node + 1], stop[2 * node + 1] = start[node], middle
            start[2 * node + 2], stop[2 * node + 2] = middle, stop[node]
    rows = np.full(leaves * LEAF, n)
    points = np.empty((leaves, d, LEAF))
    for leaf in range(leaves):
        fill_leaf(x, order[start[leaves - 1 + leaf] : stop[leaves - 1 + leaf]], rows[leaf * LEAF :], points[leaf])
    centre = low + 0.5 * (high - low)
    half = np.maximum(high - centre, centre - low) * (1 + 2 * EPS)
    return Tree(order, rows, points, low, high, centre, half, first_rows(rows, leaves))


@kernel
def halving_order(x):
    """An order of points x (n, d) whose halves are the cells of a k-d tree, and so on down to cells of two points.

    A range from ``start`` to ``stop`` is halved at ``(start + stop) // 2``. O(n log n).
    """
    n, d = x.shape
    order, key = np.arange(n), np.empty(n)
    low, high = np.empty(d), np.empty(d)
    stack = np.empty((64, 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, n
    top = 1
    while top > 0:
        top -= 1
        start, stop = stack[top, 0], stack[top, 1]
        if stop - start <= 2:
            continue
        bounding_box(x, order[start:stop], low, high)
        middle = (start + stop) // 2
        split(x[:, widest(low, high)], order, key, start, middle, stop)
        stack[top, 0], stack[top, 1] = start, middle
        stack[top + 1, 0], stack[top + 1, 1] = middle, stop
        top += 2
    return order


@kernel
def bounding_box(x, rows, low, high):
    """Corners of the box around ``x[rows]``."""
    for k in range(x.shape[1]):
        least, largest = x[rows[0], k], x[rows[0], k]
        for i in rows:
            least, largest = min(least, x[i, k]), max(largest, x[i, k])
        low[k], high[k] = least, largest


@kernel
def widest(low, high):
    """The longest side of a box."""
    best = 0
    for k in range(1, low.size):
        if high[k] - low[k] > high[best] - low[best]:
            best = k
    return best


@kernel
def split(coordinate, order, key, start, middle, stop):
    """Partition ``order[start:stop]`` by coordinate so that ``order[start:middle]`` holds the smallest.

    Quickselect (Hoare 1961). The pivot is drawn by a fixed congruence, so that sorted data are no worst case, and
    the scans stop at equal keys, so that duplicates are none.
    """
    for s in range(start, stop):
        key[s] = coordinate[order[s]]
    left, right = start, stop - 1
    draw = np.uint64(88172645463325252)
    while left < right:
        draw = draw * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        pivot = key[left + np.int64((draw >> np.uint64(33)) % np.uint64(right - left + 1))]
        i, j = left, right
        while i <= j:
            while key[i] < pivot:
                i += 1
            while key[j] > pivot:
                j -= 1
            if i <= j:
                key[i], key[j] = key[j], key[i]
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            right = j
        elif middle >= i:
            left = i
        else:
            return


@kernel
def fill_leaf(x, members, rows, points):
    """Copy the points of a leaf into its slots."""
    for s in range(LEAF):
        i = members[min(s, members.size - 1)]
        if s < members.size:
            rows[s] = i
        for k in range(x.shape[1]):
            points[k, s] = x[i, k]


@kernel
def first_rows(rows, leaves):
    """Lowest row of each node."""
    first = np.empty(2 * leaves - 1, np.int64)
    for leaf in range(leaves):
        first[leaves - 1 + leaf] = rows[leaf * LEAF : (leaf + 1) * LEAF].min()
    for node in range(leaves - 2, -1, -1):
        first[node] = min(first[2 * node + 1], first[2 * node + 2])
    return first
