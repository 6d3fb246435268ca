"""Networks that a user brings, or could have brought: plain torch modules from (k, d) to (k, 1)."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from otgan.errors import InvalidInput

__all__ = ["check_shape", "given_network", "mlp"]


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


def given_network(given: Any, dimension: int, seed: int) -> nn.Module:
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
    if out.shape not in {(3, 1), (3,), (1, 3)}:
        raise InvalidInput(f"network must map (k, {dimension}) to (k, 1), but maps 3 points to {tuple(out.shape)}.")
