"""The number of torch threads that a run trains with."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch.nn.modules.conv import _ConvNd

from otgan.critics.training import HEAVY
from otgan.gan.config import LIPSCHITZ_CRITICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otgan.gan.config import Config
    from otgan.gan.networks import OwnNetworks

__all__ = ["threads_for"]


@contextmanager
def threads_for(config: Config, own: OwnNetworks | None = None) -> Iterator[None]:
    """One torch thread for small networks, as for critics; else as many as there are.

    Steps of small networks take longer when each of their layers is spread over cores, and many times as long where
    other programs use the cores too.

    Parameters
    ----------
    config : Config
        Resolved.
    own : OwnNetworks, optional
        The user's.

    Examples
    --------
    >>> from otgan.gan import Config
    >>> with threads_for(Config(width=32, batch_size=64).resolved((2,))):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    if _is_small(config, own):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _is_small(config: Config, own: OwnNetworks | None) -> bool:
    """Whether the largest layers of both networks are matrices that take a batch little time."""
    modules = {} if own is None else own.modules()
    largest = [weight.numel() for module in modules.values() for weight in module.parameters()]
    plain = not any(isinstance(layer, _ConvNd) for module in modules.values() for layer in module.modules())
    if len(modules) < 2:  # one of them is otgan's
        width = max(config.width or 0, config.critic_width if config.critic in LIPSCHITZ_CRITICS else 0)
        largest.append(width**2)
        plain = plain and config.network == "mlp"
    return plain and config.recipe.batch_size * max(largest) < HEAVY
