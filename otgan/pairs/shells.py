"""Spherical shells: spheres around centres, moved to smaller spheres or to the centres themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.costs import PointCost
from otgan.errors import InvalidInput
from otgan.pairs.pair import Pair, center_rows
from otgan.pairs.potentials.potential import directions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SphericalShells"]


@dataclass(frozen=True, eq=False)
class SphericalShells(Pair):
    """Q uniform on spheres of radius ``outer`` around the centres, P on those of radius ``inner`` (0: their centres).

    W1 = outer - inner: every point moves along its radius, and ``-min_n |x - a_n|`` proves that optimal where the
    spheres do not cross.

    Parameters
    ----------
    centers : (N, d) array_like
        At least 2 * outer apart.
    inner : float, default 0
    outer : float, default 1

    Raises
    ------
    InvalidInput
        For spheres that cross, or radii that are not 0 <= inner < outer.

    Examples
    --------
    >>> import otgan
    >>> otgan.pairs.SphericalShells([[0.0, 0.0, 0.0]]).w1
    (1.0, 0.0)
    """

    centers: Any
    inner: float = 0.0
    outer: float = 1.0

    def __post_init__(self) -> None:
        centers = center_rows(self.centers)
        outer = inputs.real(self.outer, "outer", low=0.0, high=1e100, open_low=True)
        inner = inputs.real(self.inner, "inner", low=0.0, high=1e100)
        if not inner < outer:
            raise InvalidInput(f"inner must be below outer, but inner = {inner:g} and outer = {outer:g}.")
        apart = PointCost(centers, centers).block(slice(None), slice(None)) + np.diag(np.full(len(centers), np.inf))
        if apart.min() < 2 * outer * (1 - 1e-12):
            raise InvalidInput(
                f"centers must be at least 2 * outer = {2 * outer:g} apart, or the spheres cross, but two of them are "
                f"{apart.min():.6g} apart."
            )
        for name, value in (("centers", centers), ("inner", inner), ("outer", outer)):
            object.__setattr__(self, name, value)

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return self.centers.shape[1]

    @property
    def w1(self) -> tuple[float, float]:
        """The difference of the radii, and 0."""
        return self.outer - self.inner, 0.0

    def target(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw n points of the outer spheres, (n, d)."""
        unit, _ = directions(rng.standard_normal((n, self.dimension)))
        return self.centers[rng.integers(len(self.centers), size=n)] + self.outer * unit

    def move(self, y: Any) -> NDArray[np.float64]:
        """From the outer to the inner spheres, (n, d) -> (n, d)."""
        points = self._points(y)
        nearest, _ = self._nearest(points)
        unit, _ = directions(points - nearest)
        return nearest + self.inner * unit

    def potential(self, x: Any) -> NDArray[np.float64]:
        """The distance to the nearest centre, for points (k, d), shape (k,)."""
        return self._nearest(self._points(x))[1]

    def gradient(self, x: Any) -> NDArray[np.float64]:
        """The direction to the nearest centre, for points (k, d); zero at a centre."""
        points = self._points(x)
        return directions(self._nearest(points)[0] - points)[0]

    def _nearest(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The nearest centres (k, d), and how far they are (k,)."""
        distances = PointCost(points, self.centers).block(slice(None), slice(None))
        nearest = distances.argmin(axis=1)
        return self.centers[nearest], distances[np.arange(len(points)), nearest]
