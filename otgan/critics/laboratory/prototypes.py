"""Orthonormal layers, and the least of cones around prototypes in the space they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from otgan import inputs
from otgan.critics.laboratory.orthogonal import NormPreserving
from otgan.critics.networks import Orthogonal, Stack
from otgan.critics.networks.cones import ConesAfter, LeastCone
from otgan.critics.networks.feedforward import hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from otgan.critics.source import Source

__all__ = ["Prototypes"]


@dataclass(frozen=True)
class Prototypes(NormPreserving):
    """``f(x) = max_n b_n - |h(x) - c_n|`` with an orthonormal network h and learnt prototypes c_n.

    Optimal critics have this shape for h(x) = x: f is the c-transform of its values at y (Villani, Optimal Transport,
    Old and New, theorem 5.10), a cone from each. The cones compete for every point, so that each learns from the points
    of its own region, where other networks average over all. Prototypes start at what h makes of points of x.

    The funnels of the benchmark are such critics with few cones, which favours it there: see the other families too.

    Attributes
    ----------
    prototypes : int
        Number of cones.
    activation : {"maxmin", "groupsort", "fullsort", "abs"}
    width : int
        Hidden units; twice the coordinates where that is more. MaxMin folds space, and sorted pairs of all coordinates
        would no longer tell a point from its mirror images.
    """

    name: ClassVar[str] = "prototypes"
    summary: ClassVar[str] = "orthonormal layers, then the least of learnt cones (c-concave by construction)"
    reference: ClassVar[str] = "McShane 1934, theorem 1; layers as in arXiv:1811.05381, section 4"
    own_network: ClassVar[bool] = True

    steps: int = 3000
    batch_size: int = 512
    learning_rate: float = 5e-3
    width: int = 64
    depth: int = 1
    prototypes: int = 512

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs.count(self.prototypes, "prototypes")

    def network(self, dimension: int, generator: torch.Generator | None = None) -> nn.Module:
        """Layers and cones around nothing yet: :meth:`start` puts them where the data are."""
        width = max(self.width, 2 * dimension)
        layers = hidden(Orthogonal, dimension, width, self.depth, self.activation, generator)
        centers = torch.randn(1, self.prototypes, width, generator=generator)
        return ConesAfter(Stack(layers), LeastCone(centers, torch.zeros(1, self.prototypes), sign=-1, learnt=True))

    @torch.no_grad()
    def start(self, network: nn.Module, x: Source, y: Source, generators: Sequence[torch.Generator]) -> None:
        """Prototypes at points of x, as the layers see them."""
        if isinstance(network, ConesAfter):
            points = torch.stack([x.batch(self.prototypes, g) for g in generators])
            network.cones.centers.copy_(network.before.outputs(points))
