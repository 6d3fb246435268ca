"""Transport problems whose answer a theorem gives, without solving anything."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from hypothesis import strategies as st

from otgan.errors import InvalidInput
from otgan.metric import METRICS
from otgan.testing.strategies.clouds import CLOUDS, LARGE, OFFSET, SMALL, cloud_of_kind, integer_arrays, one_of_these
from otgan.testing.strategies.clouds import sizes as checked_sizes
from otgan.testing.strategies.masses import EXACT_MASSES, KNOWN_MASSES, MASSES, UNITS, cut, mass_of_kind
from otgan.testing.strategies.problems import ORDERS, TransportProblem, checked_metrics, checked_orders, pair_costs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from hypothesis.strategies import DrawFn, SearchStrategy
    from numpy.typing import NDArray

__all__ = ["EXACT_RTOL", "HARD_THEOREMS", "THEOREMS", "SolvedProblem", "solved_problems"]

EXACT_RTOL = 1e-12  # the answers hold to this, relative; an answer of zero is exact

FAR = (3, 10, 30, 50, 66)  # powers of two: the last is about 1e20, where a neighbour one unit away is the same float
FARTHEST = 450  # of a distance to the power p, within what float64 and the solvers take
FRAMES = ((1.0, 0.0), (SMALL, 0.0), (LARGE, 0.0), (1.0, OFFSET))  # scales and offsets that round nothing


@dataclass(frozen=True, eq=False, repr=False)
class SolvedProblem(TransportProblem):
    """A transport problem with its answer.

    Attributes
    ----------
    x, y, a, b, p, metric
        As in :class:`TransportProblem`.
    value : float
        The optimal cost, relative accuracy :data:`EXACT_RTOL`.
    theorem : str
        Which of :data:`THEOREMS` or :data:`HARD_THEOREMS` gives it.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones(1)
    >>> x, y = np.array([[0.0]]), np.array([[3.0]])
    >>> SolvedProblem(x, y, one, one, 2.0, "euclidean", value=9.0, theorem="dirac").distance
    3.0
    """

    value: float
    theorem: str

    @property
    def distance(self) -> float:
        """``value ** (1 / p)``, the Wasserstein distance."""
        return self.value ** (1.0 / self.p)


class Setting(NamedTuple):
    """What every theorem draws from."""

    size: SearchStrategy[int]
    dim: SearchStrategy[int]
    orders: tuple[float, ...]
    metrics: tuple[str, ...]
    kinds: tuple[str, ...]
    masses: tuple[str, ...]


def _cloud(draw: DrawFn, setting: Setting) -> tuple[NDArray[np.float64], float]:
    return cloud_of_kind(draw, draw(st.sampled_from(setting.kinds)), draw(setting.size), draw(setting.dim))


def _masses(draw: DrawFn, setting: Setting, n: int) -> NDArray[np.float64]:
    return mass_of_kind(draw, draw(st.sampled_from(setting.masses)), n)


def _along_a_map(
    draw: DrawFn, setting: Setting, x: NDArray[np.float64], y: NDArray[np.float64], theorem: str, p: float, metric: str
) -> SolvedProblem:
    """The problem in which moving every x_i to y_i is optimal, with the y in any order."""
    a = _masses(draw, setting, len(x))
    paid = [pair_costs(x[i : i + 1], y[i : i + 1], p, metric).item() for i in range(len(x))]
    order = draw(st.permutations(range(len(x))))
    return SolvedProblem(x, y[order], a, a[order], p, metric, _cost(a, paid), theorem)


def _placed(positions: NDArray[np.int64], scale: float, offset: float = 0.0) -> NDArray[np.float64]:
    return positions.astype(np.float64) * scale + offset


def _cost(mass: Iterable[float], paid: Iterable[float]) -> float:
    return math.fsum(float(each * cost) for each, cost in zip(mass, paid, strict=True))


def _permutation(draw: DrawFn, setting: Setting) -> SolvedProblem:
    x, _ = _cloud(draw, setting)
    p, metric = draw(st.sampled_from(setting.orders)), draw(st.sampled_from(setting.metrics))
    return _along_a_map(draw, setting, x, x, "permutation", p, metric)


def _translation(draw: DrawFn, setting: Setting) -> SolvedProblem:
    x, unit = _cloud(draw, setting)
    shift = draw(integer_arrays(x.shape[1], -64, 64)) * (16 * unit)
    p, metric = draw(st.sampled_from(setting.orders)), draw(st.sampled_from(setting.metrics))
    return _along_a_map(draw, setting, x, x + shift, "translation", p, metric)


def _dirac(draw: DrawFn, setting: Setting) -> SolvedProblem:
    kind, dim = draw(st.sampled_from(setting.kinds)), draw(setting.dim)
    x, _ = cloud_of_kind(draw, kind, draw(setting.size), dim)
    y, _ = cloud_of_kind(draw, kind, 1, dim)
    a, b = _masses(draw, setting, len(x)), np.ones(1)
    p, metric = draw(st.sampled_from(setting.orders)), draw(st.sampled_from(setting.metrics))
    value = _cost(a, pair_costs(x, y, p, metric)[:, 0].tolist())
    if draw(st.booleans()):
        x, y, a, b = y, x, b, a
    return SolvedProblem(x, y, a, b, p, metric, value, "dirac")


def _line(draw: DrawFn, setting: Setting) -> SolvedProblem:
    n, m, dim = draw(setting.size), draw(setting.size), draw(setting.dim)
    independent = [kind for kind in setting.masses if kind in EXACT_MASSES]
    paired = not independent or (n == m and draw(st.booleans()))
    s = draw(integer_arrays(n, -50, 50))
    t = draw(integer_arrays(n if paired else m, -50, 50))
    rows, cols = np.argsort(s, kind="stable"), np.argsort(t, kind="stable")
    if paired:  # the k-th points from the left carry one mass
        a = _masses(draw, setting, n)
        b = np.empty(n)
        b[cols] = a[rows]
    else:
        a, b = (mass_of_kind(draw, draw(st.sampled_from(independent)), k) for k in (n, m))
    direction = draw(integer_arrays(dim, -4, 4))
    direction[0] += 5  # never zero
    scale, offset = draw(st.sampled_from(FRAMES))
    p, metric = draw(st.sampled_from(setting.orders)), draw(st.sampled_from(setting.metrics))
    length = pair_costs(np.zeros((1, dim)), _placed(direction[None], scale), 1.0, metric).item()
    mass, paid = [], []
    for i, j, moved in _quantile_coupling(rows, a, cols, b):
        mass.append(moved)
        paid.append((abs(int(s[i]) - int(t[j])) * length) ** p)
    x, y = (_placed(np.multiply.outer(position, direction), scale, offset) for position in (s, t))
    return SolvedProblem(x, y, a, b, p, metric, _cost(mass, paid), "line")


def _quantile_coupling(
    rows: NDArray[np.intp], a: NDArray[np.float64], cols: NDArray[np.intp], b: NDArray[np.float64]
) -> list[tuple[int, int, float]]:
    """Arcs and masses of the coupling of quantiles; nothing rounds, as the masses are exact or paired by rank."""
    left_a, left_b = a.copy(), b.copy()
    arcs: list[tuple[int, int, float]] = []
    k, q = 0, 0
    while k < len(rows) and q < len(cols):
        i, j = int(rows[k]), int(cols[q])
        moved = min(left_a[i], left_b[j])
        arcs.append((i, j, float(moved)))
        left_a[i] -= moved
        left_b[j] -= moved
        k, q = k + int(left_a[i] == 0), q + int(left_b[j] == 0)
    return arcs


def _convex_gradient(draw: DrawFn, setting: Setting) -> SolvedProblem:
    n, dim = draw(setting.size), draw(setting.dim)
    x = draw(integer_arrays((n, dim), -8, 8))
    root = draw(integer_arrays((dim, dim), -2, 2))
    linear, cubic, shift = draw(integer_arrays((3, dim), 0, 3))
    y = x @ (root.T @ root) + linear * x + cubic * x**3 + shift
    scale, offset = draw(st.sampled_from(FRAMES))
    x, y = _placed(x, scale, offset), _placed(y, scale, offset)
    return _along_a_map(draw, setting, x, y, "convex gradient", 2.0, "euclidean")


def _separate_blocks(draw: DrawFn, setting: Setting) -> SolvedProblem:
    n, dim = draw(setting.size), draw(setting.dim)
    block = draw(integer_arrays(n, 0, 2))
    shift = draw(integer_arrays((3, dim), -16, 16))[block]
    near = draw(integer_arrays((n, dim), -16, 16))
    near[:, 0] += block * 2 ** draw(st.sampled_from([12, 20, 30])) * dim
    p, metric = draw(st.sampled_from(setting.orders)), draw(st.sampled_from(setting.metrics))
    x, y = _placed(near, 0.125), _placed(near + shift, 0.125)
    return _along_a_map(draw, setting, x, y, "separate blocks", p, metric)


def _nearly_balanced_blocks(draw: DrawFn, setting: Setting) -> SolvedProblem:
    n, dim = draw(setting.size), draw(setting.dim)
    p, metric = draw(st.sampled_from(setting.orders)), draw(st.sampled_from(setting.metrics))
    far = 2 ** draw(st.sampled_from([k for k in FAR if k * p < FARTHEST] or [0]))
    place = draw(integer_arrays(n, 0, 2)).tolist()
    near = draw(integer_arrays((2, n), 0, 3)).tolist()
    s, t = ([float(k * far + u) for k, u in zip(place, side, strict=True)] for side in near)
    units = cut(draw, UNITS, n)
    others = _moved(units, draw(integer_arrays(n, -8, 8)).tolist())
    mass, paid = [], []
    length = pair_costs(np.zeros((1, dim)), np.ones((1, dim)), 1.0, metric).item()  # all coordinates are the same
    rows, cols = np.argsort(s, kind="stable"), np.argsort(t, kind="stable")
    a, b = np.asarray(units) / UNITS, np.asarray(others) / UNITS
    for i, j, moved in _quantile_coupling(rows, a, cols, b):
        mass.append(moved)
        paid.append((abs(s[i] - t[j]) * length) ** p)
    x, y = (np.repeat(np.asarray(side)[:, None], dim, axis=1) for side in (s, t))
    order = draw(st.permutations(range(n)))
    return SolvedProblem(x, y[order], a, b[order], p, metric, _cost(mass, paid), "nearly balanced blocks")


def _moved(units: list[int], steps: list[int]) -> list[int]:
    """The same whole numbers after as many small steps, each from one to the next, none of them below zero."""
    result = list(units)
    for k, step in enumerate(steps):
        step = max(-result[k], min(step, result[k - 1]))
        result[k] += step
        result[k - 1] -= step
    return result


def _one_measure_twice(draw: DrawFn, setting: Setting) -> SolvedProblem:
    x, _ = _cloud(draw, setting)
    units = cut(draw, UNITS, len(x))
    parts = [part for whole in units for part in cut(draw, whole, 2)]
    order = draw(st.permutations(range(len(parts))))
    y, a, b = np.repeat(x, 2, axis=0)[order], np.asarray(units) / UNITS, (np.asarray(parts) / UNITS)[order]
    p, metric = draw(st.sampled_from(setting.orders)), draw(st.sampled_from(setting.metrics))
    return SolvedProblem(x, y, a, b, p, metric, 0.0, "one measure twice")


_THEOREMS: dict[str, Callable[[DrawFn, Setting], SolvedProblem]] = {
    "permutation": _permutation,
    "translation": _translation,
    "dirac": _dirac,
    "line": _line,
    "convex gradient": _convex_gradient,
    "separate blocks": _separate_blocks,
}
_HARD_THEOREMS: dict[str, Callable[[DrawFn, Setting], SolvedProblem]] = {
    "nearly balanced blocks": _nearly_balanced_blocks,
    "one measure twice": _one_measure_twice,
}
THEOREMS = tuple(_THEOREMS)
HARD_THEOREMS = tuple(_HARD_THEOREMS)


def solved_problems(
    n: int | SearchStrategy[int] | None = None,
    dim: int | SearchStrategy[int] | None = None,
    *,
    p: float | Collection[float] = ORDERS,
    metric: str | Collection[str] = tuple(METRICS),
    theorems: Collection[str] = THEOREMS,
    kinds: Collection[str] = CLOUDS,
    masses: Collection[str] = MASSES,
) -> SearchStrategy[SolvedProblem]:
    """Transport problems with the answer that a theorem gives.

    The data are exact in float64 and so are all differences between points, so ``value`` and ``distance`` carry only
    the rounding of a sum of positive terms: relative accuracy :data:`EXACT_RTOL`, and zero is exactly zero.

    Parameters
    ----------
    n : int or strategy of int, optional
        Number of points of a cloud; 1 to 12 if None. "dirac" has one point on one side, and "line" draws a number for
        each side.
    dim : int or strategy of int, optional
        Number of coordinates; 1 to 4 if None.
    p : float or collection of float, optional
        Orders to draw from; 1, 2, 1.5 and 3 if not given.
    metric : str or collection of str, optional
        Metrics to draw from; all three if not given.
    theorems : collection of str, optional
        Some of :data:`THEOREMS` and :data:`HARD_THEOREMS`; all of the former that apply to p and metric if not given:

        - ``"permutation"``: the same measure twice, the points in another order; the answer is 0;
        - ``"translation"``: ``y_i = x_i + t``; the answer is ``metric(t) ** p`` for every p >= 1, as moving all by t
          costs that much and by Jensen's inequality nothing costs less than moving the mean;
        - ``"dirac"``: all mass at one point on one side; only one plan exists;
        - ``"line"``: both clouds on one line of the space; matching quantiles is optimal for every p >= 1
          (Santambrogio 2015, theorem 2.9), and a norm along a line is a multiple of the absolute value;
        - ``"convex gradient"``: ``y_i = grad phi(x_i)`` with phi convex (a quadratic form plus separable quartics);
          the map is optimal for p = 2 and the Euclidean metric (Brenier 1991; Santambrogio 2015, theorem 1.48);
        - ``"separate blocks"``: up to three blocks far apart, each translated on its own. A cycle of moves between
          blocks costs at least the least distance between blocks for every unit of mass; the moves within blocks that
          replace it cost less, as the blocks are narrower than that. So the blocks are solved one by one.

        and the hard ones, whose masses are multiples of 2**-53 with total exactly 1, every one of which counts:

        - ``"nearly balanced blocks"``: up to three blocks on the line, as far apart as 2**66 (about 1e20), whose masses
          on the two sides differ by a few times 2**-53, which have to go all the way; matching quantiles is optimal, as
          for "line";
        - ``"one measure twice"``: the second time with every point in two parts; the answer is 0.
    kinds : collection of str, optional
        Kinds of clouds for the first three theorems and "one measure twice", see :func:`point_clouds`; the others bring
        their own.
    masses : collection of str, optional
        Kinds of weights, see :func:`weights`. The two sides of "line" are weighted independently only with those of an
        exact total ("cuts", "unequal", "nearly-equal" and "ulps"); with others they have as many points, and masses
        paired by rank. The hard theorems bring their own.

    Returns
    -------
    SearchStrategy
        Of :class:`SolvedProblem`.

    Raises
    ------
    InvalidInput
        If a name is unknown, a size or an order is out of range, or no theorem applies.

    Examples
    --------
    >>> import otgan
    >>> from hypothesis import given, settings
    >>> @settings(deadline=None)
    ... @given(solved_problems(n=5, dim=2, theorems=["translation", "convex gradient"], kinds=["gaussian"]))
    ... def check(known):
    ...     found = otgan.solve(known.x, known.y, known.p, a=known.a, b=known.b, metric=known.metric)
    ...     assert abs(found.value - known.value) <= 1e-9 * known.value
    >>> check()
    """
    setting = Setting(
        st.integers(1, 12) if n is None else checked_sizes(n, "n"),
        st.integers(1, 4) if dim is None else checked_sizes(dim, "dim"),
        checked_orders(p),
        checked_metrics(metric),
        one_of_these(kinds, CLOUDS, "kinds"),
        one_of_these(masses, KNOWN_MASSES, "masses"),
    )
    names = one_of_these(theorems, (*THEOREMS, *HARD_THEOREMS), "theorems")
    if 2.0 not in setting.orders or "euclidean" not in setting.metrics:
        names = tuple(name for name in names if name != "convex gradient")
    if not names:
        raise InvalidInput(
            f"theorems = {tuple(theorems)!r} say nothing about p = {p!r} and metric = {metric!r}: "
            '"convex gradient" needs p = 2 and the Euclidean metric.'
        )

    @st.composite
    def drawn(draw: DrawFn) -> SolvedProblem:
        return (_THEOREMS | _HARD_THEOREMS)[draw(st.sampled_from(names))](draw, setting)

    return drawn()
