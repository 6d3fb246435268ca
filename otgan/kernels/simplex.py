"""Primal network simplex for transport on a list of arcs, with a basis that outlives the call.

Nodes ``0 .. n-1`` are rows (sources), ``n .. n+m-1`` columns (sinks); arc k sends mass from ``tails[k]`` to
``heads[k]`` at ``costs[k]`` without capacity, so arcs outside the spanning tree carry nothing and need no state at all:
appending arcs to the list leaves tree, flows and potentials valid, and :func:`simplex` simply goes on. In loops nodes
are unsigned: indices that cannot be negative are spared the look whether they count from the end.

The tree is kept as in Ahuja, Magnanti & Orlin (1993, chapter 11) with the indices of Grigoriadis (1986): a ring
``thread`` in preorder and its inverse ``back``, subtree sizes, and the last node of each subtree in preorder. Moving a
subtree costs the length of the paths involved, not its size. A node's tree arc points up (to the parent) if it is a
row, and down if it is a column.

Only potentials need a walk over nodes. The smaller of the two sides is walked if it is small, or no longer than the
search for the arc was; otherwise the walk is put off, and after some sqrt(N) of them all potentials are read off the
tree. Meanwhile the reduced cost of an entering arc is summed along its cycle, which is walked anyway: stale potentials
can waste a look at an arc, never make a wrong pivot. (They are wrong by one number on one side of a cut, so only arcs
across it are misjudged. On 30,000 x 24,000 points this halves the time against shifting the smaller side each time,
4,000 nodes a pivot on average.)

Flows are whole numbers of any size (:mod:`otgan.kernels.wide`), so they never drift. Trees are kept strongly feasible
(Cunningham 1976): every arc without flow points up, and of several arcs that could leave the last one on the cycle is
taken. That rules out cycling.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.twofold import two_sum
from otgan.kernels.wide import add_at, is_zero, subtract_at

__all__ = ["Tree", "simplex", "tree_potentials"]

EPS = float(np.finfo(np.float64).eps)
TOLERANCE = 8 * EPS  # of cost and potentials: reduced costs above minus this are rounding
BLOCK = 64  # arcs looked at before a pivot; the usual sqrt(arcs) takes fewer pivots, but longer
SMALL = 1024  # nodes that are walked at once; 4096 take a quarter more time where mass moves far, 256 as much as this
REJECTION = 256  # what the walk along a cycle in vain costs, in arcs looked at


class Tree(NamedTuple):
    """A spanning tree with its flow, indexed by node (N,), flow (N, k); arrays are changed in place.

    Attributes
    ----------
    parent : int32
        -1 at the root.
    thread, back : int32
        Next and previous node in preorder, closed to a ring.
    size : int32
        Nodes of the subtree, the node itself included.
    last : int32
        Last node of the subtree in preorder.
    arc : int32
        Index of the arc between node and parent, -1 at the root.
    flow : int64
        Mass on that arc, k digits.
    cost : float64
        Cost of that arc.
    """

    parent: np.ndarray
    thread: np.ndarray
    back: np.ndarray
    size: np.ndarray
    last: np.ndarray
    arc: np.ndarray
    flow: np.ndarray
    cost: np.ndarray


@kernel
def simplex(tree, potential, n, tails, heads, costs, start, max_pivots):
    """Pivot until no arc of the list has a negative reduced cost, or ``max_pivots`` are spent.

    ``potential`` (N,) is changed in place, ``start`` is the arc where the search goes on. Returns the number of
    pivots and the next ``start``; fewer pivots than allowed mean that the tree is optimal.
    """
    patience = 32 + int(0.4 * np.sqrt(potential.size))
    mass, spare = np.empty(tree.flow.shape[1], np.int64), np.empty(tree.flow.shape[1], np.int64)
    pivots = deferred = wasted = 0
    while pivots < max_pivots:
        entering, start, looked_at = entering_arc(potential, tails, heads, costs, start)
        if deferred > 0 and (entering < 0 or deferred > patience or wasted > potential.size):
            read_potentials(tree, potential)
            deferred = wasted = 0
            continue
        if entering < 0:
            break
        tail, head, cost = tails[entering], heads[entering], costs[entering]
        reduced, apex, leaving, on_tail_side = ratio_test(tree, n, tail, head, cost)
        if deferred > 0 and not is_negative(reduced, cost, potential[tail], potential[head]):
            wasted += looked_at + REJECTION
            continue
        for d in range(mass.size):
            mass[d] = tree.flow[leaving, d]
        exchange(tree, n, tail, head, apex, leaving, mass, on_tail_side, spare)
        inside = tail if on_tail_side else head
        tree.arc[inside], tree.cost[inside] = entering, cost
        for d in range(mass.size):
            tree.flow[inside, d] = mass[d]
        pivots += 1
        if min(tree.size[inside], tree.size.size - tree.size[inside]) <= max(SMALL, looked_at):
            shift_smaller_side(tree, potential, n, inside, cost - potential[tail] - potential[head])
        else:
            deferred += 1
    return pivots, start


@kernel
def is_negative(reduced, cost, f, g):
    """Whether a reduced cost is negative beyond rounding, at the scale of its own arc."""
    return reduced < 0 and reduced < -TOLERANCE * (abs(cost) + abs(f) + abs(g))


@kernel
def entering_arc(potential, tails, heads, costs, start):
    """The most negative reduced cost of the first block that has one, where the next search starts, arcs seen.

    The least one is found without a branch, as none could be foreseen, and then it is seen whether it is negative.
    With unsigned indices an arc takes 1.3 ns, with signed ones 3.4.
    """
    count = costs.size
    best = -1
    looked_at = 0
    while looked_at < count and best < 0:
        stop = min(start + BLOCK, count)
        place, lowest = start, 0.0
        for k in range(start, stop):
            reduced = costs[k] - potential[np.uint32(tails[k])] - potential[np.uint32(heads[k])]
            lower = reduced < lowest
            lowest = reduced if lower else lowest
            place = k if lower else place
        if lowest < 0.0:
            f, g, cost = potential[tails[place]], potential[heads[place]], costs[place]
            clear = is_negative(lowest, cost, f, g)
            best = place if clear else lowest_beyond_rounding(potential, tails, heads, costs, start, stop)
        looked_at += stop - start
        start = stop if stop < count else 0
    return best, start, looked_at


@kernel
def lowest_beyond_rounding(potential, tails, heads, costs, start, stop):
    """The most negative reduced cost among those arcs that are negative beyond their own rounding, -1 for none."""
    best, lowest = -1, 0.0
    for k in range(start, stop):
        f, g, cost = potential[tails[k]], potential[heads[k]], costs[k]
        reduced = cost - f - g
        if reduced < lowest and is_negative(reduced, cost, f, g):
            best, lowest = k, reduced
    return best


@kernel
def ratio_test(tree, n, tail, head, cost):
    """Walk the cycle that the arc from ``tail`` to ``head`` closes.

    Returns what a unit of mass around it costs (the reduced cost of the arc), the apex where the paths of tail and
    head meet, the node whose tree arc blocks first, and whether it is on the tail's path.
    The cycle runs apex - tail - head - apex. Flow falls on upward arcs of the tail's path and on downward arcs of the
    head's. Of equals the last along the cycle leaves: nearest to the tail on its path, nearest to the apex on the
    head's.
    """
    parent, size, flow = tree.parent, tree.size, tree.flow
    leaving_tail = leaving_head = -1
    u, v = np.uint32(tail), np.uint32(head)
    while u != v:
        # A smaller subtree cannot contain the other node, and of two equal ones neither contains the other.
        size_u, size_v = size[u], size[v]
        if size_u <= size_v:
            if u < n and (leaving_tail < 0 or less_flow(flow, u, leaving_tail)):
                leaving_tail = u
            cost += -tree.cost[u] if u < n else tree.cost[u]
            u = np.uint32(parent[u])
        if size_v <= size_u:
            if v >= n and (leaving_head < 0 or not less_flow(flow, leaving_head, v)):
                leaving_head = v
            cost += tree.cost[v] if v < n else -tree.cost[v]
            v = np.uint32(parent[v])
    if leaving_tail < 0 or (leaving_head >= 0 and not less_flow(flow, leaving_tail, leaving_head)):
        return cost, u, leaving_head, False
    return cost, u, leaving_tail, True


@kernel
def less_flow(flow, u, v):
    """Whether the arc of node u carries less than that of node v."""
    if flow[u, 0] != flow[v, 0]:
        return flow[u, 0] < flow[v, 0]
    for d in range(1, flow.shape[1]):
        if flow[u, d] != flow[v, d]:
            return flow[u, d] < flow[v, d]
    return False


@kernel
def exchange(tree, n, tail, head, apex, leaving, mass, on_tail_side, spare):
    """Push the mass, and hang the subtree of the leaving node on the entering arc instead; ``spare`` (k,) is used."""
    if not is_zero(mass):
        push(tree, n, tail, head, apex, mass)
    inside, outside = (tail, head) if on_tail_side else (head, tail)
    cut(tree, leaving, apex)
    make_root(tree, inside, leaving, spare)
    graft(tree, inside, outside, apex)


@kernel
def push(tree, n, tail, head, apex, mass):
    """Send ``mass`` around the cycle that the arc from ``tail`` to ``head`` closes."""
    parent, flow = tree.parent, tree.flow
    u = np.uint32(tail)
    while u != apex:
        if u < n:
            subtract_at(flow, u, mass)
        else:
            add_at(flow, u, mass)
        u = np.uint32(parent[u])
    u = np.uint32(head)
    while u != apex:
        if u < n:
            add_at(flow, u, mass)
        else:
            subtract_at(flow, u, mass)
        u = np.uint32(parent[u])


@kernel
def link(tree, first, second):
    """Make ``second`` follow ``first`` in preorder."""
    tree.thread[first] = second
    tree.back[second] = first


@kernel
def cut(tree, node, apex):
    """Take the subtree of ``node`` out of the ring, and out of the sizes below ``apex``, where it will stay."""
    parent, size, last = tree.parent, tree.size, tree.last
    end, before = last[node], tree.back[node]
    link(tree, before, tree.thread[end])
    below, v = size[node], np.uint32(parent[node])
    while v != apex:
        size[v] -= below
        v = np.uint32(parent[v])
    u = parent[node]
    while u >= 0 and last[u] == end:
        last[u] = before
        u = parent[u]
    parent[node] = -1
    tree.arc[node] = -1


@kernel
def make_root(tree, node, root, flow):
    """Turn the tree of ``root`` so that ``node`` becomes its root.

    The new preorder is the subtree of ``node``, then, going up, what each ancestor has beside the subtree just left:
    a part in front of that subtree in the old preorder, and a part behind it. ``flow`` (k,) is where flows are kept.
    """
    thread, back, size, last = tree.thread, tree.back, tree.size, tree.last
    total = size[root]
    below, u = node, tree.parent[node]
    arc, cost = tree.arc[node], tree.cost[node]
    for d in range(flow.size):
        flow[d] = tree.flow[node, d]
    size_below, old_end = size[node], last[node]
    before, behind, end = back[node], thread[old_end], old_end
    size[node] = total
    tree.parent[node] = -1
    while u >= 0:
        up, before_up, end_up = tree.parent[u], back[u], last[u]
        behind_up = thread[end_up] if end_up != old_end else behind
        link(tree, end, u)
        end = before
        if end_up != old_end:
            link(tree, before, behind)
            end = end_up
        tree.parent[u] = below
        arc, tree.arc[u] = tree.arc[u], arc
        for d in range(flow.size):
            flow[d], tree.flow[u, d] = tree.flow[u, d], flow[d]
        cost, tree.cost[u] = tree.cost[u], cost
        size_below, size[u] = size[u], total - size_below
        old_end, before, behind = end_up, before_up, behind_up
        below, u = u, up
    u = below
    while u >= 0:
        last[u] = end
        u = tree.parent[u]


@kernel
def graft(tree, root, onto, apex):
    """Hang the tree of ``root`` below the node ``onto``, as its first child."""
    size, last = tree.size, tree.last
    end, behind = last[root], tree.thread[onto]
    link(tree, onto, root)
    link(tree, end, behind)
    tree.parent[root] = onto
    u = onto
    while u >= 0 and last[u] == onto:
        last[u] = end
        u = tree.parent[u]
    below, v = size[root], np.uint32(onto)
    while v != apex:
        size[v] += below
        v = np.uint32(tree.parent[v])


@kernel
def shift_smaller_side(tree, potential, n, root, reduced):
    """Bring the reduced cost of the arc between ``root`` and its parent from ``reduced`` to zero.

    Either side of that arc may move: rows by one sign, columns by the other, so that all other tree arcs stay tight.
    """
    total, inside = tree.thread.size, tree.size[root]
    rows = reduced if root < n else -reduced
    if 2 * inside <= total:
        shift(tree.thread, potential, n, root, inside, rows)
    else:
        shift(tree.thread, potential, n, tree.thread[tree.last[root]], total - inside, -rows)


@kernel
def shift(thread, potential, n, first, count, rows):
    """Add ``rows`` to the rows and take it from the columns among ``count`` nodes from ``first`` on."""
    u = np.uint32(first)
    for _ in range(count):
        potential[u] += rows if u < n else -rows
        u = np.uint32(thread[u])


@kernel
def root_of(tree):
    """The node without a parent."""
    root = tree.thread[0]
    while tree.parent[root] >= 0:
        root = tree.parent[root]
    return root


@kernel
def read_potentials(tree, potential):
    """Read all potentials off the tree, in place; that of the root stays."""
    root = root_of(tree)
    u = tree.thread[root]
    while u != root:
        potential[u] = tree.cost[u] - potential[tree.parent[u]]
        u = tree.thread[u]


@kernel
def tree_potentials(tree, n):
    """Potentials (N,) that make every tree arc tight, centred on the rows, each correct to its own last digits.

    Sums along the tree run in twice the working precision, so that neither a long path nor a dear arc on the way
    costs digits; the constant that is free is the median of the rows.
    """
    high, low = np.zeros(tree.thread.size), np.zeros(tree.thread.size)
    root = root_of(tree)
    u = tree.thread[root]
    while u != root:
        above = tree.parent[u]
        high[u], low[u] = two_sum(tree.cost[u], -high[above])
        low[u] -= low[above]
        u = tree.thread[u]
    centre = np.median(high[:n])
    for u in range(high.size):
        high[u], error = two_sum(high[u], -centre if u < n else centre)
        low[u] += error
    return high + low
