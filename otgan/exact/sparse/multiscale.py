"""Multiscale optimal transport: problems between cells of neighbouring points, whose answers start finer ones.

Mérigot (2011), A multiscale approach to optimal transport; Gerber & Maggioni (2017), Multiscale strategies for
computing optimal transport. Cells are ranges of one spatial order, the halves, quarters, ... of a balanced k-d tree.
The solution of a level starts the next finer one in two ways, one for each inner solver:

- equal masses: both sides are cut into as many groups, sizes equal up to one, whose means are a problem with equal
  masses (:class:`Groups`). Its potentials extend to all points by the c-transform, and its matching, group by group, is
  a matching of all points that is no further off than a group is wide;
- any masses: levels of cells (:func:`coarse_to_fine`), from one to the next of which a plan is handed down
  (:func:`refine`) without a cycle, so that it is a basis for the simplex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otgan.costs import PointCost
from otgan.kernels.spanning import merge_masses
from otgan.kernels.wide import as_floats, sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plan = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]

__all__ = ["Groups", "Level", "coarse_to_fine", "group", "refine", "spatial_order"]

COARSEST = 128  # cells a side
GROUP = 8  # points of a group, about
FINEST = 2  # points of a cell of the finest level below the points, at least


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


def spatial_order(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """An order that keeps neighbours together: its halves, quarters, ... are the cells of a balanced k-d tree."""
    from otgan.kernels.tree import halving_order

    return halving_order(np.ascontiguousarray(points))


def _halve(starts: NDArray[np.intp]) -> NDArray[np.intp]:
    halves = np.empty(2 * len(starts) - 1, np.intp)
    halves[::2], halves[1::2] = starts, (starts[1:] + starts[:-1]) // 2
    return halves


def coarse_to_fine(cost: PointCost, a: NDArray[np.int64], b: NDArray[np.int64]) -> list[Level]:
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
    """Where the cells of each level start, coarse to fine; each cell has two children, or two to four points.

    Where mass moves far, levels that are four times as fine each take a third more pivots, eight times twice as many.
    """
    starts = [np.array([0, n])]
    while FINEST * 2 * (len(starts[-1]) - 1) <= n:
        starts.append(_halve(starts[-1]))
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


class Groups(NamedTuple):
    """A coarse problem, and which points its rows and columns stand for.

    Attributes
    ----------
    cost : PointCost
        q rows and q columns, in spatial order.
    start_x, start_y : (q,) ndarray of int
        First point of each group.
    stop_x, stop_y : (q,) ndarray of int
        One past its last point.
    """

    cost: PointCost
    start_x: NDArray[np.intp]
    stop_x: NDArray[np.intp]
    start_y: NDArray[np.intp]
    stop_y: NDArray[np.intp]

    def prices(self, fine: PointCost, f: NDArray[np.float64]) -> NDArray[np.float64]:
        """Prices of all columns from potentials f of the coarse rows: ``g_j = min_i C_ij - f_i``."""
        return fine.between(self.cost.x, fine.y).column_minima(f)[0]

    def spread(self, columns: NDArray[np.intp]) -> NDArray[np.intp]:
        """A matching of all points from one of the groups; sizes differ by one, and the odd ones match in order."""
        n = int(self.stop_x.max())
        matched = np.full(n, -1)
        taken = np.zeros(n, bool)
        for k in range(int((self.stop_x - self.start_x).max())):
            i, j = self.start_x + k, self.start_y[columns] + k
            both = (i < self.stop_x) & (j < self.stop_y[columns])
            matched[i[both]] = j[both]
            taken[j[both]] = True
        matched[matched < 0] = np.flatnonzero(~taken)
        return matched


def group(cost: PointCost) -> Groups:
    """Groups of about eight points; both sides of ``cost`` have as many points, in spatial order."""
    n = cost.shape[0]
    edges = (n * np.arange(n // GROUP + 1)) // (n // GROUP)
    sides = []
    for points in (cost.x, cost.y):
        means = np.add.reduceat(points, edges[:-1], axis=0) / np.diff(edges)[:, None]
        # Rounding must not carry a mean out of its group, for groups of equal points have to stay on them.
        low, high = np.minimum.reduceat(points, edges[:-1]), np.maximum.reduceat(points, edges[:-1])
        order = spatial_order(np.clip(means, low, high))
        sides.append((np.clip(means, low, high)[order], edges[:-1][order], edges[1:][order]))
    (x, start_x, stop_x), (y, start_y, stop_y) = sides
    return Groups(cost.between(x, y), start_x, stop_x, start_y, stop_y)
