"""What mass is drawn from before it is moved: a finite set, one made continuous by jitter, or a sampler."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.data import SampleSet, load
from otgan.errors import InvalidInput
from otgan.pairs.jitter import Jitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

__all__ = ["Base", "Finite", "as_base", "gaussian", "uniform"]


class Base(ABC):
    """A distribution to draw from."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of coordinates d."""

    @property
    def numbers(self) -> int:
        """How many numbers a point costs to draw."""
        return self.dimension

    @abstractmethod
    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n independent points, (n, d)."""


@dataclass(frozen=True, eq=False)
class Finite(Base):
    """Finitely many points, (k, d), with masses (k,) that sum to one."""

    atoms: Array
    masses: Array

    @property
    def dimension(self) -> int:  # noqa: D102
        return self.atoms.shape[1]

    def choose(self, n: int, rng: np.random.Generator) -> Index:
        """Draw the numbers of n independent points."""
        if (self.masses == self.masses[0]).all():
            return rng.integers(len(self.atoms), size=n)
        return rng.choice(len(self.atoms), size=n, p=self.masses)

    def draw(self, n: int, rng: np.random.Generator) -> Array:  # noqa: D102
        return self.atoms[self.choose(n, rng)]


@dataclass(frozen=True, eq=False)
class Jittered(Base):
    """Points of another base, each with jitter of its own."""

    base: Base
    jitter: Jitter
    shape: tuple[int, ...]

    @property
    def dimension(self) -> int:
        return self.base.dimension

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        return self.jitter.apply(self.base.draw(n, rng), self.shape, rng)


@dataclass(frozen=True, eq=False)
class Sampled(Base):
    """A function ``sampler(n, rng) -> (n, d)``, whose points are checked."""

    sampler: Callable[[int, np.random.Generator], Any]
    columns: int

    @property
    def dimension(self) -> int:
        return self.columns

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        points = inputs.points(self.sampler(n, rng), "what the base draws")
        if points.shape != (n, self.dimension):
            raise InvalidInput(f"base must draw points of shape ({n}, {self.dimension}), but drew {points.shape}.")
        return points


def as_base(base: Any, jitter: Any, dimension: int) -> Base:
    """A user's base of ``dimension`` coordinates, with its jitter."""
    if jitter is not None and not isinstance(jitter, Jitter):
        raise InvalidInput(f"jitter must be a otgan.pairs.Jitter, such as Jitter(noise=0.01), but {jitter!r} came.")
    if isinstance(base, Base) or (callable(base) and not isinstance(base, SampleSet)):
        made, shape = base if isinstance(base, Base) else Sampled(base, dimension), (dimension,)
    else:
        samples = _samples(base)
        made, shape = Finite(samples.points, _masses(samples)), samples.shape
    if made.dimension != dimension:
        raise InvalidInput(f"base must have {dimension} coordinates, as the potential has, not {made.dimension}.")
    if jitter is None:
        return made
    if jitter.needs_images and len(shape) not in (2, 3):
        raise InvalidInput(f"jitter may shift and turn images alone, but samples have shape {shape}. Use its noise.")
    return Jittered(made, jitter, shape)


def uniform(dimension: int, half_width: float = 2.5) -> Base:
    """Uniform on [-half_width, half_width]^d.

    Examples
    --------
    >>> import numpy as np
    >>> uniform(3).draw(5, np.random.default_rng(0)).shape
    (5, 3)
    """
    return Sampled(lambda n, rng: rng.uniform(-half_width, half_width, (n, dimension)), dimension)


def gaussian(dimension: int) -> Base:
    """N(0, identity)."""
    return Sampled(lambda n, rng: rng.standard_normal((n, dimension)), dimension)


def _samples(base: Any) -> SampleSet:
    """A set, the set behind a name or a path, or the rows of an array."""
    if isinstance(base, SampleSet):
        return base
    if isinstance(base, str | os.PathLike):
        return load(base)
    return SampleSet.of(inputs.real_array(base, "base"), "base", "an array")


def _masses(samples: SampleSet) -> Array:
    if samples.weights is None:
        return np.full(len(samples), 1 / len(samples))
    return samples.weights / samples.weights.sum()
