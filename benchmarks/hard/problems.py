"""Small transport problems in which rounding changes more than the last digit, drawn with a seed.

Every family is one way to be hard: masses in whole units of 2^-53, totals that differ by rounding, masses that are
equal up to a few ulps, weights far below the rounding of the total, distances that span 40 orders of magnitude, blocks
far apart with masses that nearly balance, points that coincide, one measure written in two ways (exactly, or rounded),
points without mass, numbers at the lower end of float64, many copies of few places, lattices and points on common rays
(where many plans are optimal), two sides a million standard deviations apart, and cost matrices of any sign.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Weights = Floats | None  # None is exactly 1/n

__all__ = ["MATRIX_FAMILIES", "ORDERS", "POINT_FAMILIES", "Matrix", "Points", "described", "draw_matrix", "draw_points"]

ORDERS = (1.0, 1.5, 2.0, 3.0, 7.0)
METRICS = ("euclidean", "cityblock", "chebyshev")
LARGEST, SELDOM = 6, 12  # points a side; one problem in ten may have more
UNITS = 2**53  # of which masses with a total of exactly one are made
WIDEST = 20.0  # orders of magnitude


@dataclass(frozen=True, eq=False)
class Points:
    """Weighted points (n, d) and (m, d), and the cost ``metric(x_i, y_j) ** p``."""

    x: Floats
    y: Floats
    a: Weights
    b: Weights
    p: float
    metric: str


@dataclass(frozen=True, eq=False)
class Matrix:
    """Costs (n, m) of any sign, and weights."""

    C: Floats
    a: Weights
    b: Weights


# Masses


def in_units(rng: Generator, n: int) -> Floats:
    """Whole multiples of 2^-53 with total exactly one, from one unit to nearly all."""
    parts = (2.0 ** rng.uniform(0, 50, size=n)).astype(np.int64)
    if rng.random() < 0.5:
        parts = _cut(rng, UNITS, n)
    return _of_units(rng, parts)


def nearly_equal(rng: Generator, n: int) -> Floats:
    """1/n each, up to a few units of 2^-53, with total exactly one."""
    return _of_units(rng, UNITS // n + rng.integers(-4, 5, size=n))


def _of_units(rng: Generator, parts: NDArray[np.int64]) -> Floats:
    """Masses in these units, one of them changed so that the total is exactly one."""
    k = rng.integers(len(parts))
    parts[k] = UNITS - (parts.sum() - parts[k])
    assert parts.min() >= 0
    return parts / UNITS


def _cut(rng: Generator, whole: int, n: int) -> NDArray[np.int64]:
    """A whole number as the sum of n others."""
    cuts = np.sort(np.r_[0, rng.integers(0, whole + 1, size=n - 1), whole])
    return cuts[1:] - cuts[:-1]


def rounded(rng: Generator, n: int) -> Floats:
    """Normalised in floating point, so that the total is one up to rounding."""
    kind = rng.integers(4)
    if kind == 0:
        return rng.dirichlet(np.full(n, 10.0 ** rng.uniform(-1, 1)))
    if kind == 1:
        return np.full(n, 1.0 / n)
    counts = rng.integers(1, 10, size=n) if kind == 2 else rng.random(n) + 1e-3
    return counts / counts.sum()


def tiny(rng: Generator, n: int) -> Floats:
    """Some weights far below the rounding of the total, as a softmax makes them."""
    if rng.random() < 0.5:
        logits = rng.choice([5.0, 20.0, 100.0]) * rng.normal(size=n)
        weights = np.exp(logits - logits.max())
        return weights / weights.sum()
    weights = rng.choice([1e-12, 1e-15, 1e-17, 1e-30, 1e-300, 5e-324, 0.25], size=n)
    weights[rng.integers(n)] = 0.0
    weights[weights == 0] = 1.0 - math.fsum(weights)
    return weights if weights.min() > 0 else np.full(n, 1.0 / n)


def with_zeros(rng: Generator, n: int) -> Floats:
    """Most points without mass."""
    counts = rng.integers(0, 3, size=n) * rng.integers(0, 2, size=n)
    counts[rng.integers(n)] += 1
    return counts / counts.sum()


def equal(rng: Generator, n: int) -> Weights:
    """1/n each, exactly."""
    return None


MASSES = (in_units, nearly_equal, rounded, tiny, with_zeros, equal)


def any_masses(rng: Generator, n: int, m: int) -> tuple[Weights, Weights]:
    """One kind on each side."""
    kinds = rng.choice(len(MASSES), size=2)
    if rng.random() < 0.5:
        kinds[1] = kinds[0]
    return MASSES[kinds[0]](rng, n), MASSES[kinds[1]](rng, m)


def _of_kind(kind: Callable[[Generator, int], Weights]) -> Callable[[Generator, int, int], tuple[Weights, Weights]]:
    return lambda rng, n, m: (kind(rng, n), kind(rng, m))


# Places


def any_places(rng: Generator, n: int, dim: int) -> Floats:
    """Of ordinary size, or over many orders of magnitude."""
    kind = rng.integers(3)
    if kind == 0:
        return rng.normal(size=(n, dim))
    if kind == 1:
        return rng.integers(-3, 4, size=(n, dim)).astype(np.float64)
    return spread(rng, n, dim)


def spread(rng: Generator, n: int, dim: int) -> Floats:
    """Of any sign and of sizes from 1e-20 to 1e20."""
    width = rng.uniform(1.0, WIDEST)
    return rng.choice([-1.0, 1.0], size=(n, dim)) * 10.0 ** rng.uniform(-width, width, size=(n, dim))


def repeated(rng: Generator, n: int, dim: int) -> Floats:
    """Three places at most, possibly a rounding apart."""
    places = any_places(rng, 3, dim)
    chosen = places[rng.integers(3, size=n)]
    return chosen * (1.0 + rng.choice([0.0, 0.0, 2.0**-52], size=(n, 1)))


# Families of points


def _sizes(rng: Generator) -> tuple[int, int, int]:
    """Numbers of points and of coordinates; half of the time as many on both sides."""
    n, m = rng.integers(1, (SELDOM if rng.random() < 0.1 else LARGEST) + 1, size=2)
    return int(n), int(n if rng.random() < 0.5 else m), int(rng.integers(1, 4))


def _placed(
    places: Callable[[Generator, int, int], Floats],
    masses: Callable[[Generator, int, int], tuple[Weights, Weights]] = any_masses,
) -> Callable[[Generator, float], tuple[Floats, Floats, Weights, Weights]]:
    """Places of one kind for both sides, or for one side the other's, and masses of one kind."""

    def draw(rng: Generator, p: float) -> tuple[Floats, Floats, Weights, Weights]:
        n, m, dim = _sizes(rng)
        x, y = places(rng, n, dim), places(rng, m, dim)
        if rng.random() < 0.25:
            y = x[rng.integers(n, size=m)]
        return x, y, *masses(rng, n, m)

    return draw


def far_blocks(rng: Generator, p: float) -> tuple[Floats, Floats, Weights, Weights]:
    """Two or three blocks far apart whose masses differ by a few units of 2^-53: {0, L} to {1, L + 1} and its kin."""
    blocks, dim = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    far = 10.0 ** rng.uniform(3, min(WIDEST, 130 / p))
    centres = np.zeros((blocks, dim))
    centres[1:, 0] = far * np.array([1.0, rng.choice([-1.0, 2.0, 1e-3])])[: blocks - 1]
    shares = _cut(rng, UNITS, blocks)
    if rng.random() < 0.3:
        shares = np.full(blocks, UNITS // blocks)
    moved = np.minimum(shares[0], int(2.0 ** rng.uniform(0, 12)))
    others = shares.copy()
    others[0] -= moved
    others[1] += moved
    sides = []
    for held in (shares, others):
        sizes = rng.integers(1, 3, size=blocks)
        parts = np.concatenate([_cut(rng, *each) for each in zip(held, sizes, strict=True)]).astype(np.int64)
        near = rng.normal(size=(sizes.sum(), dim)) if rng.random() < 0.5 else rng.integers(0, 3, (sizes.sum(), dim))
        sides.append((np.repeat(centres, sizes, axis=0) + near, _of_units(rng, parts)))
    (x, a), (y, b) = sides
    return x, y, a, b


def two_ways(rng: Generator, p: float) -> tuple[Floats, Floats, Weights, Weights]:
    """One measure, written a second time with every point in parts, in another order; a few units may then move."""
    n, dim = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    x, a = any_places(rng, n, dim), in_units(rng, n)
    whole = (a * UNITS).astype(np.int64)
    first = np.array([rng.integers(0, w + 1) for w in whole])
    y, parts = np.concatenate([x, x]), np.concatenate([first, whole - first])
    if rng.random() < 0.3:  # a few units of mass go somewhere else
        k = np.argmax(parts)
        moved = min(parts[k], int(rng.integers(1, 9)))
        parts[k] -= moved
        parts[rng.integers(len(parts))] += moved
    order = rng.permutation(2 * n)
    return x, y[order], a, parts[order] / UNITS


def rounded_parts(rng: Generator, p: float) -> tuple[Floats, Floats, Weights, Weights]:
    """One measure with slivers, written again in parts that are rounded: only what rounding took has to move."""
    n, dim = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    x, a = any_places(rng, n, dim), np.append(10.0 ** -rng.uniform(0, rng.choice([20.0, 60.0, 150.0]), n - 1), 1.0)
    share = rng.choice([0.25, 0.1, 0.3])
    y, b = np.concatenate([x, x]), np.concatenate([share * a, (1 - share) * a])
    order = rng.permutation(2 * n)
    return x, y[order], a / a.sum(), b[order] / b.sum()


def underflowing(rng: Generator, p: float) -> tuple[Floats, Floats, Weights, Weights]:
    """Distances whose powers reach down to where float64 ends, and masses that take them further."""
    n, m, dim = _sizes(rng)
    scale = 10.0 ** (rng.uniform(-139, -40) / p)
    x, y = (scale * 10.0 ** -rng.uniform(0, 20) * rng.normal(size=(k, dim)) for k in (n, m))
    x[0, 0] += scale
    mass = 10.0 ** rng.uniform(-60, 0)
    a, b = any_masses(rng, n, m)
    if a is not None and b is not None:
        a, b = a * mass, b * mass
    return x, y, a, b


def many_copies(rng: Generator, p: float) -> tuple[Floats, Floats, Weights, Weights]:
    """Few places with many points each; one in four has enough of them to be merged before the solve."""
    dim, most = int(rng.integers(1, 4)), int(rng.integers(131, 140) if rng.random() < 0.25 else rng.integers(10, 30))
    n, m = most, int(most if rng.random() < 0.5 else rng.integers(most - 5, most))
    places = any_places(rng, int(rng.integers(2, 7)), dim)
    x, y = (places[rng.integers(len(places), size=k)] for k in (n, m))
    return x, y, *any_masses(rng, n, m)


def lattice(rng: Generator, p: float) -> tuple[Floats, Floats, Weights, Weights]:
    """Whole coordinates and masses."""
    n, m, dim = _sizes(rng)
    side = int(rng.integers(2, 5))
    x, y = (rng.integers(0, side, size=(k, dim)).astype(np.float64) for k in (n, m))
    if n == m and rng.random() < 0.5:
        return x, y, None, None
    a, b = (rng.integers(1, 4, size=k).astype(np.float64) for k in (n, m))
    return x, y, a * b.sum(), b * a.sum()


def rays(rng: Generator, p: float) -> tuple[Floats, Floats, Weights, Weights]:
    """Points on one ray or two, one side not always beyond the other: for p = 1 distances add up along a ray."""
    n, m, dim = _sizes(rng)
    along = rng.choice([-4.0, 0.0, 1.0, 3.0, 0.1], size=(int(rng.integers(1, 3)), dim))
    x, y = (
        rng.integers(0, 9, size=(k, 1)).astype(np.float64) * along[rng.integers(len(along), size=k)] for k in (n, m)
    )
    return x, y, *any_masses(rng, n, m)


def shifted(rng: Generator, p: float) -> tuple[Floats, Floats, Weights, Weights]:
    """Two sides a million standard deviations apart, or both that far from zero."""
    n, m, dim = _sizes(rng)
    width = 10.0 ** rng.uniform(-3, 3)
    x, y = (width * rng.normal(size=(k, dim)) for k in (n, m))
    far = 1e6 * width * rng.normal(size=dim)
    y = y + far if rng.random() < 0.7 else x[rng.integers(n, size=m)] + far
    if rng.random() < 0.3:
        x = x + far
    return x, y, *any_masses(rng, n, m)


POINT_FAMILIES: dict[str, Callable[[Generator, float], tuple[Floats, Floats, Weights, Weights]]] = {
    "units of 2^-53": _placed(any_places, _of_kind(in_units)),
    "rounded totals": _placed(any_places, _of_kind(rounded)),
    "nearly equal": _placed(any_places, _of_kind(nearly_equal)),
    "tiny weights": _placed(any_places, _of_kind(tiny)),
    "zero weights": _placed(any_places, _of_kind(with_zeros)),
    "spans": _placed(spread),
    "far blocks": far_blocks,
    "duplicates": _placed(repeated),
    "two ways": two_ways,
    "rounded parts": rounded_parts,
    "underflow": underflowing,
    "many copies": many_copies,
    "lattice": lattice,
    "rays": rays,
    "shifted": shifted,
}
ORDERS_OF = {"rays": (1.0,)}  # families whose point is one order


def draw_points(family: str, rng: Generator, orders: tuple[float, ...] = ORDERS, dim: int | None = None) -> Points:
    """One problem of a family; with ``dim`` only the first coordinates are kept."""
    p = float(rng.choice(ORDERS_OF.get(family, orders)))
    x, y, a, b = POINT_FAMILIES[family](rng, 7.0 if p == math.inf else p)
    if dim is not None:
        x, y = x[:, :dim], y[:, :dim]
    return Points(np.ascontiguousarray(x), np.ascontiguousarray(y), a, b, p, str(rng.choice(METRICS)))


# Families of cost matrices


def any_sign(rng: Generator, n: int, m: int) -> Floats:
    """Normal or whole numbers of both signs, possibly far from zero."""
    C = rng.normal(size=(n, m)) if rng.random() < 0.5 else rng.integers(-3, 4, (n, m)).astype(np.float64)
    return C + rng.choice([0.0, 0.0, 1e6, -1e15])


def wide(rng: Generator, n: int, m: int) -> Floats:
    """Sizes over up to 250 orders of magnitude."""
    width = rng.choice([5.0, 20.0, 120.0])
    return rng.choice([-1.0, 1.0, 1.0], size=(n, m)) * 10.0 ** rng.uniform(-width, width, size=(n, m))


def denormal(rng: Generator, n: int, m: int) -> Floats:
    """A few times the least positive float, with one entry of ordinary size."""
    C = rng.choice([1.0, 1e3, 1e10]) * 5e-324 * rng.integers(0, 9, size=(n, m))
    C[rng.integers(n), rng.integers(m)] = rng.choice([1.0, 1e-100])
    if n == m > 1 and rng.random() < 0.5:
        C[~np.eye(n, dtype=bool)] = 1.0
    return C


MATRIX_FAMILIES = {"matrix of any sign": any_sign, "wide matrix": wide, "denormal matrix": denormal}


def draw_matrix(family: str, rng: Generator) -> Matrix:
    """One problem of a family."""
    n, m, _ = _sizes(rng)
    return Matrix(MATRIX_FAMILIES[family](rng, n, m), *any_masses(rng, n, m))


def described(problem: Any) -> dict[str, Any]:
    """Its arrays as lists, which print to the last digit."""
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(problem).items()}
