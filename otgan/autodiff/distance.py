"""Gradients of the distance for torch users, by the envelope theorem, without importing torch.

At an optimum ``d value / d C_ij = P_ij``, ``d value / d a_i = f_i`` and ``d value / d b_j = g_j`` (up to a constant,
as the masses must stay equal). So the distance is computed again with tensor operations, along the arcs of the plan.
This is done in float64 and relative to the longest arc, so that no power of a distance overflows or underflows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.autodiff import tensors
from otgan.costs import PointCost
from otgan.metric import EUCLIDEAN, METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.solution import Solution

__all__ = ["differentiable_distance"]

SHORT = 1e-150  # beside the longest: the square of its inverse is still a float64


def differentiable_distance(solution: Solution, x: Any, y: Any, a: Any, b: Any) -> Any:
    """The distance as a tensor like x (or y): the exact value, with gradients to every tensor that wants them."""
    cost, plan = solution.problem.cost, solution.plan
    assert isinstance(cost, PointCost)
    like = next(t for t in (x, y, a, b) if inputs.is_tensor(t))
    make = tensors.double(like.new_empty(0))  # makes tensors of arrays
    exact = make.new_tensor(solution.distance)
    if not any(map(inputs.wants_gradient, (x, y, a, b))):
        return tensors.cast(exact, like)
    x, y = (
        tensors.double(given) if inputs.is_tensor(given) else make.new_tensor(checked)
        for given, checked in ((x, cost.x), (y, cost.y))
    )
    weights = [tensors.double(w) if inputs.wants_gradient(w) else None for w in (a, b)]
    wanted = [weight for weight in weights if weight is not None]
    whole = make.long()  # makes tensors of whole numbers
    sides = (side[:, None] if side.ndim == 1 else side for side in (x, y))
    x_arc, y_arc = (
        side.index_select(0, whole.new_tensor(i)) for side, i in zip(sides, (plan.row, plan.col), strict=True)
    )
    difference = x_arc - y_arc
    tensors.fixed_in(difference, wanted)
    paid, longest = _relative_costs(difference, cost.metric, cost.p)
    moved = (make.new_tensor(plan.data) * paid).sum()
    potentials = _relative_potentials(solution, longest) if wanted else (None, None)
    for weight, potential in zip(weights, potentials, strict=True):
        if weight is not None:
            shift = weight - weight.detach()
            tensors.fixed_in(shift, (x, y))
            moved = moved + (shift * make.new_tensor(potential)).sum()
    moved = tensors.power(moved, 1 / cost.p) * longest
    return tensors.cast(exact + (moved - moved.detach()), like)


def _relative_costs(difference: Any, metric: str, p: float) -> tuple[Any, float]:
    """``(distance / longest) ** p`` of each arc from its difference (k, d), and the longest distance.

    Each difference is divided by its own largest coordinate before anything is squared, so that even an arc that is
    next to nothing beside the longest knows its direction.
    """
    largest = difference.detach().abs().amax(-1)
    unit = largest.clamp_min(max(SHORT * float(largest.max()), tensors.TINY))
    relative = difference / unit[:, None]
    norm = EUCLIDEAN if difference.shape[1] == 1 else METRICS[metric]  # on the line all are the same
    total = norm.tensor_sums(relative)
    length = tensors.power(total, 1 / norm.root)
    longest = max(float((unit * length.detach()).max()) or 1.0, tensors.TINY)
    if p == norm.root:  # squares have curvature where points coincide, roots of them not
        return tensors.power(unit / longest, p) * total, longest
    return tensors.power(unit / longest * length, p), longest


def _relative_potentials(solution: Solution, longest: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Potentials of both sides in units of the longest distance to the power p."""
    problem = solution.problem
    with np.errstate(over="ignore"):
        f, g = (np.sign(v) * (np.abs(v) ** (1 / problem.p) / longest) ** problem.p for v in (solution.f, solution.g))
    return tensors.centered(f, g, problem.a, problem.b)
