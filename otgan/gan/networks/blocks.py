"""What the convolutional networks share."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from otgan.errors import InvalidInput

__all__ = ["drawn_small", "halvings", "norm"]

SMALLEST = 4  # pixels a side that halving stops at
Module = TypeVar("Module", bound=nn.Module)


def norm(channels: int, batch_norm: bool) -> list[nn.Module]:
    """Batch norm, or no layer."""
    return [nn.BatchNorm2d(channels)] if batch_norm else []


def drawn_small(network: Module) -> Module:
    """Weights drawn from N(0, 0.02), scales of batch norm from N(1, 0.02), biases zero (Radford et al. 2016)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, std=0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, mean=1.0, std=0.02)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return network


def halvings(shape: tuple[int, ...], name: str) -> int:
    """How often the sides of an image halve evenly without getting smaller than 4 pixels.

    Raises
    ------
    InvalidInput
        If they do not halve once, or the samples are no images.

    Examples
    --------
    >>> [halvings((1, side, side), "resnet") for side in (28, 32, 64)]
    [2, 3, 4]
    """
    count = 0
    if len(shape) == 3:
        while all(side % 2 ** (count + 1) == 0 and side // 2 ** (count + 1) >= SMALLEST for side in shape[1:]):
            count += 1
    if not count:
        raise InvalidInput(
            f"network {name!r} makes images whose sides are even and at least 8 pixels, but the samples have shape "
            f"{shape}. Resize them, or use network 'mlp'."
        )
    return count
