"""Distances on the circle, for many pairs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.rows import aligned, in_two_threads, sorted_rows, sorted_with_masses, weighted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float64]

__all__ = ["wasserstein_circle"]


def wasserstein_circle(
    u: Any, v: Any, p: float = 1, *, a: Any = None, b: Any = None, period: float = 1.0, axis: int = -1
) -> Any:
    """W_p between samples on a circle, exactly, batched over all other axes.

    The distance of two points is the length of the shorter arc. Matching in order is optimal once it is known where
    to begin. For p = 1 that is where the difference of the two cdfs is at its median; for p > 1 the cost is a convex
    and piecewise affine function of the mass by which one side is turned, and its least vertex is found by the sign of
    its slope; for p = inf the farthest distance is quasi-convex in the same way. No tolerance is involved, and the time
    is O((n + m) log(n + m)).

    Parameters
    ----------
    u : array_like with n values along ``axis``
    v : array_like with m values along ``axis``
        Positions along the circle, any real numbers, taken modulo ``period``. The other axes must be the same for
        both, or broadcast.
    p : float, default 1
        1 <= p <= inf.
    a : (n,) array_like or like u, optional
    b : (m,) array_like or like v, optional
        Non-negative weights of one total along ``axis``; 1/n and 1/m each if None.
    period : float, default 1
        The length of the circle: 2 pi for angles in radians, 24 for hours of the day.
    axis : int, default -1
        The axis of the samples.

    Returns
    -------
    float or ndarray
        The distances, in the unit of the positions, with the shape of the other axes; a float where there are none. A
        tensor (without gradients) where u or v is one.

    Raises
    ------
    InvalidInput
        For NaN, inf, empty or complex data, shapes that do not match, negative weights, unequal mass, p < 1, a period
        that is not positive, or distances whose p-th powers leave float64.

    References
    ----------
    Delon, Salomon & Sobolevskii, Fast transport optimization for Monge costs on the circle, SIAM J. Appl. Math. 70
    (2010), theorems 2.2 and 3.1; Rabin, Delon & Gousseau, Transportation distances on the circle, J. Math. Imaging
    Vis. 41 (2011), proposition 2.

    Examples
    --------
    >>> import otgan
    >>> otgan.wasserstein_circle([23.5, 22.0], [0.5, 1.0], period=24)
    2.0
    >>> otgan.wasserstein_circle([[0.0, 0.5], [0.0, 0.25]], [0.125, 0.625], p=2)
    array([0.125    , 0.2795085])
    """
    p = inputs.exponent(p, allow_inf=True)
    period = inputs.real(period, "period", low=inputs.SMALLEST, high=inputs.LARGEST)
    inputs.extent_fits(period, p)
    tensor = next((t for t in (u, v) if inputs.is_tensor(t)), None)
    rows_u, rows_v, shape = aligned(inputs.real_array(u, "u"), inputs.real_array(v, "v"), axis, ("u", "v"))
    rows_u, rows_v = around(rows_u, period), around(rows_v, period)
    if a is None and b is None:
        distances = _unweighted(*in_two_threads(sorted_rows, rows_u, rows_v), p, period)
    else:
        distances = _weighted(*weighted((a, b), (rows_u, rows_v), shape, axis), p, period)
    if np.isnan(distances).any():
        raise InvalidInput(
            f"distances on the circle to the power p = {p:g} leave float64: the period is too many times longer than "
            "the distances. Use a smaller p, or p = inf."
        )
    distances = distances.reshape(shape)
    if tensor is not None:
        return inputs.like(tensor, distances)
    return distances if shape else float(distances)


def around(positions: Rows, period: float) -> Rows:
    """Positions modulo the period, in [-period / 2, period / 2], without any rounding."""
    if np.abs(positions).max() <= 0.5 * period:
        return positions
    rest = np.fmod(positions, period)
    # both differences are exact, by Sterbenz's lemma
    return np.where(rest > 0.5 * period, rest - period, np.where(rest < -0.5 * period, rest + period, rest))


def _unweighted(u: Rows, v: Rows, p: float, period: float) -> Rows:
    """Distances of sorted rows, (batch, n) and (batch, m), with masses that are whole numbers."""
    from otgan.kernels.circle import circle_distances
    from otgan.problem import integer_masses

    mass_u, mass_v, unit = integer_masses(u.shape[1], v.shape[1])
    return circle_distances(u, np.broadcast_to(mass_u, u.shape), v, np.broadcast_to(mass_v, v.shape), p, period, unit)


def _weighted(side_u: Any, side_v: Any, p: float, period: float) -> Rows:
    from otgan.kernels.circle import circle_distances

    (u, a), (v, b) = in_two_threads(sorted_with_masses, side_u, side_v)
    return circle_distances(u, a, v, b, p, period, 1.0)
