"""The interface of a pair of distributions with a known distance."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Pair", "center_rows", "given_generator"]

TRUTH_SAMPLES = 2**20  # that an expected distance is a mean over,
POINTS_PER_DRAW = 2**14
UP_TO_DIMENSION = 128  # beyond, where draws cost more, fewer of both
TRUTH_SEED = 987654321  # of those, so that the truth of a pair is one number


class Pair(ABC):
    """Two distributions P and Q, and the optimal transport between them.

    Points y of Q are drawn, and moved to P by a map that is optimal for p = 1: x = move(y). The optimal critic is high
    on P, and its gradient at x points from y to x.
    """

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of coordinates d."""

    @abstractmethod
    def target(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw n points y of Q, (n, d)."""

    @abstractmethod
    def move(self, y: Any) -> NDArray[np.float64]:
        """The optimal map from Q to P, (n, d) -> (n, d)."""

    @abstractmethod
    def potential(self, x: Any) -> NDArray[np.float64]:
        """Values at points (k, d), shape (k,), of u, 1-Lipschitz with ``u(y) - u(move(y)) = |y - move(y)|``.

        It proves the map optimal; the optimal critic is -u.
        """

    @abstractmethod
    def gradient(self, x: Any) -> NDArray[np.float64]:
        """Unit gradient of the optimal critic at points (k, d); zero where it has none."""

    def coupled(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw n pairs (x, y) of the optimal plan, (n, d) each."""
        y = self.target(inputs.count(n, "n"), given_generator(rng))
        return self.move(y), y

    def sample(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw n points x of P and, independent of them, n points y of Q, (n, d) each."""
        return self.coupled(n, rng)[0], self.target(n, rng)

    def gradient_test_points(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Points where a critic's gradient is compared with the optimal one, (n, d): uniform between y and x."""
        x, y = self.coupled(n, rng)
        return y + rng.uniform(size=(n, 1)) * (x - y)

    @property
    def w1(self) -> tuple[float, float]:
        """W1 between P and Q, and its standard error (zero where a formula gives it)."""
        return self._mean_length

    @cached_property
    def _mean_length(self) -> tuple[float, float]:
        """The mean of |x - y| over many pairs of the optimal plan."""
        rng = np.random.default_rng(TRUTH_SEED)
        beyond = max(1.0, self.dimension / UP_TO_DIMENSION)
        n, at_once = int(TRUTH_SAMPLES / beyond**2), int(POINTS_PER_DRAW / beyond**2)
        lengths = np.concatenate([self._lengths(at_once, rng) for _ in range(max(1, n // at_once))])
        return float(lengths.mean()), float(lengths.std(ddof=1) / math.sqrt(len(lengths)))

    def _lengths(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        x, y = self.coupled(n, rng)
        return np.linalg.norm(x - y, axis=1)

    def _points(self, x: Any) -> NDArray[np.float64]:
        points = inputs.points(x, "x")
        if points.shape[1] != self.dimension:
            raise InvalidInput(f"points must have {self.dimension} columns, as the pair has, not {points.shape[1]}.")
        return points


def given_generator(rng: Any) -> np.random.Generator:
    """``rng``, which must be a generator: two sides drawn with one seed would be the same points."""
    if not isinstance(rng, np.random.Generator):
        raise InvalidInput(f"rng must be a numpy.random.Generator, but {rng!r} came. Pass np.random.default_rng(0).")
    return rng


def center_rows(centers: Any) -> NDArray[np.float64]:
    """``centers`` as (N, d), read-only: a pair does not change once its distance has been computed."""
    rows = inputs.points(centers, "centers")
    rows.setflags(write=False)
    return rows
