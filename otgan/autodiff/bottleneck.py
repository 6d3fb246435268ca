"""Gradients of W_inf: of the distance of the one pair that decides."""

from __future__ import annotations

from typing import Any

from otgan import inputs
from otgan.autodiff import tensors
from otgan.metric import METRICS

__all__ = ["differentiable_bottleneck"]


def differentiable_bottleneck(
    distance: float, pair: tuple[int, int], metric: str, x: Any, y: Any, a: Any, b: Any
) -> Any:
    """W_inf as a tensor like x (or y), with gradients to the points of the pair; to weights they are zero."""
    like = next(tensor for tensor in (x, y, a, b) if inputs.is_tensor(tensor))
    make = tensors.double(like.new_empty(0))
    exact = make.new_tensor(distance)
    if not any(map(inputs.wants_gradient, (x, y, a, b))):
        return tensors.cast(exact, like)
    ends = [
        tensors.double(side)[place] if inputs.is_tensor(side) else make.new_tensor(inputs.points(side, "x")[place])
        for side, place in zip((x, y), pair, strict=True)
    ]
    norm = METRICS[metric]
    difference = (ends[0] - ends[1])[None]
    largest = float(difference.detach().abs().max()) or 1.0
    length = (tensors.power(norm.tensor_sums(difference / largest), 1 / norm.root) * largest).sum()
    nothing = sum(0.0 * tensors.double(weight).sum() for weight in (a, b) if inputs.wants_gradient(weight))
    return tensors.cast(exact + (length - length.detach()) + nothing, like)
