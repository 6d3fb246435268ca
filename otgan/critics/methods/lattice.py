"""A lattice of cones, alone or after orthonormal layers: the lower of prototypes with facets, and of caps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from otgan import inputs
from otgan.critics.methods.prototypes import Prototypes, clusters
from otgan.critics.networks.cones import ConesAfter, quick_distances
from otgan.critics.networks.ensemble import CHUNK
from otgan.critics.networks.lattice import ConeLattice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from otgan.critics.networks.cones import LeastCone

__all__ = ["DeepLattice", "Lattice", "LatticeOfY"]

APART = 0.3  # of the spacing of prototypes: how far apart the facets of one start, for each coordinate
COLD = 1e-3  # of the first temperature, below which the one cone that counts is as good as all, and quicker


@dataclass(frozen=True)
class Lattice(Prototypes):
    """``f(x) = min(max_b min_c o_bc - |x - c_bc|, min_k o_k - |x - c_k|)``, a lattice of learnt cones.

    :class:`Prototypes` is a greatest of hanging cones, one for each prototype: the shape of an optimal critic where
    mass gathers near points. Where the lower of two cones counts, it needs many small ones in place of two. Here two
    cones may meet in either way. A prototype has some facets, the lowest of which counts, and all of it lies below the
    caps, cones over the whole space: they are few, so that each learns from many points, which in many dimensions is
    what it takes to find a direction in the noise.

    While it trains each min and max is a smooth one, ``t log sum exp(a / t)``, with a temperature t that falls to zero:
    early on all cones learn from all points, and later each from its own (deterministic annealing, Rose 1998). A cone
    that has begun at a bad place finds a better one then, where one that is in nobody's way would stay as it is.

    Facets start close to each other, so that together they are one cone; caps start at the centres of a clustering of
    x, as high on average as what is below them. Where which of them counts is learnt.

    Attributes
    ----------
    prototypes : int
        B, of which the greatest counts.
    facets : int
        C, cones of a prototype, of which the least counts.
    caps : int
        K, which may be none.
    temperature : float
        At first, in units of the spacing of prototypes; 0 for cones that compete from the first step.
    prototype_rate : float
        Learning rate of cones, in units of the spacing of prototypes; ``learning_rate`` is that of layers.
    depth, width, activation : int, int, {"maxmin"}
        Orthonormal layers h before the cones, which see h(x) in place of x: none by itself. Hidden units are twice the
        coordinates where that is more, as in :class:`Prototypes`.
    """

    name: ClassVar[str] = "lattice"
    summary: ClassVar[str] = "least and greatest of learnt cones, one within the other, smooth to begin with"
    reference: ClassVar[str] = "arXiv:1811.05381, lemma 1 (lattices); Rose 1998, doi:10.1109/5.726788 (annealing)"

    mirror: ClassVar[str] = "lattice-y"
    distance: ClassVar[int] = 200  # with finding the one that counts
    shallowest: ClassVar[int] = 0

    learning_rate: float = 5e-3
    depth: int = 0
    prototypes: int = 32
    facets: int = 4
    caps: int = 32
    temperature: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs.count(self.facets, "facets")
        inputs.count(self.caps, "caps", low=0)
        inputs.real(self.temperature, "temperature", low=0.0, high=1e3)

    @property
    def cones(self) -> int:
        """How many there are."""
        return self.prototypes * self.facets + self.caps

    def cones_around(self, centers: torch.Tensor, offsets: torch.Tensor) -> LeastCone:
        """Their lattice."""
        return ConeLattice(centers, offsets, self.sign, self.prototypes, self.facets)

    def cool(self, network: nn.Module, share: float) -> None:
        """Lower the temperature with the cube of the share, and stop where nothing is smooth any more."""
        assert isinstance(network, ConesAfter)
        assert isinstance(network.cones, ConeLattice)
        network.cones.temperature = self.temperature * share**3 if share**3 > COLD else 0.0

    def place(
        self,
        cones: LeastCone,
        centers: torch.Tensor,
        points: torch.Tensor,
        draw: Callable[[int], torch.Tensor],
        generators: Sequence[torch.Generator],
    ) -> None:
        """Facets close to their prototype, and caps at centres of clusters, at the height of what is below them."""
        assert isinstance(cones, ConeLattice)
        unit = cones.unit[:, None, None]
        placed = centers.repeat(1, self.facets, 1) / unit
        if self.facets > 1:
            away = [torch.randn(placed.shape[1:], generator=g, device=g.device) for g in generators]
            placed = placed + APART * torch.stack(away)
        if self.caps:
            caps = torch.stack([clusters(*pair) for pair in zip(points, draw(self.caps), strict=True)])
            placed = torch.cat([placed, caps / unit], dim=1)
        cones.centers.copy_(placed)
        below, above = cones.parts(quick_distances(points[:, :CHUNK] / unit, placed))
        if above is not None:
            cones.offsets[:, cones.of_prototypes :] = (below - above).mean(dim=1, keepdim=True)


@dataclass(frozen=True)
class LatticeOfY(Lattice):
    """The same from the other side: ``f(x) = max(min_b max_c |x - c_bc| - o_bc, max_k |x - c_k| - o_k)``.

    Cones stand around prototypes that start among y. Which of the two needs fewer of them depends on which of the
    distributions is called x.
    """

    name: ClassVar[str] = "lattice-y"
    summary: ClassVar[str] = "the same from the other side: cones that stand around prototypes of y"
    mirror: ClassVar[str] = "lattice"
    side: ClassVar[str] = "y"


@dataclass(frozen=True)
class DeepLattice(Lattice):
    """:class:`Lattice` after three layers, which start as folds.

    MaxMin finds some of the pairs in order to begin with and exchanges the others, so that h folds space from the first
    step. Folded space takes fewer cones where an optimal critic is made of folds, as a network is, and more of them
    where it is made of cones. Its cones compete from the first step: smooth ones were no better here.
    """

    name: ClassVar[str] = "deep-lattice"
    summary: ClassVar[str] = "the same after three orthonormal layers, which fold space"
    mirror: ClassVar[str] = ""
    order: ClassVar[float] = 0.5

    depth: int = 3
    temperature: float = 0.0
