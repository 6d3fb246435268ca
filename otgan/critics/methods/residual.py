"""Residual 1-Lipschitz layers (SLL; Araujo et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otgan.critics.methods.orthogonal import NormPreserving
from otgan.critics.networks import residual

if TYPE_CHECKING:
    import torch

    from otgan.critics.networks import Ensemble

__all__ = ["ResidualLayers"]


@dataclass(frozen=True)
class ResidualLayers(NormPreserving):
    """SDP-based Lipschitz layers, SLL (Araujo et al. 2023): ``h - 2 W T^-1 relu(W^T h + b)``.

    Attributes
    ----------
    activation : {"relu"}
        The proof is for slopes in [0, 1].
    """

    name: ClassVar[str] = "sll"
    summary: ClassVar[str] = "SDP-based Lipschitz residual layers: SLL (Araujo et al. 2023)"
    reference: ClassVar[str] = "arXiv:2303.03169, theorem 3"
    activations: ClassVar[tuple[str, ...]] = ("relu",)

    activation: str = "relu"

    def network(self, dimension: int, generator: torch.Generator | None = None) -> Ensemble:
        """An orthonormal map to ``width`` coordinates, ``depth`` residual layers, and a unit vector."""
        return residual(dimension, self.width, self.depth, generator)
