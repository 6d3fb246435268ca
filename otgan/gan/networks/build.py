"""Generators and critics for a configuration and the shape of a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from otgan.critics import METHODS
from otgan.critics import mlp as critic_mlp
from otgan.critics.networks import drop_cached_weights, orthogonal_conv
from otgan.critics.room import check_weights
from otgan.gan.config import LIPSCHITZ_CRITICS
from otgan.gan.networks import dcgan, digits28, resnet
from otgan.gan.networks.perceptron import perceptron

if TYPE_CHECKING:
    from collections.abc import Callable

    from otgan.gan.config import Config

    Network = Callable[[torch.Tensor], torch.Tensor]

__all__ = ["build_critic", "build_generator", "compiled", "forget_on_step"]

MOST_WEIGHTS = 1e30  # where their number is beyond counting
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
        If the network has no samples of this shape, or would not fit into memory.

    Examples
    --------
    >>> from otgan.gan import Config
    >>> generator = build_generator(Config().resolved((1, 28, 28)), (1, 28, 28), seed=0)
    >>> generator(torch.zeros(2, 100)).shape
    torch.Size([2, 1, 28, 28])
    """
    width = config.width or 0
    if config.network == "mlp":
        return _drawn(lambda: perceptron(config.latent, width, config.depth, shape), seed, "the generator")
    kind = CONVOLUTIONAL[config.network]
    kind.check(shape)
    made = _drawn(lambda: kind.generator(config.latent, width, shape), seed, "the generator")
    return made.to(memory_format=CHANNELS_LAST)


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
    width = config.width or 0
    if config.critic in LIPSCHITZ_CRITICS:
        return _scores(_lipschitz(config, shape, seed))
    if config.network == "mlp":
        return _scores(_drawn(lambda: critic_mlp(math.prod(shape), width, config.depth), seed, "the critic"))
    kind = CONVOLUTIONAL[config.network]
    kind.check(shape)
    body = _drawn(lambda: kind.critic(width, shape, batch_norm=bool(config.batch_norm)), seed, "the critic")
    return nn.Sequential(body.to(memory_format=CHANNELS_LAST), nn.Flatten(0))


def compiled(config: Config, generator: nn.Module, critic: nn.Module) -> tuple[Network, Network]:
    """Both networks as training calls them: compiled, and in mixed precision, where the configuration asks for it.

    A critic whose gradient is penalised, or that is 1-Lipschitz by construction, is not compiled.
    """
    generate: Any = generator
    score: Any = critic
    if config.compile:
        generate = torch.compile(generator)
        if not config.penalised and config.critic not in LIPSCHITZ_CRITICS and config.objective != "wgan-lipschitz":
            score = torch.compile(critic)
    if config.precision == "float32":
        return generate, score
    device_type = next(generator.parameters()).device.type

    def in_bfloat16(network: Network) -> Network:
        def call(x: torch.Tensor) -> torch.Tensor:
            with torch.autocast(device_type, torch.bfloat16):
                return network(x).float()  # means and losses are taken in float32

        return call

    return in_bfloat16(generate), in_bfloat16(score)


def forget_on_step(optimizer: torch.optim.Optimizer, critic: nn.Module) -> None:
    """Let a 1-Lipschitz critic recompute its cached weights after each optimiser step."""
    optimizer.register_step_post_hook(lambda *_: drop_cached_weights(critic))


def _lipschitz(config: Config, shape: tuple[int, ...], seed: int) -> nn.Module:
    """A 1-Lipschitz critic of otgan.critics, from (k, d) to (1, k) or (k, 1)."""
    convolutional = config.critic == "orthogonal-conv"
    method = METHODS["orthogonal" if convolutional else config.critic].with_options(
        {"width": config.critic_width, "depth": config.depth}
    )
    check_weights(method.weights(math.prod(shape)), "the critic", "Lower critic_width or depth.")
    if convolutional:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return orthogonal_conv(shape, width=config.critic_width)
    return method.network(math.prod(shape), torch.Generator().manual_seed(seed))


def _drawn(make: Callable[[], Any], seed: int, what: str) -> Any:
    """A network with weights drawn from a seed, if there is memory for it.

    It is made without any memory for its weights first: a configuration, of which a checkpoint may hold any, is no
    reason to take all that there is.
    """
    try:
        with torch.device("meta"):
            weights = float(sum(weight.numel() for weight in make().parameters()))
    except (RuntimeError, OverflowError):  # how many, does not even fit into 64 bits
        weights = math.inf
    check_weights(min(weights, MOST_WEIGHTS), what, "Lower width, depth or latent.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _scores(body: nn.Module) -> nn.Sequential:
    """A network of flat points as a critic of samples of any shape, with one number each."""
    return nn.Sequential(nn.Flatten(), body, nn.Flatten(0))
