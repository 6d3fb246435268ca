"""Coarse-to-fine transport: cells of neighbouring points in the place of points, and plans handed down.

Mérigot (2011), A multiscale approach to optimal transport; Gerber & Maggioni (2017), Multiscale strategies for
computing optimal transport. Here a plan is handed down without a cycle, so that it is a basis for the simplex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from otgan.costs import PointCost
from otgan.kernels.spanning import merge_masses
from otgan.kernels.wide import as_floats, sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plan = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]

__all__ = ["Level", "cell_order", "ladder", "refine"]

COARSEST = 128  # cells a side
HALVINGS = 2  # between two levels, so that a cell has four children


@dataclass(frozen=True, eq=False)
class Level:
    """A transport problem between cells.

    Attributes
    ----------
    cost : PointCost
        Between the means of the cells.
    a, b : int64 ndarray
        Masses of the cells, whole numbers (q, digits).
    row_parent, col_parent : ndarray
        Cell of the next coarser level; empty on the coarsest.
    """

    cost: PointCost
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    row_parent: NDArray[np.intp]
    col_parent: NDArray[np.intp]


def cell_order(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """An order in which ``np.linspace``-like halves, quarters, ... are the cells of a balanced k-d tree."""
    n = len(points)
    order = np.arange(n)
    starts = np.array([0, n])
    while np.diff(starts).max() > 2:
        sorted_points = points[order]
        cell = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        width = np.maximum.reduceat(sorted_points, starts[:-1]) - np.minimum.reduceat(sorted_points, starts[:-1])
        coordinate = sorted_points[np.arange(n), width.argmax(axis=1)[cell]]
        order = order[np.lexsort((coordinate, cell))]
        starts = _halve(starts)
    return order


def _halve(starts: NDArray[np.intp]) -> NDArray[np.intp]:
    halves = np.empty(2 * len(starts) - 1, np.intp)
    halves[::2], halves[1::2] = starts, (starts[1:] + starts[:-1]) // 2
    return halves


def ladder(cost: PointCost, a: NDArray[np.int64], b: NDArray[np.int64]) -> list[Level]:
    """Levels from coarse to fine; the last is the problem itself, whose points come in the order of cells."""
    rows, cols = _cells(len(cost.x)), _cells(len(cost.y))
    count = max(len(rows), len(cols))
    rows, cols = rows[:1] * (count - len(rows)) + rows, cols[:1] * (count - len(cols)) + cols
    levels = []
    for k in range(count):
        x, mass_a = _means(cost.x, a, rows[k])
        y, mass_b = _means(cost.y, b, cols[k])
        parents = (_parents(rows, k), _parents(cols, k))
        levels.append(Level(cost.between(x, y), mass_a, mass_b, *parents))
    return levels


def _cells(n: int) -> list[NDArray[np.intp]]:
    """Where the cells of each level start, coarse to fine."""
    starts = [np.array([0, n])]
    while len(starts[-1]) - 1 < n / 2**HALVINGS:
        finer = starts[-1]
        for _ in range(HALVINGS):
            finer = _halve(finer)
        starts.append(finer)
    starts = [cells for cells in starts if len(cells) - 1 >= COARSEST]
    return [*starts, np.arange(n + 1)]


def _parents(starts: list[NDArray[np.intp]], k: int) -> NDArray[np.intp]:
    if k == 0:
        return np.empty(0, np.intp)
    return np.searchsorted(starts[k - 1], starts[k][:-1], side="right") - 1


def _means(
    points: NDArray[np.float64], mass: NDArray[np.int64], starts: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Centres of mass and masses of cells."""
    if len(starts) == len(points) + 1:
        return points, mass
    cell = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    total = sums(cell, mass, len(starts) - 1)
    share = as_floats(mass) / as_floats(total)[cell]
    return np.add.reduceat(points * share[:, None], starts[:-1]), total


def refine(plan: Plan, level: Level) -> Plan:
    """Hand a plan between cells down to their children on ``level``, which keeps it free of cycles.

    The children of a cell take the masses of its arcs in order, on both sides; then what both sides gave to one arc is
    matched in order. The plan must come sorted by rows, then columns.
    """
    rows, cols, mass = plan
    by_cols = np.lexsort((rows, cols))
    i, _, left = merge_masses(level.a, mass)
    j, position, right = merge_masses(level.b, mass[by_cols])
    by_arc = np.argsort(by_cols[position], kind="stable")
    k, q, moved = merge_masses(left, right[by_arc])
    return i[k], j[by_arc[q]], moved
