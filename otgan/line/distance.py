"""Wasserstein distances on the line for many pairs at once, without plan or potentials."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.line.rows import (
    aligned,
    by_digits,
    in_two_threads,
    sorted_in_place,
    sorted_rows,
    sorted_values,
    sorted_with_masses,
    weighted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from otgan.line.rows import Rows, Weighted

__all__ = ["cost_on_the_line", "wasserstein_1d"]

UNDERFLOW, OVERFLOW = 1e-200, 1e280  # costs per mass above the one lose nothing to underflow; below the other all fits


def wasserstein_1d(
    x: Any, y: Any, p: float = 1, *, a: Any = None, b: Any = None, axis: int = -1, normalize: bool = False
) -> Any:
    """W_p between samples on the line, batched over all other axes.

    Sorting both sides and matching masses in order is optimal for every p >= 1, so the answer is exact up to the
    rounding of one compensated sum.

    Parameters
    ----------
    x : array_like with n values along ``axis``
    y : array_like with m values along ``axis``
        The other axes must be the same for both, or broadcast.
    p : float, default 1
        1 <= p <= inf.
    a : (n,) array_like or like x, optional
    b : (m,) array_like or like y, optional
        Non-negative weights of one total along ``axis``; 1/n and 1/m each if None.
    axis : int, default -1
        The axis of the samples.
    normalize : bool, default False
        Divide a and b by their sums first, as for counts.

    Returns
    -------
    float or ndarray
        The distances, with the shape of the other axes; a float where there are none. A tensor where x or y is one, or
        where any argument wants gradients; it can be differentiated with respect to x, y, a and b, with the gradients
        (in float64, cast once) and the second derivatives of :func:`otgan.wasserstein`.

    Raises
    ------
    InvalidInput
        For NaN, inf, empty or complex data, shapes that do not match, negative weights, unequal mass, or p < 1.

    References
    ----------
    Santambrogio, Optimal Transport for Applied Mathematicians (2015), proposition 2.17.

    Examples
    --------
    >>> import otgan
    >>> otgan.wasserstein_1d([0.0, 1.0], [3.0, 4.0])
    3.0
    >>> otgan.wasserstein_1d([[0.0, 1.0], [0.0, 2.0]], [0.0, 4.0], p=2)
    array([2.12132034, 1.41421356])
    """
    p = inputs.exponent(p, allow_inf=True)
    a, b = inputs.masses(a, b, normalize, axis)
    if type(axis) is int and axis in (-1, 0) and (found := _distance_of_vectors(x, y, a, b, p)) is not None:
        return found
    tensor = next((t for t in (x, y) if inputs.is_tensor(t)), None)
    rows_x, rows_y, shape = aligned(inputs.real_array(x, "x"), inputs.real_array(y, "y"), axis)
    with np.errstate(over="ignore"):
        inputs.extent_fits(inputs.extent(rows_x.reshape(-1, 1), rows_y.reshape(-1, 1)), p)
    if a is None and b is None:
        if rows_x.shape == rows_y.shape and len(rows_x) > 1 and by_digits(rows_x.shape[1]):
            distances = _row_by_row(rows_x, rows_y, p)
        else:
            distances = _unweighted(*in_two_threads(sorted_rows, rows_x, rows_y), p)
    else:
        distances = _weighted(*weighted((a, b), (rows_x, rows_y), shape, axis), p)
    distances = distances.reshape(shape)
    if any(map(inputs.wants_gradient, (x, y, a, b))):
        from otgan.line.gradient import differentiable_distances

        return differentiable_distances(distances, (x, y), (a, b), (rows_x, rows_y), p, axis)
    if tensor is not None:
        return inputs.like(tensor, distances)
    return distances if shape else float(distances)


def cost_on_the_line(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    p: float,
    a: NDArray[np.float64] | None,
    b: NDArray[np.float64] | None,
) -> float | None:
    """``W_p ** p`` between vectors with finite p, right to a few ulps; None where that or the input is in doubt.

    How many ulps is in :mod:`otgan.exact.line`. Powers of distances are taken as they are, and where one could be lost
    to underflow there is no answer.
    """
    from otgan.kernels.line import counted_cost, matched_cost, merged_cost

    if (found := _in_order(x, y, p, a, b)) is None:
        return None
    mass = 1.0
    x, a, y, b = found
    if a is not None:
        cost, mass = merged_cost(x, a, y, b, p, False)[0], float(a.sum())
    elif len(x) == len(y):
        cost = matched_cost(x, y, p, 1.0)
    else:
        cost = counted_cost(x, y, p, math.lcm(len(x), len(y)))
    most = mass * float(max(x[-1], y[-1]) - min(x[0], y[0])) ** p
    return cost if UNDERFLOW * max(1.0, mass) < cost and most < OVERFLOW else None  # NaN compares with nothing


def _distance_of_vectors(x: Any, y: Any, a: Any, b: Any, p: float) -> float | None:
    """The fast path for two plain vectors, the common case; None for all else, which has to be checked."""
    from otgan.kernels.line import counted_distance, matched_distance

    left, right = inputs.vector(x), inputs.vector(y)
    if left is None or right is None:
        return None
    sort = sorted_values if left is x or right is y else sorted_in_place  # what was made of lists is nobody else's
    if (found := _in_order(left, right, p, a, b, sort)) is None:
        return None
    left, a, right, b = found
    if a is not None:
        return _distance(left, a, right, b, p)
    if len(left) == len(right):
        return matched_distance(left, right, p)
    return counted_distance(left, right, p, math.lcm(len(left), len(right)))


def _in_order(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    p: float,
    a: Any,
    b: Any,
    sort: Callable[[Rows], Rows] = sorted_values,
) -> Any:
    """Both sides from left to right, each with its masses, or None if the weights are equal: x, a, y, b.

    None where the checks have to see something about them, which would cost more than sorting. That puts NaN and
    infinities at the ends, so the four ends tell whether all is finite.
    """
    if a is None and b is None:
        x, y = in_two_threads(sort, x, y)
    else:
        a = np.full(len(x), 1.0 / len(x)) if a is None else a
        b = np.full(len(y), 1.0 / len(y)) if b is None else b
        if not (_is_float64_vector(a) and _is_float64_vector(b) and len(a) == len(x) and len(b) == len(y)):
            return None
        (x, a, mass_a), (y, b, mass_b) = in_two_threads(_sorted_and_summed, (x, a), (y, b))
        good = inputs.SMALLEST < mass_a < inputs.LARGEST and inputs.SMALLEST < mass_b < inputs.LARGEST
        if not (good and abs(mass_a - mass_b) <= inputs.mass_tolerance(a, b) * max(mass_a, mass_b)):
            return None
    if not all(map(math.isfinite, (x[0], y[0], x[-1], y[-1]))):
        return None
    inputs.extent_fits(float(max(x[-1], y[-1])) - float(min(x[0], y[0])), p)
    return x, a, y, b


def _is_float64_vector(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype == np.float64 and x.ndim == 1 and x.size > 0


def _sorted_and_summed(side: Weighted) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    from otgan.kernels.line import mass_total
    from otgan.kernels.sort import sorted_with_masses

    values, masses = map(np.ascontiguousarray, side)
    return *sorted_with_masses(values, masses), mass_total(masses)


def _row_by_row(x: NDArray[np.float64], y: NDArray[np.float64], p: float) -> NDArray[np.float64]:
    """Distances of rows (batch, n) in any order, one half of the batch in each thread."""
    from otgan.kernels.line import unsorted_distances

    x, y, half = np.ascontiguousarray(x), np.ascontiguousarray(y), len(x) // 2
    halves = in_two_threads(lambda side: unsorted_distances(*side, p), (x[:half], y[:half]), (x[half:], y[half:]))
    return np.concatenate(halves)


def _unweighted(x: NDArray[np.float64], y: NDArray[np.float64], p: float) -> NDArray[np.float64]:
    """Distances of sorted rows, (batch, n) and (batch, m)."""
    from otgan.kernels.line import counted_distances, matched_distances

    if x.shape == y.shape:
        return matched_distances(x, y, p)
    return counted_distances(x, y, p, math.lcm(x.shape[1], y.shape[1]))


def _weighted(side_x: Weighted, side_y: Weighted, p: float) -> NDArray[np.float64]:
    from otgan.kernels.line import merged_distances

    (x, a), (y, b) = in_two_threads(sorted_with_masses, side_x, side_y)
    distances = merged_distances(x, a, y, b, p)
    for k in np.flatnonzero(np.isnan(distances)):
        distances[k] = _exact_distance(x[k], a[k], y[k], b[k], p)
    return distances


def _distance(x: Rows, a: Rows, y: Rows, b: Rows, p: float) -> float:
    """W_p between sorted points with masses, for the total mass of a."""
    from otgan.kernels.line import merged_distance

    distance = merged_distance(x, a, y, b, p)
    return _exact_distance(x, a, y, b, p) if math.isnan(distance) else distance


def _exact_distance(x: Rows, a: Rows, y: Rows, b: Rows, p: float) -> float:
    """The same, where the last bits of the masses decide."""
    from otgan.kernels.line import whole_distance
    from otgan.masses import whole_masses

    masses = whole_masses(a, b)
    return whole_distance(x, masses.a, y, masses.b, p, masses.unit)
