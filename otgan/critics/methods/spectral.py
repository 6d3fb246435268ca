"""Spectral normalisation (Miyato et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otgan.critics.methods.method import Method, adam
from otgan.critics.networks import Spectral, feedforward

if TYPE_CHECKING:
    import torch
    from torch import nn

    from otgan.critics.networks import Ensemble

__all__ = ["SpectralNorm"]


@dataclass(frozen=True)
class SpectralNorm(Method):
    """Spectral normalisation (Miyato et al. 2018): each layer divided by its spectral norm, ReLU between.

    1-Lipschitz, but every ReLU and every layer with unequal singular values shrinks gradients, so slopes stay far below
    one (Anil, Lucas & Grosse 2019, section 3).
    """

    name: ClassVar[str] = "spectral"
    summary: ClassVar[str] = "spectral normalisation and ReLU (Miyato et al. 2018)"
    reference: ClassVar[str] = "arXiv:1802.05957, equation 8"
    exact_lipschitz: ClassVar[bool] = True

    steps: int = 5000
    learning_rate: float = 2e-4

    def network(self, dimension: int, generator: torch.Generator | None = None) -> Ensemble:
        """Spectrally normalised layers with ReLU."""
        return feedforward(Spectral, dimension, self.width, self.depth, "relu", generator)

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam with betas (0, 0.9), the paper's for its GANs."""
        return adam(network, self.learning_rate, (0.0, 0.9))
