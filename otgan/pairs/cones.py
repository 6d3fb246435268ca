"""Funnels and inverted cones: mass moved along the rays of a minimum or maximum of cones.

Korotin, Kolesov & Burnaev (2022), Kantorovich Strikes Back!, section 4.

``u(x) = min_n |x - a_n| + b_n`` (funnels) or ``u(x) = max_n |x - a_n| + b_n`` is 1-Lipschitz, and rises at slope one
along rays through the centre of the cone that x lies on. A plan that moves mass along such rays, all one way, is
optimal for p = 1: u proves it. Here y is uniform on a box, and is moved towards the lower end of its ray.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from otgan import inputs
from otgan.costs import PointCost
from otgan.errors import InvalidInput
from otgan.metric import EPS
from otgan.pairs.pair import Pair, center_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Funnels", "MaxCones", "random_funnels", "random_max_cones"]

OFFSET_SCALE = 0.1  # standard deviation of the published offsets


@dataclass(frozen=True, eq=False)
class Cones(Pair):
    """What both kinds of cones share.

    Parameters
    ----------
    centers : (N, d) array_like
        a_n, within the box.
    offsets : (N,) array_like
        b_n.
    half_width : float
        y is uniform on [-half_width, half_width]^d.
    power : float
        At share t of its ray, y is moved to share t ** power; 1 moves nothing.
    """

    _choose: ClassVar[Callable[..., Any]]  # the least or the greatest

    centers: Any
    offsets: Any
    half_width: float = 2.5
    power: float = 8.0

    def __post_init__(self) -> None:
        centers = center_rows(self.centers)
        offsets = inputs.real_array(self.offsets, "offsets")
        if offsets.shape != (len(centers),):
            raise InvalidInput(
                f"offsets must have one number for each centre, shape ({len(centers)},), but has {offsets.shape}."
            )
        half_width = inputs.real(self.half_width, "half_width", low=0.0, high=1e100, open_low=True)
        if np.abs(centers).max() > half_width:
            raise InvalidInput(f"centers must lie in the box [-{half_width:g}, {half_width:g}]^d, or rays leave it.")
        power = inputs.real(self.power, "power", low=1.0, high=1e6)
        for name, value in (("centers", centers), ("offsets", offsets), ("half_width", half_width), ("power", power)):
            object.__setattr__(self, name, value)
        offsets.setflags(write=False)

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return self.centers.shape[1]

    def target(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n points, uniform on the box, (n, d)."""
        return rng.uniform(-self.half_width, self.half_width, (n, self.dimension))

    def potential(self, x: Any) -> Array:
        """Values of u at points (k, d), shape (k,); the optimal critic is -u."""
        points = self._points(x)
        return self._cone(self._distances(points) + self.offsets)[1]

    def gradient(self, x: Any) -> Array:
        """Unit gradient of the optimal critic -u at points (k, d); zero at a centre."""
        points = self._points(x)
        cone, _ = self._cone(self._distances(points) + self.offsets)
        return -directions(points - self.centers[cone])[0]

    def move(self, y: Any) -> Array:
        """Towards the lower end of each ray, for points of the box, (n, d) -> (n, d)."""
        points = self._points(y)
        if np.abs(points).max() > self.half_width:
            raise InvalidInput(f"y must lie in the box [-{self.half_width:g}, {self.half_width:g}]^d that is moved.")
        distances = self._distances(points)
        cone, u = self._cone(distances + self.offsets)
        v, to_center = directions(points - self.centers[cone])
        below, above = self._reach(points, v, to_center, *self._meetings(points, v, distances, u))
        above[below == 0] = 1.0  # what lies at the lower end stays there
        kept = (below / (below + above)) ** (self.power - 1)
        step, rest = below * (1 - kept), to_center - below + below * kept
        # From y where it moves little and from the centre where it comes close: a rounded step from afar could pass it.
        far = (step > rest)[:, None]
        return np.where(far, self.centers[cone] + rest[:, None] * v, points - step[:, None] * v)

    def _meetings(self, y: Array, v: Array, distances: Array, u: Array) -> tuple[Array, Array]:
        """Where the line y + r v meets each cone, (n, N), NaN where it lies on it; and h = u - b_m above its tip.

        With w = y - a_m the equation |w + r v| = h + r has the one solution (|w|^2 - h^2) / (2 (h - <w, v>)). At a tie
        |w| = h, which rounding must not turn into a meeting on the other side.
        """
        h = u[:, None] - self.offsets
        closing = h - np.einsum("kd,kd->k", y, v)[:, None] + v @ self.centers.T
        apart = self._signed(distances - h)
        # For a cone along the ray itself, up to rounding, the equation holds everywhere.
        size = np.abs(u)[:, None] + np.abs(self.offsets) + math.sqrt(self.dimension) * self.half_width
        rounding = (8 + self.dimension) * EPS * size
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.where(np.abs(closing) > rounding, apart * (distances + h) / (2 * closing), np.nan), h

    def _distances(self, points: Array) -> Array:
        # Direct differences: |x|^2 + |a|^2 - 2 x.a loses half the digits near a centre.
        return PointCost(points, self.centers).block(slice(None), slice(None))

    def _to_box(self, y: Array, v: Array) -> Array:
        """How far a ray runs until it leaves the box, (n,)."""
        with np.errstate(divide="ignore", over="ignore"):
            return ((self.half_width - np.sign(v) * y) / np.abs(v)).min(axis=1)

    def _cone(self, values: Array) -> tuple[NDArray[np.intp], Array]:
        """Which of the cones (k, N) u is, and its value there."""
        cone = self._choose(values, axis=1)
        return cone, values[np.arange(len(values)), cone]

    @abstractmethod
    def _signed(self, apart: Array) -> Array:
        """Distances to the centres less the heights h, (k, N), without the rounding that gives them the wrong sign."""

    @abstractmethod
    def _reach(self, y: Array, v: Array, to_center: Array, meeting: Array, h: Array) -> tuple[Array, Array]:
        """How far each ray goes on below and above y, (n,) each."""


class Funnels(Cones):
    """Mass moved down the rays of ``u(x) = min_n |x - a_n| + b_n``, towards the centres.

    Parameters
    ----------
    centers : (N, d) array_like
        a_n, within the box.
    offsets : (N,) array_like
        b_n.
    half_width : float, default 2.5
        y is uniform on [-half_width, half_width]^d.
    power : float, default 8
        At share t of its ray, y is moved to share t ** power.

    Raises
    ------
    InvalidInput
        For centres outside the box, or offsets that do not match them.

    References
    ----------
    Korotin, Kolesov & Burnaev, Kantorovich Strikes Back! Wasserstein GANs are not Optimal Transport? (2022), section 4.

    Examples
    --------
    >>> import numpy as np, otgan
    >>> pair = otgan.pairs.Funnels([[0.0, 0.0]], [0.0])
    >>> x, y = pair.coupled(100, np.random.default_rng(0))
    >>> moved = float(np.linalg.norm(x - y, axis=1).mean())
    >>> bool(abs(otgan.wasserstein(x, y) / moved - 1) < 1e-9)
    True
    """

    _choose = staticmethod(np.argmin)

    def _signed(self, apart: Array) -> Array:
        return np.maximum(apart, 0.0)

    def _reach(self, y: Array, v: Array, to_center: Array, meeting: Array, h: Array) -> tuple[Array, Array]:
        with np.errstate(invalid="ignore"):
            valid = (meeting >= 0) & (meeting >= -h)
        return to_center, np.minimum(self._to_box(y, v), np.where(valid, meeting, np.inf).min(axis=1))

    def gradient_test_points(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n points where gradients are compared, (n, d): fresh points of P, as in the paper."""
        return self.coupled(n, rng)[0]


class MaxCones(Cones):
    """Mass moved down the rays of ``u(x) = max_n |x - a_n| + b_n``, towards the points where the largest cone changes.

    Parameters
    ----------
    centers, offsets, half_width, power
        As for :class:`Funnels`.

    Raises
    ------
    InvalidInput
        For centres outside the box, or offsets that do not match them.

    Examples
    --------
    >>> import numpy as np, otgan
    >>> pair = otgan.pairs.MaxCones([[-1.0], [1.0]], [0.0, 0.0])
    >>> x, y = pair.coupled(100, np.random.default_rng(0))
    >>> bool((abs(x) <= abs(y)).all())
    True
    """

    _choose = staticmethod(np.argmax)

    def _signed(self, apart: Array) -> Array:
        return np.minimum(apart, 0.0)

    def _reach(self, y: Array, v: Array, to_center: Array, meeting: Array, h: Array) -> tuple[Array, Array]:
        # Downwards s = -r; no cone is met upwards, since another one rises no faster than at slope one.
        # A cone along the ray itself, its own among them, is one with it down to the tip and rises beyond.
        with np.errstate(invalid="ignore"):
            valid = (meeting <= 0) & (-meeting <= h)
        limits = np.where(np.isnan(meeting), np.maximum(h, 0.0), np.where(valid, -meeting, np.inf))
        return np.minimum(to_center, limits.min(axis=1)), self._to_box(y, v)


def random_funnels(dim: int, n: int, seed: int) -> Funnels:
    """Funnels of the published recipe in ``dim`` dimensions.

    Parameters
    ----------
    dim, n, seed : int

    Returns
    -------
    Funnels
        Centres uniform on [-2.5, 2.5]^dim, offsets normal with standard deviation 0.1.

    Raises
    ------
    InvalidInput
        For numbers that are not whole and positive (seed: non-negative).

    Examples
    --------
    >>> import otgan
    >>> value, stderr = otgan.pairs.random_funnels(2, 4, seed=0).w1
    >>> stderr < 1e-3 * value
    True
    """
    return Funnels(*random_centers(dim, n, seed))


def random_max_cones(dim: int, n: int, seed: int) -> MaxCones:
    """As :func:`random_funnels`, with the maximum of the cones."""
    return MaxCones(*random_centers(dim, n, seed))


def random_centers(dim: int, n: int, seed: int) -> tuple[Array, Array]:
    """Centres (n, dim) and offsets (n,) of the published recipe."""
    dim, n = inputs.count(dim, "dim"), inputs.count(n, "n")
    # Not the stream of default_rng(seed), from which the same numbers may be drawn as points.
    rng = np.random.default_rng([inputs.seed(seed), dim, n])
    return rng.uniform(-Funnels.half_width, Funnels.half_width, (n, dim)), OFFSET_SCALE * rng.standard_normal(n)


def directions(differences: Array) -> tuple[Array, Array]:
    """Unit vectors (zero for zero) and lengths of (k, d)."""
    lengths = np.linalg.norm(differences, axis=1)
    return differences / np.where(lengths > 0, lengths, 1.0)[:, None], lengths
