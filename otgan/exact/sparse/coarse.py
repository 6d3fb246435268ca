"""Start a matching from the matching of groups: a coarse problem of the same kind, one eighth the size.

Both sides are cut into as many groups of neighbours (ranges of a k-d tree's order, sizes equal up to one). The means
of the groups are points of a problem with equal masses. Its potentials extend to all points by the c-transform, and
its matching, group by group, is a matching of all points that is no further off than a group is wide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otgan.costs import PointCost
from otgan.pricing import Index

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Groups", "group", "spatial_order"]

GROUP = 8


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


def spatial_order(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """An order that keeps neighbours together: leaf by leaf of a k-d tree."""
    return Index(np.ascontiguousarray(points)).tree.order


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
