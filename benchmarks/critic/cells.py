"""The cells of the critics' benchmark: pairs of distributions whose W1 and optimal gradient are known."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otgan import pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from otgan.pairs import Pair

PUBLISHED = Path(__file__).parent / "published_w1.csv"
DIMENSIONS, FUNNELS = (2, 4, 8, 16, 32, 64, 128), (4, 16, 64, 256)
BY_NAME = ("greatest-cones", "trees", "networks", "mnist-funnels", "mnist-networks")  # besides the published funnels
BY_NAME_DIMENSIONS = (2, 16, 64, 784)
SHELLS, SHELLS_BOX = 16, 4.0  # centres, and half the side of the box that they are drawn from
SHIFT = 2.0  # length, where W1 is that of a shift
FEW_SEEDS_ABOVE = 16  # dimensions: beyond, one seed is enough for an average over many cells


@dataclass(frozen=True)
class Cell:
    """One pair of distributions.

    Attributes
    ----------
    family : str
        A key of :data:`FAMILIES`.
    dimension : int
    n : int
        Cones or spheres; 0 where a family has none.
    """

    family: str
    dimension: int
    n: int = 0

    @property
    def key(self) -> str:
        """A name of its own, fit for a file."""
        return f"{self.family}-{self.dimension}" + (f"-{self.n}" if self.n else "")

    @property
    def number(self) -> int:
        """A number of its own, to draw its points by."""
        return zlib.crc32(self.key.encode())

    @property
    def seeds(self) -> int:
        """How many seeds a method gets if nothing else is asked for."""
        return 3 if self.dimension <= FEW_SEEDS_ABOVE else 1

    def pair(self) -> Pair:
        """The distributions: the same for the same cell."""
        return FAMILIES[self.family](self)


class Published(NamedTuple):
    """What a published method reached on funnels of one dimension and number."""

    cosine: float
    error: float  # W1 estimate / truth - 1


def _shells(cell: Cell) -> Pair:
    """Cone tips against unit spheres, whose centres are drawn one by one where they do not cross the others."""
    rng = np.random.default_rng([0, cell.dimension, cell.n])
    centers = np.empty((0, cell.dimension))
    while len(centers) < cell.n:
        candidate = rng.uniform(-SHELLS_BOX, SHELLS_BOX, (1, cell.dimension))
        if (np.linalg.norm(centers - candidate, axis=1) > 2.0).all():
            centers = np.vstack([centers, candidate])
    return pairs.SphericalShells(centers)


def _shift(cell: Cell) -> np.ndarray:
    """A vector of length SHIFT in no special direction."""
    direction = np.random.default_rng([0, cell.dimension]).standard_normal(cell.dimension)
    return SHIFT * direction / np.linalg.norm(direction)


FAMILIES: dict[str, Callable[[Cell], Pair]] = {
    "funnels": lambda cell: pairs.random_funnels(cell.dimension, cell.n, seed=0),
    "max-cones": lambda cell: pairs.random_max_cones(cell.dimension, cell.n, seed=0),
    "shells": _shells,
    "gaussians": lambda cell: pairs.ShiftedGaussians(_shift(cell)),
    "translation": lambda cell: pairs.Translation(_shift(cell)),
    **{name: lambda cell: pairs.by_name(cell.family, cell.dimension) for name in BY_NAME},
}

_FUNNELS = tuple(Cell("funnels", d, n) for d in DIMENSIONS for n in FUNNELS)
_OTHERS = (
    *(Cell("max-cones", d, n) for d in (2, 16, 64) for n in (16, 64)),
    *(Cell("shells", d, SHELLS) for d in (3, 16, 64)),
    *(Cell("gaussians", d) for d in (2, 16, 128)),
    *(Cell("translation", d) for d in (2, 16)),
)
_SCREEN = ((2, 16), (2, 256), (16, 4), (16, 64), (64, 16), (64, 256))
STAGES: dict[str, tuple[Cell, ...]] = {
    "screen": tuple(Cell("funnels", d, n) for d, n in _SCREEN),
    "funnels": _FUNNELS,
    "families": _OTHERS,
    "rays": (
        *(Cell("funnels", d, 16) for d in BY_NAME_DIMENSIONS),
        *(Cell(family, d) for family in BY_NAME for d in BY_NAME_DIMENSIONS),
    ),
    "full": _FUNNELS + _OTHERS,
    "quick": (Cell("funnels", 2, 16), Cell("funnels", 16, 16), Cell("max-cones", 2, 16), Cell("gaussians", 16)),
}


@cache
def published() -> dict[str, dict[Cell, Published]]:
    """Method -> cell -> what "Kantorovich Strikes Back!" reports for funnels of that dimension and number."""
    lines = [line for line in PUBLISHED.read_text().splitlines() if not line.startswith("#")]
    found: dict[str, dict[Cell, Published]] = {}
    for row in csv.DictReader(lines):
        cell = Cell("funnels", int(row["dim"]), int(row["n_funnels"]))
        figures = Published(float(row["cosine"]), float(row["w1"]) / float(row["true_w1"]) - 1)
        found.setdefault(row["method"], {})[cell] = figures
    return found
