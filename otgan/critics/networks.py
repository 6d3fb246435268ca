"""Networks for critics, and what can be proven about their slopes."""

from __future__ import annotations

import copy
import math
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from otgan.errors import InvalidInput

__all__ = ["certified_lipschitz", "check_shape", "fresh_network", "mlp"]

ONE_LIPSCHITZ = (nn.ReLU, nn.Tanh, nn.Identity, nn.Flatten)


def mlp(dimension: int, width: int, depth: int) -> nn.Sequential:
    """A ReLU network from (k, dimension) to (k, 1) with ``depth`` hidden layers and a linear output.

    Examples
    --------
    >>> from otgan.critics.networks import mlp
    >>> [tuple(p.shape) for p in mlp(2, 8, 1).parameters()]
    [(8, 2), (8,), (1, 8), (1,)]
    """
    sizes = [dimension, *[width] * depth]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 1))


@torch.no_grad()
def certified_lipschitz(network: nn.Module) -> float | None:
    """The product of the layers' spectral norms, an upper bound on the Lipschitz constant.

    None for layers it knows nothing about. Singular values are taken in float64 and the product is rounded upwards.
    """
    bound = 1.0
    for layer in network if isinstance(network, nn.Sequential) else [network]:
        if isinstance(layer, nn.Linear):
            bound *= float(torch.linalg.matrix_norm(layer.weight.double(), ord=2)) * (1 + 1e-12)
        elif isinstance(layer, nn.LeakyReLU):
            bound *= max(1.0, abs(layer.negative_slope))
        elif not isinstance(layer, ONE_LIPSCHITZ):
            return None
    return bound if math.isfinite(bound) else None


def fresh_network(given: Any, dimension: int, seed: int) -> nn.Module:
    """A network of its own for one seed: a copy of a module, or what a function of d makes.

    Weights are drawn from the seed, without touching torch's global generator.
    """
    if isinstance(given, nn.Module):
        return copy.deepcopy(given)
    if not callable(given):
        raise InvalidInput(f"network must be a torch module or a function of d that makes one, not {given!r}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = given(dimension)
    if not isinstance(net, nn.Module):
        raise InvalidInput(f"network(d) must return a torch module, but a {type(net).__name__} came.")
    return net


@torch.no_grad()
def check_shape(network: nn.Module, dimension: int) -> None:
    """Refuse a network that does not map (k, dimension) to (k, 1) or (k,)."""
    network.eval()
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    try:
        out = network(torch.zeros(3, dimension, device=device))
    except RuntimeError as error:
        raise InvalidInput(f"network does not take points of {dimension} columns: {error}") from None
    if out.shape not in {(3, 1), (3,)}:
        raise InvalidInput(f"network must map (k, {dimension}) to (k, 1), but maps 3 points to {tuple(out.shape)}.")
