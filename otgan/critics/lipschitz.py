"""Ways to keep a critic Lipschitz, one object each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from otgan import inputs
from otgan.critics.method import Method
from otgan.errors import InvalidInput

__all__ = ["METHODS", "GradientPenalty", "WeightClipping"]

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)


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
        return torch.optim.RMSprop(network.parameters(), lr=self.learning_rate)

    @torch.no_grad()
    def after_step(self, network: nn.Module) -> None:
        """``w <- clip(w, -c, c)``, line 7 of the algorithm."""
        for parameter in network.parameters():
            parameter.clamp_(-self.clip, self.clip)


@dataclass(frozen=True)
class GradientPenalty(Method):
    """WGAN-GP, Algorithm 1 (Gulrajani et al. 2017): gradient norms pulled to one between real and generated points.

    Attributes
    ----------
    gp_weight : float
        lambda of equation 3.
    """

    name: ClassVar[str] = "gp"
    summary: ClassVar[str] = "two-sided gradient penalty: WGAN-GP, Algorithm 1 (Gulrajani et al. 2017)"
    reference: ClassVar[str] = "arXiv:1704.00028, Algorithm 1"

    steps: int = 5000
    gp_weight: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs.real(self.gp_weight, "gp_weight", low=0.0, high=1e9, open_low=True)

    def check_network(self, network: nn.Module) -> None:
        """Refuse batch norm, which makes f(x_i) depend on the whole batch (section 4 of the paper)."""
        for layer in network.modules():
            if isinstance(layer, BATCH_NORMS):
                raise InvalidInput(
                    f"method 'gp' cannot train a network with {type(layer).__name__}: the penalty is on each "
                    "point's gradient, and batch norm couples the points of a batch. Use layer norm."
                )

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam with betas (0, 0.9)."""
        return torch.optim.Adam(network.parameters(), lr=self.learning_rate, betas=(0.0, 0.9))

    def loss(self, critic: nn.Module, x: torch.Tensor, y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """``E f(y) - E f(x) + lambda E (|grad f(x_hat)| - 1)^2``, lines 5 to 7 of the algorithm."""
        share = torch.rand(len(x), *[1] * (x.ndim - 1), generator=generator, device=x.device, dtype=x.dtype)
        norm = gradient_norms(critic, share * x + (1 - share) * y)
        return super().loss(critic, x, y, generator) + self.gp_weight * (norm - 1).square().mean()

    def corrected(self, estimate: float) -> float:
        """W1 for mass moved along one ray, where the penalised optimum is known.

        The penalty computes congested transport (Milne & Nachman 2022): for mass moved by W along a ray the critic
        reports ``W (1 + W / (2 lambda))``. Solved for W; exact for a single ray only.
        """
        if estimate <= 0:
            return estimate
        return self.gp_weight * (math.sqrt(1 + 2 * estimate / self.gp_weight) - 1)


def gradient_norms(critic: nn.Module, points: torch.Tensor) -> torch.Tensor:
    """``|grad f|`` at each point, (k, ...) -> (k,), differentiable also where the gradient vanishes."""
    points = points.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return (gradient.flatten(1).square().sum(dim=1) + 1e-12).sqrt()


METHODS: dict[str, type[Method]] = {method.name: method for method in (WeightClipping, GradientPenalty)}
