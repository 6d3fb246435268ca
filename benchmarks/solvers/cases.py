"""A transport problem that is measured: its name, its numbers, and a fingerprint of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = NDArray[np.float64]
    Sides = tuple[Points, Points]


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
        A key of :data:`solvers.families.FAMILIES`.
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


def stream(case: Case) -> np.random.Generator:
    """Random numbers of a case: the same for every power, in every process."""
    name = hashlib.sha256(f"{case.family} {case.variant} {case.d} {case.n} {case.m}".encode()).digest()
    return np.random.default_rng([case.seed, int.from_bytes(name[:4], "big")])
