"""Kantorovich potentials as functions: one type for the duals of an exact solution and for a neural critic."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from otgan import frames, inputs
from otgan.costs import BLOCK, PointCost
from otgan.errors import InvalidInput
from otgan.metric import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

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
    columns : tuple, optional
        The names of the coordinates, by which data frames are read.
    """

    dimension: int
    f_values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    g_values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    f_gradients: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    columns: tuple[Hashable, ...] | None = None

    @classmethod
    def from_values(
        cls, cost: PointCost, f: NDArray[np.float64], g: NDArray[np.float64], plan: sparse.coo_array | None = None
    ) -> DualPotentials:
        """Extend values at the points of ``cost`` to the whole space by the c-transform.

        ``f(x) = min_j c(x, y_j) - g_j``, which for p = 1 is the largest 1-Lipschitz function below (McShane 1934). All
        columns that a plan leads to from a point attain that minimum, and others may tie with them. With ``plan``, the
        gradient at its points is the mass-weighted mean over its own arcs.
        """
        extension = _Extension(cost, f, g, plan)
        return cls(cost.dimension, extension.f_values, extension.g_values, extension.f_gradients)

    def f(self, x: Any) -> NDArray[np.float64]:
        """Values of f at new points, shape (k, d) -> (k,). Units of cost."""
        return self.f_values(self._points(x))

    def g(self, y: Any) -> NDArray[np.float64]:
        """Values of g at new points, shape (k, d) -> (k,). Units of cost."""
        return self.g_values(self._points(y))

    def gradient(self, x: Any) -> NDArray[np.float64]:
        """Gradient of f at points, shape (k, d) -> (k, d); one of them where f has a kink.

        At the points of x that carry mass, a solution's f mostly has a kink, and the gradient is the plan's own: minus
        the direction in which it moves the point. Where it splits the mass of a point (or of several in one place),
        that is the mass-weighted mean of the gradients along the arcs, for p = 2 twice the way from the barycentre of
        its targets, and for p = 1 a mean of unit vectors, which may be shorter than 1.
        """
        return self.f_gradients(self._points(x))

    def _points(self, x: Any) -> NDArray[np.float64]:
        new = inputs.points(frames.in_order(x, self.columns, ("the points solved for", "x")), "x")
        if new.shape[1] != self.dimension:
            raise InvalidInput(
                f"points must have {self.dimension} columns as the points solved for, but {new.shape[1]} came."
            )
        return new


@dataclass(frozen=True, eq=False)
class _Extension:
    """Values at the points of a cost as functions, of a class that can be pickled."""

    cost: PointCost
    f: NDArray[np.float64]
    g: NDArray[np.float64]
    plan: sparse.coo_array | None

    def f_values(self, new: NDArray[np.float64]) -> NDArray[np.float64]:
        return PointCost(self.cost.y, new, self.cost.p, self.cost.metric).column_minima(self.g)[0]

    def g_values(self, new: NDArray[np.float64]) -> NDArray[np.float64]:
        return PointCost(self.cost.x, new, self.cost.p, self.cost.metric).column_minima(self.f)[0]

    def f_gradients(self, new: NDArray[np.float64]) -> NDArray[np.float64]:
        gradient = np.empty_like(new)
        rest = np.arange(len(new))
        if self.plan is not None:
            rest = _along_plan(self.cost, self.plan, self.places, new, gradient)
        step = max(1, BLOCK // len(self.cost.y))
        for part in (rest[k : k + step] for k in range(0, len(rest), step)):
            gradient[part] = _transform_gradient(self.cost, self.g, new[part])
        return gradient

    @cached_property
    def places(self) -> _Places:
        """Made when a gradient is first asked for."""
        return _Places(self.cost.x)


class _Places:
    """The places where points lie, which may be several in one place, to be found by their coordinates.

    Coordinates are hashed to keys that can be sorted; whoever has the same key is compared.
    """

    def __init__(self, x: NDArray[np.float64]) -> None:
        self.keys, self.first, place = np.unique(_keys(x), return_index=True, return_inverse=True)
        same = (x[self.first[place]] == x).all(axis=1)
        self.x, self.of_row = x, np.where(same, place, len(self.keys))  # two points of one key: only one is found

    def find(self, new: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which of the new points lie in a place, and in which."""
        keys = _keys(new)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        hit = np.flatnonzero(self.keys[place] == keys)
        hit = hit[(self.x[self.first[place[hit]]] == new[hit]).all(axis=1)]
        return hit, place[hit]


def _keys(points: NDArray[np.float64]) -> NDArray[np.uint64]:
    """A 64-bit number for each point, the same for the same coordinates."""
    bits = np.ascontiguousarray(points + 0.0).view(np.uint64)  # there are two zeros, of different bits
    factors = np.random.default_rng(0).integers(2**64, size=points.shape[1], dtype=np.uint64) | np.uint64(1)
    return (bits ^ (bits >> np.uint64(44))) @ factors  # the first bits of the mantissa, all that whole numbers have


def _along_plan(
    cost: PointCost,
    plan: sparse.coo_array,
    places: _Places,
    new: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Fill in the gradients of the points where the plan takes mass from, and give the other points."""
    hit, place = places.find(new)
    if not len(hit):
        return np.arange(len(new))
    asked = np.zeros(len(places.keys) + 1, dtype=bool)
    asked[place] = True
    arcs = np.flatnonzero(asked[places.of_row[plan.row]] & (plan.data > 0))
    row, col, mass = plan.row[arcs], plan.col[arcs], plan.data[arcs]
    source, start = np.unique(places.of_row[row], return_inverse=True)
    share = mass / np.bincount(start, mass)[start]
    slopes = _cost_gradient(cost.x[row] - cost.y[col], cost.p, cost.metric)
    mean = sparse.csr_array((share, (start, np.arange(len(arcs)))), shape=(len(source), len(arcs))) @ slopes
    number = np.full(len(asked), -1)
    number[source] = np.arange(len(source))
    known = number[place] >= 0
    gradient[hit[known]] = mean[number[place[known]]]
    return np.setdiff1d(np.arange(len(new)), hit[known], assume_unique=True)


def _transform_gradient(cost: PointCost, g: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gradient of ``x -> c(x, y_j)`` at the j that attains the c-transform."""
    new = PointCost(x, cost.y, cost.p, cost.metric)
    nearest = np.argmin(new.block(slice(None), slice(None)) - g, axis=1)
    return _cost_gradient(x - cost.y[nearest], cost.p, cost.metric)


def _cost_gradient(difference: NDArray[np.float64], p: float, metric: str) -> NDArray[np.float64]:
    """Gradient of ``norm(difference) ** p``, (k, d): a vector of the dual norm's length, zero at the origin."""
    largest = np.abs(difference).max(axis=1, keepdims=True)
    relative = np.divide(difference, largest, out=np.zeros_like(difference), where=largest > 0)  # may be squared
    norm = METRICS[metric]
    lengths = largest * norm.lengths(relative)[:, None]
    return p * lengths ** (p - 1) * norm.unit_gradients(difference)
