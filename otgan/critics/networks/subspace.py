"""Layers on some directions of space, beside what is left of it."""

from __future__ import annotations

import torch
from torch import nn

from otgan.critics.networks.ensemble import Ensemble
from otgan.critics.networks.layers import Orthogonal
from otgan.critics.networks.norms import UNIT_ROUNDOFF, product_bound

__all__ = ["OnSubspace"]


class OnSubspace(nn.Module):
    """``h -> (g(P h), h - P^T P h)``, with learnt orthonormal rows P, and layers g that have at most slope one.

    It keeps distances where g does, and its work grows with the number of directions times that of coordinates, where
    that of layers on all coordinates grows with their square.

    Parameters
    ----------
    dimension, directions : int
        Coordinates of h, and rows of P.
    layers : Ensemble
        g, on points of as many coordinates as there are directions.
    generator : torch.Generator, optional
        Where P comes from.
    """

    def __init__(
        self, dimension: int, directions: int, layers: Ensemble, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.onto = Orthogonal(dimension, directions, generator)
        self.onto.bias.data.zero_()
        self.layers = layers

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(S, k, dimension) -> (S, k, o + dimension), o what the layers give."""
        along = self.onto(h)
        left = torch.baddbmm(h, along, self.onto.matrix(), alpha=-1)  # the bias shifts it by a constant
        return torch.cat([self.layers.outputs(along), left], dim=2)

    def lipschitz(self) -> torch.Tensor:
        """A proven bound, float64 (S,), of bounds L on the layers and s on the norm of P.

        Along a singular vector of P with singular value t <= s the squared slope is at most ``L^2 t^2 + (1 - t^2)^2``,
        which is convex in t^2, so no more than at 0 or at s.
        """
        layers, rows = self.layers.lipschitz().cpu(), self.onto.lipschitz().cpu()
        both = product_bound(layers, rows)
        bound = (both.square() + (rows.square() - 1).square()).sqrt() * (1 + 8 * UNIT_ROUNDOFF)
        return torch.where((both <= 1) & (rows <= 1), 1.0, bound.clamp(min=1.0))
