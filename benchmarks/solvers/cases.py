"""The transport problems that are measured: named, and the same in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = NDArray[np.float64]
    Sides = tuple[Points, Points]

MIXTURE = 12  # Gaussians of one mixture
SHIFT = 3.0  # standard deviations
RING = 5.0  # its radius
PHOTOS = {"astronaut-coffee": ("astronaut", "coffee"), "cat-rocket": ("chelsea", "rocket")}


class Data(NamedTuple):
    """Points and masses; masses None are equal ones."""

    x: Points
    y: Points
    a: Points | None = None
    b: Points | None = None


@dataclass(frozen=True)
class Case:
    """One transport problem with cost ``|x_i - y_j| ** p``.

    Attributes
    ----------
    family : str
        A key of :data:`FAMILIES`.
    n, m, d : int
        Points on each side, and coordinates. For "grid", n and m are what its images have after zeros are dropped.
    p : int
    variant : str
        Which one of its family, where there are several.
    seed : int
    """

    family: str
    n: int
    m: int
    d: int
    p: int
    variant: str = ""
    seed: int = 0

    @property
    def weighted(self) -> bool:
        """Whether the masses differ."""
        return self.family in ("weights", "grid")

    @property
    def assignment(self) -> bool:
        """Whether an assignment solver can take it."""
        return self.n == self.m and not self.weighted

    @property
    def series(self) -> str:
        """The name without sizes: what a growth exponent is about."""
        variant = f" {self.variant}" if self.variant else ""
        return f"{self.family}{variant}, d = {self.d}, p = {self.p}"

    @property
    def key(self) -> str:
        """A name of its own."""
        size = f"n = {self.n:,}" if self.n == self.m else f"{self.n:,} x {self.m:,}"
        return f"{self.series}, {size}"


def data(case: Case) -> Data:
    """The points and masses of a case: the same bits for the same case."""
    drawn = FAMILIES[case.family](case)
    if drawn.x.shape != (case.n, case.d) or drawn.y.shape != (case.m, case.d):
        raise ValueError(f"{case.key} has points of shape {drawn.x.shape} and {drawn.y.shape}")
    return drawn


def digest(points: Data) -> str:
    """A fingerprint of the numbers, so that only answers to the same problem are compared."""
    sha = hashlib.sha256()
    for array in points:
        sha.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()[:16]


def head(points: Data, count: int) -> Data:
    """The first points of each side, masses normalised: a small problem of the same kind."""
    x, y = points.x[:count], points.y[:count]
    a, b = (None if w is None else w[:count] / w[:count].sum() for w in (points.a, points.b))
    return Data(x, y, a, b)


def _stream(case: Case) -> np.random.Generator:
    name = hashlib.sha256(f"{case.family} {case.variant} {case.d} {case.n} {case.m}".encode()).digest()
    return np.random.default_rng([case.seed, int.from_bytes(name[:4], "big")])


def _gaussians(case: Case) -> Data:
    """Two samples of one standard Gaussian."""
    rng = _stream(case)
    return Data(rng.normal(size=(case.n, case.d)), rng.normal(size=(case.m, case.d)))


def _clusters(case: Case) -> Data:
    """Two samples of Gaussian mixtures: the same narrow components, mixed in other proportions on each side."""
    rng = _stream(case)
    centres, widths = rng.uniform(size=(MIXTURE, case.d)), rng.uniform(0.005, 0.05, MIXTURE)

    def side(count: int) -> Points:
        chosen = rng.choice(MIXTURE, count, p=rng.dirichlet(np.full(MIXTURE, 0.5)))
        return centres[chosen] + widths[chosen, None] * rng.normal(size=(count, case.d))

    return Data(side(case.n), side(case.m))


def _different(case: Case) -> Data:
    """A sample of one distribution against a sample of another; the variant is a key of :data:`OTHERS`."""
    rng = _stream(case)
    first, second = OTHERS[case.variant]
    return Data(first(rng, (case.n, case.d)), second(rng, (case.m, case.d)))


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    return rng.normal(size=shape)


def _shifted(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    points = rng.normal(size=shape)
    points[:, 0] += SHIFT
    return points


def _narrow(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    return 0.5 * rng.normal(size=shape)


def _five(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    centres = 2.0 * rng.normal(size=(5, shape[1]))
    return centres[rng.integers(5, size=shape[0])] + 0.3 * rng.normal(size=shape)


def _ring(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    directions = rng.normal(size=shape)
    radii = RING + 0.1 * rng.normal(size=(shape[0], 1))
    return radii * directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _uniform(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    return rng.uniform(size=shape)


def _squared(rng: np.random.Generator, shape: tuple[int, int]) -> Points:
    return rng.uniform(size=shape) ** 2


Draw = Callable[[np.random.Generator, tuple[int, int]], "Points"]
OTHERS: dict[str, tuple[Draw, Draw]] = {
    "same": (_normal, _normal),
    "shifted": (_normal, _shifted),  # by three standard deviations, along the first coordinate
    "half": (_normal, _narrow),  # of the width
    "mixture": (_normal, _five),  # of five narrow Gaussians
    "ring": (_normal, _ring),  # around the first, a sphere in more dimensions
    "squared": (_uniform, _squared),  # coordinates of the cube, and their squares
}


def _weights(case: Case) -> Data:
    """Gaussian points with masses drawn from an exponential distribution."""
    rng = _stream(case)
    x, y = rng.normal(size=(case.n, case.d)), rng.normal(size=(case.m, case.d))
    a, b = rng.exponential(size=case.n), rng.exponential(size=case.m)
    return Data(x, y, a / a.sum(), b / b.sum())


def _photos(case: Case) -> Data:
    """Pixels of two photographs as points in [0, 1]^3, drawn without replacement; many share their colour."""
    rng = _stream(case)
    x, y = (_pixels(name) for name in PHOTOS[case.variant])
    return Data(rng.choice(x, case.n, replace=False) / 255.0, rng.choice(y, case.m, replace=False) / 255.0)


@cache
def _pixels(name: str) -> NDArray[np.uint8]:
    import skimage.data  # pyright: ignore[reportMissingImports]

    photo: Any = getattr(skimage.data, name)()
    return photo.reshape(-1, 3)


def _digits(case: Case) -> Data:
    """MNIST digits as points, 784 pixels in [0, 1]: threes on one side, eights on the other."""
    x, y = (_mnist(label) for label in case.variant.split("-"))
    return Data(x[: case.n], y[: case.m])


@cache
def _mnist(label: str) -> Points:
    from otgan.data import load

    return load(f"mnist:{label}").points


def _grid(case: Case) -> Data:
    """One digit's pixels as weighted points of the plane, in units of a pixel, against another's."""
    sides = [_ink(image) for image in case.variant.split("-")]
    (x, a), (y, b) = sides
    return Data(x, y, a, b)


@cache
def _ink(image: str) -> Sides:
    """Pixels that are not zero, and their share of the ink; ``3.0`` is the first three."""
    label, _, index = image.partition(".")
    pixels = _mnist(label)[int(index)].reshape(28, 28)
    rows, columns = np.nonzero(pixels)
    ink = pixels[rows, columns]
    return np.column_stack([rows, columns]).astype(np.float64), ink / ink.sum()


def grid(variant: str, p: int) -> Case:
    """A "grid" case; its sizes are counted in the images."""
    left, right = (len(_ink(image)[0]) for image in variant.split("-"))
    return Case("grid", left, right, 2, p, variant)


FAMILIES: dict[str, Callable[[Case], Data]] = {
    "gaussians": _gaussians,
    "clusters": _clusters,
    "different": _different,
    "weights": _weights,
    "photos": _photos,
    "digits": _digits,
    "grid": _grid,
}
