"""A lattice of cones: the least and the greatest of ``b_n - |x - c_n|``, one within the other."""

from __future__ import annotations

import torch

from otgan.critics.networks.cones import LeastCone, distances

__all__ = ["ConeLattice"]


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
    """

    def __init__(self, centers: torch.Tensor, offsets: torch.Tensor, sign: int, prototypes: int, facets: int) -> None:
        super().__init__(centers, offsets, sign, learnt=True)
        self.prototypes, self.facets = prototypes, facets

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

    def least_of_all(self, points: torch.Tensor) -> torch.Tensor:
        """What all cones make together, (S, k, d) -> (S, k)."""
        return self.folded(distances(points, self.centers) + self.offsets[:, None, :])
