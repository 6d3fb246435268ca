"""Distances on the line, for many pairs at once, without plan or potentials."""

from __future__ import annotations

import math
import numbers
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    _Weighted = tuple[NDArray[np.float64], NDArray[np.float64]]  # values and masses, (batch, n) both

__all__ = ["wasserstein_1d"]

IN_TWO_THREADS = 100_000  # values; below, starting a thread costs more than it saves


def wasserstein_1d(x: Any, y: Any, p: float = 1, *, a: Any = None, b: Any = None, axis: int = -1) -> Any:
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

    Returns
    -------
    float or ndarray
        The distances, with the shape of the other axes; a float where there are none. A tensor (without gradients;
        :func:`otgan.wasserstein` has them) where x or y is one.

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
    if a is None and b is None and type(axis) is int and axis in (-1, 0) and _is_plain(x) and _is_plain(y):
        return _plain(x, y, p)
    tensor = next((t for t in (x, y) if inputs.is_tensor(t)), None)
    rows_x, rows_y, shape = _aligned(inputs.real_array(x, "x"), inputs.real_array(y, "y"), axis)
    with np.errstate(over="ignore"):
        inputs.extent_fits(inputs.extent(rows_x.reshape(-1, 1), rows_y.reshape(-1, 1)), p)
    if a is None and b is None:
        distances = _unweighted(*_in_two_threads(_sorted_rows, rows_x, rows_y), p)
    else:
        mass_x, mass_y = _rows(a, rows_x, "a", shape, axis), _rows(b, rows_y, "b", shape, axis)
        mass_y = _equal_masses(mass_x, mass_y, inputs.mass_tolerance(a, b))
        distances = _weighted((rows_x, mass_x), (rows_y, mass_y), p)
    distances = distances.reshape(shape)
    if tensor is not None:
        return inputs.like(tensor, distances)
    return distances if shape else float(distances)


def _is_plain(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype == np.float64 and x.ndim == 1 and x.size > 0


def _plain(x: NDArray[np.float64], y: NDArray[np.float64], p: float) -> float:
    """Two flat float64 arrays, the common case, where checking would cost more than sorting.

    Sorting puts NaN last and infinities at the ends, so the four ends tell whether all is finite.
    """
    from otgan.kernels.line import matched_distance

    x, y = _in_two_threads(np.sort, x, y)
    low, high = min(x[0], y[0]), max(x[-1], y[-1])
    if not (math.isfinite(low) and math.isfinite(high) and x[-1] <= high and y[-1] <= high):
        inputs.real_array(x, "x")
        inputs.real_array(y, "y")
    inputs.extent_fits(float(high) - float(low), p)
    if len(x) != len(y):
        return float(_unweighted(x[None], y[None], p)[0])
    return matched_distance(x, y, p)


def _in_two_threads(function: Callable[[Any], Any], x: Any, y: Any) -> tuple[Any, Any]:
    """``function`` of both, at the same time where they are large; sorting in NumPy does not hold the GIL."""
    size = sum(part.size for side in (x, y) for part in (side if isinstance(side, tuple) else (side,)))
    if size < IN_TWO_THREADS:
        return function(x), function(y)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(function, y)
        return function(x), other.result()


def _aligned(
    x: NDArray[np.float64], y: NDArray[np.float64], axis: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, ...]]:
    """Both sides as rows of samples, (batch, n) and (batch, m), and the shape of the batch."""
    if x.ndim == 0 or y.ndim == 0:
        raise InvalidInput("x and y must hold samples along an axis, but a single number came. Pass a list.")
    if (
        isinstance(axis, bool)
        or not isinstance(axis, numbers.Integral)
        or not -min(x.ndim, y.ndim) <= int(axis) < min(x.ndim, y.ndim)
    ):
        raise InvalidInput(f"axis = {axis!r} is not an axis of x (shape {x.shape}) and of y (shape {y.shape}).")
    x, y = np.moveaxis(x, int(axis), -1), np.moveaxis(y, int(axis), -1)
    try:
        shape = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    except ValueError:
        raise InvalidInput(
            f"the axes of x and y other than the samples' must match or broadcast, but are {x.shape[:-1]} and "
            f"{y.shape[:-1]}."
        ) from None
    return _batched(x, shape), _batched(y, shape), shape


def _batched(values: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    full = np.broadcast_to(values, (*shape, values.shape[-1]))
    return full.reshape(-1, values.shape[-1])


def _sorted_rows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sort(values, axis=1)


def _unweighted(x: NDArray[np.float64], y: NDArray[np.float64], p: float) -> NDArray[np.float64]:
    """Distances of sorted rows, (batch, n) and (batch, m)."""
    from otgan.kernels.line import matched_distances, merged_distances
    from otgan.problem import integer_masses

    if x.shape == y.shape:
        return matched_distances(x, y, p)
    mass_x, mass_y, unit = integer_masses(x.shape[1], y.shape[1])
    return merged_distances(x, np.broadcast_to(mass_x, x.shape), y, np.broadcast_to(mass_y, y.shape), p, unit)


def _rows(given: Any, rows: NDArray[np.float64], name: str, shape: tuple[int, ...], axis: int) -> NDArray[np.float64]:
    """Weights for each row of samples, (batch, n)."""
    n = rows.shape[1]
    if given is None:
        return np.broadcast_to(np.full(n, 1.0 / n), rows.shape)
    array = inputs.real_array(given, name)
    if array.ndim > 1:
        array = np.moveaxis(array, int(axis), -1)
    if array.shape[-1:] != (n,) or array.shape[:-1] not in ((), shape):
        raise InvalidInput(f"{name} must have shape ({n},) or the shape of its samples, but has shape {array.shape}.")
    full = _batched(array, shape)
    for row in full if array.ndim > 1 else full[:1]:
        inputs.weights(row, n, name)
    return full


def _equal_masses(a: NDArray[np.float64], b: NDArray[np.float64], rtol: float) -> NDArray[np.float64]:
    """Each row of b with the total of the row of a, where the totals agree up to rounding."""
    equal = [inputs.equal_mass(row_a, row_b, rtol) for row_a, row_b in zip(a, b, strict=True)]
    return equal[0][None] if len(equal) == 1 else np.array(equal)


def _weighted(side_x: _Weighted, side_y: _Weighted, p: float) -> NDArray[np.float64]:
    from otgan.kernels.line import merged_distances

    (x, a), (y, b) = _in_two_threads(_sorted_with_masses, side_x, side_y)
    return merged_distances(x, a, y, b, p, 1.0)


def _sorted_with_masses(side: _Weighted) -> _Weighted:
    values, masses = side
    order = np.argsort(values, axis=1)
    return np.take_along_axis(values, order, axis=1), np.take_along_axis(masses, order, axis=1)
