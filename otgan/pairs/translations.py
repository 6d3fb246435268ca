"""Translations: distributions that differ by a shift, whose W1 is its length and whose optimal critic is linear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.pairs.pair import Pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ShiftedGaussians", "Translation"]


@dataclass(frozen=True, eq=False)
class Shift(Pair):
    """What all translations share.

    Parameters
    ----------
    shift : (d,) array_like
        Not zero.
    """

    shift: Any

    def __post_init__(self) -> None:
        shift = inputs.real_array(self.shift, "shift")
        with np.errstate(over="ignore"):
            length = float(np.linalg.norm(shift))
        if shift.ndim != 1 or not inputs.SMALLEST < length < inputs.LARGEST:
            raise InvalidInput(f"shift must be a vector of d numbers, not all zero, but {self.shift!r} came.")
        shift.setflags(write=False)
        object.__setattr__(self, "shift", shift)

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return len(self.shift)

    @property
    def w1(self) -> tuple[float, float]:
        """The length of the shift, and 0."""
        return float(np.linalg.norm(self.shift)), 0.0

    def move(self, y: Any) -> NDArray[np.float64]:
        """Shift points (n, d)."""
        return self._points(y) + self.shift

    def potential(self, x: Any) -> NDArray[np.float64]:
        """How far points (k, d) lie against the direction of the shift, shape (k,)."""
        return -self._points(x) @ (self.shift / self.w1[0])

    def gradient(self, x: Any) -> NDArray[np.float64]:
        """The direction of the shift, for each of the points (k, d)."""
        points = self._points(x)
        return np.broadcast_to(self.shift / self.w1[0], points.shape).copy()


@dataclass(frozen=True, eq=False)
class Translation(Shift):
    """Q uniform on a box, P the same shifted.

    Parameters
    ----------
    shift : (d,) array_like
        Not zero.
    half_width : float, default 1
        y is uniform on [-half_width, half_width]^d.

    Raises
    ------
    InvalidInput
        For a shift of length zero.

    Examples
    --------
    >>> import otgan
    >>> otgan.pairs.Translation([3.0, 4.0]).w1
    (5.0, 0.0)
    """

    half_width: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        half_width = inputs.real(self.half_width, "half_width", low=0.0, high=1e100, open_low=True)
        object.__setattr__(self, "half_width", half_width)

    def target(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw n points, uniform on the box, (n, d)."""
        return rng.uniform(-self.half_width, self.half_width, (n, self.dimension))


@dataclass(frozen=True, eq=False)
class ShiftedGaussians(Shift):
    """Q = N(0, covariance), P = N(shift, covariance).

    Parameters
    ----------
    shift : (d,) array_like
        Not zero.
    covariance : (d, d) array_like, optional
        Symmetric and positive semi-definite; the identity if None.

    Raises
    ------
    InvalidInput
        For a shift of length zero, or something that is not a covariance.

    Examples
    --------
    >>> import otgan
    >>> otgan.pairs.ShiftedGaussians([0.0, 2.0]).w1
    (2.0, 0.0)
    """

    covariance: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        d = self.dimension
        matrix = np.eye(d) if self.covariance is None else inputs.real_array(self.covariance, "covariance")
        if matrix.shape != (d, d):
            raise InvalidInput(f"covariance must be a ({d}, {d}) matrix as shift has {d} numbers, not {matrix.shape}.")
        largest = float(np.abs(matrix).max())
        if largest > inputs.LARGEST:
            raise InvalidInput(f"covariance must stay below {inputs.LARGEST:g}, but goes up to {largest:.3g}.")
        skew = float(np.abs(matrix - matrix.T).max())
        if skew > 1e-9 * largest:
            raise InvalidInput(f"covariance must be symmetric, but differs from its transpose by {skew:.3g}.")
        values, vectors = np.linalg.eigh(matrix)
        if values.min() < -1e-9 * largest:
            raise InvalidInput(f"covariance must have no negative eigenvalue, but has {values.min():.3g}.")
        matrix.setflags(write=False)
        object.__setattr__(self, "covariance", matrix)
        object.__setattr__(self, "_root", vectors * np.sqrt(np.maximum(values, 0.0)))

    def target(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw n points of N(0, covariance), (n, d)."""
        root: NDArray[np.float64] = getattr(self, "_root")  # noqa: B009 - set on a frozen dataclass
        return rng.standard_normal((n, self.dimension)) @ root.T
