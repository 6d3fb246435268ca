"""Tensor arithmetic of gradients: torch tensors in float64, without importing torch.

Distances are computed again and differentiated in float64, whatever type the user's tensors have, and cast once at the
end. Autograd casts the gradients back, once as well. All of it happens on the CPU, where the plan is: not every device
has float64, and points and weights may be on different devices.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput, OTError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

__all__ = ["TINY", "cast", "centered", "double", "fixed_in", "power"]

TINY = 1e-290  # nothing is divided by less, so that no quotient and no product of a gradient leaves float64


def double(tensor: Any) -> Any:
    """``tensor`` in float64 on the CPU, differentiably."""
    return tensor.cpu().double()  # in this order, as not every device has float64


def cast(values: Any, like: Any) -> Any:
    """``values`` in the dtype and on the device of ``like``; in float64 if that holds whole numbers.

    Raises
    ------
    InvalidInput
        If one of them is too large for that dtype.
    """
    return inputs.representable((values.to(like.dtype) if like.is_floating_point() else values).to(like.device))


def power(distance: Any, p: float) -> Any:
    """``distance ** p``, with derivatives of every order that are finite at zero.

    Even powers take distances with a sign, and keep their curvature there.
    """
    if p == 1:
        return distance
    zero = distance == 0
    if p % 1 == 0 or not zero.any():
        return distance**p
    return (distance.masked_fill(zero, 1.0) ** p).masked_fill(zero, 0.0)


def centered(f: Values, g: Values, a: Values, b: Values) -> tuple[Values, Values]:
    """Potentials (..., n) and (..., m) with the constant that gives both sides half of the cost.

    Points without mass do not count: they may lie anywhere, and large potentials there would cost the others their
    digits.

    Raises
    ------
    InvalidInput
        If the potentials left float64.
    """
    with np.errstate(invalid="ignore"):  # nothing times infinity
        center = 0.5 * (_mean(f, a) - _mean(g, b))
    if not np.isfinite(center).all():
        raise InvalidInput(
            "gradients to the weights leave float64: some points are too many times farther away than mass moves, for "
            "this p. Use a smaller p, drop points without weight, or detach the weights."
        )
    return f - center, g + center


def _mean(values: Values, mass: Values) -> Values:
    return (values * (mass / mass.sum(axis=-1, keepdims=True))).sum(axis=-1, keepdims=True)


def fixed_in(tensor: Any, others: Iterable[Any]) -> None:
    """Refuse second derivatives: of the gradient to ``tensor`` with respect to ``others``.

    The envelope theorem holds the plan and the potentials fixed. That is right for the first derivatives, and for those
    second ones that are to points twice or to weights twice, as plan and potentials do not change at once. A plan does
    change with the weights, however, and potentials with the points.

    Parameters
    ----------
    tensor : torch.Tensor
        One that was made on the way, none of the user's.
    others : iterable of torch.Tensor

    Raises
    ------
    OTError
        When that second derivative is asked for: in its backward pass, or here where forward mode takes part in it.
    """
    others = [other for other in others if inputs.wants_gradient(other)]
    if not others or not inputs.wants_gradient(tensor):
        return
    if any(map(inputs.has_tangent, (tensor, *others))):  # alone that is a first derivative
        if any(each.requires_grad for each in (tensor, *others)):
            _refuse()
        return

    def hook(gradient: Any) -> Any:
        if gradient is None or not sys.modules["torch"].is_grad_enabled():  # nobody is going to differentiate it
            return None
        nothing: Any = 0.0 * sum(other.sum() for other in others)
        nothing.register_hook(_refuse)
        return gradient + nothing

    tensor.register_hook(hook)


def _refuse(_: Any = None) -> None:
    raise OTError(
        "second derivatives that mix points and weights are not available: the plan changes with the weights and the "
        "potentials with the points, and gradients hold both fixed. Detach the weights or the points."
    )
