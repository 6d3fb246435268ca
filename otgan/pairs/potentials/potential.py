"""The interface of a 1-Lipschitz function whose rays are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["RayField", "RayPotential", "directions", "read_only"]


class RayField(NamedTuple):
    """The rays through points (k, d): where u rises at slope one, and how far.

    Attributes
    ----------
    value : (k,) ndarray
        u at each point.
    direction : (k, d) ndarray
        The unit vector along which u rises at slope one; zero where it has none.
    down, up : (k,) ndarray
        How far slope one goes on against and along the direction: ``u(x - r v) = u(x) - r`` for r up to ``down``. May
        be infinite.
    """

    value: Array
    direction: Array
    down: Array
    up: Array


class RayPotential(ABC):
    """A 1-Lipschitz function u of d coordinates with rays of slope one.

    Moving mass along rays, all one way, is optimal for p = 1 whatever is moved: u proves it. A function of one's own
    needs ``dimension``, ``_values`` and ``_rays``, and must be 1-Lipschitz: :class:`otgan.pairs.Rays` checks every
    move, which proves the slope along rays, but not the Lipschitz constant.
    """

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of coordinates d."""

    def values(self, x: Any) -> Array:
        """Values of u at points (k, d), shape (k,)."""
        return self._values(self._points(x))

    def rays(self, x: Any) -> RayField:
        """The rays through points (k, d)."""
        return self._rays(self._points(x))

    def gradient(self, x: Any) -> Array:
        """Unit vectors along which u rises at slope one, at points (k, d); zero where there is none."""
        return self._gradient(self._points(x))

    @abstractmethod
    def _values(self, points: Array) -> Array:
        """``values`` of clean points."""

    @abstractmethod
    def _rays(self, points: Array) -> RayField:
        """``rays`` of clean points."""

    def _gradient(self, points: Array) -> Array:
        """``gradient`` of clean points; for those who find it without how far rays go."""
        return self._rays(points).direction

    def _points(self, x: Any) -> Array:
        points = inputs.points(x, "x")
        if points.shape[1] != self.dimension:
            raise InvalidInput(
                f"points must have {self.dimension} columns, as the potential has, not {points.shape[1]}."
            )
        return points


def directions(differences: Array) -> tuple[Array, Array]:
    """Unit vectors (zero for zero) and lengths of (k, d)."""
    lengths = np.linalg.norm(differences, axis=1)
    return differences / np.where(lengths > 0, lengths, 1.0)[:, None], lengths


def read_only(array: Array) -> Array:
    """A parameter that can no longer be changed: what was computed from it stays right."""
    array.setflags(write=False)
    return array
