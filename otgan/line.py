"""Distances on the line, for many pairs at once, without plan or potentials."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["wasserstein_1d"]


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
    tensor = next((t for t in (x, y) if inputs.is_tensor(t)), None)
    rows_x, rows_y, shape = _aligned(inputs.real_array(x, "x"), inputs.real_array(y, "y"), axis)
    inputs.same_dimension(rows_x.reshape(-1, 1), rows_y.reshape(-1, 1))
    if p != math.inf:
        low, high = min(rows_x.min(), rows_y.min()), max(rows_x.max(), rows_y.max())
        inputs.power_fits(float(high - low), p)
    if a is None and b is None:
        costs = _unweighted(rows_x, rows_y, p)
    else:
        costs = _weighted(
            rows_x,
            _rows(a, rows_x, "a", shape, axis),
            rows_y,
            _rows(b, rows_y, "b", shape, axis),
            p,
            inputs.mass_tolerance(a, b),
        )
    distances = (costs if p in (1, math.inf) else costs ** (1.0 / p)).reshape(shape)
    if tensor is not None:
        return tensor.new_tensor(distances)
    return distances if shape else float(distances)


def _aligned(
    x: NDArray[np.float64], y: NDArray[np.float64], axis: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, ...]]:
    """Both sides as rows of samples, (batch, n) and (batch, m), and the shape of the batch."""
    if x.ndim == 0 or y.ndim == 0:
        raise InvalidInput("x and y must hold samples along an axis, but a single number came. Pass a list.")
    if not isinstance(axis, int) or not -min(x.ndim, y.ndim) <= axis < min(x.ndim, y.ndim):
        raise InvalidInput(f"axis = {axis!r} is not an axis of x (shape {x.shape}) and of y (shape {y.shape}).")
    x, y = np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1)
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


def _unweighted(x: NDArray[np.float64], y: NDArray[np.float64], p: float) -> NDArray[np.float64]:
    from otgan.exact.line import integer_masses
    from otgan.kernels.line import matched_cost, merged_cost

    x, y = np.sort(x, axis=1), np.sort(y, axis=1)
    n, m = x.shape[1], y.shape[1]
    if n == m:
        costs = np.array([matched_cost(u, v, p) for u, v in zip(x, y, strict=True)])
        return costs if p == math.inf else costs / n
    mass_x, mass_y, unit = integer_masses(n, m)
    costs = np.array([merged_cost(u, mass_x, v, mass_y, p) for u, v in zip(x, y, strict=True)])
    return costs if p == math.inf else costs * unit


def _rows(given: Any, rows: NDArray[np.float64], name: str, shape: tuple[int, ...], axis: int) -> NDArray[np.float64]:
    """Weights for each row of samples, (batch, n)."""
    n = rows.shape[1]
    if given is None:
        return np.full(rows.shape, 1.0 / n)
    array = inputs.real_array(given, name)
    if array.ndim > 1:
        array = np.moveaxis(array, axis, -1)
    if array.shape[-1:] != (n,) or array.shape[:-1] not in ((), shape):
        raise InvalidInput(f"{name} must have shape ({n},) or the shape of its samples, but has shape {array.shape}.")
    full = _batched(array, shape)
    for row in full if array.ndim > 1 else full[:1]:
        inputs.weights(row, n, name)
    return full


def _weighted(
    x: NDArray[np.float64],
    a: NDArray[np.float64],
    y: NDArray[np.float64],
    b: NDArray[np.float64],
    p: float,
    mass_rtol: float,
) -> NDArray[np.float64]:
    from otgan.kernels.line import merged_cost

    costs = np.empty(len(x))
    for k in range(len(x)):
        mass_b = inputs.equal_mass(a[k], b[k], mass_rtol)
        i, j = _order(x[k], a[k]), _order(y[k], mass_b)
        costs[k] = merged_cost(x[k, i], a[k, i], y[k, j], mass_b[j], p)
    return costs


def _order(values: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.intp]:
    order = np.argsort(values)
    return order[mass[order] > 0]
