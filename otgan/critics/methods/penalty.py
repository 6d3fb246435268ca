"""Gradient penalties: two-sided (WGAN-GP) and one-sided (WGAN-LP)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from otgan import inputs
from otgan.critics.methods.method import Method, adam, uniform
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["GradientPenalty", "OneSidedPenalty", "gradient_norms"]

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)


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
    reference: ClassVar[str] = "arXiv:1704.00028, Algorithm 1 and equation 3"
    correction: ClassVar[str | None] = "congested"

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
                    f"method {self.name!r} cannot train a network with {type(layer).__name__}: the penalty is on each "
                    "point's gradient, and batch norm couples the points of a batch. Use layer norm."
                )

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam with betas (0, 0.9)."""
        return adam(network, self.learning_rate, (0.0, 0.9))

    def loss(
        self, network: nn.Module, x: torch.Tensor, y: torch.Tensor, generators: Sequence[torch.Generator]
    ) -> torch.Tensor:
        """``E f(y) - E f(x) + lambda E (|grad f(x_hat)| - 1)^2``, lines 5 to 7 of the algorithm."""
        penalty = self.between(network, x, y, uniform(generators, x))
        return super().loss(network, x, y, generators) + penalty

    def between(
        self, network: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, y: torch.Tensor, t: torch.Tensor
    ) -> torch.Tensor:
        """The gradient penalty between samples, ``lambda E penalty(|grad f(t x + (1 - t) y)|)``, for each network.

        Parameters
        ----------
        network : callable
            From (S, k, ...) to (S, k).
        x, y : (S, k, ...) tensor
        t : tensor that broadcasts against them
            Uniform on [0, 1]: epsilon of the paper.

        Returns
        -------
        (S,) tensor
        """
        norm = gradient_norms(network, t * x + (1 - t) * y)
        return self.gp_weight * self.penalty(norm).mean(dim=1)

    def penalty(self, norm: torch.Tensor) -> torch.Tensor:
        """The penalty on a gradient norm: ``(norm - 1)^2``."""
        return (norm - 1).square()

    def congested(self, estimate: float) -> float:
        """W1 for mass moved along one ray, where the penalised optimum is known.

        The penalty computes congested transport (Milne & Nachman 2022): for mass moved by W along a ray the critic
        reports ``W (1 + W / (2 lambda))``, since ``g W - lambda (g - 1)^2`` is largest at ``g = 1 + W / (2 lambda)``.
        Solved for W; exact for a single ray only.
        """
        if estimate <= 0:
            return estimate
        return self.gp_weight * (math.sqrt(1 + 2 * estimate / self.gp_weight) - 1)


@dataclass(frozen=True)
class OneSidedPenalty(GradientPenalty):
    """WGAN-LP (Petzka, Fischer & Lukovnikov 2018): only gradient norms above one are penalised.

    A 1-Lipschitz critic need not have slope one everywhere, and is not penalised here. On a single ray the optimum has
    a slope above one, where both penalties are the same. So the correction is the same too.
    """

    name: ClassVar[str] = "lp"
    summary: ClassVar[str] = "one-sided gradient penalty: WGAN-LP (Petzka, Fischer & Lukovnikov 2018)"
    reference: ClassVar[str] = "arXiv:1709.08894, the regulariser of WGAN-LP, E max(0, |grad f| - 1)^2"

    batch_size: int = 256
    learning_rate: float = 2e-3
    decay: str = "cosine"

    def penalty(self, norm: torch.Tensor) -> torch.Tensor:
        """The penalty on a gradient norm: ``max(0, norm - 1)^2``."""
        return (norm - 1).relu().square()


def gradient_norms(network: Callable[[torch.Tensor], torch.Tensor], points: torch.Tensor) -> torch.Tensor:
    """``|grad f|`` at each point, (S, k, ...) -> (S, k), differentiable also where the gradient vanishes."""
    points = points.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(network(points).sum(), points, create_graph=True)
    return (gradient.flatten(2).square().sum(dim=2) + 1e-12).sqrt()
