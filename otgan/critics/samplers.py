"""Samplers of the two sides of a pair whose W1 is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from otgan.errors import InvalidInput
from otgan.pairs import Pair

if TYPE_CHECKING:
    from collections.abc import Callable

    Sampler = Callable[[int, torch.Generator], torch.Tensor]

__all__ = ["samplers"]


def samplers(pair: Pair) -> tuple[Sampler, Sampler]:
    """Both sides of a pair, as samplers that :func:`otgan.critics.fit` takes.

    Parameters
    ----------
    pair : otgan.pairs.Pair

    Returns
    -------
    sampler_x, sampler_y : callable
        ``sampler(n, generator) -> tensor (n, d)``, float32. NumPy draws the points, from a seed that the torch
        generator gives.

    Raises
    ------
    InvalidInput
        For anything but a pair.

    Examples
    --------
    >>> import otgan
    >>> x, y = otgan.critics.samplers(otgan.pairs.random_funnels(3, 4, seed=0))
    >>> x(5, torch.Generator().manual_seed(0)).shape
    torch.Size([5, 3])
    """
    if not isinstance(pair, Pair):
        raise InvalidInput(f"samplers needs a pair of otgan.pairs, but a {type(pair).__name__} came.")

    def sampler_x(n: int, generator: torch.Generator) -> torch.Tensor:
        return torch.as_tensor(pair.coupled(n, _rng(generator))[0], dtype=torch.float32)

    def sampler_y(n: int, generator: torch.Generator) -> torch.Tensor:
        return torch.as_tensor(pair.target(n, _rng(generator)), dtype=torch.float32)

    return sampler_x, sampler_y


def _rng(generator: torch.Generator) -> np.random.Generator:
    """A NumPy generator seeded by the next number of a torch generator."""
    return np.random.default_rng(int(torch.randint(2**63 - 1, (), generator=generator, device=generator.device)))
