"""Gradients of distances on the circle for torch users, for a whole batch, without importing torch.

By the envelope theorem the optimal plan and the potentials may be held fixed (see :mod:`otgan.autodiff`). The plan also
says which way around every mass goes. Each distance is computed again with tensor operations along its arcs, in float64
and relative to the longest one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otgan import inputs
from otgan.autodiff import tensors
from otgan.masses import whole_masses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float64]

__all__ = ["differentiable_distances"]


class Plans(NamedTuple):
    """One plan a row, (batch, arcs): points of u and v, how far apart, mass; and potentials (batch, n), (batch, m).

    What is repeated to fill a row has no mass. Relative to the longest arc, ``scale`` (batch, 1), each plan costs one;
    potentials are relative to the p-th power of that length.
    """

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    away: Rows
    mass: Rows
    scale: Rows
    f: Rows
    g: Rows


def differentiable_distances(
    distances: Rows,
    points: tuple[Any, Any],
    weights: tuple[Any, Any],
    rows: tuple[Rows, Rows],
    masses: tuple[list[Rows | int], list[Rows | int]],
    p: float,
    period: float,
    shape: tuple[int, ...],
    axis: int,
) -> Any:
    """``distances`` (batch,) as a tensor (shape) with gradients to every tensor that wants them.

    ``points`` and ``weights`` are what the user passed; ``rows`` are the points as rows, modulo the period, and
    ``masses`` the weights as :func:`otgan.masses.whole_masses` takes them, of all rows or of each.
    """
    like = next(t for t in (*points, *weights) if inputs.is_tensor(t))
    make = tensors.double(like.new_empty(0))  # makes tensors of arrays
    whole = make.long()  # makes tensors of whole numbers
    plans = _plans(rows, masses, p, period)
    moved, shifts = make.new_tensor(plans.away), []
    for given, index, sign in ((points[0], plans.rows, 1), (points[1], plans.cols, -1)):
        if inputs.wants_gradient(given):
            shifts.append(_no_change(given, shape, axis))
            moved = moved + sign * shifts[-1].gather(1, whole.new_tensor(index))
    scale = make.new_tensor(plans.scale)
    paid = moved / scale
    changes = [_no_change(weight, shape, axis) if inputs.wants_gradient(weight) else None for weight in weights]
    wanted = [change for change in changes if change is not None]
    if p == math.inf:  # no small change of the weights changes which distance is the longest that is paid
        cost = paid.abs().amax(-1) + sum(0.0 * change.sum(-1) for change in wanted)
    else:
        tensors.fixed_in(paid, wanted)
        cost = (make.new_tensor(plans.mass) * tensors.power(paid if p % 2 == 0 else paid.abs(), p)).sum(-1)
        if wanted:
            for change, potential in zip(changes, _slopes(plans, masses, distances, p), strict=True):
                if change is not None:
                    tensors.fixed_in(change, shifts)
                    cost = cost + (change * make.new_tensor(potential)).sum(-1)
    relative = tensors.power(1.0 + (cost - cost.detach()), 1.0 if p == math.inf else 1.0 / p)
    return tensors.cast((make.new_tensor(distances) * relative).reshape(shape), like)


def _no_change(given: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Zeros (batch, n) with the gradients of a tensor that the user passed."""
    tensor = tensors.double(given)
    tensor = tensor - tensor.detach()
    if tensor.ndim > 1:
        tensor = tensor.movedim(int(axis), -1)
    return tensor.expand(*shape, tensor.shape[-1]).reshape(-1, tensor.shape[-1])


def _slopes(plans: Plans, masses: Any, distances: Rows, p: float) -> tuple[Rows, Rows]:
    """Potentials as derivatives of the cost by the weights, relative to the cost."""
    full = [np.array([_floats(row) for row in side]) for side in masses]
    f, g = tensors.centered(plans.f, plans.g, *full)
    with np.errstate(over="ignore", divide="ignore"):
        factor = np.where(distances > 0, (plans.scale[:, 0] / distances) ** p, 0.0)[:, None]
    factor = np.minimum(factor, 1.0 / tensors.TINY)
    return f * factor, g * factor


def _floats(weights: Rows | int) -> Rows:
    return np.full(weights, 1.0 / weights) if isinstance(weights, int) else weights


def _plans(
    rows: tuple[Rows, Rows], masses: tuple[list[Rows | int], list[Rows | int]], p: float, period: float
) -> Plans:
    """The optimal plan of each row."""
    u, v = rows
    a, b = masses
    (batch, n), m = u.shape, v.shape[1]
    arcs = n + m - 1
    i, j = np.zeros((batch, arcs), np.int64), np.zeros((batch, arcs), np.int64)
    plans = Plans(
        i,
        j,
        np.zeros((batch, arcs)),
        np.zeros((batch, arcs)),
        np.ones((batch, 1)),
        np.empty(u.shape),
        np.empty(v.shape),
    )
    for k in range(batch):
        _set_plan(plans, k, (u[k], v[k]), (a[k % len(a)], b[k % len(b)]), p, period)
    return plans


def _set_plan(
    plans: Plans, k: int, points: tuple[Rows, Rows], weights: tuple[Rows | int, Rows | int], p: float, period: float
) -> None:
    from otgan.kernels.circle_plan import circle_plan

    u, v = points
    order_u, order_v = np.argsort(u), np.argsort(v)
    masses = whole_masses(*weights)
    rows, cols, away, mass, scale, f, g = circle_plan(
        u[order_u], masses.a[order_u], v[order_v], masses.b[order_v], p, period
    )
    count = len(rows)
    plans.rows[k], plans.cols[k], plans.away[k] = order_u[rows[-1]], order_v[cols[-1]], away[-1]
    plans.rows[k, :count], plans.cols[k, :count] = order_u[rows], order_v[cols]
    plans.away[k, :count], plans.mass[k, :count] = away, mass
    plans.f[k, order_u], plans.g[k, order_v] = f, g
    if scale > 0:
        plans.scale[k] = scale
