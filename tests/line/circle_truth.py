"""The exact distance on the circle, by trying every cut in whole numbers."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["CircleProblem", "circle_problem", "circle_truth"]

Sides = list[tuple[int, int]]  # positions and masses, whole numbers

PRECISE = Context(prec=60, Emin=-(10**9), Emax=10**9)


def circle_truth(u: Any, v: Any, p: float, a: Any = None, b: Any = None, period: float = 1.0) -> float:
    """W_p on the circle between ``a / sum(a)`` and ``b / sum(b)``, times ``sum(a) ** (1 / p)``, rounded once.

    For every pair of points that may end together, both sides begin behind that pair and are matched in order, each
    mass along its shorter arc; one of these plans is optimal (Delon, Salomon & Sobolevskii 2010).
    """
    circumference = Fraction(float(period))
    left, right = (_side(points, masses, circumference) for points, masses in ((u, a), (v, b)))
    (left, right), length, unit = _whole([left, right], circumference)
    total = Fraction(1) if a is None else sum(map(Fraction, map(float, a)))
    costs = [
        _cost(left[i:] + left[:i], right[j:] + right[:j], length, p)
        for i in range(len(left))
        for j in range(len(right))
    ]
    least = min(costs)
    if p == math.inf:
        return float(least * unit)
    mass = sum(share for _, share in left)
    value = _decimal(Fraction(total, mass))
    cost = PRECISE.multiply(least if isinstance(least, Decimal) else Decimal(least), value)
    root = PRECISE.power(cost, PRECISE.divide(Decimal(1), Decimal(p))) if cost else cost
    return float(PRECISE.multiply(root, _decimal(unit)))


def _side(points: Iterable[Any], masses: Iterable[Any] | None, period: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Points in order around the circle with their shares of the mass, those without any left out."""
    positions = [Fraction(float(t)) % period for t in points]
    weights = [Fraction(1)] * len(positions) if masses is None else [Fraction(float(w)) for w in masses]
    total = sum(weights)
    return sorted((t, w / total) for t, w in zip(positions, weights, strict=True) if w > 0)


def _whole(sides: Sequence[list[tuple[Fraction, Fraction]]], period: Fraction) -> tuple[list[Sides], int, Fraction]:
    """The same in whole numbers, the period too, and the unit of length."""
    places = math.lcm(period.denominator, *(t.denominator for side in sides for t, _ in side))
    shares = math.lcm(*(w.denominator for side in sides for _, w in side))
    whole = [[(int(t * places), int(w * shares)) for t, w in side] for side in sides]
    return whole, int(period * places), Fraction(1, places)


def _cost(left: Sides, right: Sides, period: int, p: float) -> Any:
    """What matching in order costs: whole numbers for a whole p, the largest distance for p = inf."""
    i, j, cost = 0, 0, Decimal(0) if p != math.inf and p != int(p) else 0
    (x, left_x), (y, left_y) = left[0], right[0]
    while True:
        mass, along = min(left_x, left_y), abs(x - y)
        distance = min(along, period - along)
        if p == math.inf:
            cost = max(cost, distance)
        elif isinstance(cost, Decimal):
            powered = PRECISE.power(Decimal(distance), Decimal(p)) if distance else Decimal(0)
            cost = PRECISE.add(cost, PRECISE.multiply(Decimal(mass), powered))
        else:
            cost += mass * distance ** int(p)
        left_x, left_y = left_x - mass, left_y - mass
        if not left_x:
            i += 1
            if i < len(left):
                x, left_x = left[i]
        if not left_y:
            j += 1
            if j < len(right):
                y, left_y = right[j]
        if not (left_x or left_y):
            return cost


def _decimal(number: Fraction) -> Decimal:
    return PRECISE.divide(Decimal(number.numerator), Decimal(number.denominator))


class CircleProblem(NamedTuple):
    """The arguments of :func:`circle_truth`."""

    u: list[float]
    v: list[float]
    p: float
    a: list[float] | None
    b: list[float] | None
    period: float


def circle_problem(rng: np.random.Generator) -> CircleProblem:
    """A small problem of a kind on which rounding has more than the last digit to say."""
    n, m = rng.integers(1, 7, size=2)
    period = float(rng.choice([1.0, 24.0, 2 * math.pi, 1e-3, 0.1, 3e20]))
    positions = rng.choice(["spread", "lattice", "near", "arc", "turned"])
    if positions == "spread":
        u, v = rng.normal(size=n), rng.normal(size=m)
    elif positions == "lattice":
        u, v = rng.integers(-12, 13, size=n) / 12, rng.integers(-12, 13, size=m) / 12
    elif positions == "near":
        tiny = np.array([0.0, 1e-3, 1e-9, 1e-16, 1e-20, 1e-40])
        u, v = (rng.integers(0, 5, size=k) / 4 + rng.choice([-1, 1], size=k) * rng.choice(tiny, size=k) for k in (n, m))
    else:
        u, v = 0.01 * rng.random(n) + 0.4, 0.01 * rng.random(m) + 0.4
    if rng.random() < 0.4:
        v = rng.choice(u, size=m)
    if positions == "turned":
        v = v + rng.choice([1e-15, 0.1, 1 / 3, 0.5, 7.0])
    a, b = _weights(rng, n), _weights(rng, m)
    if rng.random() < 0.25:  # one measure twice, in other parts
        a = a or [1.0] * n
        u, v = u, np.repeat(u, 2)
        b = [part for w in a for part in (0.25 * w, 0.75 * w)]
        shift = rng.choice([0.0, 0.0, 1e-30, 0.25])
        v = v + shift
    elif a is not None and b is not None:
        b = [w * (math.fsum(a) / math.fsum(b)) for w in b]
    else:
        a, b = (None if w is None else [t / math.fsum(w) for t in w] for w in (a, b))
    p = float(rng.choice([1, 1.5, 2, 3, 7, math.inf]))
    return CircleProblem((u * period).tolist(), (v * period).tolist(), p, a, b, period)


def _weights(rng: np.random.Generator, n: int) -> list[float] | None:
    kind = rng.choice(["equal", "units", "softmax", "tiny", "dirichlet", "small integers"])
    if kind == "equal":
        return None
    if kind == "units":  # multiples of 2^-53 of total 1, many of them next to nothing
        parts = np.floor(2.0 ** rng.uniform(0, 50, size=n))
        parts[rng.integers(n)] += 2.0**53 - parts.sum()
        return (parts * 2.0**-53).tolist()
    if kind == "softmax":
        logits = rng.choice([3, 30, 300]) * rng.normal(size=n)
        weights = np.exp(logits - logits.max())
        return (weights / weights.sum()).tolist()
    if kind == "tiny":
        weights = rng.choice([1e-15, 1e-17, 1e-30, 1e-300, 5e-324, 0.0, 0.5], size=n)
        weights[rng.integers(n)] = 0.7
        return weights.tolist()
    if kind == "dirichlet":
        return rng.dirichlet(np.ones(n)).tolist()
    weights = rng.integers(0, 4, size=n) + 0.0
    weights[rng.integers(n)] += 1.0
    return weights.tolist()
