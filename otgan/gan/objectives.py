"""Objectives of GANs: the losses of critic and generator, one class for each.

An objective turns a critic f, a batch of real samples x and one of generated samples y into two losses, and says what
the critic's values estimate. The Wasserstein objectives estimate W1 by ``E f(x) - E f(y)``, up to an unknown factor for
clipped weights. Discriminators, whose f is a logit, bound the Jensen-Shannon divergence from below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import torch
from torch.nn.functional import softplus

from otgan.critics import GradientPenalty
from otgan.critics.methods import OneSidedPenalty

if TYPE_CHECKING:
    from collections.abc import Callable

    from otgan.gan.config import Config

    Function = Callable[[torch.Tensor], torch.Tensor]

__all__ = ["Minimax", "NonSaturating", "Objective", "Penalised", "Relativistic", "Wasserstein", "objective_of"]


class Objective:
    """The interface of all objectives."""

    estimates: ClassVar[str]  # the quantity that :meth:`estimate` estimates

    def critic_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """The loss of the critic, a scalar.

        Parameters
        ----------
        critic : callable
            From (k, ...) to (k,).
        real, fake : (k, ...) tensor
            Samples; ``fake`` without a graph.
        t : (k,) tensor
            Uniform on [0, 1]: a gradient penalty between samples is taken at ``t real + (1 - t) fake``.
        """
        raise NotImplementedError  # pragma: no cover - the contract test covers every objective

    def generator_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """The loss of the generator, a scalar; ``fake`` carries the graph to the generator."""
        raise NotImplementedError  # pragma: no cover

    def estimate(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> float:
        """The critic's estimate, from its values (n,) at real and (m,) at generated samples."""
        return float(f_real.double().mean() - f_fake.double().mean())

    def corrected(self, estimate: float) -> float | None:
        """The estimate without a bias that theory predicts; None where none is known."""
        return None


@dataclass(frozen=True)
class Minimax(Objective):
    """Minimax GAN, whose generator loss saturates (Goodfellow et al. 2014, equation 1).

    ``min_G max_D E log D(x) + E log(1 - D(G(z)))`` with D the sigmoid of the critic.

    Examples
    --------
    >>> zeros = torch.zeros(2, 1)
    >>> round(Minimax().critic_loss(lambda x: x[:, 0], zeros, zeros, zeros).item(), 6)  # 2 log 2
    1.386294
    """

    estimates: ClassVar[str] = "JS"

    def critic_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """``-E log D(x) - E log(1 - D(y))``."""
        return softplus(-critic(real)).mean() + softplus(critic(fake)).mean()

    def generator_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """``E log(1 - D(y))``: flat where the discriminator is sure."""
        return -softplus(critic(fake)).mean()

    def estimate(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> float:
        """``(E log D(x) + E log(1 - D(y)) + 2 log 2) / 2``, at most the Jensen-Shannon divergence (theorem 1 there)."""
        value = -softplus(-f_real.double()).mean() - softplus(f_fake.double()).mean()
        return float(value) / 2 + math.log(2)


@dataclass(frozen=True)
class NonSaturating(Minimax):
    """Non-saturating GAN: the loss of the generator is "-log D" (Goodfellow et al. 2014, section 3)."""

    def generator_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """``-E log D(y)``."""
        return softplus(-critic(fake)).mean()


@dataclass(frozen=True)
class Wasserstein(Objective):
    """WGAN: the Kantorovich-Rubinstein dual of W1 (Arjovsky, Chintala & Bottou 2017, equation 2).

    The critic is kept Lipschitz by clipped weights (Algorithm 1), or is 1-Lipschitz by construction.
    """

    estimates: ClassVar[str] = "W1"

    def critic_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """``E f(y) - E f(x)``."""
        return critic(fake).mean() - critic(real).mean()

    def generator_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """``-E f(y)``."""
        return -critic(fake).mean()


@dataclass(frozen=True)
class Penalised(Wasserstein):
    """WGAN-GP and WGAN-LP: WGAN with a gradient penalty between real and generated samples.

    Attributes
    ----------
    penalty : GradientPenalty
        That of the critics, two-sided or one-sided, with its weight.
    """

    penalty: GradientPenalty = field(default_factory=GradientPenalty)

    def critic_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """``E f(y) - E f(x) + lambda E penalty(|grad f(x_hat)|)`` (Gulrajani et al. 2017, equation 3)."""
        t = t.reshape(-1, *[1] * (real.ndim - 1))
        (penalty,) = self.penalty.between(lambda stack: critic(stack[0])[None], real[None], fake[None], t)
        return super().critic_loss(critic, real, fake, t) + penalty

    def corrected(self, estimate: float) -> float:
        """The estimate without the bias of the penalty (congested transport); exact for mass moved along one ray."""
        return self.penalty.congested(estimate)


@dataclass(frozen=True)
class Relativistic(Objective):
    """R3GAN: the relativistic pairing loss with R1 and R2 penalties (Huang et al. 2024).

    Attributes
    ----------
    gp_weight : float
        gamma: ``gamma / 2 E |grad f|^2`` is added at real samples (R1: Mescheder, Geiger & Nowozin 2018) and at
        generated ones (R2).
    """

    estimates: ClassVar[str] = "relativistic"

    gp_weight: float = 1.0

    def critic_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """``E softplus(f(y) - f(x)) + R1 + R2``."""
        f_real, squared_real = _value_and_squared_slope(critic, real)
        f_fake, squared_fake = _value_and_squared_slope(critic, fake)
        penalty = squared_real.mean() + squared_fake.mean()
        return softplus(f_fake - f_real).mean() + self.gp_weight / 2 * penalty

    def generator_loss(self, critic: Function, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """``E softplus(f(x) - f(y))``."""
        with torch.no_grad():
            f_real = critic(real)
        return softplus(f_real - critic(fake)).mean()

    def estimate(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> float:
        """``log 2 - E softplus(f(y) - f(x))`` over all pairs, zero for a critic that cannot tell.

        The relativistic pairing divergence (Jolicoeur-Martineau 2019), within [0, log 2].
        """
        return math.log(2) - float(softplus(f_fake.double()[None] - f_real.double()[:, None]).mean())


def _value_and_squared_slope(critic: Function, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``f`` and ``|grad f|^2`` at each point, (k,) both, from one pass; no root, so nothing to smooth at zero."""
    points = points.detach().requires_grad_()
    values = critic(points)
    (gradient,) = torch.autograd.grad(values.sum(), points, create_graph=True)
    return values, gradient.flatten(1).square().sum(dim=1)


def objective_of(config: Config) -> Objective:
    """The objective of a configuration.

    Examples
    --------
    >>> from otgan.gan import Config
    >>> objective_of(Config(objective="r3gan", gp_weight=5.0))
    Relativistic(gp_weight=5.0)
    """
    recipe = config.recipe
    weight = 0.0 if recipe.gp_weight is None else recipe.gp_weight
    match config.objective:
        case "minimax":
            return Minimax()
        case "non-saturating":
            return NonSaturating()
        case "wgan-gp":
            return Penalised(penalty=GradientPenalty(gp_weight=weight))
        case "wgan-lp":
            return Penalised(penalty=OneSidedPenalty(gp_weight=weight))
        case "wgan" | "wgan-lipschitz":
            return Wasserstein()
        case "r3gan":
            return Relativistic(weight)
