"""Exact transport costs of small problems in rational arithmetic, the reference for floating point.

Weights are the real numbers that the floats are, and None is exactly 1/n. Each side is divided by its exact total, and
the cost is multiplied by that of the first side, so totals that differ by rounding lose no sliver of mass. Everything
is then scaled to whole numbers, which Python keeps to the last digit however wide they span.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Arc = tuple[int, int]

__all__ = [
    "Truth",
    "allowed_value",
    "exact_costs",
    "exact_value",
    "farthest",
    "line_distance",
    "line_value",
    "part_value",
    "point_value",
    "root",
    "shares",
]

BITS = 200  # binary digits of a root that no rational number is
DIGITS = Context(prec=60, Emin=-(10**9), Emax=10**9)


class Truth(NamedTuple):
    """A cost, and how far it may be from the real number (0 where every cost is rational)."""

    value: Fraction
    error: Fraction


def exact_value(C: Sequence[Sequence[Any]], a: Iterable[Any] | None = None, b: Iterable[Any] | None = None) -> Fraction:
    """The optimal cost for costs (n, m) and weights that are rational numbers or floats.

    Examples
    --------
    >>> exact_value([[0, 2], [1, 0]], [0.5, 0.5], [0.25, 0.75])
    Fraction(1, 2)
    >>> exact_value([[0.0], [1e20]], [1.0, 1e-17], [1.0]) == Fraction(1e-17) * 10**20
    True
    """
    weights_a, weights_b = shares(a, len(C)), shares(b, len(C[0]))
    rows, cols = _carrying(weights_a), _carrying(weights_b)
    (supply, demand), unit = _balanced([weights_a[i] for i in rows], [weights_b[j] for j in cols])
    costs, cost_unit = _whole([[Fraction(C[i][j]) for j in cols] for i in rows])
    return _least_cost(costs, supply, demand) * unit * cost_unit


def point_value(x: Any, y: Any, p: float, metric: str = "euclidean", a: Any = None, b: Any = None) -> Truth:
    """The optimal cost between points, (n, d) and (m, d) arrays of floats, for ``metric(x_i, y_j) ** p``.

    Examples
    --------
    >>> far = 1e9
    >>> float(point_value([[0.0], [far]], [[1.0], [far + 1]], 1, a=[0.5, 0.5], b=[0.5 + 2**-50, 0.5 - 2**-50]).value)
    1.000000888178418
    """
    (left, mass_a), (right, mass_b) = _places(x, shares(a, len(x))), _places(y, shares(b, len(y)))
    value = exact_value(exact_costs(left, right, p, metric), mass_a, mass_b)
    rational = p == int(p) and (metric != "euclidean" or p % 2 == 0 or len(x[0]) == 1)
    return Truth(value, Fraction(0) if rational else value / 2 ** (BITS - 8))


def part_value(C: Sequence[Sequence[Any]], a: Iterable[Any], b: Iterable[Any], mass: Any) -> Fraction:
    """The least cost of moving a part of the mass, weights and mass rational numbers or floats.

    One more row and one more column take the rest at no cost, but nothing from each other.

    Examples
    --------
    >>> part_value([[3, 1], [2, 4]], [1, 1], [2, 1], 1.5)
    Fraction(2, 1)
    """
    costs, left, right = [[Fraction(c) for c in row] for row in C], [*map(Fraction, a)], [*map(Fraction, b)]
    moved = min(Fraction(mass), sum(left), sum(right))
    costs = [[*row, Fraction(0)] for row in costs] + [[Fraction(0)] * len(right) + [_dear(costs)]]
    return exact_value(costs, [*left, sum(right) - moved], [*right, sum(left) - moved])


def allowed_value(
    C: Sequence[Sequence[Any]], a: Iterable[Any] | None = None, b: Iterable[Any] | None = None
) -> Fraction | None:
    """The least cost along pairs of finite cost; None if no plan keeps to them.

    Examples
    --------
    >>> inf = math.inf
    >>> allowed_value([[3, inf], [1, 2]]), allowed_value([[3, inf], [1, inf]])
    (Fraction(5, 2), None)
    """
    left, right = shares(a, len(C)), shares(b, len(C[0]))
    if exact_value([[int(c == math.inf) for c in row] for row in C], left, right):
        return None
    dear = _dear([[Fraction(c) for c in row if c != math.inf] for row in C])
    return exact_value([[dear if c == math.inf else c for c in row] for row in C], left, right)


def _dear(C: list[list[Fraction]]) -> Fraction:
    """A cost that no optimal plan pays if it can be avoided: more than any way around, of n + m arcs, can save."""
    ways = 2 * (len(C) + max(map(len, C)) + 2)
    return ways * (1 + max((abs(c) for row in C for c in row), default=Fraction(0)))


def farthest(x: Any, y: Any, metric: str = "euclidean", a: Any = None, b: Any = None) -> Fraction:
    """W_inf to 59 digits: the least distance such that some plan moves no mass further.

    Examples
    --------
    >>> farthest([[0.0, 0.0], [9.0, 0.0]], [[3.0, 4.0], [9.0, 1.0]])
    Fraction(5, 1)
    """
    order = 2 if metric == "euclidean" else 1
    C, left, right = exact_costs(x, y, order, metric), shares(a, len(x)), shares(b, len(y))
    steps = sorted({c for row in C for c in row})
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        if exact_value([[int(c > steps[middle]) for c in row] for row in C], left, right):
            low = middle + 1
        else:
            high = middle
    return root(steps[low], order)


def exact_costs(x: Any, y: Any, p: float, metric: str = "euclidean") -> list[list[Fraction]]:
    """All costs ``metric(x_i, y_j) ** p`` for a whole or half p, shape (n, m); roots to 200 binary digits.

    Examples
    --------
    >>> exact_costs([[0.0, 0.0]], [[3.0, 4.0], [0.5, 0.0]], 1)
    [[Fraction(5, 1), Fraction(1, 2)]]
    """
    (left, right), scale = _whole_points(x, y)
    power = _power(p, scale, of_square=metric == "euclidean")
    return [[power(_size(u, v, metric)) for v in right] for u in left]


def line_value(x: Iterable[Any], y: Iterable[Any], p: float, a: Any = None, b: Any = None) -> Fraction:
    """The cost on the line, matching quantiles; for p = inf the farthest distance that any mass has to go.

    Examples
    --------
    >>> line_value([0.0, 1.0], [0.0, 4.0], 2), line_value([0.0], [1.0, 1e9], math.inf, b=[1.0, 1e-30])
    (Fraction(9, 2), Fraction(1000000000, 1))
    """
    (left, right), scale = _whole_points([[t] for t in x], [[t] for t in y])
    (supply, demand), unit = _balanced(shares(a, len(left)), shares(b, len(right)))
    ordered = [
        sorted((place[0], mass) for place, mass in zip(side, masses, strict=True) if mass)
        for side, masses in ((left, supply), (right, demand))
    ]
    matched = list(_matched(*ordered))
    if p == math.inf:
        return Fraction(max(apart for apart, _ in matched), scale)
    power = _power(p, scale, of_square=False)
    return unit * sum((mass * power(apart) for apart, mass in matched), Fraction(0))


def line_distance(x: Iterable[Any], y: Iterable[Any], p: float, a: Any = None, b: Any = None) -> Fraction:
    """W_p on the line, to 59 digits: the p-th root of :func:`line_value`."""
    value = line_value(x, y, p, a, b)
    return value if p == math.inf else root(value, p)


def root(value: Fraction, p: float) -> Fraction:
    """``value ** (1 / p)`` to 59 digits, of numbers that may be far outside float64."""
    if p == 1 or not value:
        return value
    number = DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))
    return Fraction(DIGITS.power(number, DIGITS.divide(Decimal(1), Decimal(p))))


def shares(weights: Iterable[Any] | None, n: int) -> list[Fraction]:
    """Weights as rational numbers; 1/n each for None."""
    return [Fraction(1, n)] * n if weights is None else [Fraction(w) for w in weights]


def _places(points: Any, masses: list[Fraction]) -> tuple[list[Any], list[Fraction]]:
    """Equal points as one, with their masses."""
    held: dict[tuple[float, ...], Fraction] = {}
    for point, mass in zip(points, masses, strict=True):
        place = tuple(point)
        held[place] = held.get(place, Fraction(0)) + mass
    return [list(place) for place in held], list(held.values())


def _carrying(masses: list[Fraction]) -> list[int]:
    return [k for k, mass in enumerate(masses) if mass]


def _whole(rows: list[list[Fraction]]) -> tuple[list[list[int]], Fraction]:
    """The same in whole numbers, and the unit they count in."""
    scale = math.lcm(*(entry.denominator for row in rows for entry in row))
    return [[entry.numerator * (scale // entry.denominator) for entry in row] for row in rows], Fraction(1, scale)


def _balanced(a: list[Fraction], b: list[Fraction]) -> tuple[tuple[list[int], list[int]], Fraction]:
    """Whole numbers of one total in the ratios of a and of b, and the unit in which their total is that of a."""
    ((supply,), _), ((demand,), _) = _whole([a]), _whole([b])
    total_a, total_b = sum(supply), sum(demand)
    return ([w * total_b for w in supply], [w * total_a for w in demand]), sum(a, Fraction(0)) / (total_a * total_b)


def _whole_points(*sides: Any) -> tuple[list[list[tuple[int, ...]]], int]:
    """Coordinates as whole numbers, and how many of their units make one: a power of four, whose root is whole."""
    exact = [[[Fraction(t) for t in point] for point in side] for side in sides]
    finest = max((t.denominator for side in exact for point in side for t in point), default=1)
    scale = 4 ** ((finest.bit_length() + 1) // 2)
    return [[tuple(int(t * scale) for t in point) for point in side] for side in exact], scale


def _size(u: tuple[int, ...], v: tuple[int, ...], metric: str) -> int:
    """The distance of two points, or its square for the Euclidean one."""
    apart = [abs(s - t) for s, t in zip(u, v, strict=True)]
    if metric == "euclidean":
        return sum(t * t for t in apart)
    return sum(apart) if metric == "cityblock" else max(apart)


def _power(p: float, scale: int, *, of_square: bool) -> Callable[[int], Fraction]:
    """From a whole distance (or its square) in units of 1 / scale to its p-th power."""
    halves = int(2 * p)
    if halves != 2 * p:
        raise ValueError(f"p must be a multiple of 1/2, for whose powers square roots are enough, but {p!r} came.")
    exponent, roots = halves, 1 + of_square  # size ** (halves / 2), or square ** (halves / 4)
    while exponent % 2 == 0 and roots:
        exponent, roots = exponent // 2, roots - 1
    one = math.isqrt(scale) ** halves << (BITS if roots else 0)

    def power(size: int) -> Fraction:
        raised = size**exponent << (BITS * 2**roots if roots else 0)
        for _ in range(roots):
            raised = math.isqrt(raised)
        return Fraction(raised, one)

    return power


def _matched(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Distances and masses of the coupling of quantiles, for positions with masses in order."""
    i = j = 0
    left_i, left_j = left[0][1], right[0][1]
    while True:
        mass = min(left_i, left_j)
        yield abs(left[i][0] - right[j][0]), mass
        left_i, left_j = left_i - mass, left_j - mass
        if not left_i:
            i += 1
            if i == len(left):
                return
            left_i = left[i][1]
        if not left_j:
            j += 1
            left_j = right[j][1]


def _least_cost(C: list[list[int]], supply: list[int], demand: list[int]) -> int:
    """The transportation simplex in whole numbers; Bland's rule keeps it from going round in circles.

    It ends with a flow and potentials that prove each other: none is above a cost, all are equal on the flow's arcs.
    """
    n, m = len(supply), len(demand)
    flow = _north_west(supply, demand)
    while True:
        potential, parent = _potentials(C, flow, n, m)
        entering = next(
            ((i, j) for i, j in product(range(n), range(m)) if C[i][j] < potential[i] + potential[n + j]), None
        )
        if entering is None:
            return sum(mass * C[i][j] for (i, j), mass in flow.items())
        _pivot(flow, entering, parent, n)


def _north_west(supply: list[int], demand: list[int]) -> dict[Arc, int]:
    """A first spanning tree with its flow, n + m - 1 arcs of which some may carry nothing."""
    left_i, left_j = list(supply), list(demand)
    i = j = 0
    flow = {}
    while i < len(supply) and j < len(demand):
        mass = flow[i, j] = min(left_i[i], left_j[j])
        left_i[i] -= mass
        left_j[j] -= mass
        if left_i[i] == 0 and i + 1 < len(supply):
            i += 1
        else:
            j += 1
    return flow


def _potentials(C: list[list[int]], flow: dict[Arc, int], n: int, m: int) -> tuple[list[int], list[int]]:
    """Potentials that are tight on the tree, and the tree from row 0; columns are nodes n, n + 1, ..."""
    near: list[list[int]] = [[] for _ in range(n + m)]
    for i, j in flow:
        near[i].append(n + j)
        near[n + j].append(i)
    potential, parent, queue = [0] * (n + m), [-1] * (n + m), [0]
    for node in queue:
        for other in near[node]:
            if other != parent[node]:
                cost = C[node][other - n] if node < n else C[other][node - n]
                potential[other], parent[other] = cost - potential[node], node
                queue.append(other)
    return potential, parent


def _pivot(flow: dict[Arc, int], entering: Arc, parent: list[int], n: int) -> None:
    """Send as much as possible around the cycle that an arc closes; the first arc to run empty leaves the tree."""
    path = _path(entering[0], n + entering[1], parent)
    around = [(u, v - n) if u < n else (v, u - n) for u, v in pairwise(path)]
    giving, taking = around[::2], around[1::2]
    mass = min(flow[arc] for arc in giving)
    leaving = min(arc for arc in giving if flow[arc] == mass)
    for arc in giving:
        flow[arc] -= mass
    for arc in taking:
        flow[arc] += mass
    del flow[leaving]
    flow[entering] = mass


def _path(start: int, end: int, parent: list[int]) -> list[int]:
    """The nodes of the tree from one to another."""
    up = [start]
    while parent[up[-1]] >= 0:
        up.append(parent[up[-1]])
    place = {node: k for k, node in enumerate(up)}
    down = [end]
    while down[-1] not in place:
        down.append(parent[down[-1]])
    return up[: place[down[-1]]] + down[::-1]
