"""Plain torch modules from (k, d) to (k, 1), made here or given by the user."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from otgan.errors import InvalidInput

__all__ = ["ChannelsFirst", "check_shape", "copied", "given_network", "mlp"]


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


class ChannelsFirst(nn.Module):
    """A network of images (k, c, h, w) that takes them as (k, h, w, c)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(k, h, w, c) -> what the network gives."""
        return self.network(images.movedim(-1, 1))


def given_network(given: Any, dimension: int, seed: int) -> nn.Module:
    """A network of its own for one seed: a copy of a module, or what a function of d makes.

    Weights are drawn from the seed, without touching torch's global generator. They are float32, whatever they came in.
    """
    if isinstance(given, nn.Module):
        return copied(given).float()
    if not callable(given):
        raise InvalidInput(f"network must be a torch module or a function of d that makes one, not {given!r}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = given(dimension)
    if not isinstance(net, nn.Module):
        raise InvalidInput(f"network(d) must return a torch module, but a {type(net).__name__} came.")
    return net.float()


def copied(network: nn.Module) -> nn.Module:
    """A network of its own with the same weights.

    Weights that hooks compute, as those of ``torch.nn.utils.weight_norm``, are part of a graph, which ``copy.deepcopy``
    refuses; the copy's hooks compute them anew.

    Examples
    --------
    >>> layer = torch.nn.utils.spectral_norm(nn.Linear(2, 1)).eval()
    >>> bool((copied(layer)(torch.ones(1, 2)) == layer(torch.ones(1, 2))).all())
    True
    """
    held = [value for part in network.modules() for value in vars(part).values() if isinstance(value, torch.Tensor)]
    return copy.deepcopy(network, {id(value): value.detach().clone() for value in held if not value.is_leaf})


@torch.no_grad()
def check_shape(network: nn.Module, dimension: int) -> None:
    """Refuse a network that does not map (k, dimension) to (k, 1) or (k,), or in which there is nothing to train."""
    network.eval()
    if not any(parameter.requires_grad for parameter in network.parameters()):
        frozen = "all its parameters are frozen" if any(True for _ in network.parameters()) else "it has no parameters"
        raise InvalidInput(
            f"network must have parameters to train, but {frozen}. Thaw some (requires_grad_()), or give another."
        )
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    try:
        out = network(torch.zeros(3, dimension, device=device))
    except Exception as error:  # whatever the code of a user's module stumbles over
        raise InvalidInput(
            f"network must take points of {dimension} columns, float32, but raised {type(error).__name__}: {error}"
        ) from error
    if not isinstance(out, torch.Tensor):
        raise InvalidInput(
            f"network must return one tensor (k, 1), but returned a {type(out).__name__}. Wrap it in a module that "
            "returns the critic's values alone."
        )
    if out.shape not in {(3, 1), (3,), (1, 3)}:
        raise InvalidInput(f"network must map (k, {dimension}) to (k, 1), but maps 3 points to {tuple(out.shape)}.")
