"""Wasserstein distances on the circle for many pairs at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import OTError
from otgan.line.rows import aligned, in_two_threads, mass_rows, sorted_rows, sorted_with_masses
from otgan.masses import whole_masses

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Rows = NDArray[np.float64]
    Weights = list[Rows | int]  # of a side: one row for all samples, or one for each; n stands for n equal weights

__all__ = ["wasserstein_circle"]

ROUNDING = 1e-12  # of a distance, with room to spare


def wasserstein_circle(
    u: Any,
    v: Any,
    p: float = 1,
    *,
    a: Any = None,
    b: Any = None,
    period: float = 1.0,
    axis: int = -1,
    normalize: bool = False,
) -> Any:
    """W_p between samples on a circle, exactly, batched over all other axes.

    The distance of two points is the length of the shorter arc. Matching in order is optimal once it is known where
    to begin. For p = 1 that is where the difference of the two cdfs is at its median; for p > 1 the cost is a convex
    and piecewise affine function of the mass by which one side is turned, and its least vertex is found by the sign of
    its slope; for p = inf the farthest distance is quasi-convex in the same way. Masses are added and compared as whole
    numbers, exactly what the floats stand for; only distances, their powers and one compensated sum of products are
    rounded. So every distance is right to a few units of its last digit, however near to zero. The time is
    O((n + m) log(n + m)).

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
        Non-negative weights of one total along ``axis``; 1/n and 1/m each if None. Where totals differ by rounding, the
        distance is that of ``a / sum(a)`` and ``b / sum(b)``, times ``sum(a) ** (1 / p)``.
    period : float, default 1
        The length of the circle: 2 pi for angles in radians, 24 for hours of the day.
    axis : int, default -1
        The axis of the samples.
    normalize : bool, default False
        Divide a and b by their sums first, as for counts.

    Returns
    -------
    float or ndarray
        The distances, in the unit of the positions, with the shape of the other axes; a float where there are none. A
        tensor where u or v is one, or where any argument wants gradients; it can be differentiated with respect to u,
        v, a and b (envelope theorem: the plan and the potentials are held fixed).

    Raises
    ------
    InvalidInput
        For NaN, inf, empty or complex data, shapes that do not match, negative weights, unequal mass, p < 1, a period
        that is not positive, or one whose p-th power leaves float64.
    OTError
        If a distance came out above half the period, which is impossible: an error in otgan.

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
    a, b = inputs.masses(a, b, normalize, axis)
    period = inputs.real(period, "period", low=inputs.SMALLEST, high=inputs.LARGEST)
    inputs.extent_fits(period, p)
    tensor = next((t for t in (u, v) if inputs.is_tensor(t)), None)
    rows_u, rows_v, shape = aligned(inputs.real_array(u, "u"), inputs.real_array(v, "v"), axis, ("u", "v"))
    rows_u, rows_v = around(rows_u, period), around(rows_v, period)
    weights = _weights((a, b), (rows_u, rows_v), shape, axis)
    if a is None and b is None:
        distances = _unweighted(*in_two_threads(sorted_rows, rows_u, rows_v), p, period)
    else:
        distances = _weighted((rows_u, rows_v), weights, p, period)
    if not (distances <= 0.5 * period * (1.0 + ROUNDING)).all():
        raise OTError(
            f"no distance on a circle is above half the period, {0.5 * period:g}, but {distances.max():g} came out. "
            "This is an error in otgan: please report it with the data."
        )
    distances = distances * _totals(weights[0]) ** (1.0 / p)
    if any(map(inputs.wants_gradient, (u, v, a, b))):
        from otgan.line.circle_gradient import differentiable_distances

        return differentiable_distances(distances, (u, v), (a, b), (rows_u, rows_v), weights, p, period, shape, axis)
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
    """Distances of sorted rows, (batch, n) and (batch, m), with equal masses."""
    from otgan.kernels.circle import circle_distances

    (_, n), (_, m) = u.shape, v.shape
    total = math.lcm(n, m)
    return circle_distances(u, np.full((n, 1), total // n), v, np.full((m, 1), total // m), p, period)


def _weighted(rows: tuple[Rows, Rows], weights: tuple[Weights, Weights], p: float, period: float) -> Rows:
    """Distances of rows in any order, between weights of total one."""
    from otgan.kernels.circle import ordered_circle_distances
    from otgan.kernels.circle_median import quick_median_distances

    (u, order_u), (v, order_v) = in_two_threads(_ordered, *rows)
    a, b = weights
    distances = np.full(len(u), np.nan)
    several = max(len(a), len(b))
    for k in range(several):
        batch = slice(None) if several == 1 else slice(k, k + 1)
        one, other = a[k % len(a)], b[k % len(b)]
        places = u[batch], order_u[batch], v[batch], order_v[batch]
        if p == 1:
            distances[batch] = _with_masses(quick_median_distances, places, _as_floats(one), _as_floats(other), period)
        if np.isnan(distances[batch]).any():
            masses = whole_masses(one, other)
            exact = _with_masses(ordered_circle_distances, places, masses.a, masses.b, p, period)
            distances[batch] = np.where(np.isnan(distances[batch]), exact, distances[batch])
    return distances


def _with_masses(kernel: Callable[..., Rows], places: tuple[Any, ...], a: Any, b: Any, *options: float) -> Rows:
    u, order_u, v, order_v = places
    return kernel(u, order_u, a, v, order_v, b, *options)


def _as_floats(weights: Rows | int) -> Rows:
    """Weights of any total: what counts are shares."""
    return np.ones(weights) if isinstance(weights, int) else weights


def _ordered(rows: Rows) -> tuple[Rows, NDArray[np.int64]]:
    """Each row from left to right, and where its values were."""
    where = np.broadcast_to(np.arange(rows.shape[1], dtype=np.float64), rows.shape)
    values, where = sorted_with_masses((rows, where))
    return values, where.astype(np.int64)


def _weights(
    given: tuple[Any, Any], rows: tuple[Rows, Rows], shape: tuple[int, ...], axis: int
) -> tuple[Weights, Weights]:
    """What :func:`otgan.masses.whole_masses` takes, once if it is the same for all rows, or for each of them."""
    if all(side is None for side in given):
        return [rows[0].shape[1]], [rows[1].shape[1]]
    full = [mass_rows(side, of, name, shape, axis) for side, of, name in zip(given, rows, ("a", "b"), strict=True)]
    one, other = (
        [side.shape[1]] if weights is None else list(side[: 1 if np.ndim(weights) == 1 else None])
        for weights, side in zip(given, full, strict=True)
    )
    rtol = inputs.mass_tolerance(*given)
    for k in range(max(len(one), len(other))):
        inputs.equal_mass(full[0][k], full[1][k], rtol)
    return one, other


def _totals(weights: Weights) -> Rows:
    """The mass of each row."""
    return np.array([1.0 if isinstance(row, int) else inputs.total(row) for row in weights])
