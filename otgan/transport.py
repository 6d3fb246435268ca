"""The optimal cost of a cost matrix, as a number that can be differentiated."""

from __future__ import annotations

from typing import Any

from otgan import inputs
from otgan.solve import solve_cost

__all__ = ["transport_cost"]


def transport_cost(C: Any, a: Any = None, b: Any = None, *, rtol: float = 1e-9, normalize: bool = False) -> Any:
    """The optimal cost ``min <P, C>`` of a cost matrix, proven to ``rtol``.

    Parameters
    ----------
    C : (n, m) array_like, tensor or scipy.sparse array
        Costs of any sign; infinite ones forbid a pair, as :func:`otgan.solve_cost` says.
    a : (n,) array_like, optional
    b : (m,) array_like, optional
        Non-negative weights of one total; 1/n and 1/m each if None.
    rtol, normalize
        As for :func:`otgan.solve_cost`.

    Returns
    -------
    float, or a tensor of the type of the first tensor among C, a and b
        It can be differentiated with respect to C, a and b (envelope theorem: the gradient in C is the plan, that in
        the weights are the potentials, up to a constant). Where several plans are optimal it is a subgradient in C.

    Raises
    ------
    InvalidInput, Infeasible, NotConverged, Interrupted
        As for :func:`otgan.solve_cost`.

    Examples
    --------
    >>> import otgan, torch
    >>> C = torch.tensor([[0.0, 2.0], [1.0, 0.0]], requires_grad=True)
    >>> cost = otgan.transport_cost(C, [0.5, 0.5], [0.25, 0.75])
    >>> cost.backward()
    >>> cost.item(), C.grad.tolist()
    (0.5, [[0.25, 0.25], [0.0, 0.5]])
    """
    a, b = inputs.masses(a, b, normalize)
    solution = solve_cost(C, a, b, rtol=rtol)
    if not any(map(inputs.is_tensor, (C, a, b))):
        return solution.value
    from otgan.autodiff.cost import differentiable_cost

    return differentiable_cost(solution, C, a, b)
