"""Metrics: each is one object that knows its distances, gradients and rounding.

Its compiled code is in :mod:`otgan.kernels.metric`, under a constant of the same name in capitals.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["EUCLIDEAN", "METRICS", "Metric", "MetricName"]

MetricName = Literal["euclidean", "cityblock", "chebyshev"]

EPS = float(np.finfo(np.float64).eps)  # twice the relative rounding of float64
TINY = 2.0**-1074  # the least float: what a product may lose to underflow


class Metric(ABC):
    """A norm of the difference of two points, from a sum over coordinates.

    Attributes
    ----------
    name : str
        What users call it.
    root : float
        The norm is the sum to the power ``1 / root``.
    scipy_name : str or None
        What :func:`scipy.spatial.distance.cdist` calls it, if it knows it.
    """

    name: ClassVar[str]
    root: ClassVar[float] = 1.0
    scipy_name: ClassVar[str | None] = None

    @abstractmethod
    def sums(self, differences: Array) -> Array:
        """The sums over coordinates, (..., d) -> (...)."""

    @abstractmethod
    def diagonal(self, sides: list[float]) -> float:
        """The norm of the vector of these sides of a box, not negative."""

    @abstractmethod
    def unit_gradients(self, differences: Array) -> Array:
        """A gradient of the norm, (k, d) -> (k, d): of length 1 in the dual norm, and zero at the origin."""

    @abstractmethod
    def add_(self, total: Any, difference: Any) -> None:
        """Add one coordinate to the sums in a torch tensor, in place; what is in ``difference`` is lost."""

    @abstractmethod
    def tensor_sums(self, differences: Any) -> Any:
        """:meth:`sums` of a torch tensor, differentiably."""

    @cached_property
    def code(self) -> int:
        """The number that kernels know it by."""
        from otgan.kernels import metric

        return getattr(metric, self.name.upper())

    def lengths(self, differences: Array) -> Array:
        """The norms, (..., d) -> (...)."""
        return self.costs(differences, 1.0)

    def costs(self, differences: Array, p: float) -> Array:
        """The norms to the power p, (..., d) -> (...)."""
        sums = self.sums(differences)
        if p == self.root:
            return sums
        if self.root != 1:
            sums = np.sqrt(sums) if self.root == 2 else sums ** (1 / self.root)
        return sums if p == 1 else sums**p

    def between(self, x: Array, y: Array, p: float) -> Array | None:
        """All costs between (n, d) and (m, d) points by SciPy, (n, m); None if SciPy does not know the metric."""
        if self.scipy_name is None:
            return None
        from scipy.spatial.distance import cdist

        distances = np.asarray(cdist(x, y, self.scipy_name), np.float64)  # pyright: ignore[reportCallIssue, reportArgumentType]
        return distances if p == 1 else distances**p

    def rounding(self, dimension: int, p: float) -> float:
        """Relative error of a computed cost."""
        return (dimension + 4) * p * EPS

    def lost_to_underflow(self, dimension: int, p: float) -> float:
        """How far from the truth a cost may be because it is too small for float64.

        Each power that is added (where ``root`` is not 1), and then the power p, may lose or gain one least float. For
        s <= 1 and t the sum of what the former gain, ``(s + t)^q - s^q <= t^q`` where q = p / root <= 1, and
        ``<= q t (s + t)^(q - 1)`` elsewhere. Differences of floats are not rounded there.
        """
        power = 0.0 if p == 1 else 2 * TINY
        if self.root == 1:
            return power
        return power + max(1.0, p) * (dimension * TINY) ** min(1.0, p / self.root)


class Euclidean(Metric):
    """The root of the sum of squares."""

    name = scipy_name = "euclidean"
    root = 2.0

    def sums(self, differences: Array) -> Array:
        return np.einsum("...d,...d->...", differences, differences)

    def diagonal(self, sides: list[float]) -> float:
        return math.hypot(*sides)

    def unit_gradients(self, differences: Array) -> Array:
        largest = np.abs(differences).max(axis=1, keepdims=True)
        relative = np.divide(differences, largest, out=np.zeros_like(differences), where=largest > 0)  # may be squared
        lengths = np.linalg.norm(relative, axis=1, keepdims=True)
        return relative / np.maximum(lengths, 1.0)  # at least 1, but for zero at the origin

    def add_(self, total: Any, difference: Any) -> None:
        total.add_(difference.mul_(difference))

    def tensor_sums(self, differences: Any) -> Any:
        return differences.square().sum(-1)

    def between(self, x: Array, y: Array, p: float) -> Array | None:
        from scipy.spatial.distance import cdist

        return np.asarray(cdist(x, y, "sqeuclidean"), np.float64) if p == 2 else super().between(x, y, p)


class Cityblock(Metric):
    """The sum of absolute values."""

    name = scipy_name = "cityblock"

    def sums(self, differences: Array) -> Array:
        return np.abs(differences).sum(axis=-1)

    def diagonal(self, sides: list[float]) -> float:
        return sum(sides)

    def unit_gradients(self, differences: Array) -> Array:
        return np.sign(differences)

    def add_(self, total: Any, difference: Any) -> None:
        total.add_(difference.abs_())

    def tensor_sums(self, differences: Any) -> Any:
        return differences.abs().sum(-1)


class Chebyshev(Metric):
    """The largest absolute value."""

    name = scipy_name = "chebyshev"

    def sums(self, differences: Array) -> Array:
        return np.abs(differences).max(axis=-1)

    def diagonal(self, sides: list[float]) -> float:
        return max(sides)

    def unit_gradients(self, differences: Array) -> Array:
        gradients = np.zeros_like(differences)
        first, row = np.abs(differences).argmax(axis=1), np.arange(len(differences))
        gradients[row, first] = np.sign(differences[row, first])
        return gradients

    def add_(self, total: Any, difference: Any) -> None:
        total.clamp_min_(difference.abs_())

    def tensor_sums(self, differences: Any) -> Any:
        return differences.abs().amax(-1)


EUCLIDEAN = Euclidean()
METRICS: dict[str, Metric] = {metric.name: metric for metric in (EUCLIDEAN, Cityblock(), Chebyshev())}
