"""Gradients of distances on the line for torch users, for a whole batch at once, without importing torch.

By the envelope theorem the optimal plan and the potentials may be held fixed (see :mod:`otgan.autodiff`). Each distance
is computed again with tensor operations along the arcs of its monotone plan, in float64 and relative to the longest
arc. All rows share the same few operations.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otgan import inputs
from otgan.autodiff import tensors
from otgan.line.rows import weighted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.line.rows import Rows

__all__ = ["differentiable_distances"]

LARGE_ORDER = 1000.0  # orders


class Plans(NamedTuple):
    """One monotone plan a row, (batch, arcs): points of x and y, mass; potentials, (batch, n) and (batch, m).

    The mass is (1, 1) where it is the same on all arcs. Potentials are relative to the longest distance that is paid.
    """

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    mass: Rows
    f: Rows | None = None
    g: Rows | None = None


def differentiable_distances(
    distances: NDArray[np.float64],
    points: tuple[Any, Any],
    weights: tuple[Any, Any],
    rows: tuple[Rows, Rows],
    p: float,
    axis: int,
) -> Any:
    """``distances`` as a tensor with gradients to every tensor among ``points`` and ``weights`` that wants them.

    ``points`` and ``weights`` are what the user passed, and ``rows`` the points as checked rows of samples.
    """
    like = next(t for t in (*points, *weights) if inputs.is_tensor(t))
    make = tensors.double(like.new_empty(0))  # makes tensors of arrays
    shape = distances.shape
    plans = _plans(rows, weights, shape, p, axis)
    x, y = (
        _tensor_rows(given, shape, axis) if inputs.is_tensor(given) else make.new_tensor(checked)
        for given, checked in zip(points, rows, strict=True)
    )
    moving = [_tensor_rows(w, shape, axis) if inputs.wants_gradient(w) else None for w in weights]
    wanted = [weight for weight in moving if weight is not None]
    whole = make.new_empty(0).long()  # makes tensors of whole numbers
    difference = x.gather(1, whole.new_tensor(plans.rows)) - y.gather(1, whole.new_tensor(plans.cols))
    mass = make.new_tensor(plans.mass)
    if not plans.mass.all():  # what is not paid may be too long for float64
        difference = difference.masked_fill(mass == 0, 0.0)
    longest = difference.detach().abs().amax(-1, keepdim=True)
    longest = longest.clamp_min(tensors.TINY).masked_fill(longest == 0, 1.0)
    paid = difference / longest
    if p == math.inf:  # no small change of the weights changes which distance is the longest that is paid
        moved = paid.abs().amax(-1) + 0.0 * sum((weight - weight.detach()).sum(-1) for weight in wanted)
    else:
        tensors.fixed_in(paid, wanted)
        moved = (mass * tensors.power(paid if p % 2 == 0 else paid.abs(), p)).sum(-1)
        for weight, potential in zip(moving, (plans.f, plans.g), strict=True):
            if weight is not None:
                shift = weight - weight.detach()
                tensors.fixed_in(shift, (x, y))
                moved = moved + (shift * make.new_tensor(potential)).sum(-1)
        moved = tensors.power(moved, 1 / p)
    moved = (moved * longest[:, 0]).reshape(shape)
    return tensors.cast(make.new_tensor(distances) + (moved - moved.detach()), like)


def _tensor_rows(values: Any, shape: tuple[int, ...], axis: int) -> Any:
    """A tensor that the user passed in float64, (batch, n)."""
    tensor = tensors.double(values)
    if tensor.ndim > 1:
        tensor = tensor.movedim(int(axis), -1)
    return tensor.expand(*shape, tensor.shape[-1]).reshape(-1, tensor.shape[-1])


def _plans(rows: tuple[Rows, Rows], weights: tuple[Any, Any], shape: tuple[int, ...], p: float, axis: int) -> Plans:
    """The monotone plan of each row, with potentials where weights want gradients."""
    from otgan.kernels.line_plan import monotone_plans, potentials_of_plans

    x, y = rows
    order_x, order_y = np.argsort(x, axis=1), np.argsort(y, axis=1)
    if all(weight is None for weight in weights):
        if x.shape == y.shape:
            mass = np.full((1, 1), 1.0 / x.shape[1])
            return Plans(order_x, order_y, mass)
        whole = math.lcm(x.shape[1], y.shape[1])  # counts in place of 1/n and 1/m, which would have to be rounded
        one, other = (np.full((len(x), side.shape[1]), float(whole // side.shape[1])) for side in rows)
        i, j, mass, _ = monotone_plans(one, other)
        return Plans(_along(order_x, i), _along(order_y, j), mass / whole)
    (_, a), (_, b) = weighted(weights, rows, shape, axis)
    plans = _whole_plans if p == math.inf else monotone_plans  # for p = inf a sliver counts as much as any mass
    i, j, mass, count = plans(_along(a, order_x), _along(b, order_y))
    rows_i, cols_j = _along(order_x, i), _along(order_y, j)
    if p == math.inf or not any(map(inputs.wants_gradient, weights)):
        return Plans(rows_i, cols_j, mass)
    longest = _longest(x, y, rows_i, cols_j, mass)
    # A power of two divides the points without rounding; beyond these p its own powers would leave float64.
    unit = 2.0 ** np.floor(np.log2(longest)) if p < LARGE_ORDER else longest
    with np.errstate(over="ignore", invalid="ignore"):
        f, g = potentials_of_plans(_along(x, order_x) / unit, _along(y, order_y) / unit, i, j, count, p)
        f, g = (v * (unit / longest) ** p for v in (f, g))
    f, g = _along(f, np.argsort(order_x, axis=1)), _along(g, np.argsort(order_y, axis=1))
    return Plans(rows_i, cols_j, mass, *tensors.centered(f, g, a, b))


def _whole_plans(a: Rows, b: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64], Rows, NDArray[np.int64]]:
    """:func:`otgan.kernels.line_plan.monotone_plans` in exact arithmetic."""
    from otgan.kernels.spanning import merge_masses
    from otgan.kernels.wide import as_floats
    from otgan.masses import whole_masses

    arcs = a.shape[1] + b.shape[1] - 1
    rows, cols = np.zeros((len(a), arcs), np.int64), np.zeros((len(a), arcs), np.int64)
    mass, count = np.zeros((len(a), arcs)), np.zeros(len(a), np.int64)
    for k, sides in enumerate(zip(a, b, strict=True)):
        whole = whole_masses(*sides)
        i, j, moved = merge_masses(whole.a, whole.b)
        count[k] = len(i)
        rows[k, : len(i)], cols[k, : len(i)], mass[k, : len(i)] = i, j, as_floats(moved) * whole.unit
    return rows, cols, mass, count


def _along(values: NDArray[Any], index: NDArray[np.int64]) -> Any:
    return np.take_along_axis(np.broadcast_to(values, (len(index), values.shape[1])), index, axis=1)


def _longest(x: Rows, y: Rows, rows: NDArray[np.int64], cols: NDArray[np.int64], mass: Rows) -> Rows:
    """The longest distance on arcs with mass, (batch, 1); 1 where there is none."""
    distance = np.where(mass > 0, np.abs(_along(x, rows) - _along(y, cols)), 0.0).max(axis=1, keepdims=True)
    return np.where(distance > 0, np.maximum(distance, tensors.TINY), 1.0)
