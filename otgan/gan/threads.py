"""The number of torch threads that a run trains with."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from otgan.critics.training import HEAVY
from otgan.gan.config import LIPSCHITZ_CRITICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otgan.gan.config import Config

__all__ = ["threads_for"]


@contextmanager
def threads_for(config: Config) -> Iterator[None]:
    """One torch thread for small networks, as for critics; else as many as there are.

    Steps of small networks take longer when each of their layers is spread over cores, and many times as long where
    other programs use the cores too.

    Parameters
    ----------
    config : Config
        Resolved.

    Examples
    --------
    >>> from otgan.gan import Config
    >>> with threads_for(Config(width=32, batch_size=64).resolved((2,))):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    if _is_small(config):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _is_small(config: Config) -> bool:
    width = max(config.width or 0, config.critic_width if config.critic in LIPSCHITZ_CRITICS else 0)
    return config.network == "mlp" and config.recipe.batch_size * width**2 < HEAVY
