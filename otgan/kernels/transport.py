"""Primal network simplex on a dense cost matrix, for masses that are whole numbers of 62 bits.

Nodes ``0 .. n-1`` are rows, ``n .. n+m-1`` columns; the basis is a spanning tree of arcs between them. Each node keeps
its parent, flow and cost of the arc to it, and the set of the columns at and below it, one bit a column. A pivot walks
the cycle of the entering arc, turns the path that hangs on the leaving arc, and moves the potentials of the columns
below (Ahuja, Magnanti & Orlin 1993, chapter 11). With sets as bits there is no subtree to be walked: whether a column
is below a node is one bit, a set is put under another parent by one operation for 64 columns, and potentials move in
SIMD lanes. The root is a column, so each row hangs on a column, and its potential is the cost of that arc less the
column's. On paths nodes are unsigned, as in :mod:`otgan.kernels.simplex` (5 to 15 % of all).

The entering arc is the cheapest of four rows at a time, of one where rows are long, found in SIMD lanes too. Rows are
visited in strides, as neighbours on a grid would make long chains of a tree (on 32 x 32 pixels that takes 1.5 to 5
times as long).

The first tree is filled greedily: the row whose mass goes to the fewest columns in a rough entropic plan comes first,
and takes the open column where that plan sends most. This halves the pivots, and saves a tenth to a third of the time.
Where costs are tied, problems are small, or rather large (a plan of 700 x 560 takes a third of the time of all), the
row that is farthest from all columns comes first, and takes what is cheapest and still open under the prices of
:func:`otgan.kernels.reduced_costs.first_prices`. Either tree is strongly feasible (Cunningham 1976: arcs without flow
lead from a row up to its parent), and so are all that follow, which rules out cycling in exact arithmetic.

Tried as well: lists of children that are walked (1.3 to 2 times as long from 40 to 2000 points), subtrees in one
thread as in :mod:`otgan.kernels.simplex`, which serves lists of arcs and masses of any size (1.2 to 2 times as long
again), the best of eight rows (more time in looking than pivots save), exact optimal prices instead of an entropic
plan (a third more pivots: ties say nothing of where masses go), the farthest rows first with an entropic plan (a
quarter more pivots), successive shortest paths (2 to 3 times as long for clouds of 40 points, ten times for
distributions that lie apart).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otgan.kernels.assignment import are_tied
from otgan.kernels.entropic import entropic_plan
from otgan.kernels.jit import inlined, kernel
from otgan.kernels.reduced_costs import cheapest, first_prices, least_difference, least_reduced_cost, lesser, place_of
from otgan.kernels.wide import is_zero, subtract_at

__all__ = ["Basis", "exact_flows", "first_basis", "pivot", "read_potentials"]

BITS = 64  # columns in a word of a set
ROWS, LONG_ROW = 4, 128  # that are looked at before a pivot; one of that length
LEAST_SIDE, MOST_PAIRS = 20, 2**17  # of problems that begin with an entropic plan
CLASSES = 64  # of rows, by how far they are from all columns
LEAST_RANGE = 2.0**-1000  # of these distances: below it they are the same
TOLERANCE = 8 * 2.0**-52  # of cost and potentials: reduced costs above minus this are rounding
MOST = np.int64(2**63 - 1)


class Basis(NamedTuple):
    """A spanning tree of rows and columns with its flow, indexed by node; arrays are changed in place.

    Attributes
    ----------
    parent : (n + m,) ndarray of int32
        -1 at the root.
    below : (n + m, words) ndarray of uint64
        The set of the columns at and below each node, a bit a column.
    flow : (n + m,) ndarray of int64
        Mass on the arc between node and parent.
    cost : (n + m,) ndarray of float64
        Cost of that arc.
    potential : (n + m,) ndarray of float64
        Those of the rows, then those of the columns: ``f_i + g_j = C_ij`` along the tree. Pivots move those of the
        columns alone; :func:`read_potentials` brings the rows after them.
    """

    parent: np.ndarray
    below: np.ndarray
    flow: np.ndarray
    cost: np.ndarray
    potential: np.ndarray


@kernel
def first_basis(C, a, b):
    """A strongly feasible tree; the masses a (n,) and b (m,), of one total, are used up."""
    n, m = C.shape
    if min(n, m) >= LEAST_SIDE and n * m <= MOST_PAIRS and not are_tied(C):
        plan, shares, good = entropic_plan(C, a, b)
        if good:
            return filled_like(plan, shares, C, a, b)
    return filled_cheaply(C, a, b)


@kernel
def filled_like(plan, shares, C, a, b):
    """The tree that follows a plan as it can, the rows that go to fewest columns first, as their ``shares`` say."""
    n, m = C.shape
    parent, hung, flow, cost = nothing_hung(n, m)
    bits, open_columns = plan.view(np.int32), np.zeros(plan.shape[1], np.int32)
    for j in range(m):
        open_columns[j] = -1  # all bits
    order = largest_first(shares)
    done = 0
    for count in range(n + m - 1):
        i = order[done]
        j = largest_open(bits[i], open_columns)
        if hang(i, j, C[i, j], a, b, done == n - 1, count - done == m - 1, parent, hung, flow, cost, count):
            open_columns[j] = 0
        else:
            done += 1
    return tree_of(n, m, parent, hung, flow, cost)


@kernel
def filled_cheaply(C, a, b):
    """The tree that begins with the farthest rows, and gives each what is cheapest under the first prices."""
    n, m = C.shape
    parent, hung, flow, cost = nothing_hung(n, m)
    prices = first_prices(C)  # -inf where a column is closed
    order = farthest_first(C, prices)
    done = 0
    for count in range(n + m - 1):
        i = order[done]
        j = cheapest(C, prices, i)
        if hang(i, j, C[i, j], a, b, done == n - 1, count - done == m - 1, parent, hung, flow, cost, count):
            prices[j] = -np.inf
        else:
            done += 1
    return tree_of(n, m, parent, hung, flow, cost)


@inlined
def nothing_hung(n, m):
    """Room for the parents of a tree, the nodes in the order in which they were hung, flows and costs."""
    return np.empty(n + m, np.int32), np.empty(n + m, np.int32), np.empty(n + m, np.int64), np.empty(n + m)


@inlined
def hang(i, j, price, a, b, last_row, last_column, parent, hung, flow, cost, count):
    """Send what row i can send to column j, and hang whichever is exhausted on the other; whether it was the column.

    The last column stays open, to be the root; a row that comes out even stays too, and then hangs on another.
    """
    n = a.size
    closes = not last_column and (a[i] >= b[j] or last_row)
    u, above, mass = (n + j, i, b[j]) if closes else (i, n + j, a[i])
    a[i] -= mass
    b[j] -= mass
    parent[u], flow[u], cost[u] = above, mass, price
    hung[count] = u
    return closes


@kernel
def tree_of(n, m, parent, hung, flow, cost):
    """The tree of nodes that were hung one after the other, children first."""
    root = parent[hung[n + m - 2]]  # the last one hangs on it
    parent[root], flow[root], cost[root] = -1, 0, 0.0
    below, potential = sets_of_columns(n, m), np.empty(n + m)
    for t in range(n + m - 1):
        add(below, parent[hung[t]], below[hung[t]])
    potential[root] = 0.0
    for t in range(n + m - 2, -1, -1):
        potential[hung[t]] = cost[hung[t]] - potential[parent[hung[t]]]
    return Basis(parent, below, flow, cost, potential)


@inlined
def largest_open(bits, open_columns):
    """The first column of the largest entry among the open ones, by the bits of the entries, which are not negative."""
    largest = np.int32(0)
    for j in range(bits.size):
        largest = max(largest, bits[j] & open_columns[j])
    place = np.int32(bits.size)
    for j in range(bits.size):
        here = np.int32(j) if (bits[j] | ~open_columns[j]) == largest else np.int32(bits.size)
        place = min(place, here)
    return place


@kernel
def farthest_first(C, prices):
    """The rows by falling ``min_j C_ij - prices_j``."""
    least = np.empty(C.shape[0])
    for i in range(C.shape[0]):
        least[i] = least_reduced_cost(C, prices, i)
    return largest_first(least)


@kernel
def largest_first(values):
    """Indices by falling values, in so many classes of equal width; of a class, in strides."""
    n = values.size
    order, starts = np.empty(n, np.int64), np.zeros(CLASSES + 1, np.int64)
    low, high = np.inf, -np.inf
    for i in range(n):
        low, high = lesser(values[i], low), -lesser(-values[i], -high)
    scale = CLASSES * (1 - 2.0**-50) / (high - low) if high - low > LEAST_RANGE else 0.0
    for i in range(n):
        starts[int((high - values[i]) * scale) + 1] += 1
    for c in range(CLASSES):
        starts[c + 1] += starts[c]
    i, step = 0, stride(n)
    for _ in range(n):
        c = int((high - values[i]) * scale)
        order[starts[c]] = i
        starts[c] += 1
        i = (i + step) % n
    return order


@kernel
def stride(n):
    """A step below n that visits n rows in an order that has nothing to do with theirs, each once."""
    step = int(0.618 * n) + 1
    while True:
        u, v = n, step
        while v:
            u, v = v, u % v
        if u == 1:
            return step % n
        step += 1


@kernel
def words(n):
    """How many words a set of n nodes takes."""
    return (n + BITS - 1) // BITS


@kernel
def sets_of_columns(n, m):
    """For each node the set of itself, if it is a column."""
    sets = np.zeros((n + m, words(m)), np.uint64)
    for j in range(m):
        sets[n + j, j // BITS] = np.uint64(1) << np.uint64(j % BITS)
    return sets


@inlined
def add(sets, u, more):
    """Add a set to that of u."""
    for k in range(more.size):
        sets[u, k] |= more[k]


@kernel
def read_potentials(basis, n):
    """Read the potentials off the tree, in place; the root has 0. Returns the nodes in an order from there."""
    order = from_the_root(basis.parent)
    basis.potential[order[0]] = 0.0
    for t in range(1, order.size):
        u = order[t]
        basis.potential[u] = basis.cost[u] - basis.potential[basis.parent[u]]
    return order


@kernel
def from_the_root(parent):
    """The nodes, each after its parent."""
    order, path = np.empty(parent.size, np.int32), np.empty(parent.size, np.int32)
    known, count = np.zeros(parent.size, np.bool_), 0
    for start in range(parent.size):
        u, height = start, 0
        while u >= 0 and not known[u]:
            path[height], known[u] = u, True
            height += 1
            u = parent[u]
        for k in range(height - 1, -1, -1):
            order[count] = path[k]
            count += 1
    return order


@kernel
def pivot(C, basis, row, most):
    """Pivot, looking at one row after the other from ``row`` on, until all are optimal or ``most`` pivots are spent.

    Returns the number of pivots and the row to go on with; fewer pivots than allowed mean that the basis is optimal.
    """
    n, m = C.shape
    parent, below, flow, cost, g, step = (
        basis.parent,
        basis.below,
        basis.flow,
        basis.cost,
        basis.potential[n:],
        stride(n),
    )
    moved, before = np.empty(below.shape[1], np.uint64), np.empty(below.shape[1], np.uint64)
    rows = ROWS if m < LONG_ROW else 1
    pivots = optimal = 0
    while optimal < n and pivots < most:
        i, reduced, least = -1, 0.0, 0.0
        for _ in range(rows):
            here = least_difference(C[row], g)
            price = here - (cost[row] - g[np.uint32(parent[row] - n)])  # the root is a column: each row hangs on one
            better = price < reduced
            i, least, reduced = (row, here, price) if better else (i, least, reduced)
            row = row + step if row + step < n else row + step - n
        optimal += rows
        if i < 0:
            continue
        j = place_of(C[i], g, least)
        entering = C[i, j]
        if reduced >= -TOLERANCE * (abs(entering) + abs(entering - g[j] - reduced) + abs(g[j])):
            continue
        optimal = 0
        pivots += 1

        # Walk the cycle to its apex. Flow falls on upward arcs of the row's path and on downward arcs of the column's;
        # of equals the last along the cycle leaves, seen from the apex: near the row on its path, far from the column.
        word, bit = np.uint32(j // BITS), np.uint64(1) << np.uint64(j % BITS)
        u, v = np.uint32(i), np.uint32(n + j)
        of_row = of_column = -1
        least_of_row = least_of_column = MOST
        while not below[u, word] & bit:
            less = (u < n) & (flow[u] < least_of_row)
            of_row = u if less else of_row
            least_of_row = flow[u] if less else least_of_row
            u = np.uint32(parent[u])
        apex = u
        while v != apex:
            less = (v >= n) & (flow[v] <= least_of_column)
            of_column = v if less else of_column
            least_of_column = flow[v] if less else least_of_column
            v = np.uint32(parent[v])
        if of_row < 0 or (of_column >= 0 and least_of_column <= least_of_row):
            leaving, mass, inside, outside, gain = of_column, least_of_column, n + j, i, -least_of_column
        else:
            leaving, mass, inside, outside, gain = of_row, least_of_row, i, n + j, least_of_row

        # What is below the leaving arc comes under the outer path; flow rises by ``gain`` at its rows, and falls by it
        # at its columns and at the rows of the inner path.
        for k in range(moved.size):
            moved[k], before[k] = below[leaving, k], 0
        u = np.uint32(outside)
        while u != apex:
            flow[u] += gain if u < n else -gain
            add(below, u, moved)
            u = np.uint32(parent[u])
        u = np.uint32(parent[leaving])
        while u != apex:
            flow[u] -= gain if u < n else -gain
            remove(below, u, moved)
            u = np.uint32(parent[u])

        # Turn the path from the entering arc to the leaving one: each node hangs on the one before.
        u, above, last = np.uint32(inside), np.uint32(outside), np.uint32(parent[leaving])
        new_flow, new_cost = mass, entering
        while u != last:
            up = np.uint32(parent[u])
            flow[u], new_flow = new_flow, flow[u] - (gain if u < n else -gain)
            cost[u], new_cost = new_cost, cost[u]
            take_rest(below, u, moved, before)
            parent[u] = above
            above, u = u, up

        raise_set(g, moved, -reduced if inside < n else reduced)
    return pivots, row


@inlined
def remove(sets, u, those):
    """Remove a set from that of u."""
    for k in range(those.size):
        sets[u, k] &= ~those[k]


@inlined
def take_rest(sets, u, whole, before):
    """Let the set of u be ``whole`` without ``before``, and that be what the set of u was."""
    for k in range(whole.size):
        old = sets[u, k]
        sets[u, k] = whole[k] & ~before[k]
        before[k] = old


@inlined
def raise_set(potential, members, change):
    """Add ``change`` to the potentials of a set."""
    for k in range(members.size):
        word = members[k]
        if word:
            part = potential[BITS * k : BITS * (k + 1)]
            for q in range(part.size):
                part[q] += change if (word >> np.uint64(q)) & np.uint64(1) else 0.0


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
        subtract_at(masses, basis.parent[u], masses[u])
    return feasible and is_zero(masses[order[0]])
