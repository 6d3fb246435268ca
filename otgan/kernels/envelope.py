"""Upper bounds on potentials in every node of a tree: their largest value, and a plane above them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.jit import kernel
from otgan.kernels.tree import LEAF

__all__ = ["Envelope", "refit", "slack"]

EPS = float(np.finfo(np.float64).eps)
TINY = 1e-290  # sums below this have lost digits to underflow, so nothing is concluded from them
SMALL = 1e-150  # and a difference this small may vanish when it is squared


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
    size : float
        ``max |f|`` over finite values.
    """

    f: NDArray[np.float64]
    slots: NDArray[np.float64]
    largest: NDArray[np.float64]
    top: NDArray[np.float64]
    slope: NDArray[np.float64]
    size: float


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
    return Envelope(f, values, largest, top, slope, size[0])


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
