"""How far apart data lie, and whether powers of that fit into float64."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from otgan.errors import InvalidInput
from otgan.metric import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LARGEST", "SMALLEST", "extent", "extent_fits", "reach", "same_columns", "same_dimension", "value_fits"]

# Squares of the data's extent must stay inside float64, ...
LARGEST, SMALLEST = 1e140, 1e-140
# ... and so must powers of it, and masses times those, with room for sums over all points and products with a slope.
DECADES = 290
LARGEST_POWER = 1e9  # an ulp of a distance is 1e-7 of it to this power
_LINE = ", or p = inf, which needs no power (wasserstein, wasserstein_1d and wasserstein_circle take it)"


def same_columns(x: NDArray[np.float64], y: NDArray[np.float64], names: tuple[str, str]) -> None:
    """Check that two sets of points, (n, d) and (m, d), live in one space."""
    if x.shape[1] != y.shape[1]:
        first, second = names
        raise InvalidInput(
            f"{first} and {second} must have the same number of columns, but {first} has {x.shape[1]} and {second} has "
            f"{y.shape[1]}. Pass points of one space, one point a row."
        )


def same_dimension(x: NDArray[np.float64], y: NDArray[np.float64], p: float = 1.0, metric: str = "euclidean") -> float:
    """Check that both point sets live in one space, and that their distances and p-th powers fit into float64.

    Returns a bound on the distances, see :func:`reach`.
    """
    same_columns(x, y, ("x", "y"))
    if p > LARGEST_POWER:
        raise InvalidInput(
            f"p must be at most {LARGEST_POWER:g} here, but {p:g} came: distances to that power have no digits left. "
            f"Use a smaller p{_LINE if x.shape[1] == 1 else ''}."
        )
    largest = reach(x, y, metric)
    extent_fits(largest, p, line=x.shape[1] == 1)
    return largest


def _sides(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sides of the box around the points of both sets, (d,)."""
    low = np.minimum(x.min(axis=0), y.min(axis=0))
    high = np.maximum(x.max(axis=0), y.max(axis=0))
    with np.errstate(over="ignore"):
        return high - low


def extent(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The largest difference of two coordinates in one column of x or y, (n, d) and (m, d)."""
    return float(_sides(x, y).max())


def reach(x: NDArray[np.float64], y: NDArray[np.float64], metric: str) -> float:
    """The diagonal of the box around x and y, (n, d) and (m, d): no two points are further apart in this metric."""
    return METRICS[metric].diagonal(_sides(x, y).tolist())


def extent_fits(extent: float, p: float = 1.0, *, line: bool = True) -> None:
    """Check that distances up to ``extent``, their squares and their p-th powers fit into float64.

    On the ``line``, as on the circle, the message names p = inf as an alternative.
    """
    if extent > LARGEST or 0 < extent < SMALLEST:
        by = _factor(extent, 1.0) if extent < math.inf else "2**1000"
        raise InvalidInput(
            f"the data span {extent:.3g}, and powers of that leave float64; divide the data by {by} and "
            "multiply the distance that comes out by it."
        )
    if extent > 0 and p != math.inf and not _power_fits(extent, p):
        raise InvalidInput(
            f"distances of up to {extent:.3g} to the power p = {p:g} leave float64; divide the data by "
            f"{_factor(extent, p)} and multiply the distance that comes out by it, or use a smaller p"
            f"{_LINE if line else ''}."
        )


def _power_fits(extent: float, p: float) -> bool:
    return -DECADES < p * math.log10(extent) < DECADES


def _factor(extent: float, p: float) -> str:
    """What to divide data of this extent by for its p-th power to be about 1: a power of two, where that is enough."""
    k = round(math.log2(extent))
    return f"2**{k}" if _power_fits(math.ldexp(extent, -k), p) else f"{extent:.17g}"


def value_fits(mass: float, largest: float) -> None:
    """Check that a mass times costs up to ``largest`` fits into float64."""
    if largest > 0 and not -DECADES < math.log10(mass) + math.log10(largest) < DECADES:
        raise InvalidInput(
            f"masses of {mass:.3g} times costs of up to {largest:.3g} leave float64; normalise the weights to sum to "
            f"1 and multiply the value that comes out by {mass:.3g}."
        )
