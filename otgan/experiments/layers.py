"""The layers of a deep critic: how gradients grow on their way back, and how weights are distributed."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["deep_mlp", "factor_per_layer", "histogram", "layer_gradients", "share_at_bounds", "weights_of"]

END = 1e-3  # of the reach: what counts as on the edge


def deep_mlp(width: int, depth: int, *, batch_norm: bool) -> Callable[[int], nn.Sequential]:
    """A function of the dimension that makes a ReLU network, with or without batch norm before each ReLU.

    Examples
    --------
    >>> [type(layer).__name__ for layer in deep_mlp(8, 1, batch_norm=True)(2)]
    ['Linear', 'BatchNorm1d', 'ReLU', 'Linear']
    """

    def make(dimension: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise([dimension, *[width] * depth]):
            layers += [nn.Linear(fan_in, fan_out), *([nn.BatchNorm1d(fan_out)] if batch_norm else []), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(width, 1))

    return make


def layer_gradients(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[float]:
    """Norms of the gradient of ``E f(y) - E f(x)`` with respect to what each ReLU of a sequence gives.

    Batch norm takes the means of each side, as in training. In float64: in float32 the least would be zero.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
    >>> _ = [nn.init.constant_(weight, 2.0) for weight in network.parameters()]
    >>> layer_gradients(network, torch.ones(1, 1), torch.ones(1, 1))  # 2 for y and -2 for x
    [2.8284271247461903]
    """
    layers = copy.deepcopy(network).double().train().children()
    sides, activations = [y.double(), x.double()], []
    for layer in layers:
        sides = [layer(h) for h in sides]
        if isinstance(layer, nn.ReLU):
            activations.append(sides)
    loss = sides[0].mean() - sides[1].mean()
    gradients = torch.autograd.grad(loss, [h for pair in activations for h in pair])
    return [float(torch.cat(pair).norm()) for pair in zip(gradients[::2], gradients[1::2], strict=True)]


def factor_per_layer(norms: Sequence[float]) -> tuple[float, float]:
    """By what a gradient is multiplied on its way back through one layer, and how well that fits.

    Parameters
    ----------
    norms : sequence of float
        Of the layers from the input to the output.

    Returns
    -------
    factor, r_squared : float
        From a straight line through the logarithms: ``exp(-slope)``, and the share of their variance that it explains.
        A factor of 0 where a layer gets no gradient.

    Examples
    --------
    >>> factor, r_squared = factor_per_layer([8.0, 4.0, 2.0, 1.0])
    >>> round(factor, 12), round(r_squared, 12)
    (2.0, 1.0)
    """
    if min(norms) <= 0:
        return 0.0, 0.0
    depth, logs = np.arange(len(norms)), np.log(norms)
    slope = np.polyfit(depth, logs, 1)[0]
    spread = logs.var()
    return float(np.exp(-slope)), float(slope**2 * depth.var() / spread) if spread else 1.0


def weights_of(network: nn.Module) -> NDArray[np.float64]:
    """The weights of the linear layers, without biases."""
    weights = [layer.weight for layer in network.modules() if isinstance(layer, nn.Linear)]
    return torch.cat([weight.detach().flatten() for weight in weights]).double().numpy()


def share_at_bounds(weights: NDArray[np.float64], reach: float) -> float:
    """The share of the weights that lie on the edge of ``[-reach, reach]``, up to a thousandth of it.

    Examples
    --------
    >>> share_at_bounds(np.array([-0.1, 0.0, 0.05, 0.1]), 0.1)
    0.5
    """
    return float(np.mean(np.abs(weights) >= (1 - END) * reach))


def histogram(weights: NDArray[np.float64], reach: float, bins: int) -> NDArray[np.float64]:
    """Shares of the weights in equal parts of ``[-reach, reach]``.

    Examples
    --------
    >>> histogram(np.array([-0.1, 0.0, 0.05, 0.1]), 0.1, bins=2).tolist()
    [0.25, 0.75]
    """
    # Clipped: float32 weights on the edge lie half a rounding beyond it.
    return np.histogram(np.clip(weights / reach, -1, 1), bins=bins, range=(-1, 1))[0] / len(weights)
