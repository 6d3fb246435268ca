"""Column minima of ``metric(x_i, y_j) ** p - f_i`` by branch and bound in a k-d tree, exact to the last bit.

The tree halves the rows at the median of the widest side of their box, down to leaves of at most 32. It is balanced,
so it needs no pointers: the children of node v are 2v + 1 and 2v + 2. Two bounds rule a node out for a target y:

* ``dist(y, box)^p - max f``. It is computed by the operations of an entry in the order of an entry, and rounding is
  monotone, so the float bound is below every float entry (but for ``**`` of a general p, which gets a few ulps).
* Potentials are nowhere near constant on a box: where mass moves far they are steep, and only there. So each node
  also keeps a plane above f, ``f(x) <= top + slope . (x - centre)``, and the cost is convex, hence above its tangent:
  ``C - f >= c(u) - top - sum_k |c'(u)_k - slope_k| half_k`` with ``u = centre - y``. The two slopes agree exactly
  where the minimum is (that is what optimal potentials mean), so the bound is sharp where it has to be. For squared
  Euclidean costs the minimum over the box is taken without the tangent. All of it is charged a generous rounding.

Targets come in the order of a tree of their own and go down in packets of 32, so that one visit of a node bounds 32
targets in SIMD lanes, each with its own bound. Ties go to the lowest row, so the answer does not depend on the order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.jit import kernel
from otgan.kernels.metric import CHEBYSHEV, CITYBLOCK, EUCLIDEAN, entry, insert

__all__ = ["LANES", "LEAF", "Envelope", "Tree", "build", "k_best", "refit"]

# Slots of a leaf, and targets that go down together. Loops over them run to the size of an array: 16, or a constant,
# would be unrolled into scalar code before it can be vectorised. 16 for either takes two to four times as long.
LEAF = 32
LANES = 32
EPS = float(np.finfo(np.float64).eps)
TINY = 1e-290  # sums below this have lost digits to underflow, so nothing is concluded from them
SMALL = 1e-150  # and a difference this small may vanish when it is squared


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


class Envelope(NamedTuple):
    """What the nodes of a tree know about f.

    Attributes
    ----------
    f : (n,) ndarray of float64
    slots : (L * LEAF,) ndarray of float64
        f by slot, -inf where the slot is empty.
    largest : (2 L - 1,) ndarray of float64
        ``max f`` in the node.
    top : (2 L - 1,) ndarray of float64
    slope : (2 L - 1, d) ndarray of float64
        ``f(x) <= top + slope . (x - centre)`` in the node, the rounding of every later step included.
    """

    f: NDArray[np.float64]
    slots: NDArray[np.float64]
    largest: NDArray[np.float64]
    top: NDArray[np.float64]
    slope: NDArray[np.float64]


# --- building ---------------------------------------------------------------------------------------------------------


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


# --- potentials -------------------------------------------------------------------------------------------------------


@kernel
def refit(tree, f, p):
    """The envelope of f (n,) on the nodes, in O(n log n). ``f`` may hold -inf (row left out).

    The slope of a leaf is the least-squares fit, and that of a parent the mean of its children; ``top`` is exact for
    whatever slope there is.
    """
    leaves, d = tree.points.shape[0], tree.points.shape[1]
    nodes = 2 * leaves - 1
    values = np.full(leaves * LEAF, -np.inf)
    for s in range(values.size):
        if tree.rows[s] < f.size:
            values[s] = f[tree.rows[s]]
    largest = np.full(nodes, -np.inf)
    size = np.zeros(nodes)  # max |f| over finite values
    slope = np.zeros((nodes, d))
    for leaf in range(leaves):
        node = leaves - 1 + leaf
        for s in range(leaf * LEAF, (leaf + 1) * LEAF):
            if values[s] > -np.inf:
                largest[node] = max(largest[node], values[s])
                size[node] = max(size[node], abs(values[s]))
        fit_slope(tree.points[leaf], values[leaf * LEAF : (leaf + 1) * LEAF], tree.centre[node], slope[node])
    for node in range(leaves - 2, -1, -1):
        largest[node] = max(largest[2 * node + 1], largest[2 * node + 2])
        size[node] = max(size[2 * node + 1], size[2 * node + 2])
        mean_slope(largest, slope, node)
    top = np.full(nodes, -np.inf)
    width = leaves
    for node in range(nodes - 1, -1, -1):
        if node < width - 1:
            width //= 2
        reach = leaves // width  # leaves below a node of this level
        first = (node - (width - 1)) * reach
        for leaf in range(first, first + reach):
            raise_top(tree.points[leaf], values, leaf * LEAF, tree.centre[node], slope[node], top, node)
        if largest[node] > -np.inf:
            scale = size[node]
            for k in range(d):
                scale += 2 * abs(slope[node, k]) * tree.half[node, k]
                if p == 2.0:
                    scale += tree.half[node, k] ** 2
            top[node] += slack(d, p) * scale + SMALL
    return Envelope(f, values, largest, top, slope)


@kernel
def slack(d, p):
    """Relative rounding that a tangent bound is charged.

    Sums over d coordinates, a root and a power are off by less than (d + 4) p ulps, and so is the tangent, whose own
    sum adds d + 4; this is four times as much.
    """
    return 4 * (d + 8) * (p + 1) * EPS


@kernel
def fit_slope(points, f, centre, slope):
    """Least-squares slope of f over the points of a leaf, slightly damped so that it exists for any points."""
    d = slope.size
    count, mean = 0, 0.0
    middle = np.zeros(d)
    for s in range(LEAF):
        if f[s] > -np.inf:
            count += 1
            mean += f[s]
            for k in range(d):
                middle[k] += points[k, s] - centre[k]
    if count < 2:
        return
    mean /= count
    middle /= count
    A = np.zeros((d, d))
    for s in range(LEAF):
        if f[s] > -np.inf:
            for k in range(d):
                u = points[k, s] - centre[k] - middle[k]
                slope[k] += u * (f[s] - mean)
                for q in range(k + 1):
                    A[k, q] += u * (points[q, s] - centre[q] - middle[q])
    solve_damped(A, slope)


@kernel
def solve_damped(A, b):
    """Overwrite b by the solution of ``(A + 1e-3 mean(diag A)) z = b`` (Cholesky; lower half of A, overwritten)."""
    d = b.size
    trace = 0.0
    for k in range(d):
        trace += A[k, k]
    if not trace > TINY:
        b[:] = 0.0
        return
    for k in range(d):
        A[k, k] += 1e-3 * trace / d
    for k in range(d):
        for q in range(k + 1):
            total = A[k, q]
            for r in range(q):
                total -= A[k, r] * A[q, r]
            A[k, q] = np.sqrt(total) if q == k else total / A[q, q]
    for k in range(d):
        for r in range(k):
            b[k] -= A[k, r] * b[r]
        b[k] /= A[k, k]
    for k in range(d - 1, -1, -1):
        for r in range(k + 1, d):
            b[k] -= A[r, k] * b[r]
        b[k] /= A[k, k]


@kernel
def mean_slope(largest, slope, node):
    """Mean of the slopes of the children that hold any finite value."""
    left, right = 2 * node + 1, 2 * node + 2
    for k in range(slope.shape[1]):
        if largest[left] == -np.inf:
            slope[node, k] = slope[right, k]
        elif largest[right] == -np.inf:
            slope[node, k] = slope[left, k]
        else:
            slope[node, k] = 0.5 * (slope[left, k] + slope[right, k])


@kernel
def raise_top(points, f, first, centre, slope, top, node):
    """Raise ``top[node]`` to the largest ``f - slope . (x - centre)`` in a leaf."""
    rest = np.empty(LEAF)
    for s in range(LEAF):
        rest[s] = f[first + s]
    for k in range(slope.size):
        for s in range(LEAF):
            rest[s] -= slope[k] * (points[k, s] - centre[k])
    largest = top[node]
    for s in range(LEAF):
        if rest[s] > largest:
            largest = rest[s]
    top[node] = largest


# --- queries ----------------------------------------------------------------------------------------------------------


@kernel
def k_best(tree, envelope, x, y, order, metric, p, seeded, values, rows, start, stop):
    """The rows with the least ``metric(x_i, y_j) ** p - f_i`` for targets ``order[start:stop]``.

    Parameters
    ----------
    tree, envelope : Tree, Envelope
        Of x and f.
    x, y : (n, d), (m, d) ndarray
    order : (m,) ndarray of int64
        Targets, neighbours in space beside each other.
    metric, p : int, float
        A code of :mod:`otgan.kernels.metric`, and the order.
    seeded : bool
        Whether rows hold first guesses, one a target (K = 1); a good guess rules most of the tree out at once, a bad
        one costs nothing but time. Otherwise values hold limits, and rows -1: only what is below is found.
    values, rows : (m, K) ndarray
        Overwritten by the lists, best first; what was not found keeps the limit and -1.
    start, stop : int
        Part of ``order``, for one of several threads.
    """
    leaves, d = tree.points.shape[0], tree.points.shape[1]
    last = rows.shape[1] - 1
    py = np.empty((d, LANES))
    target = np.empty(d)
    worst, worst_row = np.empty(LANES), np.empty(LANES, np.int64)
    depth = 2
    while 2 ** (depth - 2) < leaves:
        depth += 1
    stack = np.empty(depth, np.int64)
    bounds = np.empty((depth, LANES))
    near, far = np.empty(LANES), np.empty(LANES)
    total, steep, rest, cost = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LEAF)
    previous = np.full(LANES, -1)
    for base in range(start, stop, LANES):
        load_packet(y, order, base, stop, py)
        for t in range(LANES):
            if base + t >= stop:
                worst[t], worst_row[t] = -np.inf, -1
                continue
            j = order[base + t]
            if seeded:
                seed(x, y, envelope.f, j, previous[t], metric, p, values, rows)
            worst[t], worst_row[t] = values[j, last], rows[j, last]
        top = 0
        bound_packet(tree, envelope, 0, py, metric, p, total, steep, rest, bounds[0])
        stack[0] = 0
        while top >= 0:
            node = stack[top]
            if not reaches(bounds[top], worst, worst_row, tree.first_row[node]):
                top -= 1
                continue
            if node >= leaves - 1:
                leaf = node - (leaves - 1)
                for t in range(LANES):
                    bound = bounds[top, t]
                    if bound < worst[t] or (bound == worst[t] and tree.first_row[node] < worst_row[t]):
                        for k in range(d):
                            target[k] = py[k, t]
                        price_leaf(tree.points[leaf], target, metric, p, cost)
                        j = order[base + t]
                        if keep(cost, envelope.slots, tree.rows, leaf * LEAF, values[j], rows[j]):
                            worst[t], worst_row[t] = values[j, last], rows[j, last]
                top -= 1
                continue
            left, right = 2 * node + 1, 2 * node + 2
            bound_packet(tree, envelope, left, py, metric, p, total, steep, rest, near)
            bound_packet(tree, envelope, right, py, metric, p, total, steep, rest, far)
            if right_first(near, far):
                near, far = far, near
                left, right = right, left
            stack[top] = right
            for t in range(LANES):
                bounds[top, t] = far[t]
            stack[top + 1] = left
            for t in range(LANES):
                bounds[top + 1, t] = near[t]
            top += 1
        for t in range(LANES):
            if base + t < stop:
                previous[t] = rows[order[base + t], 0]


@kernel
def load_packet(y, order, base, stop, py):
    """Copy the coordinates of a packet of targets into lanes; the last target fills the lanes left over."""
    for t in range(LANES):
        j = order[min(base + t, stop - 1)]
        for k in range(y.shape[1]):
            py[k, t] = y[j, k]


@kernel
def seed(x, y, f, j, other, metric, p, values, rows):
    """Price the guessed row of target j, and the row ``other`` that was best nearby (-1: none)."""
    guess = rows[j, 0]
    values[j, 0] = entry(x, guess, y, j, metric, p) - f[guess]
    if other >= 0:
        value = entry(x, other, y, j, metric, p) - f[other]
        if value < values[j, 0] or (value == values[j, 0] and other < guess):
            values[j, 0], rows[j, 0] = value, other


@kernel
def right_first(near, far):
    """Whether the right child promises less to most lanes."""
    votes = 0
    for t in range(far.size):
        votes += far[t] < near[t]
    return votes > far.size // 2


@kernel
def reaches(bound, worst, worst_row, first_row):
    """Whether a node with these bounds may still hold something for any lane."""
    alive = False
    for t in range(bound.size):
        alive |= bound[t] < worst[t]
    if not alive:
        for t in range(bound.size):
            alive |= bound[t] == worst[t] and first_row < worst_row[t]
    return alive


@kernel
def bound_packet(tree, envelope, node, py, metric, p, total, steep, rest, bound):
    """Below every entry of the node minus f, for each lane: the better of the two bounds."""
    if envelope.largest[node] == -np.inf:
        bound[:] = np.inf
        return
    bound_by_box(tree.low[node], tree.high[node], envelope.largest[node], py, metric, p, bound)
    if p == 2.0 and metric == EUCLIDEAN:
        bound_by_parabola(tree, envelope, node, py, total, rest)
    elif metric == EUCLIDEAN:
        bound_by_ray(tree, envelope, node, py, p, steep, total, rest)
    else:
        bound_by_tangent(tree, envelope, node, py, metric, p, total, steep, rest)
    for t in range(bound.size):
        if rest[t] > bound[t]:
            bound[t] = rest[t]


@kernel
def bound_by_box(low, high, largest, py, metric, p, bound):
    """``dist(y, box)^p - max f``, rounded as an entry is."""
    for t in range(bound.size):
        bound[t] = 0.0
    for k in range(low.size):
        for t in range(bound.size):
            below, above = low[k] - py[k, t], py[k, t] - high[k]
            gap = below if below > above else above
            gap = gap if gap > 0.0 else 0.0
            if metric == EUCLIDEAN:
                bound[t] += gap * gap
            elif metric == CITYBLOCK:
                bound[t] += gap
            else:
                bound[t] = gap if gap > bound[t] else bound[t]
    sums_to_costs(bound, metric, p)
    if p != 1.0 and p != 2.0:  # powers of libm are not monotone in their last digit
        for t in range(bound.size):
            bound[t] *= 1 - 8 * EPS
    for t in range(bound.size):
        bound[t] -= largest


@kernel
def bound_by_parabola(tree, envelope, node, py, square, rest):
    """The least ``|x - y|^2 - slope . (x - centre)`` over the box, coordinate by coordinate, less top."""
    for t in range(rest.size):
        rest[t] = 0.0
        square[t] = 0.0
    for k in range(py.shape[0]):
        centre, half, slope = tree.centre[node, k], tree.half[node, k], envelope.slope[node, k]
        for t in range(rest.size):
            u = centre - py[k, t]
            step = 0.5 * slope - u
            step = step if step < half else half
            step = step if step > -half else -half
            rest[t] += (u + step) * (u + step) - slope * step
            square[t] += u * u
    share, top = slack(py.shape[0], 2.0), envelope.top[node]
    for t in range(rest.size):
        rest[t] -= share * square[t] + top


@kernel
def bound_by_ray(tree, envelope, node, py, p, along, total, rest):
    """The convex Euclidean cost above its tangent at a point of the box, f below its plane.

    Any point of the box is allowed. The tangent touches where its slope comes closest to that of f: at the centre,
    moved sideways towards the ray that leaves the target along ``slope``. The centre alone leaves twice as many nodes.
    """
    d = py.shape[0]
    norm = 0.0
    for k in range(d):
        norm += envelope.slope[node, k] ** 2
    scale = 1.0 / norm if norm > TINY else 0.0
    for t in range(rest.size):
        along[t] = 0.0
        total[t] = 0.0
        rest[t] = 0.0
    for k in range(d):
        centre, slope = tree.centre[node, k], envelope.slope[node, k] * scale
        for t in range(rest.size):
            along[t] += (centre - py[k, t]) * slope
    for k in range(d):
        centre, half, slope = tree.centre[node, k], tree.half[node, k], envelope.slope[node, k]
        for t in range(rest.size):
            u = centre - py[k, t]
            u += sideways(u, along[t], slope, half)
            total[t] += u * u
    if p == 1.0:
        for t in range(rest.size):
            rest[t] = np.sqrt(total[t])
    else:
        for t in range(rest.size):
            rest[t] = np.sqrt(total[t]) ** p
    share, top = slack(d, p), envelope.top[node]
    for t in range(rest.size):
        # The gradient is p c / |u|^2 times u: the cost is homogeneous. Where digits were lost, c >= 0 is the tangent.
        steep = p * rest[t] / total[t]
        rest[t] = rest[t] * (1 - share) - top
        if not total[t] > TINY:
            steep = 0.0
            rest[t] = -top
        total[t] = steep
    for k in range(d):
        centre, half, slope = tree.centre[node, k], tree.half[node, k], envelope.slope[node, k]
        reach = half * (1 + share)
        for t in range(rest.size):
            u = centre - py[k, t]
            step = sideways(u, along[t], slope, half)
            gradient = total[t] * (u + step)
            rest[t] -= gradient * step + abs(gradient - slope) * reach


@kernel
def sideways(u, along, slope, half):
    """The step from u towards ``along * slope`` within the box, none where the slope points away."""
    step = along * slope - u
    step = step if step < half else half
    step = step if step > -half else -half
    return step if along > 0.0 else 0.0


@kernel
def bound_by_tangent(tree, envelope, node, py, metric, p, total, steep, rest):
    """The convex cost above its tangent at the centre, f below its plane."""
    d = py.shape[0]
    for t in range(rest.size):
        total[t] = 0.0
    for k in range(d):
        centre = tree.centre[node, k]
        for t in range(rest.size):
            u = abs(centre - py[k, t])
            if metric == EUCLIDEAN:
                total[t] += u * u
            elif metric == CITYBLOCK:
                total[t] += u
            else:
                total[t] = u if u > total[t] else total[t]
    for t in range(rest.size):
        rest[t] = total[t]
    sums_to_costs(rest, metric, p)
    share, top = slack(d, p), envelope.top[node]
    for t in range(rest.size):
        # The gradient is p c / sum times u (or its sign): the cost is homogeneous. Where digits were lost, 0 >= 0.
        sound = total[t] > TINY
        steep[t] = p * rest[t] / total[t] if sound else 0.0
        rest[t] = rest[t] * (1 - share) if sound else 0.0
        rest[t] -= top
    for k in range(d):
        centre, slope = tree.centre[node, k], envelope.slope[node, k]
        half = tree.half[node, k] * (1 + share)
        for t in range(rest.size):
            u = centre - py[k, t]
            if metric == EUCLIDEAN:
                gradient = steep[t] * u
            else:
                gradient = steep[t] if u > 0.0 else -steep[t]
                if metric == CHEBYSHEV:  # one largest coordinate has the whole gradient
                    largest = abs(u) == total[t]
                    gradient = gradient if largest else 0.0
                    total[t] = -1.0 if largest else total[t]
            rest[t] -= abs(gradient - slope) * half


@kernel
def sums_to_costs(total, metric, p):
    """Turn sums over coordinates into costs, in place."""
    if metric == EUCLIDEAN and p == 2.0:
        return
    if metric == EUCLIDEAN:
        for t in range(total.size):
            total[t] = np.sqrt(total[t])
    if p == 2.0:
        for t in range(total.size):
            total[t] = total[t] * total[t]
    elif p != 1.0:
        for t in range(total.size):
            total[t] = total[t] ** p


@kernel
def price_leaf(points, target, metric, p, cost):
    """Entries of the slots of a leaf for one target."""
    for s in range(cost.size):
        cost[s] = 0.0
    for k in range(target.size):
        y = target[k]
        for s in range(cost.size):
            difference = abs(points[k, s] - y)
            if metric == EUCLIDEAN:
                cost[s] += difference * difference
            elif metric == CITYBLOCK:
                cost[s] += difference
            else:
                cost[s] = difference if difference > cost[s] else cost[s]
    sums_to_costs(cost, metric, p)


@kernel
def keep(cost, f, row, first, values, rows):
    """Insert the slots of a leaf into the list of a target where they fit; whether any did."""
    last = rows.size - 1
    for s in range(cost.size):
        cost[s] -= f[first + s]
    some = False
    for s in range(cost.size):
        some |= cost[s] <= values[last]
    if not some:
        return False
    changed = False
    for s in range(cost.size):
        if cost[s] < values[last] or (cost[s] == values[last] and row[first + s] < rows[last]):
            insert(cost[s], row[first + s], values, rows)
            changed = True
    return changed
