"""Pairs with a known W1, made of a user's own samples, at the sizes of move that a GAN meets."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otgan import inputs
from otgan.data import SampleSet, load
from otgan.data.drawing import stream
from otgan.errors import InvalidInput
from otgan.pairs import GreatestCones, LeastCones, LipschitzNetwork, MinMaxTree, Rays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from otgan.pairs import RayPotential

    Array = NDArray[np.float64]

__all__ = ["FAMILIES", "SIZES", "Case", "Family", "Ground", "Size", "cases", "ground"]

SHARES = (0.5, 1.0)  # of a ray: every fake moves, none to where the gradient is not determined
LARGEST, LARGEST_NUMBERS, FEWEST = 2000, 2**22, 20  # samples, numbers in all of them, and samples that are too few
OTHERS, MOST_OTHERS = (
    4,
    64,
)  # every fourth sample, and at most so many, shape potentials and are never moved
CONES, TREE_CONES = 16, 32
DISTANCES = 2000  # pairs of samples that their typical distance is a mean over
REACHED = 0.5  # of a size: a family whose rays are too short for that does not have it
HALVINGS = 60


class Size(NamedTuple):
    """How far away fakes are: a share of the typical distance between two real samples."""

    name: str
    share: float
    words: str


class Family(NamedTuple):
    """How a potential is made of the samples set apart, all others, and a seed; where fakes may go; a line on it."""

    make: Callable[[Array, Array, int], RayPotential]
    directions: tuple[str, ...]
    summary: str


def _networks(others: Array, base: Array, seed: int) -> RayPotential:
    return LipschitzNetwork.random(np.vstack([others, base]), seed=seed)


def _trees(others: Array, base: Array, seed: int) -> RayPotential:
    cloud = np.vstack([others, base])
    return MinMaxTree.random(cloud, min(TREE_CONES, len(cloud)), seed=seed)


def _least(others: Array, base: Array, seed: int) -> RayPotential:
    return LeastCones.random(others, min(CONES, len(others)), seed=seed)


def _greatest(others: Array, base: Array, seed: int) -> RayPotential:
    return GreatestCones.random(others, min(CONES, len(others)), seed=seed)


SIZES = (
    Size("near", 0.03, "nearly there"),
    Size("halfway", 0.15, "halfway"),
    Size("far", 0.6, "far away"),
)

FAMILIES = {
    "least-cones": Family(_least, ("down",), "fakes slide towards a few other samples, as when modes are dropped"),
    "networks": Family(_networks, ("down", "up"), "fakes differ in a few features, folds of a random network"),
    "greatest-cones": Family(_greatest, ("up",), "fakes leave the data, straight away from a few of its samples"),
    "trees": Family(_trees, ("down", "up"), "fakes go to and from many samples at once, a random tree of cones"),
}


@dataclass(frozen=True, eq=False)
class Ground:
    """The samples: those that are moved, those that say where to, and how far two of them are apart.

    Attributes
    ----------
    samples : SampleSet
        All that are used.
    base, others : (n, d) and (k, d) ndarray
    typical : float
        Mean distance of two different samples.
    """

    samples: SampleSet
    base: Array
    others: Array
    typical: float


@dataclass(frozen=True)
class Case:
    """One pair: a family at a size.

    Attributes
    ----------
    family, size : str
    seed : int
        Of the potential.
    longest : float
        Where rays are cut so that W1 is ``size`` times the typical distance, or is as near to it as rays allow.
    direction : {"down", "up"}
    w1 : float
        Exact, for the base is finite.
    share : float
        ``w1`` over the typical distance.
    """

    family: str
    size: str
    seed: int
    longest: float
    direction: str
    w1: float
    share: float

    def pair(self, at: Ground) -> Rays:
        """The pair: Q are the real samples, and P, of the moved ones, the fakes."""
        potential = FAMILIES[self.family].make(at.others, at.base, self.seed)
        return Rays(at.base, potential, shares=SHARES, direction=self.direction, longest=self.longest)


def ground(data: Any, n: int | None = None, seed: int = 0) -> Ground:
    """Load samples, and set some apart.

    Parameters
    ----------
    data : str, path, SampleSet or array_like
        What :func:`otgan.data.load` takes, or an array (n, d), (n, h, w) or (n, h, w, c).
    n : int, optional
        How many at most; by default 2000, or fewer of large images.
    seed : int
        Of which are drawn.

    Raises
    ------
    InvalidInput
        If there are fewer than 20, they have weights, or all are the same.

    Examples
    --------
    >>> found = ground("digits:8")
    >>> found.base.shape, found.others.shape
    ((131, 64), (43, 64))
    """
    samples = _samples(data, None if n is None else inputs.count(n, "n", low=FEWEST), seed)
    if samples.weights is not None:
        raise InvalidInput(f"every sample counts alike here, but {samples.name} has weights. Leave them out.")
    if len(samples) < FEWEST:
        raise InvalidInput(f"data must have at least {FEWEST} samples, but {samples.name} has {len(samples)}.")
    k = min(len(samples) // OTHERS, MOST_OTHERS)
    base = samples.points[k:]
    rng = stream(seed, "typical distance")
    one, other = rng.integers(len(base), size=(2, DISTANCES))
    apart = np.linalg.norm(base[one] - base[other], axis=1)[one != other]
    if not apart.mean() > 0:
        raise InvalidInput(f"samples must differ, but all of {samples.name} are the same.")
    return Ground(samples, base, samples.points[:k], float(apart.mean()))


def cases(at: Ground, seed: int = 0, families: Sequence[str] = tuple(FAMILIES)) -> list[Case]:
    """The pairs of these families at every size that their rays are long enough for, near ones first.

    Examples
    --------
    >>> found = cases(ground("digits:8"))
    >>> [(case.size, case.family) for case in found][:3]
    [('near', 'least-cones'), ('near', 'networks'), ('near', 'greatest-cones')]
    >>> pair = found[0].pair(ground("digits:8"))
    >>> bool(abs(pair.w1[0] / found[0].w1 - 1) < 1e-12)
    True
    """
    return sorted(
        (case for family in families for case in _of_family(family, at, seed)),
        key=lambda case: [size.name for size in SIZES].index(case.size),
    )


def _of_family(family: str, at: Ground, seed: int) -> list[Case]:
    made = FAMILIES[family]
    field = made.make(at.others, at.base, seed).rays(at.base)
    moved = field.direction.any(axis=1)
    ways = {way: getattr(field, way) * moved for way in made.directions}
    most = {way: float(np.minimum(reach, at.typical).mean()) for way, reach in ways.items()}
    way = max(most, key=most.__getitem__)
    mean_share, found = sum(SHARES) / 2, []
    for size in SIZES:
        wanted = size.share * at.typical / mean_share
        longest = _longest(ways[way], wanted, 2 * at.typical)
        w1 = mean_share * float(np.minimum(ways[way], longest).mean())
        if w1 >= REACHED * size.share * at.typical:
            found.append(Case(family, size.name, seed, longest, way, w1, w1 / at.typical))
    return found


def _longest(reach: Array, mean: float, most: float) -> float:
    """Where rays of these lengths are cut so that their mean is ``mean``; ``most`` where they are too short."""
    low, high = 0.0, most
    if np.minimum(reach, most).mean() <= mean:
        return most
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(reach, middle).mean() < mean else (low, middle)
    return high


def _samples(data: Any, n: int | None, seed: int) -> SampleSet:
    """At most n samples in random order."""
    if not isinstance(data, SampleSet | str | os.PathLike):
        data = SampleSet.of(inputs.real_array(data, "data"), "data", "an array")
    if not isinstance(data, SampleSet):
        spec = os.fspath(data)
        if os.path.isdir(os.path.expanduser(spec)):
            with suppress(InvalidInput):  # it holds fewer; whatever else is wrong is said below
                return load(spec, n=_most(load(spec, n=1, seed=seed), n), seed=seed)
        data = load(spec, seed=seed)
    return data.take(min(len(data), _most(data, n)), stream(seed, data.name))


def _most(samples: SampleSet, n: int | None) -> int:
    return max(FEWEST, min(LARGEST, LARGEST_NUMBERS // samples.points.shape[1])) if n is None else n
