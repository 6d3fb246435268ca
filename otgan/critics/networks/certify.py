"""What can be proven about the slope of a network."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

__all__ = ["CERTIFIED", "certified_lipschitz"]

ONE_LIPSCHITZ = (nn.ReLU, nn.Tanh, nn.Identity, nn.Flatten)
CERTIFIED = 1 + 1e-5  # a bound up to here counts as one: what float32 leaves of it


@torch.no_grad()
def certified_lipschitz(network: nn.Module) -> float | None:
    """A proven upper bound on the Lipschitz constant, or None where nothing is known.

    The bound is what the network's own ``lipschitz()`` proves for each copy (the largest counts), or for torch's own
    layers the product of their spectral norms, taken in float64 and rounded upwards. None for layers it knows nothing
    about.

    Examples
    --------
    >>> from otgan.critics.networks import certified_lipschitz
    >>> layer = nn.Linear(2, 1)
    >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    >>> round(certified_lipschitz(layer), 6)
    5.0
    """
    own: Any = getattr(network, "lipschitz", None)
    bound = _product(network) if own is None else float(own().max())
    return bound if math.isfinite(bound) else None


def _product(network: nn.Module) -> float:
    bound = 1.0
    for layer in network if isinstance(network, nn.Sequential) else [network]:
        if isinstance(layer, nn.Linear):
            bound *= float(torch.linalg.matrix_norm(layer.weight.double(), ord=2)) * (1 + 1e-12)
        elif isinstance(layer, nn.LeakyReLU):
            bound *= max(1.0, abs(layer.negative_slope))
        elif not isinstance(layer, ONE_LIPSCHITZ):
            return math.inf
    return bound
