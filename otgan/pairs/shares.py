"""How far along its ray each point is moved: a share of it, from 0 (not at all) to 1 (to its end)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Fixed", "Shares", "as_shares"]

MEAN_DRAWS = 2**17
MEAN_SEED = 123456789


class Shares(ABC):
    """A distribution on [0, 1], the same at every point and independent of it."""

    @property
    @abstractmethod
    def mean(self) -> tuple[float, float]:
        """The mean share and its standard error."""

    @abstractmethod
    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n independent shares, (n,)."""


@dataclass(frozen=True)
class Fixed(Shares):
    """One share, for all points."""

    share: float

    @property
    def mean(self) -> tuple[float, float]:  # noqa: D102
        return self.share, 0.0

    def draw(self, n: int, rng: np.random.Generator) -> Array:  # noqa: D102
        return np.full(n, self.share)


@dataclass(frozen=True)
class Between(Shares):
    """Uniform on [low, high]."""

    low: float
    high: float

    @property
    def mean(self) -> tuple[float, float]:
        return (self.low + self.high) / 2, 0.0

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        return rng.uniform(self.low, self.high, n)


@dataclass(frozen=True)
class Drawn(Shares):
    """By a function of the user's, whose mean is estimated."""

    sampler: Callable[[int, np.random.Generator], Any]

    @property
    def mean(self) -> tuple[float, float]:
        return self._mean

    @cached_property
    def _mean(self) -> tuple[float, float]:
        shares = self.draw(MEAN_DRAWS, np.random.default_rng(MEAN_SEED))
        return float(shares.mean()), float(shares.std(ddof=1) / math.sqrt(MEAN_DRAWS))

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        shares = inputs.real_array(self.sampler(n, rng), "what shares draws")
        if shares.shape != (n,):
            raise InvalidInput(f"shares must draw an array of shape ({n},), but drew {shares.shape}.")
        return within(shares)


def as_shares(shares: Any) -> Shares:
    """A number, a pair (low, high), or a function ``shares(n, rng)``."""
    if callable(shares):
        return Drawn(shares)
    if isinstance(shares, tuple) and len(shares) == 2:
        low, high = (inputs.real(each, "shares", low=0.0, high=1.0) for each in shares)
        if low > high:
            raise InvalidInput(f"shares must be (low, high) with low <= high, but {shares!r} came.")
        return Between(low, high)
    return Fixed(inputs.real(shares, "shares", low=0.0, high=1.0))


def within(shares: Array) -> Array:
    """Shares, if they all lie in [0, 1]."""
    if shares.min() < 0 or shares.max() > 1:
        raise InvalidInput(f"shares must lie in [0, 1], but go from {shares.min():g} to {shares.max():g}.")
    return shares
