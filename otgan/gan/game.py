"""A step of the generator, with the critic steps before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import torch

from otgan.gan.config import LIPSCHITZ_CRITICS
from otgan.gan.objectives import objective

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from otgan.gan.config import Config
    from otgan.gan.dataset import Dataset
    from otgan.gan.objectives import Objective
    from otgan.gan.team import Team
    from otgan.gan.train_state import TrainState

    Network = Callable[[torch.Tensor], torch.Tensor]

__all__ = ["Game"]


@dataclass(frozen=True, eq=False)
class Game:
    """Everything that a step needs.

    Attributes
    ----------
    config : Config
    samples : Dataset
        What is trained on.
    objective : Objective
        What both networks minimise.
    state : TrainState
        Both networks and their optimisers, which steps change.
    make, score : callable
        Generator and critic as they are called: compiled, and in mixed precision, where that is asked for.
    team : Team
        The processes that share each batch.
    """

    config: Config
    samples: Dataset
    objective: Objective
    state: TrainState
    make: Network
    score: Network
    team: Team

    @classmethod
    def of(cls, config: Config, samples: Dataset, state: TrainState, team: Team) -> Self:
        """The game of a configuration."""
        make, score = _callables(config, state.generator, state.critic)
        return cls(config, samples, objective(config), state, make, score, team)

    def step(self, k: int) -> None:
        """Generator step ``k``, counted from 1, after the critic steps that go before it."""
        # The loss of the last critic step is the one that is logged.
        critic_loss = [self.critic_step() for _ in range(self.config.recipe.critic_steps(k))][-1]
        generator_loss = self._generator_step()
        self.state.losses.add_(torch.stack([critic_loss, generator_loss, torch.ones_like(generator_loss)]))

    def critic_step(self) -> torch.Tensor:
        """A step of the critic alone, and its loss."""
        real, noise = self._drawn()
        n, random = self.config.recipe.batch_size, self.state.random
        share = self.team.part(torch.rand(n, generator=random, device=random.device))
        with torch.no_grad():
            fake = self.make(noise)
        loss = self.objective.critic_loss(self.score, real, fake, share)
        self._descend(loss, self.state.critic, self.state.critic_optimizer)
        self.objective.constrain(self.state.critic)
        return loss.detach()

    def _generator_step(self) -> torch.Tensor:
        real, noise = self._drawn()
        self.state.critic.requires_grad_(False)
        loss = self.objective.generator_loss(self.score, real, self.make(noise))
        self._descend(loss, self.state.generator, self.state.generator_optimizer)
        self.state.critic.requires_grad_(True)
        self.state.ema.update_parameters(self.state.generator)
        return loss.detach()

    def _descend(self, loss: torch.Tensor, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.team.average_gradients(network)
        optimizer.step()

    def _drawn(self) -> tuple[torch.Tensor, torch.Tensor]:
        """What one of the team works on: real samples, and noise to generate from."""
        n, random = self.config.recipe.batch_size, self.state.random
        real = self.samples.batch(n, random)
        noise = torch.randn(n, self.config.latent, generator=random, device=random.device)
        return self.team.part(real), self.team.part(noise)


def _callables(config: Config, generator: nn.Module, critic: nn.Module) -> tuple[Network, Network]:
    make: Any = generator
    score: Any = critic
    if config.compile:
        make = torch.compile(generator)
        if not config.penalised and config.critic not in LIPSCHITZ_CRITICS:
            score = torch.compile(critic)
    if config.precision == "float32":
        return make, score
    kind = next(generator.parameters()).device.type

    def lighter(network: Network) -> Network:
        def call(x: torch.Tensor) -> torch.Tensor:
            with torch.autocast(kind, torch.bfloat16):
                return network(x).float()  # means and losses are taken in float32

        return call

    return lighter(make), lighter(score)
