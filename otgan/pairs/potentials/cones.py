"""Least and greatest of cones, and of those again: trees with cones ``|x - a_n| + b_n`` as their leaves.

u rises at slope one along rays through the centre of the cone that it is at a point. How far: along ``x + r v`` the
difference of any 1-Lipschitz g and ``u(x) + r`` only falls as r grows. So ``g >= u(x) + r`` holds up to one r, which
for the least of several functions is the least of theirs and for the greatest the greatest, and for a cone solves a
quadratic equation. Against v it is the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from otgan import inputs
from otgan.costs import PointCost
from otgan.errors import InvalidInput
from otgan.metric import EPS
from otgan.pairs.potentials.potential import RayField, RayPotential, directions, read_only

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Combine = Callable[[Array, Array], Array]

__all__ = ["GreatestCones", "LeastCones", "MinMaxTree"]

OFFSET_SHARE = 0.1  # standard deviation of random offsets, in that of the distances of points to centres
PARTS = 3  # at most, that a node of a random tree is split into


class Meetings(NamedTuple):
    """Where lines y + r v along the rays of u meet cones, (n, N) each.

    Attributes
    ----------
    at : ndarray
        r; not to be used where ``along``.
    along : ndarray of bool
        For cones along the ray itself, u's own among them: the equation holds all the way down to the tip.
    apart, closing, h : ndarray
        How far the cone is above u at y (a tie: 0), how fast u + r comes closer to it, and how high u is above its tip.
    """

    at: Array
    along: NDArray[np.bool_]
    apart: Array
    closing: Array
    h: Array

    def down(self) -> Array:
        """Up to which r each cone is at most u - r at y - r v."""
        below = np.where(self.apart > 0, -np.inf, -self.at)
        return np.where(self.along, np.maximum(self.h, 0.0), below)

    def up(self) -> Array:
        """Up to which r each cone is at least u + r at y + r v."""
        above = np.where((self.closing <= 0) | ~(self.at >= -self.h) | self.along, np.inf, self.at)
        return np.where((self.apart < 0) & ~self.along, -np.inf, above)


@dataclass(frozen=True, eq=False)
class Cones(RayPotential):
    """What all functions made of cones share.

    Parameters
    ----------
    centers : (N, d) array_like
        a_n.
    offsets : (N,) array_like
        b_n.
    """

    centers: Any
    offsets: Any

    def __post_init__(self) -> None:
        centers, offsets = inputs.points(self.centers, "centers"), inputs.real_array(self.offsets, "offsets")
        if offsets.shape != (len(centers),):
            raise InvalidInput(
                f"offsets must have one number for each centre, shape ({len(centers)},), but has {offsets.shape}."
            )
        object.__setattr__(self, "centers", read_only(centers))
        object.__setattr__(self, "offsets", read_only(offsets))

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return self.centers.shape[1]

    def _values(self, points: Array) -> Array:
        return self._choose(self.distances(points) + self.offsets)[1]

    def _rays(self, points: Array) -> RayField:
        return self.rays_and_cones(points)[0]

    def rays_and_cones(self, points: Array) -> tuple[RayField, NDArray[np.intp], Array]:
        """The rays through clean points (k, d), which cone each lies on (k,), and how far its centre is (k,)."""
        distances = self.distances(points)
        cone, u = self._choose(distances + self.offsets)
        v, to_center = directions(points - self.centers[cone])
        field = RayField(u, v, *self._reach(to_center, self._meetings(points, v, distances, u)))
        return field, cone, to_center

    def _gradient(self, points: Array) -> Array:
        cone, _ = self._choose(self.distances(points) + self.offsets)
        return directions(points - self.centers[cone])[0]

    def distances(self, points: Array) -> Array:
        """From points (k, d) to the centres, (k, N)."""
        # Direct differences: |x|^2 + |a|^2 - 2 x.a loses half the digits near a centre.
        return PointCost(points, self.centers).block(slice(None), slice(None))

    def _meetings(self, y: Array, v: Array, distances: Array, u: Array) -> Meetings:
        """Where the lines y + r v meet the cones.

        With w = y - a_m and h = u - b_m the equation |w + r v| = h + r has the one solution
        (|w|^2 - h^2) / (2 (h - <w, v>)).
        """
        h = u[:, None] - self.offsets
        closing = h - np.einsum("kd,kd->k", y, v)[:, None] + v @ self.centers.T
        apart = distances - h
        size = np.abs(u)[:, None] + np.abs(self.offsets) + np.linalg.norm(self.centers, axis=1)
        rounding = (8 + self.dimension) * EPS * (size + np.linalg.norm(y, axis=1)[:, None])
        # At a tie |w| = h, which rounding must not turn into a meeting on the other side.
        apart[np.abs(apart) <= rounding] = 0.0
        along = (np.abs(closing) <= rounding) & (apart == 0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return Meetings(apart * (distances + h) / (2 * closing), along, apart, closing, h)

    def _choose(self, values: Array) -> tuple[NDArray[np.intp], Array]:
        """Which of the cones' values (k, N) u is, and that value."""
        raise NotImplementedError  # pragma: no cover

    def _reach(self, to_center: Array, meetings: Meetings) -> tuple[Array, Array]:
        """How far each ray goes on below and above its point."""
        raise NotImplementedError  # pragma: no cover


@dataclass(frozen=True, eq=False)
class LeastCones(Cones):
    """``u(x) = min_n |x - a_n| + b_n``: rays run down to the centres.

    Parameters
    ----------
    centers : (N, d) array_like
        a_n.
    offsets : (N,) array_like
        b_n.

    Raises
    ------
    InvalidInput
        For offsets that do not match the centres.

    Examples
    --------
    >>> from otgan.pairs import LeastCones
    >>> u = LeastCones([[0.0, 0.0], [10.0, 0.0]], [0.0, 0.0])
    >>> ray = u.rays([[4.0, 0.0]])
    >>> ray.value.tolist(), ray.down.tolist(), ray.up.tolist()
    ([4.0], [4.0], [1.0])
    """

    @classmethod
    def random(cls, points: Any, n: int = 16, *, seed: int = 0) -> Self:
        """Cones whose tips are n points of a cloud (k, d), with small offsets.

        Examples
        --------
        >>> import numpy as np
        >>> from otgan.pairs import LeastCones
        >>> LeastCones.random(np.eye(5), 3, seed=0).centers.shape
        (3, 5)
        """
        return cls(*random_cones(points, n, np.random.default_rng([inputs.seed(seed), 1])))

    def _choose(self, values: Array) -> tuple[NDArray[np.intp], Array]:
        cone = values.argmin(axis=1)
        return cone, values[np.arange(len(values)), cone]

    def _reach(self, to_center: Array, meetings: Meetings) -> tuple[Array, Array]:
        return to_center, meetings.up().min(axis=1)


@dataclass(frozen=True, eq=False)
class GreatestCones(Cones):
    """``u(x) = max_n |x - a_n| + b_n``: rays run down to where the greatest cone changes, and up for ever.

    Parameters
    ----------
    centers : (N, d) array_like
        a_n.
    offsets : (N,) array_like
        b_n.

    Raises
    ------
    InvalidInput
        For offsets that do not match the centres.

    Examples
    --------
    >>> from otgan.pairs import GreatestCones
    >>> GreatestCones([[-1.0], [1.0]], [0.0, 0.0]).rays([[0.5]]).down.tolist()
    [0.5]
    """

    @classmethod
    def random(cls, points: Any, n: int = 16, *, seed: int = 0) -> Self:
        """Cones at n points of a cloud (k, d), with small offsets."""
        return cls(*random_cones(points, n, np.random.default_rng([inputs.seed(seed), 2])))

    def _choose(self, values: Array) -> tuple[NDArray[np.intp], Array]:
        cone = values.argmax(axis=1)
        return cone, values[np.arange(len(values)), cone]

    def _reach(self, to_center: Array, meetings: Meetings) -> tuple[Array, Array]:
        return np.minimum(to_center, meetings.down().min(axis=1)), np.full(len(to_center), np.inf)


@dataclass(frozen=True, eq=False)
class MinMaxTree(Cones):
    """The least of greatest of least ... of cones ``|x - a_n| + b_n``.

    Parameters
    ----------
    centers : (N, d) array_like
        a_n.
    offsets : (N,) array_like
        b_n.
    tree : list
        Of numbers n, which stand for the cones, and lists. The outermost list is a least, the lists in it are
        greatest, those in them least again: ``[[0, 1], [2, 3]]`` is ``min(max(c_0, c_1), max(c_2, c_3))``.

    Raises
    ------
    InvalidInput
        For offsets that do not match the centres, or a tree that does not name every cone once.

    Examples
    --------
    >>> from otgan.pairs import MinMaxTree
    >>> u = MinMaxTree([[0.0], [2.0], [9.0]], [0.0, 0.0, 0.0], [[0, 1], 2])  # min(max(|x|, |x - 2|), |x - 9|)
    >>> u.values([0.5, 5.0, 8.0]).tolist()
    [1.5, 4.0, 1.0]
    """

    tree: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.tree, list | tuple) or sorted(_leaves(self.tree)) != list(range(len(self.centers))):
            raise InvalidInput(
                f"tree must be a list that names each of the {len(self.centers)} cones once, such as [[0, 1], [2]], "
                f"with no empty list in it, but {self.tree!r} came."
            )

    @classmethod
    def random(cls, points: Any, n: int = 16, *, seed: int = 0) -> Self:
        """A tree of random depth over cones at n points of a cloud (k, d), with small offsets."""
        rng = np.random.default_rng([inputs.seed(seed), 3])
        centers, offsets = random_cones(points, n, rng)
        return cls(centers, offsets, _grown(list(range(len(centers))), rng))

    def _choose(self, values: Array) -> tuple[NDArray[np.intp], Array]:
        u = _fold(self.tree, values, np.minimum, np.maximum)
        return (values == u[:, None]).argmax(axis=1), u

    def _reach(self, to_center: Array, meetings: Meetings) -> tuple[Array, Array]:
        below = np.minimum(to_center, _fold(self.tree, meetings.down(), np.maximum, np.minimum))
        return np.maximum(below, 0.0), np.maximum(_fold(self.tree, meetings.up(), np.minimum, np.maximum), 0.0)


def random_cones(points: Any, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Centres (n, d), at points of a cloud, and offsets (n,) that are small beside the spread of distances."""
    cloud, n = inputs.points(points, "points"), inputs.count(n, "n")
    if n > len(cloud):
        raise InvalidInput(f"n must be at most {len(cloud)}, the number of points, but {n} came. Pass more points.")
    centers = cloud[rng.permutation(len(cloud))[:n]]
    some = cloud[rng.integers(len(cloud), size=256)]
    spread = float(PointCost(some, centers).block(slice(None), slice(None)).std())
    return centers, OFFSET_SHARE * spread * rng.standard_normal(n)


def _fold(tree: Any, values: Array, outer: Combine, inner: Combine) -> Array:
    """``outer`` over the nodes of a list, ``inner`` over those of lists in it, and so on; values (k, N) of leaves."""
    if not isinstance(tree, list | tuple):
        return values[:, tree]
    found = _fold(tree[0], values, inner, outer)
    for node in tree[1:]:
        found = outer(found, _fold(node, values, inner, outer))
    return found


def _leaves(tree: Any) -> list[int]:
    """The numbers in a tree; -1 for what should not be there."""
    if not isinstance(tree, list | tuple):
        whole = isinstance(tree, int | np.integer) and not isinstance(tree, bool)
        return [int(tree) if whole else -1]
    return [leaf for node in tree for leaf in _leaves(node)] if tree else [-1]


def _grown(leaves: list[int], rng: np.random.Generator) -> list[Any]:
    """A random tree: leaves split into two or three parts, and these again, or not."""
    if len(leaves) < 3:
        return leaves
    cuts = np.sort(rng.choice(np.arange(1, len(leaves)), size=rng.integers(1, PARTS), replace=False))
    parts = [part.tolist() for part in np.split(np.array(leaves), cuts)]
    return [part[0] if len(part) == 1 else _grown(part, rng) for part in parts]
