"""Primal network simplex on a dense cost matrix, for masses that are whole numbers of 62 bits.

Nodes ``0 .. n-1`` are rows, ``n .. n+m-1`` columns; the basis is a spanning tree of arcs between them. Each node keeps
its parent, its depth, and its place in the list of its parent's children; of the arc to its parent it keeps flow and
cost. A pivot walks the cycle of the entering arc, turns the path that hangs on the leaving arc, and walks the subtree
that moves, to bring its potentials and depths up to date (Ahuja, Magnanti & Orlin 1993, chapter 11).

The entering arc is the cheapest of one row at a time, found in SIMD lanes. Rows are visited in strides, as neighbours
on a grid would make long chains of a tree (on 32 x 32 pixels that takes 1.5 to 5 times as long).

The first tree comes from the row minima:
each row in turn fills the cheapest columns that are still open. It is strongly feasible (Cunningham 1976: arcs without
flow lead from a row up to its parent), and so are all that follow, which rules out cycling in exact arithmetic.

Everything is in one array a node and in one function a phase: with the arrays of :mod:`otgan.kernels.simplex`, which
serves lists of arcs and masses of any size, a pivot takes 1.2 to 2 times as long up to 300 points. Tried as well: the
best of two to eight rows instead of one (fewer pivots, longer in all), rows in the order of their regret or cheapest
first (a tenth to a fifth fewer pivots), successive shortest paths (faster for equal weights up to some 100 points, up
to ten times slower for weights or for distributions that lie apart).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otgan.kernels.assignment import column_minima, lesser
from otgan.kernels.jit import kernel
from otgan.kernels.wide import is_zero, subtract_at

__all__ = ["Basis", "exact_flows", "first_basis", "least_reduced_cost", "pivot", "read_potentials"]

PARENT, FIRST, NEXT, PREVIOUS, DEPTH = 0, 1, 2, 3, 4  # columns of Basis.tree
FIELDS = 8  # of a node: the five above, and room to the end of half a cache line
TOLERANCE = 8 * 2.0**-52  # of cost and potentials: reduced costs above minus this are rounding
MOST = np.int64(2**63 - 1)


class Basis(NamedTuple):
    """A spanning tree of rows and columns with its flow, indexed by node; arrays are changed in place.

    Attributes
    ----------
    tree : (n + m, 8) ndarray of int32
        Parent (-1 at the root), first child, next and previous child of the same parent, depth.
    flow : (n + m,) ndarray of int64
        Mass on the arc between node and parent.
    cost : (n + m,) ndarray of float64
        Cost of that arc.
    potential : (n + m,) ndarray of float64
        Those of the rows, then those of the columns: ``f_i + g_j = C_ij`` along the tree.
    room : (n + m,) ndarray of int32
        To work in.
    """

    tree: np.ndarray
    flow: np.ndarray
    cost: np.ndarray
    potential: np.ndarray
    room: np.ndarray


@kernel
def first_basis(C, a, b):
    """A strongly feasible tree; the masses a (n,) and b (m,), of one total, are used up.

    Costs are seen over the least of their column. The row that is farthest from all columns comes first, and fills the
    nearest ones that are still open.
    """
    n, m = C.shape
    tree = np.empty((n + m, FIELDS), np.int32)
    tree[:, PARENT] = -1
    flow, cost = np.zeros(n + m, np.int64), np.zeros(n + m)
    prices = column_minima(C)[0]  # -inf where a column is closed
    order = farthest_first(C, prices)
    still_open, done = m, 0
    while done < n:
        i = order[done]
        j = cheapest(C, prices, i)[0]
        # The last column stays open, to be the root; a row that comes out even stays too, and then hangs on another.
        if still_open > 1 and (a[i] >= b[j] or done == n - 1):
            tree[n + j, PARENT], flow[n + j], cost[n + j] = i, b[j], C[i, j]
            a[i] -= b[j]
            prices[j] = -np.inf
            still_open -= 1
        else:
            tree[i, PARENT], flow[i], cost[i] = n + j, a[i], C[i, j]
            b[j] -= a[i]
            done += 1
    basis = Basis(tree, flow, cost, np.zeros(n + m), np.empty(n + m, np.int32))
    list_children(tree)
    read_potentials(basis, n)
    return basis


@kernel
def farthest_first(C, prices):
    """The rows by falling ``min_j C_ij - prices_j``; of equals, in strides."""
    n = C.shape[0]
    least, order = np.empty(n), np.empty(n, np.int64)
    i, step = 0, stride(n)
    for t in range(n):
        least[i] = least_reduced_cost(C, prices, i)
        k = t
        while k > 0 and least[order[k - 1]] < least[i]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = i
        i = (i + step) % n
    return order


@kernel
def stride(n):
    """A step that visits n rows in an order that has nothing to do with theirs, each once."""
    step = int(0.618 * n) + 1
    while True:
        u, v = n, step
        while v:
            u, v = v, u % v
        if u == 1:
            return step
        step += 1


@kernel
def cheapest(C, g, i):
    """The column of the least ``C_ij - g_j`` in row i, and that number."""
    least = least_reduced_cost(C, g, i)
    return place_of(C, g, i, least), least


@kernel
def least_reduced_cost(C, g, i):
    """The least ``C_ij - g_j`` in row i: the minimum in eight lanes."""
    m = g.size
    m0 = m1 = m2 = m3 = m4 = m5 = m6 = m7 = np.inf
    for j in range(0, m - 7, 8):
        m0, m1 = lesser(C[i, j] - g[j], m0), lesser(C[i, j + 1] - g[j + 1], m1)
        m2, m3 = lesser(C[i, j + 2] - g[j + 2], m2), lesser(C[i, j + 3] - g[j + 3], m3)
        m4, m5 = lesser(C[i, j + 4] - g[j + 4], m4), lesser(C[i, j + 5] - g[j + 5], m5)
        m6, m7 = lesser(C[i, j + 6] - g[j + 6], m6), lesser(C[i, j + 7] - g[j + 7], m7)
    least = lesser(lesser(lesser(m0, m1), lesser(m2, m3)), lesser(lesser(m4, m5), lesser(m6, m7)))
    for j in range(m - m % 8, m):
        least = lesser(C[i, j] - g[j], least)
    return least


@kernel
def place_of(C, g, i, value):
    """The first column of row i where ``C_ij - g_j`` is ``value``."""
    j = 0
    while j < g.size - 1 and C[i, j] - g[j] != value:
        j += 1
    return j


@kernel
def list_children(tree):
    """The lists of children from the parents."""
    for u in range(tree.shape[0]):
        tree[u, FIRST] = tree[u, NEXT] = tree[u, PREVIOUS] = -1
    for u in range(tree.shape[0]):
        if tree[u, PARENT] >= 0:
            hang(tree, u, tree[u, PARENT])


@kernel
def hang(tree, u, parent):
    """Make u the first child of ``parent``."""
    follows = tree[parent, FIRST]
    tree[u, PARENT], tree[u, NEXT], tree[u, PREVIOUS] = parent, follows, -1
    tree[parent, FIRST] = u
    if follows >= 0:
        tree[follows, PREVIOUS] = u


@kernel
def unhang(tree, u):
    """Take u out of the list of its parent's children."""
    follows, before = tree[u, NEXT], tree[u, PREVIOUS]
    if before >= 0:
        tree[before, NEXT] = follows
    else:
        tree[tree[u, PARENT], FIRST] = follows
    if follows >= 0:
        tree[follows, PREVIOUS] = before


@kernel
def read_potentials(basis, n):
    """Read potentials and depths off the tree, in place; the root has 0. Returns the nodes in an order from there."""
    tree, order = basis.tree, np.empty(basis.flow.size, np.int32)
    root = 0
    while tree[root, PARENT] >= 0:
        root = tree[root, PARENT]
    basis.potential[root], tree[root, DEPTH] = 0.0, 0
    order[0], known, done = root, 1, 0
    while done < known:
        u = order[done]
        done += 1
        w = tree[u, FIRST]
        while w >= 0:
            basis.potential[w] = basis.cost[w] - basis.potential[u]
            tree[w, DEPTH] = tree[u, DEPTH] + 1
            order[known] = w
            known += 1
            w = tree[w, NEXT]
    return order


@kernel
def pivot(C, basis, row, most):
    """Pivot, looking at one row after the other from ``row`` on, until all are optimal or ``most`` pivots are spent.

    Returns the number of pivots and the row to go on with; fewer pivots than allowed mean that the basis is optimal.
    """
    n = C.shape[0]
    tree, flow, cost, potential = basis.tree, basis.flow, basis.cost, basis.potential
    g, step = potential[n:], stride(n)
    pivots = optimal = 0
    while optimal < n and pivots < most:
        i = row
        row = (i + step) % n
        least = least_reduced_cost(C, g, i)
        reduced = least - potential[i]
        optimal += 1
        if reduced >= 0.0:
            continue
        j = place_of(C, g, i, least)
        entering = C[i, j]
        if reduced >= -TOLERANCE * (abs(entering) + abs(potential[i]) + abs(g[j])):
            continue
        optimal = 0
        pivots += 1

        # Walk the cycle to its apex. Flow falls on upward arcs of the row's path and on downward arcs of the column's;
        # of equals the last along the cycle leaves, seen from the apex: near the row on its path, far from the column.
        u, v = i, n + j
        of_row = of_column = -1
        least_of_row = least_of_column = MOST
        while u != v:
            rise = tree[u, DEPTH] - tree[v, DEPTH]
            while rise >= 0 and u != v:
                less = (u < n) & (flow[u] < least_of_row)
                of_row = u if less else of_row
                least_of_row = flow[u] if less else least_of_row
                u = tree[u, PARENT]
                rise -= 1
            while rise < 0 and u != v:
                less = (v >= n) & (flow[v] <= least_of_column)
                of_column = v if less else of_column
                least_of_column = flow[v] if less else least_of_column
                v = tree[v, PARENT]
                rise += 1
        apex = u
        if of_row < 0 or (of_column >= 0 and least_of_column <= least_of_row):
            leaving, mass, inside, outside = of_column, least_of_column, n + j, i
        else:
            leaving, mass, inside, outside = of_row, least_of_row, i, n + j

        if mass > 0:
            u = i
            while u != apex:
                flow[u] += -mass if u < n else mass
                u = tree[u, PARENT]
            v = n + j
            while v != apex:
                flow[v] += mass if v < n else -mass
                v = tree[v, PARENT]

        # Turn the path from the entering arc to the leaving one: each node hangs on the one before.
        u, above = inside, outside
        new_flow, new_cost = mass, entering
        while above != leaving:
            up = tree[u, PARENT]
            unhang(tree, u)
            hang(tree, u, above)
            flow[u], new_flow = new_flow, flow[u]
            cost[u], new_cost = new_cost, cost[u]
            above, u = u, up

        raise_subtree(basis, n, inside, outside, entering)
    return pivots, row


@kernel
def raise_subtree(basis, n, inside, outside, entering):
    """Bring the potentials and depths of the subtree of ``inside`` up to date with the arc to ``outside``."""
    tree, potential, stack = basis.tree, basis.potential, basis.room
    change = entering - potential[outside] - potential[inside]
    rows, columns = (change, -change) if inside < n else (-change, change)
    potential[inside] += change
    tree[inside, DEPTH] = tree[outside, DEPTH] + 1
    stack[0], count = inside, 1
    while count > 0:
        count -= 1
        u = stack[count]
        depth = tree[u, DEPTH] + 1
        w = tree[u, FIRST]
        while w >= 0:
            potential[w] += rows if w < n else columns
            tree[w, DEPTH] = depth
            stack[count] = w
            count += 1
            w = tree[w, NEXT]


@kernel
def exact_flows(basis, order, masses):
    """The flows (n + m, k) of the tree for masses (n + m, k) of any size, which are used up; whether none is negative.

    ``order`` are the nodes from the root on. What a node is given and its children do not bring or take goes to its
    parent, or comes from there.
    """
    feasible = True
    for t in range(order.size - 1, 0, -1):
        u = order[t]
        feasible &= masses[u, 0] >= 0
        subtract_at(masses, basis.tree[u, PARENT], masses[u])
    return feasible and is_zero(masses[order[0]])
