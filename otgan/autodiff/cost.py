"""Gradients of the optimal cost in the costs and the weights, by the envelope theorem, without importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otgan import inputs
from otgan.autodiff import tensors

if TYPE_CHECKING:
    from otgan.solution import Solution

__all__ = ["differentiable_cost"]


def differentiable_cost(solution: Solution, C: Any, a: Any, b: Any) -> Any:
    """The optimal cost as a tensor like C (or a, or b), with gradients to every tensor that wants them.

    ``d value / d C_ij = P_ij``, ``d value / d a_i = f_i`` and ``d value / d b_j = g_j``, up to a constant.
    """
    like = next(tensor for tensor in (C, a, b) if inputs.is_tensor(tensor))
    make = tensors.double(like.new_empty(0))  # makes tensors of arrays
    exact, plan = make.new_tensor(solution.value), solution.plan
    moved: Any = make.new_zeros(())
    weights = [tensors.double(weight) for weight in (a, b) if inputs.wants_gradient(weight)]
    if inputs.wants_gradient(C):
        whole = make.long()
        costs = tensors.double(C)[whole.new_tensor(plan.row), whole.new_tensor(plan.col)]
        tensors.fixed_in(costs, weights)
        moved = moved + (make.new_tensor(plan.data) * (costs - costs.detach())).sum()
    if weights:
        problem = solution.problem
        potentials = tensors.centered(solution.f, solution.g, problem.a, problem.b)
        for weight, potential in zip((a, b), potentials, strict=True):
            if inputs.wants_gradient(weight):
                shift = tensors.double(weight) - tensors.double(weight).detach()
                tensors.fixed_in(shift, [C] if inputs.is_tensor(C) else [])
                moved = moved + (shift * make.new_tensor(potential)).sum()
    return tensors.cast(exact + moved, like)
