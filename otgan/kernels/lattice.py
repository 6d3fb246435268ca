"""Minimum cost flow along the edges of a lattice: a primal network simplex on trees of edges.

Mass may go along every edge either way, as much as there is. So *every* spanning tree holds a feasible flow, whatever
the masses are, and the simplex may start from any: in :mod:`otgan.exact.lattice` from that of a lattice half as fine.

Nodes are numbered in the order of the array. Arc ``(u << bits) | k`` goes from node u along the k-th step; its other
end is ``heads[arc]``, -1 outside of the lattice. The tree, and how subtrees are moved in it, is that of
:mod:`otgan.kernels.simplex`; the arc of a node points up if it begins there. Potentials are those of sources: an arc
from u to v is tight if ``potential[u] = potential[v] + cost``.

Flows are whole numbers, and trees strongly feasible (Cunningham 1976): every arc without flow points up.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.monge import column_minima
from otgan.kernels.simplex import cut, graft, less_flow, make_root, root_of
from otgan.kernels.spanning import incidence, index_tree
from otgan.kernels.twofold import two_sum
from otgan.kernels.wide import add_at, is_zero, subtract_at, take_lesser

__all__ = [
    "cancel_common",
    "differences",
    "lattice_potentials",
    "lattice_simplex",
    "lower_to_neighbours",
    "match_along_tree",
    "minima_along",
    "tree_of_edges",
]

EPS = float(np.finfo(np.float64).eps)
TOLERANCE = 8 * EPS  # of cost and potentials: reduced costs above minus this are rounding
BLOCK = 8  # nodes whose arcs are looked at before a pivot; 64 and 256 take more pivots
SMALL = 16384  # nodes that are walked at once; with 4096 stale potentials reject twice as many arcs
REJECTION = 256  # what the walk along a cycle in vain costs, in arcs looked at


@kernel
def lattice_simplex(tree, potential, heads, bits, costs, start, max_pivots):
    """Pivot until no arc has a negative reduced cost, or ``max_pivots`` are spent.

    Parameters
    ----------
    tree : Tree
        Changed in place, as is ``potential`` (N,).
    potential : (N,) ndarray of float64
    heads : (N << bits,) ndarray of int32
    bits : int
    costs : (steps,) ndarray of float64
        Of each step.
    start : int
        The node where the search goes on.
    max_pivots : int

    Returns
    -------
    pivots, start : int
        Fewer pivots than allowed mean that the tree is optimal.
    """
    patience = 32 + int(0.4 * np.sqrt(potential.size))
    mass, spare = np.empty(tree.flow.shape[1], np.int64), np.empty(tree.flow.shape[1], np.int64)
    pivots = deferred = wasted = 0
    while pivots < max_pivots:
        entering, start, looked_at = entering_arc(potential, heads, bits, costs, start)
        if deferred > 0 and (entering < 0 or deferred > patience or wasted > potential.size):
            read_potentials(tree, potential, bits)
            deferred = wasted = 0
            continue
        if entering < 0:
            break
        tail, head = entering >> bits, heads[entering]
        cost = costs[entering - (tail << bits)]
        reduced, apex, leaving, on_tail_side = ratio_test(tree, bits, tail, head, cost)
        if deferred > 0 and not is_negative(reduced, cost, potential[tail], potential[head]):
            wasted += looked_at + REJECTION
            continue
        for d in range(mass.size):
            mass[d] = tree.flow[leaving, d]
        if not is_zero(mass):
            push(tree, bits, tail, head, apex, mass)
        inside, outside = (tail, head) if on_tail_side else (head, tail)
        cut(tree, leaving, apex)
        make_root(tree, inside, leaving, spare)
        graft(tree, inside, outside, apex)
        tree.arc[inside], tree.cost[inside] = entering, cost
        for d in range(mass.size):
            tree.flow[inside, d] = mass[d]
        pivots += 1
        if min(tree.size[inside], tree.size.size - tree.size[inside]) <= SMALL:
            gained = cost - potential[tail] + potential[head]
            shift_smaller_side(tree, potential, inside, gained if on_tail_side else -gained)
        else:
            deferred += 1
    return pivots, start


@kernel
def is_negative(reduced, cost, f, g):
    """Whether a reduced cost is negative beyond rounding, at the scale of its own arc."""
    return reduced < 0 and reduced < -TOLERANCE * (cost + abs(f) + abs(g))


@kernel
def entering_arc(potential, heads, bits, costs, start):
    """The most negative reduced cost of the first block of nodes that has one, the next start, arcs looked at."""
    count, steps = potential.size, costs.size
    best, lowest = -1, 0.0
    looked_at = 0
    while looked_at < count and best < 0:
        stop = min(start + BLOCK, count)
        for u in range(start, stop):
            f = potential[u]
            for k in range(steps):
                v = heads[(u << bits) + k]
                if v >= 0:
                    reduced = costs[k] - f + potential[v]
                    if reduced < lowest and is_negative(reduced, costs[k], f, potential[v]):
                        best, lowest = (u << bits) + k, reduced
        looked_at += stop - start
        start = stop if stop < count else 0
    return best, start, looked_at * steps


@kernel
def ratio_test(tree, bits, tail, head, cost):
    """Walk the cycle that the arc from ``tail`` to ``head`` closes, as :func:`otgan.kernels.simplex.ratio_test` does.

    Returns what a unit of mass around it costs, the apex, the node whose tree arc blocks first, and whether that is on
    the tail's path.
    """
    parent, size, flow, arc = tree.parent, tree.size, tree.flow, tree.arc
    leaving_tail = leaving_head = -1
    u, v = tail, head
    while u != v:
        size_u, size_v = size[u], size[v]
        if size_u <= size_v:
            if arc[u] >> bits == u:
                cost -= tree.cost[u]
                if leaving_tail < 0 or less_flow(flow, u, leaving_tail):
                    leaving_tail = u
            else:
                cost += tree.cost[u]
            u = parent[u]
        if size_v <= size_u:
            if arc[v] >> bits == v:
                cost += tree.cost[v]
            else:
                cost -= tree.cost[v]
                if leaving_head < 0 or not less_flow(flow, leaving_head, v):
                    leaving_head = v
            v = parent[v]
    if leaving_tail < 0 or (leaving_head >= 0 and not less_flow(flow, leaving_tail, leaving_head)):
        return cost, u, leaving_head, False
    return cost, u, leaving_tail, True


@kernel
def push(tree, bits, tail, head, apex, mass):
    """Send ``mass`` around the cycle that the arc from ``tail`` to ``head`` closes."""
    parent, flow, arc = tree.parent, tree.flow, tree.arc
    u = tail
    while u != apex:
        if arc[u] >> bits == u:
            subtract_at(flow, u, mass)
        else:
            add_at(flow, u, mass)
        u = parent[u]
    u = head
    while u != apex:
        if arc[u] >> bits == u:
            add_at(flow, u, mass)
        else:
            subtract_at(flow, u, mass)
        u = parent[u]


@kernel
def shift_smaller_side(tree, potential, root, rise):
    """Let the subtree of ``root`` rise against the rest, by moving the smaller of the two."""
    total, inside = tree.thread.size, tree.size[root]
    if 2 * inside <= total:
        u, count = root, inside
    else:
        u, count, rise = tree.thread[tree.last[root]], total - inside, -rise
    for _ in range(count):
        potential[u] += rise
        u = tree.thread[u]


@kernel
def read_potentials(tree, potential, bits):
    """Read all potentials off the tree, in place; that of the root stays."""
    root = root_of(tree)
    u = tree.thread[root]
    while u != root:
        rise = tree.cost[u] if tree.arc[u] >> bits == u else -tree.cost[u]
        potential[u] = potential[tree.parent[u]] + rise
        u = tree.thread[u]


@kernel
def lattice_potentials(tree, bits):
    """Potentials (N,) that make every tree arc tight, summed in twice the working precision; their median is 0."""
    high, low = np.zeros(tree.thread.size), np.zeros(tree.thread.size)
    root = root_of(tree)
    u = tree.thread[root]
    while u != root:
        above = tree.parent[u]
        high[u], low[u] = two_sum(tree.cost[u] if tree.arc[u] >> bits == u else -tree.cost[u], high[above])
        low[u] += low[above]
        u = tree.thread[u]
    centre = np.median(high)
    for u in range(high.size):
        high[u], error = two_sum(high[u], -centre)
        low[u] += error
    return high + low


@kernel
def tree_of_edges(tails, steps, supply, heads, bits, costs):
    """The strongly feasible tree of N - 1 edges that span a lattice, breadth first, with the flow that it has to carry.

    Parameters
    ----------
    tails, steps : (N - 1,) ndarray of int
        Edges, each in either direction; the step opposite to k is ``k ^ 1``.
    supply : (N, digits) ndarray of int64
        Mass to be sent from each node, negative where it is to arrive; overwritten.
    heads, bits, costs
        As for :func:`lattice_simplex`.
    """
    count = supply.shape[0]
    ends = np.empty(tails.size, np.int64)
    for e in range(tails.size):
        ends[e] = heads[(tails[e] << bits) + steps[e]]
    start, neighbour, edge = incidence(count, tails, ends)
    parent, arc = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    order = np.zeros(count, np.int32)
    found = 1
    for place in range(count):
        u = order[place]
        for k in range(start[u], start[u + 1]):
            v = neighbour[k]
            if v != parent[u]:
                step = steps[edge[k]]
                step = step if tails[edge[k]] == v else step ^ 1
                parent[v], arc[v] = u, (v << bits) + step
                order[found] = v
                found += 1
    flow, cost = np.zeros(supply.shape, np.int64), np.zeros(count)
    mass = np.empty(supply.shape[1], np.int64)
    for place in range(count - 1, 0, -1):
        v = order[place]
        for d in range(mass.size):
            mass[d] = supply[v, d]
        add_at(supply, parent[v], mass)
        step = arc[v] - (v << bits)
        cost[v] = costs[step]
        if mass[0] < 0:
            arc[v] = (parent[v] << bits) + (step ^ 1)
            subtract_at(flow, v, mass)
        else:
            add_at(flow, v, mass)
    tree = index_tree(parent, np.full(count, -1, np.int32), flow, cost, order)
    for v in range(count):
        tree.arc[v], tree.cost[v] = arc[v], cost[v]
    return tree


@kernel
def match_along_tree(tree, supply):
    """Sources and sinks in pairs along the flow of a tree: sources, sinks, masses (k, digits), at most N - 1 pairs.

    From the leaves to the root, every node matches the sources that wait below it with the sinks that do, until only
    one of the two kinds is left; that many the arc to its parent carries, and they wait there. So a pair meets on a
    way along arcs with flow, in their direction. ``supply`` (N, digits) is overwritten.
    """
    count, digits = supply.shape
    first, last, after = np.full(count, -1, np.int32), np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    are_sinks = np.zeros(count, np.bool_)  # what waits at a node
    sources, sinks = np.empty(count, np.int64), np.empty(count, np.int64)
    masses, moved, pairs = np.empty((count, digits), np.int64), np.empty(digits, np.int64), 0
    for u in range(count):
        if supply[u].any():
            first[u] = last[u] = u
            are_sinks[u] = supply[u, 0] < 0
            if are_sinks[u]:
                for d in range(digits):
                    moved[d] = supply[u, d]
                subtract_at(supply, u, moved)
                subtract_at(supply, u, moved)
    root = root_of(tree)
    u = tree.back[root]
    while u != root:
        above = tree.parent[u]
        while first[u] >= 0 and first[above] >= 0 and are_sinks[u] != are_sinks[above]:
            i, j = first[u], first[above]
            less = i if less_flow(supply, i, j) else j
            for d in range(digits):
                moved[d] = masses[pairs, d] = supply[less, d]
            sources[pairs], sinks[pairs] = (j, i) if are_sinks[u] else (i, j)
            pairs += 1
            for end, node in ((i, u), (j, above)):
                subtract_at(supply, end, moved)
                if not supply[end].any():
                    first[node] = after[end]
        if first[u] >= 0:
            if first[above] < 0:
                first[above], are_sinks[above] = first[u], are_sinks[u]
            else:
                after[last[above]] = first[u]
            last[above] = last[u]
        u = tree.back[u]
    return sources[:pairs], sinks[:pairs], masses[:pairs]


@kernel
def cancel_common(a, b):
    """What a and b (n, digits) have in common, place by place, and what is left of each; in that order."""
    common, left_a, left_b = np.zeros(a.shape, np.int64), a.copy(), b.copy()
    for i in range(a.shape[0]):
        take_lesser(a[i], b[i], common[i])
        subtract_at(left_a, i, common[i])
        subtract_at(left_b, i, common[i])
    return common, left_a, left_b


@kernel
def differences(a, b):
    """``a - b`` of whole numbers (n, digits); the first digit has the sign."""
    out = a.copy()
    for i in range(a.shape[0]):
        subtract_at(out, i, b[i])
    return out


@kernel
def minima_along(places, f, p):
    """For each line of f (lines, n), along places in rising order: the least ``|places_i - places_j|^p - f_i``.

    Returns the values, and by how much each may be too high; rows with -inf are left out. A line without any other has
    infinite values.
    """
    lines, n = f.shape
    values, errors = np.empty(f.shape), np.empty(f.shape)
    x, some = np.empty(n), np.empty(n)
    for line in range(lines):
        count = 0
        for i in range(n):
            if f[line, i] > -np.inf:
                x[count], some[count] = places[i], f[line, i]
                count += 1
        values[line], errors[line] = column_minima(x[:count], some[:count], places, p)
    return values, errors


@kernel
def lower_to_neighbours(values, step):
    """Lower values in the plane, in place, to the least ``values_i + step * (king's moves from i)``.

    One pass down and one up are enough (Rosenfeld & Pfaltz 1968, Distance functions on digital pictures).
    """
    rows, cols = values.shape
    for i in range(rows):
        for j in range(cols):
            least = values[i, j]
            if j > 0:
                least = min(least, values[i, j - 1] + step)
            if i > 0:
                for k in range(max(j - 1, 0), min(j + 2, cols)):
                    least = min(least, values[i - 1, k] + step)
            values[i, j] = least
    for i in range(rows - 1, -1, -1):
        for j in range(cols - 1, -1, -1):
            least = values[i, j]
            if j < cols - 1:
                least = min(least, values[i, j + 1] + step)
            if i < rows - 1:
                for k in range(max(j - 1, 0), min(j + 2, cols)):
                    least = min(least, values[i + 1, k] + step)
            values[i, j] = least
