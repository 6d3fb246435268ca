"""Exhaustive pricing with a sieve: all pairs in single precision, and those that it cannot rule out in double.

Single precision fits twice as many numbers into a SIMD lane, and its roots take a third of the time. What it may be off
is charged to the limits (:meth:`otgan.pricing.Pricing._sift`), so no pair is left out that counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.jit import kernel
from otgan.kernels.metric import EUCLIDEAN, entry, insert, lower_limit, price_tile, sums_to_costs

__all__ = ["Sieve", "pack", "sift"]

TILE = 64  # rows that are looked at together
PACKET = 8  # targets that share a tile while it is in the cache


class Sieve(NamedTuple):
    """Rows by tile, and targets, in single precision; centred, and scaled to at most 1.

    Attributes
    ----------
    points : (tiles, d, TILE) ndarray of float32
    f : (tiles, TILE) ndarray of float32
        In units of ``unit``; -inf where the slot is empty.
    targets : (m, d) ndarray of float32
    unit : float
        What costs are divided by.
    relative, absolute : float
        A limit, in units of ``unit``, is raised by this share of itself and by this much.
    """

    points: NDArray[np.float32]
    f: NDArray[np.float32]
    targets: NDArray[np.float32]
    unit: float
    relative: float
    absolute: float


@kernel
def pack(x, f):
    """The tiles of points x (n, d) with f (n,), both in single precision."""
    n, d = x.shape
    tiles = (n + TILE - 1) // TILE
    points = np.zeros((tiles, d, TILE), np.float32)
    slots = np.full((tiles, TILE), -np.inf, np.float32)
    for i in range(n):
        slots[i // TILE, i % TILE] = f[i]
        for k in range(d):
            points[i // TILE, k, i % TILE] = x[i, k]
    return points, slots


@kernel
def sift(sieve, x, f, y, p, lists, most, start, stop):
    """Put every row that fits into the lists (m, K) of the targets ``start:stop``; Euclidean, p 1 or 2.

    It gives up once double precision has had to look at more than ``most`` pairs. Returns the first target that was
    not reached.
    """
    (points, slots, targets, unit, relative, absolute), (values, rows) = sieve, lists
    last = rows.shape[1] - 1
    cost, reach = np.empty(TILE, np.float32), np.empty(PACKET, np.float32)
    looked_at, before = 0, -1
    for base in range(start, stop, PACKET):
        if looked_at > most:
            return base
        size = min(PACKET, stop - base)
        for t in range(size):
            if before >= 0:
                lower_limit(x, f, y, base + t, before, EUCLIDEAN, p, values, rows)
            reach[t] = raised(values[base + t, last] / unit, relative, absolute)
        for tile in range(points.shape[0]):
            for t in range(size):
                j = base + t
                price_tile(points[tile], targets[j], EUCLIDEAN, cost)
                sums_to_costs(cost, EUCLIDEAN, p)
                if not any_within(cost, slots, tile, reach[t]):
                    continue
                for s in range(TILE):
                    if cost[s] <= slots[tile, s] + reach[t]:
                        looked_at += 1
                        i = tile * TILE + s
                        value = entry(x, i, y, j, EUCLIDEAN, p) - f[i]
                        if value < values[j, last] or (value == values[j, last] and i < rows[j, last]):
                            insert(value, i, values[j], rows[j])
                            reach[t] = raised(values[j, last] / unit, relative, absolute)
        before = base
    return stop


@kernel
def raised(limit, relative, absolute):
    """A limit in single precision, raised by what a cost below it may come out larger."""
    return np.float32(limit + relative * abs(limit) + absolute)


@kernel
def any_within(cost, slots, tile, reach):
    """Whether any slot of a tile may have a reduced cost within reach."""
    some = False
    for s in range(cost.size):
        some |= cost[s] <= slots[tile, s] + reach
    return some
