"""Weight clipping (WGAN, Algorithm 1; Arjovsky, Chintala & Bottou 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from otgan import inputs
from otgan.critics.methods.method import Method, rmsprop

if TYPE_CHECKING:
    from torch import nn

__all__ = ["WeightClipping", "clip_weights"]


@dataclass(frozen=True)
class WeightClipping(Method):
    """WGAN, Algorithm 1 (Arjovsky, Chintala & Bottou 2017): RMSProp, and every parameter clipped after every step.

    The critic is K-Lipschitz for a K that depends on the architecture, so its number is W1 times an unknown factor
    (equation 3 there). Biases are clipped too: the algorithm clips w, which is all parameters.

    Attributes
    ----------
    clip : float
        c: parameters stay in [-c, c].
    """

    name: ClassVar[str] = "clip"
    summary: ClassVar[str] = "weight clipping: WGAN, Algorithm 1 (Arjovsky, Chintala & Bottou 2017)"
    reference: ClassVar[str] = "arXiv:1701.07875, Algorithm 1"

    learning_rate: float = 5e-5
    clip: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs.real(self.clip, "clip", low=0.0, high=1e3, open_low=True)

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """RMSProp without momentum, which the paper reports to destabilise training (section 4.2)."""
        return rmsprop(network, self.learning_rate)

    def after_step(self, network: nn.Module) -> None:
        """``w <- clip(w, -c, c)``, line 7 of the algorithm."""
        clip_weights(network, self.clip)


@torch.no_grad()
def clip_weights(network: nn.Module, clip: float) -> None:
    """Weight clipping, ``w <- clip(w, -c, c)``: of every parameter, biases too.

    Examples
    --------
    >>> layer = torch.nn.Linear(2, 1)
    >>> clip_weights(layer, 0.01)
    >>> bool(max(w.abs().max() for w in layer.parameters()) <= 0.01)
    True
    """
    for parameter in network.parameters():
        parameter.clamp_(-clip, clip)
