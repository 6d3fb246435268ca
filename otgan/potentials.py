"""Potentials as functions: one type for the duals of an exact solution and for a neural critic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.costs import BLOCK, PointCost
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["DualPotentials"]


@dataclass(frozen=True, eq=False)
class DualPotentials:
    """A pair of functions, f on the side of x and g on the side of y.

    Attributes
    ----------
    dimension : int
        Points have this many coordinates.
    f_values, g_values, f_gradients : callable
        From checked points (k, d) to values (k,), and to gradients (k, d). Use :meth:`f`, :meth:`g` and
        :meth:`gradient`, which check what they are given.
    """

    dimension: int
    f_values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    g_values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    f_gradients: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    @classmethod
    def from_values(cls, cost: PointCost, f: NDArray[np.float64], g: NDArray[np.float64]) -> DualPotentials:
        """Extend values at the points of ``cost`` to the whole space by the c-transform.

        ``f(x) = min_j c(x, y_j) - g_j``, which for p = 1 is the largest 1-Lipschitz function below (McShane 1934).
        """

        def f_values(new: NDArray[np.float64]) -> NDArray[np.float64]:
            return PointCost(cost.y, new, cost.p, cost.metric).column_minima(g)[0]

        def g_values(new: NDArray[np.float64]) -> NDArray[np.float64]:
            return PointCost(cost.x, new, cost.p, cost.metric).column_minima(f)[0]

        def f_gradients(new: NDArray[np.float64]) -> NDArray[np.float64]:
            step = max(1, BLOCK // len(cost.y))
            parts = [new[k : k + step] for k in range(0, len(new), step)]
            return np.concatenate([_transform_gradient(cost, g, part) for part in parts])

        return cls(cost.dimension, f_values, g_values, f_gradients)

    def f(self, x: Any) -> NDArray[np.float64]:
        """Values of f at new points, shape (k, d) -> (k,). Units of cost."""
        return self.f_values(self._points(x))

    def g(self, y: Any) -> NDArray[np.float64]:
        """Values of g at new points, shape (k, d) -> (k,). Units of cost."""
        return self.g_values(self._points(y))

    def gradient(self, x: Any) -> NDArray[np.float64]:
        """Gradient of f at new points, shape (k, d) -> (k, d); one of them where f has a kink."""
        return self.f_gradients(self._points(x))

    def _points(self, x: Any) -> NDArray[np.float64]:
        new = inputs.points(x, "x")
        if new.shape[1] != self.dimension:
            raise InvalidInput(
                f"points must have {self.dimension} columns as the points solved for, but {new.shape[1]} came."
            )
        return new


def _transform_gradient(cost: PointCost, g: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gradient of ``x -> c(x, y_j)`` at the j that attains the c-transform."""
    new = PointCost(x, cost.y, cost.p, cost.metric)
    nearest = np.argmin(new.block(slice(None), slice(None)) - g, axis=1)
    difference = x - cost.y[nearest]
    distance = _norm(difference, cost.metric)
    return cost.p * distance[:, None] ** (cost.p - 1) * _unit(difference, distance, cost.metric)


def _norm(difference: NDArray[np.float64], metric: str) -> NDArray[np.float64]:
    order = {"euclidean": 2, "cityblock": 1, "chebyshev": np.inf}[metric]
    return np.linalg.norm(difference, ord=order, axis=1)


def _unit(difference: NDArray[np.float64], distance: NDArray[np.float64], metric: str) -> NDArray[np.float64]:
    """Gradient of the norm: a unit vector of the dual norm, zero at the origin."""
    if metric == "euclidean":
        return np.divide(difference, distance[:, None], out=np.zeros_like(difference), where=distance[:, None] > 0)
    if metric == "cityblock":
        return np.sign(difference)
    largest = np.abs(difference).argmax(axis=1)
    unit = np.zeros_like(difference)
    row = np.arange(len(difference))
    unit[row, largest] = np.sign(difference[row, largest])
    return unit
