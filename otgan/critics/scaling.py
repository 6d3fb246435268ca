"""The scaling of data for networks: one centre, and one power of two as the unit.

W1 does not change when both sides are shifted, and scales with the data. Networks behave otherwise: they compute in
single precision, start with weights of about one, and learn at rates that were found for numbers of about one. Data a
billion from the origin lose all their digits in float32, and data of 1e-8 are negligible beside biases of one. So
networks see ``(x - center) / unit``, and their distances are multiplied by the unit. As the unit is a power of two,
this changes no digit: results for s x, s a power of two, are s times those for x, to the bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from otgan import inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Scaling"]

# A little below one: data that reach exactly 1 (images, lattices) keep their unit where an offset rounds them.
LEAST_REACH = 0.95
FINE, COARSE = 2.0**-20, 16.0  # units that a centre is a multiple of, beyond the least coordinates


@dataclass(frozen=True, eq=False)
class Scaling:
    """``z = (x - center) / unit``.

    Attributes
    ----------
    center : (d,) or (1,) ndarray
        Of each coordinate, or of all.
    unit : float
        Distances between x, for each unit of distance between z.

    Examples
    --------
    >>> scaling = Scaling.of(np.array([[0.0, 1e9]]), np.array([[12.0, 1e9 + 4]]))
    >>> scaling.center.tolist(), scaling.unit
    ([6.0, 1000000002.0], 4.0)
    >>> scaling.inward(np.array([[12.0, 1e9]])).tolist(), scaling.outward(np.array([[1.5, -0.5]])).tolist()
    ([[1.5, -0.5]], [[12.0, 1000000000.0]])
    """

    center: NDArray[np.float64]
    unit: float = 1.0

    @classmethod
    def of(cls, *sides: NDArray[np.float64], unit: float | None = None) -> Self:
        """The mean of the sides' means, and the power of two that lets all points reach between 0.95 and 1.9.

        How far points reach is half of their largest extent along a coordinate. Data within [-1, 1] have unit 1. The
        mean is rounded to a millionth of the unit, so that float64 holds it far out too: where an offset rounds no
        point, up to some 1e9 units, z stays what it is to the bit.

        Parameters
        ----------
        *sides : (n, d) ndarray
        unit : float, optional
            Another unit.
        """
        unit = _unit(sides) if unit is None else unit
        low = np.min([points.min(axis=0) for points in sides], axis=0)
        # Relative to the least coordinates, so that sums neither overflow nor lose digits far out.
        mean = np.mean([(points - low).mean(axis=0) for points in sides], axis=0)
        return cls(low + _multiples(mean, FINE * unit), unit)

    @classmethod
    def about(cls, *sides: NDArray[np.float64], unit: float | None = None) -> Self:
        """The same from a few points of each side, which know the mean only roughly: a multiple of 16 units.

        So whatever lies about the origin is not moved.
        """
        precise = cls.of(*sides, unit=unit)
        return cls(_multiples(precise.center, COARSE * precise.unit), precise.unit)

    def inward(self, points: Any) -> Any:
        """Points (..., d) as networks see them."""
        return (points - self.center) / self.unit

    def outward(self, points: Any) -> Any:
        """Points (..., d) that networks see, as they come."""
        return points * self.unit + self.center

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scaling) and (self.unit, self.center.tolist()) == (other.unit, other.center.tolist())

    def __hash__(self) -> int:
        return hash((self.unit, *self.center.tolist()))


def _unit(sides: tuple[NDArray[np.float64], ...]) -> float:
    """The largest power of two whose 0.95-fold the points reach; 1 for a single point."""
    points = np.vstack(sides)
    reach = 0.5 * inputs.extent(points, points)
    return math.ldexp(1.0, math.frexp(reach / LEAST_REACH)[1] - 1) if reach > 0 else 1.0


def _multiples(numbers: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """The multiples of a step that are nearest."""
    return np.rint(numbers / step) * step
