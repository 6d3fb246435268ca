"""A lattice of cones: the least and the greatest of ``b_n - |x - c_n|``, one within the other."""

from __future__ import annotations

import torch

from otgan.critics.networks.cones import LeastCone, distances, smooth_distances

__all__ = ["ConeLattice"]

FAR = -30.0  # exp of it is next to nothing; of much less it is slow


class ConeLattice(LeastCone):
    """``sign * max(min_b max_c (|x - c_bc| + o_bc), max_k (|x - c_k| + o_k))``, exactly 1-Lipschitz, as each cone is.

    Parameters
    ----------
    centers : (S, N, d) tensor
        First those of B prototypes with C facets, numbered ``n = c * B + b``, then those of the caps, c_k.
    offsets : (S, N) tensor
    sign : {1, -1}
    prototypes, facets : int
        B and C. The caps are what is left of N, and may be none.

    Attributes
    ----------
    temperature : float
        Where it is above 0 the lattice trains with every max(a) replaced by ``t log sum exp(a / t)``, and every min
        likewise: all cones learn from all points then, by how close they are to counting. The slope stays at most one.
    """

    def __init__(self, centers: torch.Tensor, offsets: torch.Tensor, sign: int, prototypes: int, facets: int) -> None:
        super().__init__(centers, offsets, sign, learnt=True)
        self.prototypes, self.facets = prototypes, facets
        self.temperature = 0.0

    def parts(self, heights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """What prototypes and caps make of the cones' heights (S, k, N), (S, k) each."""
        hanging, caps = heights.split([self.of_prototypes, heights.shape[2] - self.of_prototypes], dim=2)
        greatest, *others = hanging.chunk(self.facets, dim=2)  # elementwise, which is quicker than along a short axis
        for other in others:
            greatest = torch.maximum(greatest, other)
        return greatest.amin(dim=2), caps.amax(dim=2) if caps.shape[2] else None

    @property
    def of_prototypes(self) -> int:
        """How many cones are no caps."""
        return self.prototypes * self.facets

    def folded(self, heights: torch.Tensor) -> torch.Tensor:
        """The height that counts, (S, k, N) -> (S, k)."""
        of_prototypes, of_caps = self.parts(heights)
        return of_prototypes if of_caps is None else torch.maximum(of_prototypes, of_caps)

    def chosen(self, heights: torch.Tensor) -> torch.Tensor:
        """Whose height it is that counts, (S, k, N) -> (S, k)."""
        return (heights == self.folded(heights)[:, :, None]).int().argmax(dim=2)

    def least(self, points: torch.Tensor) -> torch.Tensor:
        """The same to train by, as smooth as the temperature says."""
        if self.temperature == 0:
            return super().least(points)
        heights = (smooth_distances(points, self.centers) + self.offsets[:, None, :]) / self.temperature
        hanging, caps = heights.split([self.of_prototypes, heights.shape[2] - self.of_prototypes], dim=2)
        of_prototypes = smooth_greatest(hanging.unflatten(2, (self.facets, self.prototypes)))
        together = -smooth_greatest(-of_prototypes)
        return self.temperature * smooth_greatest(torch.cat([together[:, :, None], caps], dim=2))

    def least_of_all(self, points: torch.Tensor) -> torch.Tensor:
        """What all cones make together, (S, k, d) -> (S, k)."""
        return self.folded(distances(points, self.centers) + self.offsets[:, None, :])


def smooth_greatest(heights: torch.Tensor) -> torch.Tensor:
    """``log sum exp`` along axis 2."""
    greatest = heights.detach().amax(dim=2, keepdim=True)
    return greatest.squeeze(2) + (heights - greatest).clamp(min=FAR).exp().sum(dim=2).log()
