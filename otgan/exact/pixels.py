"""Costs between the pixels of one lattice, whose c-transforms need few passes over the image.

The cityblock distance is a sum over axes, and so is the square of the Euclidean one. So ``min_i C_ij - f_i`` over all
pixels i is a minimum along the first axis, of which one along the second is taken, and so on: O(n) for all pairs (n log
n for the squares) instead of n^2 (Felzenszwalb & Huttenlocher 2012, Distance transforms of sampled functions). The
minimum along an axis is that of :mod:`otgan.kernels.monge`, which also says how far it may be off. The
Chebyshev distance in the plane, with one spacing, counts a king's moves, and two sweeps do. Other costs are priced like
those between any points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from otgan.costs import PointCost
from otgan.metric import EPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["PixelCost"]


@dataclass(frozen=True, eq=False)
class PixelCost(PointCost):
    """``metric(x_i, x_j) ** p`` between all pixels, in the order of the array.

    Attributes
    ----------
    axes : tuple of ndarray
        The places along each axis, rising.
    """

    axes: tuple[Array, ...] = field(kw_only=True)

    @classmethod
    def on(cls, axes: tuple[Array, ...], p: float, metric: str) -> PixelCost:
        """The cost on the lattice with these places along each axis."""
        x = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
        return cls(x, x, p, metric, axes=axes)

    @property
    def T(self) -> PixelCost:  # noqa: D102
        return self

    @property
    def adds_up(self) -> bool:
        """Whether the cost is a sum over axes."""
        return (self.metric, self.p) in (("cityblock", 1.0), ("euclidean", 2.0))

    @property
    def king_step(self) -> float | None:
        """The distance of one of a king's moves, where distances in the plane count these; None elsewhere."""
        steps = {float(places[1]) for places in self.axes if len(places) > 1}
        return steps.pop() if (self.metric, self.p, self.dimension, len(steps)) == ("chebyshev", 1.0, 2, 1) else None

    def column_minima(self, f: Array) -> tuple[Array, Array | float]:  # noqa: D102
        if self.dimension > 1 and self.adds_up:
            return self._along_axes(f)
        step = self.king_step
        return super().column_minima(f) if step is None else self._by_moves(f, step)

    def _by_moves(self, f: Array, step: float) -> tuple[Array, float]:
        """Two sweeps over the image; each value is off by the additions on the way to it, two for each row and column.

        The places are off from multiples of the step by a rounding each.
        """
        from otgan.kernels.lattice import lower_to_neighbours

        values = -f.reshape([len(places) for places in self.axes])
        lower_to_neighbours(values, step)
        size = float(np.abs(f[f > -np.inf]).max(initial=0.0)) + self.reach
        return values.reshape(-1), (sum(values.shape) + 4) * EPS * size

    def _along_axes(self, f: Array) -> tuple[Array, float]:
        """One pass along each axis, of what the last one found."""
        from otgan.kernels.lattice import minima_along

        values, error = -f.reshape([len(places) for places in self.axes]), 0.0
        for k, places in enumerate(self.axes):
            lines = np.moveaxis(values, k, -1)
            minima, errors = minima_along(places, -np.ascontiguousarray(lines).reshape(-1, len(places)), self.p)
            values = np.moveaxis(minima.reshape(lines.shape), -1, k)
            error += float(errors.max())
        return np.ascontiguousarray(values).reshape(-1), error
