"""Feedforward and residual networks of critics, made of one kind of layer."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from otgan.critics.networks.activations import activation as activation_layer
from otgan.critics.networks.ensemble import Ensemble
from otgan.critics.networks.layers import Dense, Orthogonal, Residual

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["feedforward", "hidden", "mlp_ensemble", "residual"]


def feedforward(
    kind: type[Dense],
    dimension: int,
    width: int,
    depth: int,
    activation: str,
    generator: torch.Generator | None = None,
    *,
    outputs: int = 1,
) -> Ensemble:
    """An ensemble of one: ``depth`` hidden layers of a kind, an activation after each, and a layer to the output.

    Parameters
    ----------
    kind : type
        A layer of :mod:`otgan.critics.networks.layers`.
    dimension, width, depth : int
        Coordinates of points, hidden units, hidden layers.
    activation : str
        One of ``otgan.critics.networks.ACTIVATIONS``.
    generator : torch.Generator, optional
        Where initial weights come from.
    outputs : int, default 1

    Examples
    --------
    >>> from otgan.critics.networks import Orthogonal, certified_lipschitz
    >>> network = feedforward(Orthogonal, 2, 16, 2, "maxmin").eval()
    >>> bool(abs(certified_lipschitz(network) - 1) < 1e-5)
    True
    """
    return Ensemble([*hidden(kind, dimension, width, depth, activation, generator), kind(width, outputs, generator)])


def hidden(
    kind: type[Dense], dimension: int, width: int, depth: int, activation: str, generator: torch.Generator | None = None
) -> list[nn.Module]:
    """The hidden layers of :func:`feedforward`, each with its activation."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise([dimension, *[width] * depth]):
        layers += [kind(fan_in, fan_out, generator), activation_layer(activation)]
    return layers


def mlp_ensemble(
    dimension: int, width: int, depth: int, generator: torch.Generator | None = None, *, outputs: int = 1
) -> Ensemble:
    """An ensemble of one ReLU network with ``depth`` hidden layers and no constraint."""
    return feedforward(Dense, dimension, width, depth, "relu", generator, outputs=outputs)


def residual(dimension: int, width: int, depth: int, generator: torch.Generator | None = None) -> Ensemble:
    """An ensemble of one: an orthonormal map to ``width`` coordinates, ``depth`` residual layers, and a unit vector."""
    lift = Orthogonal(dimension, width, generator)
    layers = [Residual(width, generator) for _ in range(depth)]
    return Ensemble([lift, *layers, Orthogonal(width, 1, generator)])
