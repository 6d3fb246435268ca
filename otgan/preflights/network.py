"""Networks and critics of the user's, which take images with channels first or flat."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from otgan.critics.given import given_critics
from otgan.critics.networks import ChannelsFirst
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otgan.critics.critic import Critic

__all__ = ["as_network", "given_to_judge"]


class Reshaped(nn.Module):
    """A network of samples of a shape that takes them flat, (k, d)."""

    def __init__(self, network: nn.Module, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.network = network
        self.shape = shape

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """(k, d) -> what the network gives."""
        return self.network(points.reshape(-1, *self.shape))


def as_network(given: Callable[[int], Any], shape: tuple[int, ...]) -> Callable[[int], nn.Module]:
    """``given(d)`` behind what turns flat points into samples as its modules take them.

    Examples
    --------
    >>> build = as_network(lambda d: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 1)), (8, 8))
    >>> build(64)(torch.zeros(5, 64)).shape
    torch.Size([5, 1])
    """

    def build(dimension: int) -> nn.Module:
        module = given(dimension)
        if not isinstance(module, nn.Module):
            raise InvalidInput(f"network(d) must return a torch module, but a {type(module).__name__} came.")
        for way in _ways(module, shape):
            if _takes(way, dimension):
                return way
        return module  # it is refused with the reason where it is used

    return build


def _ways(module: nn.Module, shape: tuple[int, ...]) -> list[nn.Module]:
    """The module as one of images, and of flat points."""
    if len(shape) == 2:
        return [Reshaped(module, (1, *shape)), module]
    if len(shape) == 3:
        return [Reshaped(ChannelsFirst(module), shape), module]
    return [module]


@torch.no_grad()
def _takes(module: nn.Module, dimension: int) -> bool:
    was = module.training
    try:
        return module.eval()(torch.zeros(3, dimension)).numel() == 3
    except Exception:  # whatever a module of the user's raises for samples that it does not take
        return False
    finally:
        module.train(was)


@contextmanager
def given_to_judge(critic: Any, name: str, shape: tuple[int, ...], device: str) -> Iterator[tuple[Critic, ...]]:
    """A critic of the user's, or several, as functions of flat points, for the length of a ``with`` block."""
    where, dimension = None if device == "auto" else device, math.prod(shape)
    critics = list(critic) if isinstance(critic, list | tuple | nn.ModuleList) else [critic]
    ways: list[tuple[list[Any], tuple[int, ...]]] = [(critics, (dimension,))]
    if len(shape) == 2:
        ways.insert(0, (critics, (1, *shape)))
    elif len(shape) == 3:
        ways.insert(0, ([_channels_first(one) for one in critics], shape))
    refused: list[InvalidInput] = []
    for called, as_seen in ways:
        try:
            with given_critics(called, dimension, as_seen, where):
                pass
        except InvalidInput as error:
            refused.append(error)
            continue
        with given_critics(called, dimension, as_seen, where) as found:
            yield found
        return
    raise InvalidInput(f"{name}: {str(refused[0]).partition(' Pass shape=')[0]}") from refused[0]


def _channels_first(critic: Any) -> Any:
    return ChannelsFirst(critic) if isinstance(critic, nn.Module) else lambda images: critic(images.movedim(-1, 1))
