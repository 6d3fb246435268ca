"""The training state: both networks, the moving average, both optimisers and the random generator."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch

from otgan.critics.methods.method import adam, rmsprop
from otgan.errors import InvalidInput
from otgan.gan.checkpoint import flat_optimizer, load_module, load_optimizer
from otgan.gan.config import LIPSCHITZ_CRITICS
from otgan.gan.ema import averaged_model
from otgan.gan.networks import OwnNetworks, forget_on_step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn
    from torch.optim.swa_utils import AveragedModel

    from otgan.gan.checkpoint import Checkpoint
    from otgan.gan.config import Config

__all__ = ["TrainState", "frozen"]

OTGANS = OwnNetworks()  # none of the user's


@dataclass(frozen=True, eq=False)
class TrainState:
    """Everything that a step of training changes, and that a checkpoint holds.

    Attributes
    ----------
    generator, critic : torch.nn.Module
    ema : AveragedModel
        The generator with the moving average of its weights, in evaluation mode.
    generator_optimizer, critic_optimizer : torch.optim.Optimizer
    random : torch.Generator
        Where noise and batches come from, on the device.
    losses : (3,) tensor
        Sums of the critic's and the generator's losses since the log's last line, and how many steps these are.
    own : OwnNetworks
        Those of the networks that are the user's.
    """

    generator: nn.Module
    critic: nn.Module
    ema: AveragedModel
    generator_optimizer: torch.optim.Optimizer
    critic_optimizer: torch.optim.Optimizer
    random: torch.Generator
    losses: torch.Tensor
    own: OwnNetworks = OTGANS

    @classmethod
    def fresh(cls, config: Config, shape: tuple[int, ...], device: torch.device, own: OwnNetworks = OTGANS) -> Self:
        """The state before the first step, with the user's networks or those of the configuration.

        Raises
        ------
        InvalidInput
            If the networks do not fit samples of this shape.
        """
        generator = own.made_generator(config, shape, config.seed).to(device)
        critic = own.made_critic(config, shape, config.seed + 1).to(device)
        critic_optimizer = _optimizer(critic, config, config.recipe.critic_learning_rate)
        if config.critic in LIPSCHITZ_CRITICS or config.objective == "wgan-lipschitz":
            forget_on_step(critic_optimizer, critic)
        return cls(
            generator=generator,
            critic=critic,
            ema=averaged_model(generator, config),
            generator_optimizer=_optimizer(generator, config, config.recipe.learning_rate),
            critic_optimizer=critic_optimizer,
            random=torch.Generator(device).manual_seed(config.seed),
            losses=torch.zeros(3, device=device),
            own=own,
        )

    def tensors(self) -> dict[str, torch.Tensor]:
        """The state as tensors, by their names in a checkpoint."""
        parts = {"generator": self.generator, "critic": self.critic, "ema": self.ema}
        weights = {f"{name}.{key}": value for name, net in parts.items() for key, value in net.state_dict().items()}
        return {
            **weights,
            **flat_optimizer(self.generator_optimizer, "generator_optimizer"),
            **flat_optimizer(self.critic_optimizer, "critic_optimizer"),
            f"random.{self.random.device.type}": self.random.get_state(),
            "random.global": torch.get_rng_state(),
            "losses.sums": self.losses,
        }

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore the state from a checkpoint.

        Raises
        ------
        InvalidInput
            If the checkpoint lacks something, or holds other networks.
        """
        for network, name in ((self.generator, "generator"), (self.critic, "critic"), (self.ema, "ema")):
            load_module(network, checkpoint.part(name), name)
        try:
            fresh = checkpoint.step == 0
            load_optimizer(self.generator_optimizer, checkpoint.part("generator_optimizer"), fresh=fresh)
            load_optimizer(self.critic_optimizer, checkpoint.part("critic_optimizer"), fresh=fresh)
            self._restore_random(checkpoint)
            self.losses.copy_(checkpoint.part("losses")["sums"])
        except (LookupError, ValueError, TypeError, RuntimeError) as error:
            raise InvalidInput(
                f"the checkpoint does not hold what training goes on from ({error}). Use another checkpoint."
            ) from None

    def _restore_random(self, checkpoint: Checkpoint) -> None:
        states = checkpoint.part("random")
        torch.set_rng_state(states.pop("global"))
        if self.random.device.type in states:
            self.random.set_state(states[self.random.device.type])
        elif states:  # of another kind of device, whose random numbers this one does not have
            self.random.manual_seed(checkpoint.config.seed + checkpoint.step)
        else:
            raise KeyError("random")

    def add_losses(self, critic_loss: torch.Tensor, generator_loss: torch.Tensor) -> None:
        """Add the losses of one step to their sums."""
        critic_loss, generator_loss = critic_loss.detach(), generator_loss.detach()
        self.losses.add_(torch.stack([critic_loss, generator_loss, torch.ones_like(generator_loss)]))

    def mean_losses(self) -> dict[str, float]:
        """Mean losses since the log's last line, after which the sums start from zero."""
        critic, generator, steps = self.losses.tolist()
        self.losses.zero_()
        return {"critic_loss": critic / steps, "generator_loss": generator / steps}

    def are_finite(self) -> bool:
        """Whether all weights are finite."""
        weights = [*self.generator.parameters(), *self.critic.parameters()]
        return bool(torch.stack([weight.detach().isfinite().all() for weight in weights]).all())


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let a network's weights get no gradients in the ``with`` block."""
    trained = [weight for weight in network.parameters() if weight.requires_grad]  # the user may have frozen others
    for weight in trained:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in trained:
            weight.requires_grad_(True)


def _optimizer(network: nn.Module, config: Config, learning_rate: float) -> torch.optim.Optimizer:
    recipe = config.recipe
    if recipe.optimizer == "rmsprop":
        return rmsprop(network, learning_rate)
    return adam(network, learning_rate, (recipe.beta1, recipe.beta2))
