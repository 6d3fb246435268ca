"""Orthonormal layers, followed by the minimum of cones |z - c_n| + b_n around prototypes c_n."""

from __future__ import annotations

import math
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from scipy.cluster.vq import kmeans2

from otgan import inputs
from otgan.critics.methods.method import adam
from otgan.critics.methods.orthogonal import NormPreserving
from otgan.critics.networks import Ensemble, Orthogonal
from otgan.critics.networks.cones import ConesAfter, LeastCone, quick_distances
from otgan.critics.networks.ensemble import CHUNK
from otgan.critics.networks.feedforward import hidden
from otgan.critics.networks.subspace import OnSubspace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from otgan.critics.source import Source

__all__ = ["Prototypes"]

ALONE = threading.Lock()  # filters of warnings belong to the process, and seeds start in threads

MANY, DIRECTIONS = 128, 32  # coordinates up to which layers see all of space, and how many directions beyond that
SAMPLE = 32_768  # points of x to place prototypes by
SWEEPS = 10  # of k-means


@dataclass(frozen=True)
class Prototypes(NormPreserving):
    """``f(x) = max_n b_n - |h(x) - c_n|`` with an orthonormal network h and learnt prototypes c_n.

    Optimal critics have this shape for h(x) = x: f is the c-transform of its values at y, with a cone from each
    (Villani, Optimal Transport, Old and New, theorem 5.10). Each point is assigned to one cone, so that a cone learns
    from the points of its own region only, where the units of other networks average over all points.

    Three choices matter most. Prototypes start at the centres of a k-means clustering of x, as h sees it; at points of
    x they share their regions badly, and stay there. Biases start so that MaxMin finds nearly all pairs in order: h
    starts as an isometry, and folds space where that is learnt. And prototypes move by shares of their spacing, the
    mean distance of a point of y to the nearest one, for each coordinate: a step that is small in 64 dimensions reaches
    beyond the neighbour in two.

    The funnels of the benchmark are such critics with few cones, which favours it there: see the other families too.

    Attributes
    ----------
    prototypes : int
        Number of cones.
    prototype_rate : float
        Learning rate of prototypes, in units of their spacing; ``learning_rate`` is that of the layers.
    activation : {"maxmin"}
    width : int
        Hidden units; twice the coordinates where that is more. MaxMin folds space, and sorted pairs of all coordinates
        would no longer tell a point from its mirror images. Of more than 128 coordinates layers see 32 learnt
        directions, and cones stand in what layers make of these and the rest of space together: a step of layers over
        784 coordinates would take a second.
    """

    name: ClassVar[str] = "prototypes"
    summary: ClassVar[str] = "orthonormal layers, then the least of learnt cones (c-concave by construction)"
    reference: ClassVar[str] = "McShane 1934, theorem 1; layers as in arXiv:1811.05381, section 4"
    own_network: ClassVar[bool] = True
    activations: ClassVar[tuple[str, ...]] = ("maxmin",)
    distance: ClassVar[int] = 64  # multiplications of a layer that take as long as one to a cone
    order: ClassVar[float] = 2.0  # how far apart, in standard deviations, biases put the two units of a pair at first

    steps: int = 3000
    batch_size: int = 512
    width: int = 64
    depth: int = 1
    prototypes: int = 512
    prototype_rate: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs.count(self.prototypes, "prototypes")
        inputs.real(self.prototype_rate, "prototype_rate", low=0.0, high=1e3, open_low=True)

    @property
    def cones(self) -> int:
        """How many there are."""
        return self.prototypes

    @property
    def sign(self) -> int:
        """Of the cones: f is high on x, low on y."""
        return -1 if self.side == "x" else 1

    def network(self, dimension: int, generator: torch.Generator | None = None) -> nn.Module:
        """Layers and cones around nothing yet: :meth:`start` puts them where the data are."""
        layers, folded = None, self.folded(dimension)
        if self.depth:
            layers = Ensemble(hidden(Orthogonal, folded, self.units(dimension), self.depth, self.activation, generator))
        if layers is not None and folded < dimension:
            layers = Ensemble([OnSubspace(dimension, folded, layers, generator)])
        centers = torch.randn(1, self.cones, self.coordinates(dimension), generator=generator)
        return ConesAfter(layers, self.cones_around(centers, torch.zeros(1, self.cones)))

    def cones_around(self, centers: torch.Tensor, offsets: torch.Tensor) -> LeastCone:
        """What follows the layers, of centres (1, N, w) and offsets (1, N)."""
        return LeastCone(centers, offsets, sign=self.sign, learnt=True)

    def folded(self, dimension: int) -> int:
        """How many directions the layers see."""
        return dimension if dimension <= MANY else DIRECTIONS

    def units(self, dimension: int) -> int:
        """How many hidden ones there are."""
        return max(self.width, 2 * self.folded(dimension))

    def coordinates(self, dimension: int) -> int:
        """How many there are where the cones are: those of the layers, and of what they do not see."""
        if self.depth == 0:
            return dimension
        return self.units(dimension) + (dimension if self.folded(dimension) < dimension else 0)

    def weights(self, dimension: int) -> int:
        """Those of the layers, and the cones."""
        return self.weights_of_layers(dimension) + (self.coordinates(dimension) + 1) * self.cones

    def weights_of_layers(self, dimension: int) -> int:
        """With those of the directions that they see."""
        if self.depth == 0:
            return 0
        width, folded = self.units(dimension), self.folded(dimension)
        onto = (dimension + 1) * folded if folded < dimension else 0
        return onto + (width + 2) * (folded + 1 + self.depth * (width + 2))

    def work(self, dimension: int) -> int:
        """Those of the layers, and of distances, which up to MANY coordinates take as long in any dimension."""
        distance = self.distance + (self.coordinates(dimension) if self.folded(dimension) < dimension else 0)
        return self.batch_size * (self.weights_of_layers(dimension) + distance * self.cones)

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam with betas (0.9, 0.99), at two rates."""
        assert isinstance(network, ConesAfter)
        optimizer = adam(network.cones, self.prototype_rate, (0.9, 0.99))
        if network.before is not None:
            optimizer.add_param_group({"params": list(network.before.parameters()), "lr": self.learning_rate})
        return optimizer

    @torch.no_grad()
    def start(self, network: nn.Module, x: Source, y: Source, generators: Sequence[torch.Generator]) -> None:
        """Biases in order, prototypes at the centres of clusters of their side."""
        assert isinstance(network, ConesAfter)
        if self.side == "y":
            x, y = y, x
        points, targets = (torch.stack([side.some(SAMPLE, g) for g in generators]) for side in (x, y))
        if network.before is not None:
            put_in_order(network.before, points, self.order)
        points, targets = network.seen(points), network.seen(targets)

        def draw(n: int) -> torch.Tensor:
            return network.seen(torch.stack([x.batch(n, g) for g in generators]))

        centers = torch.stack([clusters(*pair) for pair in zip(points, draw(self.prototypes), strict=True)])
        apart = torch.stack([mean_distance(*pair) for pair in zip(targets, centers, strict=True)])
        spacing = apart / math.sqrt(centers.shape[2])
        network.cones.unit.copy_(torch.where(spacing > 0, spacing, torch.ones_like(spacing)))
        self.place(network.cones, centers, points, draw, generators)

    def place(
        self,
        cones: LeastCone,
        centers: torch.Tensor,
        points: torch.Tensor,
        draw: Callable[[int], torch.Tensor],
        generators: Sequence[torch.Generator],
    ) -> None:
        """Put cones around prototypes (S, N, w) among the points (S, k, w), of which ``draw(n)`` gives n."""
        cones.centers.copy_(centers / cones.unit[:, None, None])


def put_in_order(layers: Ensemble, points: torch.Tensor, order: float) -> None:
    """Raise the biases of the first half of each layer, which MaxMin gives the greater of a pair, and lower the others.

    They are ``order`` standard deviations apart then; ``points`` (S, k, d) say how far the units spread.
    """
    for layer in layers.layers:
        if isinstance(layer, OnSubspace):
            put_in_order(layer.layers, layer.onto(points), order)
        if isinstance(layer, Orthogonal):
            of_sample = min(1, points.shape[1] - 1)  # one point has no spread
            spread = layer(points).std(dim=1, correction=of_sample, keepdim=True).mean(dim=2, keepdim=True)
            raised, lowered = layer.bias.chunk(2, dim=2)
            raised += 0.5 * order * spread
            lowered -= 0.5 * order * spread
        points = layer(points)


def clusters(points: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
    """Centres (N, d) of a k-means clustering of the points (k, d), from those of ``first`` (N, d)."""
    # SciPy's crashes where a squared distance overflows. A power of two changes no digit.
    exponent = int(torch.frexp(points.abs().max()).exponent)
    unit = 2.0 ** max(-100, exponent - 1)
    with ALONE, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One of the clusters is empty", category=UserWarning)
        centers, _ = kmeans2((points / unit).cpu().numpy(), (first / unit).cpu().numpy(), iter=SWEEPS, minit="matrix")
    return unit * torch.as_tensor(centers, dtype=points.dtype, device=points.device)


def mean_distance(points: torch.Tensor, centers: torch.Tensor) -> torch.Tensor:
    """Mean distance of the points (k, d) to the nearest centre, ()."""
    nearest = [quick_distances(some, centers).min(dim=1).values for some in points.split(CHUNK)]
    return torch.cat(nearest).mean()
