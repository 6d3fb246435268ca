"""The losses of networks of the user's, tried on copies before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from otgan.critics.networks import copied
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection

    from torch import nn

    from otgan.gan.objectives import Objective

__all__ = ["try_losses"]


def try_losses(
    generator: nn.Module, critic: nn.Module, own: Collection[str], objective: Objective, real: torch.Tensor, latent: int
) -> None:
    """Refuse networks of the user's that the losses of an objective have no gradients for.

    Parameters
    ----------
    generator, critic : torch.nn.Module
        Left as they are.
    own : collection of {"generator", "critic"}
        Which of them are the user's.
    objective : Objective
    real : (k, *shape) tensor
    latent : int
        Coordinates of the noise.

    Raises
    ------
    InvalidInput
        That says what went wrong with which.

    Examples
    --------
    >>> from torch import nn
    >>> from otgan.gan.objectives import Wasserstein
    >>> class Cut(nn.Linear):
    ...     def forward(self, noise):
    ...         return super().forward(noise).detach()
    >>> try_losses(Cut(3, 2), nn.Linear(2, 1), ["generator"], Wasserstein(), torch.zeros(4, 2), 3)
    Traceback (most recent call last):
    ...
    otgan.errors.InvalidInput: generator must have a loss with gradients, but none of its parameters gets one. Take out
    what cuts them off, such as detach() or torch.no_grad().
    """
    drawn = torch.Generator().manual_seed(0)
    noise = torch.randn(len(real), latent, generator=drawn).to(real.device)
    t = torch.rand(len(real), generator=drawn).to(real.device)
    for role in own:
        made, scored = copied(generator).train(), copied(critic).train()
        try:
            with torch.random.fork_rng(devices=[]):
                if role == "critic":
                    loss = objective.critic_loss(scored, real, made(noise).detach(), t)
                else:
                    loss = objective.generator_loss(scored, real, made(noise))
                if loss.requires_grad:
                    loss.backward()
        except Exception as error:  # whatever the code of a user's module stumbles over
            raise InvalidInput(
                f"{role} must have a loss with gradients, but computing them raised {type(error).__name__}: {error}"
            ) from error
        if all(weight.grad is None for weight in (scored if role == "critic" else made).parameters()):
            raise InvalidInput(
                f"{role} must have a loss with gradients, but none of its parameters gets one. Take out what cuts them "
                "off, such as detach() or torch.no_grad()."
            )
