"""Funnels and inverted cones: mass moved along the rays of a minimum or maximum of cones.

Korotin, Kolesov & Burnaev (2022), Kantorovich Strikes Back!, section 4.

``u(x) = min_n |x - a_n| + b_n`` (funnels) or ``u(x) = max_n |x - a_n| + b_n`` is 1-Lipschitz, and rises at slope one
along rays through the centre of the cone that x lies on. A plan that moves mass along such rays, all one way, is
optimal for p = 1: u proves it. Here y is uniform on a box, and is moved towards the lower end of its ray.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.pairs.pair import Pair
from otgan.pairs.potentials import GreatestCones, LeastCones

if TYPE_CHECKING:
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

    kind: ClassVar[type[LeastCones | GreatestCones]]

    centers: Any
    offsets: Any
    half_width: float = 2.5
    power: float = 8.0
    cones: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        cones = self.kind(self.centers, self.offsets)
        half_width = inputs.real(self.half_width, "half_width", low=0.0, high=1e100, open_low=True)
        if np.abs(cones.centers).max() > half_width:
            raise InvalidInput(f"centers must lie in the box [-{half_width:g}, {half_width:g}]^d, or rays leave it.")
        power = inputs.real(self.power, "power", low=1.0, high=1e6)
        for name, value in (
            ("centers", cones.centers),
            ("offsets", cones.offsets),
            ("half_width", half_width),
            ("power", power),
            ("cones", cones),
        ):
            object.__setattr__(self, name, value)

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return self.centers.shape[1]

    def target(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n points, uniform on the box, (n, d)."""
        return rng.uniform(-self.half_width, self.half_width, (n, self.dimension))

    def potential(self, x: Any) -> Array:
        """Values of u at points (k, d), shape (k,); the optimal critic is -u."""
        return self.cones._values(self._points(x))

    def gradient(self, x: Any) -> Array:
        """Unit gradient of the optimal critic -u at points (k, d); zero at a centre."""
        return -self.cones._gradient(self._points(x))

    def move(self, y: Any) -> Array:
        """Towards the lower end of each ray, for points of the box, (n, d) -> (n, d)."""
        points = self._points(y)
        if np.abs(points).max() > self.half_width:
            raise InvalidInput(f"y must lie in the box [-{self.half_width:g}, {self.half_width:g}]^d that is moved.")
        (_, v, below, above), cone, to_center = self.cones.rays_and_cones(points)
        above = np.minimum(above, self._to_box(points, v))
        above[below == 0] = 1.0  # what lies at the lower end stays there
        kept = (below / (below + above)) ** (self.power - 1)
        step, rest = below * (1 - kept), to_center - below + below * kept
        # From y where it moves little and from the centre where it comes close: a rounded step from afar could pass it.
        far = (step > rest)[:, None]
        return np.where(far, self.centers[cone] + rest[:, None] * v, points - step[:, None] * v)

    def _to_box(self, y: Array, v: Array) -> Array:
        """How far a ray runs until it leaves the box, (n,)."""
        with np.errstate(divide="ignore", over="ignore"):
            return ((self.half_width - np.sign(v) * y) / np.abs(v)).min(axis=1)


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

    kind = LeastCones

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

    kind = GreatestCones


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
