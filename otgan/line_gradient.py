"""Gradients of distances on the line for torch users, for a whole batch at once, without importing torch.

By the envelope theorem the optimal plan and the potentials may be held fixed (see :mod:`otgan.autodiff`). Each distance
is rebuilt from the tensors' own arithmetic along the arcs of its monotone plan, all rows in the same few operations.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otgan import inputs
from otgan.rows import weighted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.rows import Rows

__all__ = ["differentiable_distances"]


class Plans(NamedTuple):
    """One monotone plan a row, (batch, arcs): points of x and y, mass; potentials, (batch, n) and (batch, m)."""

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    mass: Rows
    scale: Rows  # (batch, 1), the largest distance that is paid; powers and potentials are relative to it
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
    like = inputs.floating(next(t for t in (*points, *weights) if inputs.wants_gradient(t)))
    shape = distances.shape
    plans = _plans(rows, weights, shape, p, axis)
    x, y = (_tensor_rows(side, like, shape, axis) for side in points)
    whole = like.new_empty(0).long()  # makes tensors of whole numbers on the device of the others
    difference = x.gather(1, whole.new_tensor(plans.rows)) - y.gather(1, whole.new_tensor(plans.cols))
    scale = like.new_tensor(plans.scale)
    paid = (difference / scale).abs()
    if p == math.inf:
        moved = paid.where(like.new_tensor(plans.mass) > 0, paid * 0.0).amax(-1)
    else:
        moved = (like.new_tensor(plans.mass) * paid**p).sum(-1)
        for weight, potential in zip(weights, (plans.f, plans.g), strict=True):
            if potential is not None and inputs.wants_gradient(weight):
                weight_rows = _tensor_rows(weight, like, shape, axis)
                moved = moved + ((weight_rows - weight_rows.detach()) * like.new_tensor(potential)).sum(-1)
        positive = moved > 0  # the root has no finite slope at zero; zero is a subgradient of the distance there
        moved = moved.where(positive, moved.new_ones(())) ** (1.0 / p) * positive if p > 1 else moved
    moved = (moved * scale[:, 0]).reshape(shape)
    return like.new_tensor(distances) + (moved - moved.detach())


def _tensor_rows(values: Any, like: Any, shape: tuple[int, ...], axis: int) -> Any:
    """What the user passed as a tensor (batch, n) like ``like``."""
    if inputs.is_tensor(values):
        tensor = inputs.floating(values)
    else:
        tensor = like.new_tensor(np.asarray(values, dtype=np.float64))
    if tensor.ndim > 1:
        tensor = tensor.movedim(int(axis), -1)
    return tensor.expand(*shape, tensor.shape[-1]).reshape(-1, tensor.shape[-1])


def _plans(rows: tuple[Rows, Rows], weights: tuple[Any, Any], shape: tuple[int, ...], p: float, axis: int) -> Plans:
    """The monotone plan of each row, with potentials where weights want gradients."""
    from otgan.kernels.line import monotone_plans, potentials_of_plans

    x, y = rows
    order_x, order_y = np.argsort(x, axis=1), np.argsort(y, axis=1)
    if all(weight is None for weight in weights):
        if x.shape == y.shape:
            mass = np.broadcast_to(1.0 / x.shape[1], x.shape)
            return Plans(order_x, order_y, mass, _largest(x, y, order_x, order_y, mass))
        whole = math.lcm(x.shape[1], y.shape[1])  # counts in place of 1/n and 1/m, which would have to be rounded
        one, other = (np.full((len(x), side.shape[1]), float(whole // side.shape[1])) for side in rows)
        i, j, mass, _ = monotone_plans(one, other)
        i, j, mass = _along(order_x, i), _along(order_y, j), mass / whole
        return Plans(i, j, mass, _largest(x, y, i, j, mass))
    (_, a), (_, b) = weighted(weights, rows, shape, axis)
    plans = _whole_plans if p == math.inf else monotone_plans  # for p = inf a sliver counts as much as any mass
    i, j, mass, count = plans(_along(a, order_x), _along(b, order_y))
    rows_i, cols_j = _along(order_x, i), _along(order_y, j)
    scale = _largest(x, y, rows_i, cols_j, mass)
    if p == math.inf or not any(map(inputs.wants_gradient, weights)):
        return Plans(rows_i, cols_j, mass, scale)
    f, g = potentials_of_plans(_along(x, order_x) / scale, _along(y, order_y) / scale, i, j, count, p)
    f, g = _along(f, np.argsort(order_x, axis=1)), _along(g, np.argsort(order_y, axis=1))
    center = 0.5 * (f.mean(axis=1, keepdims=True) - g.mean(axis=1, keepdims=True))
    return Plans(rows_i, cols_j, mass, scale, f - center, g + center)


def _whole_plans(a: Rows, b: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64], Rows, NDArray[np.int64]]:
    """:func:`otgan.kernels.line.monotone_plans` in exact arithmetic."""
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


def _largest(x: Rows, y: Rows, rows: NDArray[np.int64], cols: NDArray[np.int64], mass: Rows) -> Rows:
    """The largest distance on arcs with mass, (batch, 1); 1 where there is none."""
    distance = np.where(mass > 0, np.abs(_along(x, rows) - _along(y, cols)), 0.0).max(axis=1, keepdims=True)
    return np.where(distance > 0, distance, 1.0)
