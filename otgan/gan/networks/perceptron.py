"""Multilayer perceptron as generator, for points and small images."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import nn

__all__ = ["perceptron"]


def perceptron(latent: int, width: int, depth: int, shape: tuple[int, ...]) -> nn.Sequential:
    """A multilayer perceptron with ReLU from (k, latent) to (k, *shape): linear output for points, tanh for images.

    The network that Gulrajani et al. 2017 train on toy distributions, with width 512 and depth 3.

    Examples
    --------
    >>> [type(layer).__name__ for layer in perceptron(2, 8, 1, (1, 4, 4))]
    ['Linear', 'ReLU', 'Linear', 'Tanh', 'Unflatten']
    """
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise([latent, *[width] * depth]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    layers.append(nn.Linear(width, math.prod(shape)))
    if len(shape) > 1:
        layers.append(nn.Tanh())
    return nn.Sequential(*layers, nn.Unflatten(1, shape))
