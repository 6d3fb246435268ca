"""Lower bounds on the reduced costs in a tree node, for a packet of targets: see :mod:`otgan.kernels.search`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.envelope import TINY, slack
from otgan.kernels.jit import kernel
from otgan.kernels.metric import EUCLIDEAN, accumulate, gradient, sums_to_costs

__all__ = ["Room", "bound_packet", "reaches"]

EPS = float(np.finfo(np.float64).eps)


class Room(NamedTuple):
    """Arrays to work in, one number a lane: sums over coordinates, steepness, and the bound that is built up."""

    total: NDArray[np.float64]
    steep: NDArray[np.float64]
    rest: NDArray[np.float64]


@kernel
def bound_packet(tree, envelope, node, py, metric, p, room, worst, worst_row, bound):
    """Below every entry of the node minus f, for each lane: the better bound, or the box's where that is enough."""
    if envelope.largest[node] == -np.inf:
        bound[:] = np.inf
        return
    bound_by_box(tree.low[node], tree.high[node], envelope.largest[node], py, metric, p, bound)
    if not reaches(bound, worst, worst_row, tree.first_row[node]):
        return
    if p == 2.0 and metric == EUCLIDEAN:
        bound_by_parabola(tree, envelope, node, py, room)
    elif metric == EUCLIDEAN:
        bound_by_ray(tree, envelope, node, py, p, room)
    else:
        bound_by_tangent(tree, envelope, node, py, metric, p, room)
    rest = room.rest
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
            bound[t] = accumulate(bound[t], gap if gap > 0.0 else 0.0, metric)
    sums_to_costs(bound, metric, p)
    if p != 1.0 and p != 2.0:  # powers of libm are not monotone in their last digit
        for t in range(bound.size):
            bound[t] *= 1 - 8 * EPS
    for t in range(bound.size):
        bound[t] -= largest


@kernel
def bound_by_parabola(tree, envelope, node, py, room):
    """The least ``|x - y|^2 - slope . (x - centre)`` over the box, coordinate by coordinate, less top."""
    square, rest = room.total, room.rest
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
def bound_by_ray(tree, envelope, node, py, p, room):
    """The convex Euclidean cost above its tangent at a point of the box, f below its plane.

    Any point of the box is allowed. The tangent touches where its slope comes closest to that of f: at the centre,
    moved sideways towards the ray that leaves the target along ``slope``.
    The centre alone leaves a third more to price for p = 1.
    """
    total, along, rest = room
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
            steepness = total[t] * (u + step)
            rest[t] -= steepness * step + abs(steepness - slope) * reach


@kernel
def sideways(u, along, slope, half):
    """The step from u towards ``along * slope`` within the box, none where the slope points away."""
    step = along * slope - u
    step = step if step < half else half
    step = step if step > -half else -half
    return step if along > 0.0 else 0.0


@kernel
def bound_by_tangent(tree, envelope, node, py, metric, p, room):
    """The convex cost above its tangent at the centre, f below its plane."""
    total, steep, rest = room
    d = py.shape[0]
    for t in range(rest.size):
        total[t] = 0.0
    for k in range(d):
        centre = tree.centre[node, k]
        for t in range(rest.size):
            total[t] = accumulate(total[t], abs(centre - py[k, t]), metric)
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
            share_of_it, total[t] = gradient(centre - py[k, t], steep[t], total[t], metric)
            rest[t] -= abs(share_of_it - slope) * half


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
