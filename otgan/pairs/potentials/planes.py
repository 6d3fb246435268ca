"""The greatest of planes: a linear function, or one that is convex and piecewise linear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.metric import EPS
from otgan.pairs.potentials.potential import RayField, RayPotential, directions, read_only

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Planes"]


@dataclass(frozen=True, eq=False)
class Planes(RayPotential):
    """``u(x) = max_n <w_n, x> + b_n`` with unit vectors w_n: rays run down to where the greatest changes.

    Parameters
    ----------
    normals : (N, d) array_like
        Directions, scaled to length one.
    offsets : (N,) array_like, optional
        b_n; zeros if None.

    Raises
    ------
    InvalidInput
        For a direction of length zero, or offsets that do not match.

    Examples
    --------
    >>> from otgan.pairs import Planes
    >>> ray = Planes([[3.0, 4.0]]).rays([[1.0, 1.0]])
    >>> ray.direction.tolist(), ray.down.tolist()
    ([[0.6, 0.8]], [inf])
    """

    normals: Any
    offsets: Any = None

    def __post_init__(self) -> None:
        normals, lengths = directions(inputs.points(self.normals, "normals"))
        if not (lengths > inputs.SMALLEST).all() or lengths.max() > inputs.LARGEST:
            raise InvalidInput("normals must be directions, one a row, but one is zero, or too long for its length.")
        offsets = np.zeros(len(normals)) if self.offsets is None else inputs.real_array(self.offsets, "offsets")
        if offsets.shape != (len(normals),):
            raise InvalidInput(
                f"offsets must have one number for each normal, shape ({len(normals)},), but has {offsets.shape}."
            )
        object.__setattr__(self, "normals", read_only(normals))
        object.__setattr__(self, "offsets", read_only(offsets))

    @classmethod
    def random(cls, points: Any, n: int = 4, *, seed: int = 0) -> Self:
        """Planes of random directions, each level with the others near some point of a cloud (k, d)."""
        cloud, n = inputs.points(points, "points"), inputs.count(n, "n")
        rng = np.random.default_rng([inputs.seed(seed), 4])
        normals = directions(rng.standard_normal((n, cloud.shape[1])))[0]
        return cls(normals, -np.einsum("nd,nd->n", normals, cloud[rng.integers(len(cloud), size=n)]))

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return self.normals.shape[1]

    def _values(self, points: Array) -> Array:
        return self._heights(points).max(axis=1)

    def _rays(self, points: Array) -> RayField:
        heights = self._heights(points)
        plane = heights.argmax(axis=1)
        u = heights.max(axis=1)
        v = self.normals[plane]
        # Others fall along -v by less than u: they meet it where they have caught up.
        slower = 1.0 - v @ self.normals.T
        with np.errstate(divide="ignore", invalid="ignore"):
            down = np.where(slower > (8 + self.dimension) * EPS, (u[:, None] - heights) / slower, np.inf)
        return RayField(u, v, down.min(axis=1), np.full(len(points), np.inf))

    def _heights(self, points: Array) -> Array:
        return points @ self.normals.T + self.offsets
