"""The losses of networks of the user's, tried on copies before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from otgan.critics.networks import copied
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

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
    generator, critic = copied(generator).train(), copied(critic).train()
    drawn = torch.Generator().manual_seed(0)
    noise = torch.randn(len(real), latent, generator=drawn).to(real.device)
    t = torch.rand(len(real), generator=drawn).to(real.device)

    def critic_loss() -> torch.Tensor:
        return objective.critic_loss(critic, real, generator(noise).detach(), t)

    def generator_loss() -> torch.Tensor:
        return objective.generator_loss(critic, real, generator(noise))

    with torch.random.fork_rng(devices=[]):
        for role, network, loss in (("critic", critic, critic_loss), ("generator", generator, generator_loss)):
            if role in own:
                _try(role, network, loss)


def _try(role: str, network: nn.Module, loss: Callable[[], torch.Tensor]) -> None:
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    network.zero_grad()
    try:
        value = loss()
        if value.requires_grad:
            value.backward()
    except Exception as error:  # whatever the code of a user's module stumbles over
        raise InvalidInput(
            f"{role} must have a loss with gradients, but computing them raised {type(error).__name__}: {error}"
        ) from error
    if all(parameter.grad is None for parameter in trained):
        raise InvalidInput(
            f"{role} must have a loss with gradients, but none of its parameters gets one. Take out what cuts them "
            "off, such as detach() or torch.no_grad()."
        )
