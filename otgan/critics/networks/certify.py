"""Proven upper bounds on the Lipschitz constant of a network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from otgan.critics.networks.norms import product_bound, spectral_norms

__all__ = ["CERTIFIED", "certified_lipschitz"]

ONE_LIPSCHITZ = (nn.ReLU, nn.Tanh, nn.Identity, nn.Flatten)
CERTIFIED = 1 + 1e-5  # a bound up to here counts as one: what float32 leaves of it


@torch.no_grad()
def certified_lipschitz(network: nn.Module) -> float | None:
    """A proven upper bound on the Lipschitz constant, or None where nothing is known.

    The bound is what the network's own ``lipschitz()`` proves for each member (the largest counts), or for torch's own
    layers the product of bounds on their spectral norms. None for layers it knows nothing about, and for modules whose
    ``forward`` is not torch's own or has hooks around it.

    It is a bound for the function that the network's weights define in exact arithmetic, the weights being the numbers
    that the floats are. Rounding on the way to it is accounted for, and makes it larger, by a share that grows with the
    layers' sizes (:func:`~otgan.critics.networks.norms.spectral_norms`): 1e-9 for some hundred units. The values that
    float32 gives for that function are rounded, so that between points very close to each other they may rise more.

    Examples
    --------
    >>> from otgan.critics.networks import certified_lipschitz
    >>> layer = nn.Linear(2, 1)
    >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    >>> 5 <= certified_lipschitz(layer) <= 5 + 1e-13
    True
    """
    own: Any = getattr(network, "lipschitz", None)
    bound = _product(network) if own is None else float(own().max())
    return bound if math.isfinite(bound) else None


def _product(network: nn.Module) -> float:
    if isinstance(network, nn.Sequential) and not _is_torchs(network, nn.Sequential):
        return math.inf
    bound = torch.ones(1, dtype=torch.float64)
    for layer in network if isinstance(network, nn.Sequential) else [network]:
        bound = product_bound(bound, torch.tensor([_of_layer(layer)], dtype=torch.float64))
    return float(bound)


def _of_layer(layer: nn.Module) -> float:
    """A bound for one of torch's own layers; infinite for others."""
    if _is_torchs(layer, nn.Linear):
        return float(spectral_norms(layer.weight[None]))  # type: ignore[arg-type]
    if _is_torchs(layer, nn.LeakyReLU):
        slope = abs(float(layer.negative_slope))  # type: ignore[arg-type]
        return max(1.0, slope, float(np.float32(slope)))  # float32 multiplies by the slope that it can hold
    return 1.0 if any(_is_torchs(layer, kind) for kind in ONE_LIPSCHITZ) else math.inf


def _is_torchs(layer: nn.Module, kind: type[nn.Module]) -> bool:
    """Whether a module computes what torch's of this kind does: a subclass may do anything else, and so may hooks."""
    own = type(layer).forward is kind.forward and "forward" not in vars(layer)
    return own and not (layer._forward_hooks or layer._forward_pre_hooks)
