"""From a configuration and the shape of a sample to a generator and a critic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from otgan.critics import METHODS
from otgan.critics import mlp as critic_mlp
from otgan.critics.networks import forget, orthogonal_conv
from otgan.gan.config import LIPSCHITZ_CRITICS
from otgan.gan.networks import dcgan, digits28, resnet
from otgan.gan.networks.perceptron import perceptron

if TYPE_CHECKING:
    from otgan.gan.config import Config

__all__ = ["build_critic", "build_generator", "forget_on_step"]

CHANNELS_LAST = torch.channels_last  # how convolutions are quickest: a third less time for digits28 on a CPU
CONVOLUTIONAL = {"digits28": digits28, "dcgan": dcgan, "resnet": resnet}


def build_generator(config: Config, shape: tuple[int, ...], seed: int) -> nn.Module:
    """A fresh generator, from (k, latent) to (k, *shape); images come in [-1, 1].

    Parameters
    ----------
    config : Config
        Resolved for ``shape``.
    shape : (d,), or (channels, height, width)
    seed : int
        Where initial weights come from; torch's global generator is left alone.

    Raises
    ------
    InvalidInput
        If the network has no samples of this shape.

    Examples
    --------
    >>> from otgan.gan import Config
    >>> generator = build_generator(Config().resolved((1, 28, 28)), (1, 28, 28), seed=0)
    >>> generator(torch.zeros(2, 100)).shape
    torch.Size([2, 1, 28, 28])
    """
    width = config.width or 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if config.network == "mlp":
            return perceptron(config.latent, width, config.depth, shape)
        kind = CONVOLUTIONAL[config.network]
        kind.check(shape)
        return kind.generator(config.latent, width, shape).to(memory_format=CHANNELS_LAST)


def build_critic(config: Config, shape: tuple[int, ...], seed: int) -> nn.Module:
    """A fresh critic, from (k, *shape) to (k,), with a linear output.

    Parameters
    ----------
    config, shape, seed
        As for :func:`build_generator`.

    Raises
    ------
    InvalidInput
        If the network takes no samples of this shape.
    OTError
        If a package that the critic needs is not installed.

    Examples
    --------
    >>> from otgan.critics import certified_lipschitz
    >>> from otgan.gan import Config
    >>> critic = build_critic(Config(objective="wgan-lipschitz").resolved((2,)), (2,), seed=0)
    >>> critic(torch.zeros(5, 2)).shape, certified_lipschitz(critic.get_submodule("1").eval()) <= 1 + 1e-5
    (torch.Size([5]), True)
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if config.critic in LIPSCHITZ_CRITICS:
            return _scores(_lipschitz(config, shape, seed))
        width = config.width or 0
        if config.network == "mlp":
            return _scores(critic_mlp(math.prod(shape), width, config.depth))
        kind = CONVOLUTIONAL[config.network]
        kind.check(shape)
        body = kind.critic(width, shape, batch_norm=bool(config.batch_norm))
        return nn.Sequential(body.to(memory_format=CHANNELS_LAST), nn.Flatten(0))


def forget_on_step(optimizer: torch.optim.Optimizer, critic: nn.Module) -> None:
    """Let a 1-Lipschitz critic make its matrices anew after each step of its optimiser."""
    optimizer.register_step_post_hook(lambda *_: forget(critic))


def _lipschitz(config: Config, shape: tuple[int, ...], seed: int) -> nn.Module:
    """A critic of the laboratory, from (k, d) to (1, k) or (k, 1)."""
    if config.critic == "orthogonal-conv":
        return orthogonal_conv(shape, width=config.critic_width)
    method = METHODS[config.critic].with_options({"width": config.critic_width, "depth": config.depth})
    return method.network(math.prod(shape), torch.Generator().manual_seed(seed))


def _scores(body: nn.Module) -> nn.Sequential:
    """From samples of any shape to one number each, by way of flat points."""
    return nn.Sequential(nn.Flatten(), body, nn.Flatten(0))
