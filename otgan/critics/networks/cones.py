"""A layer that is the minimum of cones, ``f(x) = min_n |x - c_n| + b_n``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn

from otgan.critics.networks.ensemble import Ensemble, each_member

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ConesAfter", "LeastCone", "distances", "quick_distances", "quick_least", "smooth_distances"]

MANY = 16  # dimensions, from where on a matrix product is the quicker way to distances
SMALLEST = 1e-6  # squared distance that has a gradient


def distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """``|x_i - y_j|``, (..., n, d) and (..., m, d) -> (..., n, m), without the cancellation of the quick formula."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def quick_distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """:func:`distances` to train by: in many dimensions a matrix product, off by 2e-4 of the data's extent at most."""
    return distances(x, y) if x.shape[-1] < MANY else torch.cdist(x, y, compute_mode="use_mm_for_euclid_dist")


def smooth_distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """:func:`quick_distances` with gradients that are matrix products too, (S, n, d) and (S, m, d) -> (S, n, m)."""
    if x.shape[-1] < MANY:
        return distances(x, y)
    squares = x.square().sum(dim=2)[:, :, None] + y.square().sum(dim=2)[:, None]
    return torch.baddbmm(squares, x, y.mT, alpha=-2).clamp(min=SMALLEST).sqrt()


class LeastCone(nn.Module):
    """``sign * min_n (|x - c_n| + b_n)``, exactly 1-Lipschitz.

    While it trains, the least cone is found without a graph, and the graph is that cone's alone: the others have no
    gradient, and building theirs would be two thirds of the work.

    Parameters
    ----------
    centers : (S, N, d) tensor
    offsets : (S, N) tensor
    sign : {1, -1}
    learnt : bool
        Whether centres and offsets are parameters.

    Attributes
    ----------
    unit : (S,) tensor
        What centres and offsets count in, 1 to start with. An optimiser that moves each number by about its rate, as
        Adam does, moves them by that share of the unit.
    """

    centers: torch.Tensor
    offsets: torch.Tensor
    unit: torch.Tensor

    def __init__(self, centers: torch.Tensor, offsets: torch.Tensor, sign: int, *, learnt: bool) -> None:
        super().__init__()
        self.sign = sign
        self.register_buffer("unit", torch.ones(len(centers)))
        for name, tensor in (("centers", centers), ("offsets", offsets)):
            if learnt:
                self.register_parameter(name, nn.Parameter(tensor))
            else:
                self.register_buffer(name, tensor)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Values, (S, k, d) or (k, d) -> (S, k)."""
        unit = self.unit[:, None]
        points = each_member(points, len(self.centers)) / unit[:, :, None]
        return self.sign * unit * (self.least(points) if self.training else self.least_of_all(points))

    def least_of_all(self, points: torch.Tensor) -> torch.Tensor:
        """The least over all cones, (S, k, d) -> (S, k)."""
        return (distances(points, self.centers) + self.offsets[:, None, :]).min(dim=2).values

    def chosen(self, heights: torch.Tensor) -> torch.Tensor:
        """Whose height it is that counts, (S, k, N) -> (S, k)."""
        return heights.argmin(dim=2)

    def least(self, points: torch.Tensor) -> torch.Tensor:
        """The same to train by, (S, k, d) -> (S, k)."""
        with torch.no_grad():
            n = self.chosen(quick_distances(points, self.centers) + self.offsets[:, None, :])
        centers = self.centers.gather(1, n[:, :, None].expand(-1, -1, points.shape[2]))
        return torch.linalg.vector_norm(points - centers, dim=2) + self.offsets.gather(1, n)

    def lipschitz(self) -> torch.Tensor:
        """One: a minimum of functions of slope one."""
        return torch.ones(len(self.centers), dtype=torch.float64)


@contextmanager
def quick_least(network: nn.Module) -> Iterator[None]:
    """Let the cones of a network in evaluation find the least by the quick formula meanwhile, as they do to train."""
    cones = [module for module in network.modules() if isinstance(module, LeastCone) and not module.training]
    for module in cones:
        module.train()
    try:
        yield
    finally:
        for module in cones:
            module.eval()


class ConesAfter(nn.Module):
    """Cones around what the layers before them make of a point.

    Parameters
    ----------
    before : Ensemble or None
        From (S, k, d) to (S, k, w), with a proven bound; None leaves points as they are.
    cones : LeastCone
        In w dimensions.
    """

    def __init__(self, before: Ensemble | None, cones: LeastCone) -> None:
        super().__init__()
        self.before, self.cones = before, cones

    def seen(self, points: torch.Tensor) -> torch.Tensor:
        """Where the cones see points, (S, k, d) or (k, d) -> (S, k, w)."""
        return each_member(points, len(self.cones.centers)) if self.before is None else self.before.outputs(points)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Values, (S, k, d) or (k, d) -> (S, k)."""
        return self.cones(self.seen(points))

    def lipschitz(self) -> torch.Tensor:
        """The bound of the layers before."""
        return (self.cones if self.before is None else self.before).lipschitz()
