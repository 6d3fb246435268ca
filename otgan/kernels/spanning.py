"""Spanning trees that a network simplex starts from, and the north-west corner rule."""

from __future__ import annotations

import numpy as np

from otgan.kernels.copies import copy_into
from otgan.kernels.jit import kernel
from otgan.kernels.simplex import Tree
from otgan.kernels.wide import is_zero, subtract, take_lesser

__all__ = ["merge_masses", "send_greedily", "spanning_tree"]


@kernel
def merge_masses(a, b):
    """North-west corner rule for whole numbers (n, k) and (m, k) of one total: indices i, j, masses, all positive.

    Rows and columns without mass take no part.
    """
    k = a.shape[1]
    room = a.shape[0] + b.shape[0]
    i_of, j_of, mass = np.empty(room, np.int64), np.empty(room, np.int64), np.empty((room, k), np.int64)
    left_a, left_b, moved = a[0].copy(), b[0].copy(), np.empty(k, np.int64)
    i = j = count = 0
    while i < a.shape[0] and j < b.shape[0]:
        take_lesser(left_a, left_b, moved)
        if not is_zero(moved):
            i_of[count], j_of[count] = i, j
            mass[count] = moved
            count += 1
            subtract(left_a, moved)
            subtract(left_b, moved)
        if is_zero(left_a):
            i += 1
            if i < a.shape[0]:
                copy_into(left_a, a[i])
        if is_zero(left_b):
            j += 1
            if j < b.shape[0]:
                copy_into(left_b, b[j])
    return i_of[:count], j_of[:count], mass[:count]


@kernel
def send_greedily(rows, cols, left_a, left_b):
    """Send all that can be sent along arcs (k,), one after the other: indices of arcs, masses, all positive.

    What is left of the masses, ``left_a`` (n, k) and ``left_b`` (m, k), is changed in place. Each arc exhausts one of
    its ends, so that these arcs close no cycle.
    """
    count, digits = 0, left_a.shape[1]
    room = min(rows.size, left_a.shape[0] + left_b.shape[0])
    arcs, mass = np.empty(room, np.int64), np.empty((room, digits), np.int64)
    moved = np.empty(digits, np.int64)
    for k in range(rows.size):
        i, j = rows[k], cols[k]
        take_lesser(left_a[i], left_b[j], moved)
        if not is_zero(moved):
            arcs[count] = k
            mass[count] = moved
            count += 1
            subtract(left_a[i], moved)
            subtract(left_b[j], moved)
    return arcs[:count], mass[:count]


@kernel
def spanning_tree(n, m, tails, heads, flows, arcs, first, tail_of, costs):
    """A strongly feasible tree that holds the given plan, breadth first.

    Parameters
    ----------
    n, m : int
        Numbers of rows (nodes 0 to n-1) and columns (nodes n to n+m-1).
    tails, heads : (k,) int32 ndarray
        Nodes of the plan's arcs, which form no cycle.
    flows : (k, digits) int64 ndarray
        Their masses, positive.
    arcs : (k,) int32 ndarray
        Their indices in the arc list.
    first : (m + 1,) ndarray
    tail_of, costs : (l,) ndarray
        The arc list sorted by column: the arcs of column j are ``first[j]`` to ``first[j + 1] - 1``. Components of the
        plan are joined by arcs of the list without flow, which point towards the root. A component that no such arc
        reaches stays out: its nodes keep the size 0.
    """
    count = n + m
    start, neighbour, edge = incidence(count, tails, heads)
    parent, arc = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    flow, seen = np.zeros((count, flows.shape[1]), np.int64), np.zeros(count, np.bool_)
    order = np.empty(count, np.int32)
    order[0], seen[0] = 0, True
    found, looked_at, joined = 1, 0, 0
    while joined < found:
        # The whole component first, so that no node of it is taken for one that has to be joined.
        while looked_at < found:
            u = order[looked_at]
            looked_at += 1
            for k in range(start[u], start[u + 1]):
                v = neighbour[k]
                if not seen[v]:
                    seen[v] = True
                    parent[v], arc[v] = u, arcs[edge[k]]
                    flow[v] = flows[edge[k]]
                    order[found] = v
                    found += 1
        u = order[joined]
        joined += 1
        if u < n:
            continue
        for k in range(first[u - n], first[u - n + 1]):
            v = tail_of[k]
            if not seen[v]:
                seen[v] = True
                parent[v], arc[v] = u, k
                order[found] = v
                found += 1
                joined -= 1
                break
    return index_tree(parent, arc, flow, costs, order[:found])


@kernel
def incidence(count, tails, heads):
    """For each node its neighbours and the edges to them, in compressed rows."""
    start = np.zeros(count + 1, np.int64)
    for k in range(tails.size):
        start[tails[k] + 1] += 1
        start[heads[k] + 1] += 1
    start = np.cumsum(start)
    place = start[:-1].copy()
    neighbour, edge = np.empty(2 * tails.size, np.int32), np.empty(2 * tails.size, np.int32)
    for k in range(tails.size):
        for u, v in ((tails[k], heads[k]), (heads[k], tails[k])):
            neighbour[place[u]], edge[place[u]] = v, k
            place[u] += 1
    return start, neighbour, edge


@kernel
def index_tree(parent, arc, flow, costs, order):
    """Preorder ring, sizes and last descendants of a tree given by parents; ``order`` has parents before children."""
    count = parent.size
    size, place, used = np.zeros(count, np.int32), np.zeros(count, np.int32), np.ones(count, np.int32)
    for u in order[::-1]:
        size[u] += 1
        if parent[u] >= 0:
            size[parent[u]] += size[u]
    ring = np.zeros(order.size, np.int32)
    for u in order:
        above = parent[u]
        if above >= 0:
            place[u] = place[above] + used[above]
            used[above] += size[u]
        ring[place[u]] = u
    thread, back, last = np.zeros(count, np.int32), np.zeros(count, np.int32), np.zeros(count, np.int32)
    for k in range(order.size):
        u = ring[k]
        thread[u] = ring[(k + 1) % order.size]
        back[u] = ring[k - 1]
        last[u] = ring[place[u] + size[u] - 1]
    cost = np.zeros(count)
    for u in order:
        if arc[u] >= 0:
            cost[u] = costs[arc[u]]
    return Tree(parent, thread, back, size, last, arc, flow, cost)
