"""Gradients of the distance for torch users, by the envelope theorem, without importing torch.

At an optimum ``d value / d C_ij = P_ij``, ``d value / d a_i = f_i`` and ``d value / d b_j = g_j`` (up to a constant,
as the masses must stay equal). So the value is rebuilt from the tensors' own arithmetic along the arcs of the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.costs import PointCost

if TYPE_CHECKING:
    from otgan.solution import Solution

__all__ = ["differentiable_distance"]


def differentiable_distance(solution: Solution, x: Any, y: Any, a: Any, b: Any) -> Any:
    """The distance as a tensor like x (or y): the exact value, with gradients to every tensor that wants them."""
    like = inputs.floating(next(t for t in (x, y, a, b) if inputs.is_tensor(t)))
    moved = _cost_along_arcs(solution, _as_like(x, like), _as_like(y, like))
    center = 0.5 * (solution.f.mean() - solution.g.mean())
    for weight, potential in ((a, solution.f - center), (b, solution.g + center)):
        if inputs.is_tensor(weight):
            moved = moved + ((weight - weight.detach()) * like.new_tensor(potential)).sum()
    value = like.new_tensor(solution.value)
    exact = value + (moved - moved.detach())
    if solution.problem.p == 1:
        return exact
    if solution.value == 0:  # the root has no finite slope at zero; zero is a subgradient of the distance there
        return exact * 0.0
    return exact ** (1.0 / solution.problem.p)


def _as_like(points: Any, like: Any) -> Any:
    tensor = (
        inputs.floating(points) if inputs.is_tensor(points) else like.new_tensor(np.asarray(points, dtype=np.float64))
    )
    return tensor[:, None] if tensor.ndim == 1 else tensor


def _cost_along_arcs(solution: Solution, x: Any, y: Any) -> Any:
    cost, plan = solution.problem.cost, solution.plan
    assert isinstance(cost, PointCost)
    difference = x[plan.row] - y[plan.col]
    mass = difference.new_tensor(plan.data)
    if cost.metric == "cityblock":
        distance = difference.abs().sum(-1)
    elif cost.metric == "chebyshev":
        distance = difference.abs().amax(-1)
    else:  # the clamp keeps the gradient at coinciding points zero instead of NaN
        distance = difference.square().sum(-1).clamp_min(1e-300 if difference.element_size() == 8 else 1e-37).sqrt()
    return (mass * distance**cost.p).sum()
