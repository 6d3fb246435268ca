"""The networks of a run: the user's where some were given, and those of the configuration elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import nn

from otgan.critics.networks import CERTIFIED, copied
from otgan.errors import InvalidInput, OTError
from otgan.gan.networks.build import build_critic, build_generator
from otgan.gan.networks.structure import check_same, structure
from otgan.gan.networks.user_modules import (
    batch_norm_layer,
    check_objective,
    check_outputs,
    proven_constant,
    user_module,
)

if TYPE_CHECKING:
    from otgan.gan.checkpoint import Checkpoint
    from otgan.gan.config import Config

__all__ = ["OwnNetworks", "Scores", "unwrapped"]


class Scores(nn.Module):
    """A critic of the user's as training has critics: with one number a sample, (k,), also where it gives (k, 1)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """(k, *shape) -> (k,)."""
        return self.module(samples).flatten()


def unwrapped(critic: nn.Module) -> nn.Module:
    """The critic as the user gave it; one of otgan's as it is."""
    return critic.module if isinstance(critic, Scores) else critic


@dataclass(frozen=True, eq=False)
class OwnNetworks:
    """The networks of a run that are the user's.

    Attributes
    ----------
    generator : torch.nn.Module or None
        From (k, latent) to (k, *shape); None where it is otgan's.
    critic : Scores or None
        From (k, *shape) to (k,).
    """

    generator: nn.Module | None = None
    critic: Scores | None = None

    @classmethod
    def made(cls, generator: Any, critic: Any, config: Config, shape: tuple[int, ...], device: torch.device) -> Self:
        """Networks from modules, which are copied, or from functions of the samples' shape; None stays None.

        Parameters
        ----------
        generator, critic : torch.nn.Module, callable or None
        config : Config
            Its seed is that of the generator's weights, the next one that of the critic's.
        shape : (d,), or (channels, height, width)
        device : torch.device

        Raises
        ------
        InvalidInput
            If a network does not map samples as it must, has nothing to train, or goes against the objective.

        Examples
        --------
        >>> from otgan.gan import Config
        >>> device = torch.device("cpu")
        >>> own = OwnNetworks.made(nn.Linear(100, 2), lambda shape: nn.Linear(*shape, 1), Config(), (2,), device)
        >>> own.generator(torch.zeros(5, 100)).shape, own.critic(torch.zeros(5, 2)).shape
        (torch.Size([5, 2]), torch.Size([5]))
        """
        made = cls()
        if generator is not None:
            network = user_module(generator, "generator", shape, config.seed).to(device)
            check_outputs(network, "generator", (config.latent,), shape)
            made = replace(made, generator=network.train())
        if critic is not None:
            network = user_module(critic, "critic", shape, config.seed + 1).to(device)
            check_outputs(network, "critic", shape, ())
            check_objective(network, config)
            made = replace(made, critic=Scores(network.train()))
        return made

    def modules(self) -> dict[str, nn.Module]:
        """The networks as the user gave them, by "generator" and "critic"."""
        given = {"generator": self.generator, "critic": None if self.critic is None else self.critic.module}
        return {role: module for role, module in given.items() if module is not None}

    def structures(self) -> dict[str, dict[str, str]]:
        """What a checkpoint keeps to recognise them."""
        return {role: structure(module) for role, module in self.modules().items()}

    def facts(self) -> dict[str, dict[str, str]]:
        """The classes of the user's networks, for the log; nothing where there are none."""
        kinds = {role: type(module).__name__ for role, module in self.modules().items()}
        return {"networks": kinds} if kinds else {}

    def check_constant(self, config: Config, step: int) -> None:
        """Refuse to go on with a critic of objective 'wgan-lipschitz' that proves a constant of 1 no more.

        Raises
        ------
        OTError
            That says what it proves.
        """
        if self.critic is None or config.objective != "wgan-lipschitz":
            return
        bound = proven_constant(copied(self.critic.module))
        if bound is None or bound > CERTIFIED:
            known = "nothing" if bound is None else f"{bound:.6g}"
            raise OTError(
                f"by step {step} the critic proves a Lipschitz constant of {known}, no longer of 1: its weights do not "
                "keep it while they are trained. Use layers that do, as those of otgan.critics.networks, or objective "
                "'wgan-gp'."
            )

    def made_generator(self, config: Config, shape: tuple[int, ...], seed: int) -> nn.Module:
        """The user's generator, or a fresh one of the configuration."""
        return build_generator(config, shape, seed) if self.generator is None else self.generator

    def made_critic(self, config: Config, shape: tuple[int, ...], seed: int) -> nn.Module:
        """The user's critic, or a fresh one of the configuration."""
        return build_critic(config, shape, seed) if self.critic is None else self.critic

    def check_same(self, checkpoint: Checkpoint) -> None:
        """Refuse networks that are not those of a checkpoint.

        Raises
        ------
        InvalidInput
            That names what is missing, too much or different.
        """
        modules = self.modules()
        for role in ("generator", "critic"):
            kept = checkpoint.structures.get(role)
            if kept is None and role in modules:
                raise InvalidInput(f"the {role} of the run is otgan's own, but one of yours came. Leave {role} out.")
            if kept is not None and role not in modules:
                raise InvalidInput(
                    f"the {role} of the run is yours, a {kept.get('', 'module')}, of which a checkpoint holds the "
                    f"weights and no code. Pass it again: {role}=, the same module or function."
                )
            if kept is not None:
                prefix = "module." if role == "critic" else ""
                check_same(role, modules[role], kept, checkpoint.part(role), prefix)

    def settled(self, config: Config) -> Config:
        """The configuration with what the user's critic decides: ``critic="own"``, and whether it has batch norm.

        Raises
        ------
        InvalidInput
            If the configuration says otherwise.
        """
        if self.critic is None:
            if config.critic == "own":
                raise InvalidInput(
                    "critic 'own' stands for a critic of yours, but none came. Pass it: train(config, critic=...), "
                    "with a torch module or a function that makes one."
                )
            return config
        if config.critic not in ("auto", "network", "own"):
            raise InvalidInput(
                f"there must be one critic, but the configuration names {config.critic!r} and another one came. Leave "
                "critic out of the configuration."
            )
        batch_norm = batch_norm_layer(self.critic.module) is not None
        if config.batch_norm not in (None, batch_norm):
            raise InvalidInput(
                f"batch_norm is for critics of otgan, and yours has {'some' if batch_norm else 'none'}. Leave it out."
            )
        return replace(config, critic="own", batch_norm=batch_norm)
