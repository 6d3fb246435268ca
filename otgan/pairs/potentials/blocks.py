"""Sums of functions of different coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.pairs.potentials.potential import RayField, RayPotential, read_only

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Blocks"]


@dataclass(frozen=True, eq=False)
class Blocks(RayPotential):
    """``u(x) = sum_k w_k u_k(x_k)`` of blocks x_k of coordinates, with ``|w| = 1``.

    The squares of the slopes add up to that of u, which is therefore 1-Lipschitz. A move by m_k along the ray of each
    block changes u by ``sum_k w_k m_k``, and is ``(sum_k m_k^2)^(1/2)`` long. These are equal for m proportional to w
    alone (Cauchy-Schwarz): all blocks move together, and a ray ends where that of any block ends.

    Parameters
    ----------
    parts : sequence of RayPotential
        u_k, of consecutive coordinates.
    weights : (K,) array_like, optional
        w_k > 0, scaled to length one; equal if None.

    Raises
    ------
    InvalidInput
        For no parts, something that is no potential, or weights that are not positive or do not match.

    Examples
    --------
    >>> from otgan.pairs import Blocks, LeastCones
    >>> cone = LeastCones([[0.0]], [0.0])
    >>> u = Blocks([cone, cone], weights=[3.0, 4.0])  # (3 |x_1| + 4 |x_2|) / 5
    >>> ray = u.rays([[1.0, 1.0]])
    >>> ray.direction.tolist(), ray.down.tolist()  # the second block is at its tip after moving 1
    ([[0.6, 0.8]], [1.25])
    """

    parts: Any
    weights: Any = None

    def __post_init__(self) -> None:
        parts = tuple(self.parts) if isinstance(self.parts, list | tuple) else ()
        if not parts or not all(isinstance(part, RayPotential) for part in parts):
            raise InvalidInput(f"parts must be a list of potentials, such as LeastCones, but {self.parts!r} came.")
        weights = np.ones(len(parts)) if self.weights is None else inputs.real_array(self.weights, "weights")
        if weights.shape != (len(parts),) or not (weights > 0).all():
            raise InvalidInput(
                f"weights must be {len(parts)} positive numbers, one for each part, but {self.weights!r} came."
            )
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "weights", read_only(weights / np.linalg.norm(weights)))

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return sum(part.dimension for part in self.parts)

    def _values(self, points: Array) -> Array:
        values = [part._values(block) for part, block in zip(self.parts, self._split(points), strict=True)]
        return np.asarray(self.weights @ values)

    def _rays(self, points: Array) -> RayField:
        fields = [part._rays(block) for part, block in zip(self.parts, self._split(points), strict=True)]
        direction = np.hstack([w * field.direction for w, field in zip(self.weights, fields, strict=True)])
        down, up = (
            np.min([getattr(field, end) / w for w, field in zip(self.weights, fields, strict=True)], axis=0)
            for end in ("down", "up")
        )
        flat = ~np.all([field.direction.any(axis=1) for field in fields], axis=0)  # a block without slope one
        direction[flat], down[flat], up[flat] = 0.0, 0.0, 0.0
        return RayField(np.asarray(self.weights @ [field.value for field in fields]), direction, down, up)

    def _split(self, points: Array) -> list[Array]:
        """The coordinates of each block, (n, d_k)."""
        ends = np.cumsum([part.dimension for part in self.parts])[:-1]
        return [np.ascontiguousarray(block) for block in np.split(points, ends, axis=1)]
