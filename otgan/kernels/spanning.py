"""From a transport plan without cycles to the spanning tree that a network simplex starts from."""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.simplex import Tree

__all__ = ["merge_masses", "spanning_tree"]


@kernel
def merge_masses(a, b):
    """North-west corner rule for positive integers of one total: indices i, j and masses, all positive."""
    i_of, j_of = np.empty(a.size + b.size, np.int64), np.empty(a.size + b.size, np.int64)
    mass = np.empty(a.size + b.size, np.int64)
    i = j = count = 0
    left_a, left_b = a[0], b[0]
    while i < a.size and j < b.size:
        moved = min(left_a, left_b)
        i_of[count], j_of[count], mass[count] = i, j, moved
        count += 1
        left_a -= moved
        left_b -= moved
        if left_a == 0:
            i += 1
            left_a = a[i] if i < a.size else 0
        if left_b == 0:
            j += 1
            left_b = b[j] if j < b.size else 0
    return i_of[:count], j_of[:count], mass[:count]


@kernel
def spanning_tree(n, m, tails, heads, flows, arcs, first, tail_of, costs):
    """A strongly feasible tree that holds the given plan, breadth first.

    Parameters
    ----------
    n, m : int
        Numbers of rows (nodes 0 to n-1) and columns (nodes n to n+m-1).
    tails, heads : (k,) int32 ndarray
        Nodes of the plan's arcs, which form no cycle.
    flows : (k,) int64 ndarray
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
    flow, seen = np.zeros(count, np.int64), np.zeros(count, np.bool_)
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
                    parent[v], arc[v], flow[v] = u, arcs[edge[k]], flows[edge[k]]
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
