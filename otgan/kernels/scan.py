"""Exhaustive pricing: column minima of ``metric(x_i, y_j) ** p - f_i`` over all pairs, in memory that grows with n + m.

For dimensions where a tree rules nothing out. :func:`scan` computes every entry in SIMD lanes over rows, and
:func:`fill` keeps them all.
:func:`confirm` only those that a matrix product in single precision could not rule out; the product is the caller's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from otgan.kernels.copies import copy_into
from otgan.kernels.jit import kernel
from otgan.kernels.metric import EUCLIDEAN, entry, insert, keep, price_tile, sums_to_costs

__all__ = ["TILE", "Screen", "Tiles", "confirm", "fill", "pack", "scan", "seed"]

TILE = 64  # rows priced together


class Tiles(NamedTuple):
    """Points by tile, and what belongs to them by slot.

    Attributes
    ----------
    points : (tiles, d, TILE) ndarray of float64
    f : (tiles * TILE,) ndarray of float64
        -inf where the slot is empty.
    rows : (tiles * TILE,) ndarray of int64
        n where it is.
    """

    points: NDArray[np.float64]
    f: NDArray[np.float64]
    rows: NDArray[np.int64]


class Screen(NamedTuple):
    """What rules pairs out by their approximate inner products.

    Attributes
    ----------
    above_f : (n,) ndarray of float64
        f and a little more.
    below_x, below_y : (n,), (m,) ndarray of float64
        Squared norms, shrunk so that ``below_x_i + below_y_j - double * product_ji`` is below ``|x_i - y_j|^2``.
    double : float
        Twice the square of the scale.
    noise : float
        Relative rounding of a reduced cost in double precision, charged to the limit.
    """

    above_f: NDArray[np.float64]
    below_x: NDArray[np.float64]
    below_y: NDArray[np.float64]
    double: float
    noise: float


@kernel
def pack(x, f):
    """The tiles of points x (n, d) with f (n,)."""
    n, d = x.shape
    tiles = (n + TILE - 1) // TILE
    points = np.empty((tiles, d, TILE))
    slots = np.full(tiles * TILE, -np.inf)
    rows = np.full(tiles * TILE, n)
    copy_into(slots, f)
    copy_into(rows, np.arange(n))
    for s in range(tiles * TILE):
        i = min(s, n - 1)
        for k in range(d):
            points[s // TILE, k, s % TILE] = x[i, k]
    return Tiles(points, slots, rows)


@kernel
def seed(x, f, y, metric, p, lists):
    """Price the guessed rows (m, 1)."""
    values, rows = lists
    for j in range(y.shape[0]):
        i = rows[j, 0]
        values[j, 0] = entry(x, i, y, j, metric, p) - f[i]


@kernel
def scan(tiles, y, metric, p, lists, start, stop):
    """Put every row that fits into the lists (m, K) of the targets ``start:stop``."""
    points, values, rows = tiles.points, lists.values, lists.rows
    f, tile_rows = tiles.f.reshape(points.shape[0], TILE), tiles.rows.reshape(points.shape[0], TILE)
    cost = np.empty(TILE)
    for tile in range(points.shape[0]):
        for j in range(start, stop):
            price_tile(points[tile], y[j], metric, cost)
            sums_to_costs(cost, metric, p)
            keep(cost, f, tile_rows, tile, values, rows, j)


@kernel
def fill(points, x, metric, p, matrix, start, stop):
    """Entries between the points x[start:stop] and all packed ones, into ``matrix`` (n, m)."""
    cost = np.empty(TILE)
    for tile in range(points.shape[0]):
        first = tile * TILE
        count = min(TILE, matrix.shape[1] - first)
        for i in range(start, stop):
            price_tile(points[tile], x[i], metric, cost)
            sums_to_costs(cost, metric, p)
            for s in range(count):
                matrix[i, first + s] = cost[s]


@kernel
def confirm(product, x, f, y, screen, p, lists, first_row, first_target):
    """Put the rows of a block that single precision cannot rule out into the lists of their targets.

    Parameters
    ----------
    product : (targets, rows) ndarray of float32
        Approximate inner products of scaled, centred points.
    screen : Screen
    p : float
        1 or 2, of the Euclidean metric.
    first_row, first_target : int
        Where the block begins.
    """
    above_f, below_x, below_y, double, noise = screen
    values, rows = lists
    last = rows.shape[1] - 1
    for t in range(product.shape[0]):
        j = first_target + t
        for begin in range(0, product.shape[1], TILE):
            end = min(begin + TILE, product.shape[1])
            part = slice(first_row + begin, first_row + end)
            dots, reach, below = product[t, begin:end], above_f[part], below_x[part]
            limit = values[j, last] + noise * abs(values[j, last])
            if not any_within(dots, reach, below, below_y[j], double, limit, p):
                continue
            for s in range(end - begin):
                limit = values[j, last] + noise * abs(values[j, last])
                if within(dots[s], reach[s] + limit, below[s] + below_y[j], double, p):
                    i = first_row + begin + s
                    value = entry(x, i, y, j, EUCLIDEAN, p) - f[i]
                    if value < values[j, last] or (value == values[j, last] and i < rows[j, last]):
                        insert(value, i, values[j], rows[j])


@kernel
def any_within(dots, reach, below, below_y, double, limit, p):
    """Whether any of these rows may have a reduced cost of at most ``limit``."""
    hits = 0
    for s in range(dots.size):
        hits += within(dots[s], reach[s] + limit, below[s] + below_y, double, p)
    return hits > 0


@kernel
def within(dot, reach, below, double, p):
    """Whether a cost of at most ``reach`` is possible. NaN, from infinite f and limits, says yes."""
    square = reach if p == 2.0 else reach * abs(reach)
    return not (below - double * dot > square)
