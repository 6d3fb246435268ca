"""Assertions about transport solutions and distances: brute force, in NumPy, on the whole matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.costs import MatrixCost, PointCost
from otgan.metric import EPS, METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from otgan.solution import Solution

__all__ = ["assert_metric", "assert_optimal"]

MARGINAL_RTOL = 1e-11  # of the total mass; rounding of the masses is far below, a forgotten point far above


def assert_optimal(solution: Solution, rtol: float = 1e-9) -> None:
    """Assert that a solution is optimal, from its plan, its potentials and the data alone.

    The costs of all n * m pairs are computed anew, so this takes a few times 8 n m bytes. The optimum is proven by
    weak duality: the plan has the marginals asked for, the potentials are feasible for every pair, and the two values
    agree within ``rtol``. Every bound that the solution claims is compared with what its plan and potentials give. On
    the line a plan that keeps the order is optimal, however much its potentials prove.

    Parameters
    ----------
    solution : Solution
        What :func:`otgan.solve` or :func:`otgan.solve_cost` returned.
    rtol : float, default 1e-9
        Largest gap between plan and potentials, relative to the value.

    Raises
    ------
    AssertionError
        With the property that failed, and by how much.

    Examples
    --------
    >>> import otgan
    >>> from otgan.testing import assert_optimal
    >>> solution = otgan.solve([0.0, 1.0], [3.0, 4.0])
    >>> assert_optimal(solution)
    >>> from dataclasses import replace
    >>> assert_optimal(replace(solution, value=2.5))
    Traceback (most recent call last):
    ...
    AssertionError: value: 2.5 is not the cost of the plan, which is 3.0
    """
    problem, f, g = solution.problem, solution.f, solution.g
    C, rounding = _costs(problem.cost)
    n, m = C.shape
    a, b = problem.a, problem.b
    total = math.fsum(a)

    plan = solution.plan
    _check(plan.shape == (n, m), f"plan: shape {plan.shape} where the costs have {(n, m)}")
    _check(bool(np.isfinite(plan.data).all()), "plan: not all masses are finite")
    _check(bool((plan.data >= 0).all()), f"plan: a mass is negative, {plan.data.min(initial=0.0)!r}")
    P = plan.toarray()
    for name, marginal, mass in (("row", P.sum(axis=1), a), ("column", P.sum(axis=0), b)):
        error = float(np.abs(marginal - mass).sum())
        _check(
            error <= MARGINAL_RTOL * total,
            f"plan: the {name} sums are off by {error:.3g} in all, where the total mass is {total:.6g}",
        )

    _check(f.shape == (n,), f"potentials: f has shape {f.shape} where {(n,)} is due")
    _check(g.shape == (m,), f"potentials: g has shape {g.shape} where {(m,)} is due")
    _check(bool(np.isfinite(f).all() and np.isfinite(g).all()), "potentials: not all are finite")
    allowed = rounding * np.abs(C) + 2 * EPS * (np.abs(f)[:, None] + np.abs(g))
    excess = np.add.outer(f, g) - C - allowed
    i, j = (int(k) for k in np.unravel_index(excess.argmax(), excess.shape))
    _check(
        bool(excess[i, j] <= 0),
        f"potentials: f_i + g_j <= C_ij fails at i = {i}, j = {j}: "
        f"f_{i} + g_{j} = {float(f[i] + g[j])!r}, C_{i}{j} = {float(C[i, j])!r}",
    )

    paid = math.fsum((P * C).ravel())
    magnitude = math.fsum((P * np.abs(C)).ravel())
    slack = (rounding + 8 * EPS) * magnitude
    _check(
        abs(solution.value - paid) <= slack, f"value: {solution.value!r} is not the cost of the plan, which is {paid!r}"
    )
    earned = math.fsum(np.concatenate([a * f, b * g]))
    slack += 8 * EPS * float(a @ np.abs(f) + b @ np.abs(g))
    best = max(earned, float(C.min()) * total)  # no plan costs less than the least cost for all mass
    if _keeps_order(problem.cost, P):
        best = max(best, paid)
    lower, value, upper = solution.lower, solution.value, solution.upper
    _check(lower <= value + slack, f"bounds: lower = {lower!r} is above value = {value!r}")
    _check(value <= upper + slack, f"bounds: value = {value!r} is above upper = {upper!r}")
    _check(lower <= best + slack, f"bounds: lower = {lower!r} is more than the potentials prove, {best!r}")
    _check(
        value - best <= rtol * abs(value) + slack,
        f"gap: the plan costs {value!r} and the potentials prove {best!r}, more than rtol = {rtol:g} apart",
    )
    _check(solution.gap <= rtol, f"gap: the proven bounds are {solution.gap:.3g} apart, more than rtol = {rtol:g}")
    root = value if problem.p == 1 else value ** (1.0 / problem.p)
    _check(
        math.isclose(solution.distance, root, rel_tol=8 * EPS),
        f"distance: {solution.distance!r} is not value ** (1 / p) = {root!r}",
    )


def _keeps_order(cost: Any, plan: NDArray[np.float64]) -> bool:
    """Whether points lie on the line, and no two masses cross (Santambrogio 2015, theorem 2.9)."""
    if not (isinstance(cost, PointCost) and cost.dimension == 1):
        return False
    rows, cols = np.nonzero(plan)
    x, y = cost.x[rows, 0], cost.y[cols, 0]
    return bool((np.diff(y[np.lexsort((y, x))]) >= 0).all())


def _costs(cost: Any) -> tuple[NDArray[np.float64], float]:
    """The costs from their definition, and the relative rounding of an entry."""
    if isinstance(cost, MatrixCost):
        return cost.matrix, 0.0
    assert isinstance(cost, PointCost), f"a cost of unknown type, {type(cost).__name__}"
    metric = METRICS[cost.metric]
    sums = np.stack([metric.sums(point - cost.y) for point in cost.x])
    return sums ** (cost.p / metric.root), (len(cost.x.T) + 8) * cost.p * EPS


def assert_metric(distance: Callable[[Any, Any], float], clouds: Sequence[ArrayLike], *, rtol: float = 1e-9) -> None:
    """Assert that a distance between point clouds is a metric, on three clouds.

    Checked are: every distance is a finite real number; non-negativity; ``distance(x, x) = 0``; different clouds have
    a positive distance; symmetry; the triangle inequality, in all three directions; and that the order of a cloud's
    points has no influence. Clouds count as equal if they hold the same points in the same proportions. The sign has no
    tolerance: the root of a distance that is barely negative is NaN.

    Parameters
    ----------
    distance : callable
        From two point clouds, (n, d) and (m, d) arrays, to a number.
    clouds : sequence of three (n_k, d) array_like
        Clouds in one space, of any sizes, as three draws of
        :func:`otgan.testing.strategies.point_clouds` with one ``dim``.
    rtol : float, default 1e-9
        Tolerance, relative to the distances compared; ``distance(x, x)`` is compared with the largest of the three
        distances, or with the extent of the data if that is larger.

    Raises
    ------
    AssertionError
        With the axiom that failed, and the numbers.

    Examples
    --------
    >>> import otgan
    >>> from otgan.testing import assert_metric
    >>> clouds = [[[0.0, 0.0], [1.0, 0.0]], [[2.0, 1.0]], [[0.0, 3.0], [1.0, 1.0], [4.0, 0.0]]]
    >>> assert_metric(otgan.wasserstein, clouds)
    >>> assert_metric(lambda x, y: otgan.wasserstein(x, y, p=2) ** 2, [[0.0], [1.0], [2.0]])
    Traceback (most recent call last):
    ...
    AssertionError: triangle inequality: distance(x, z) = 4.0, more than distance(x, y) + distance(y, z) = 2.0
    """
    _check(len(clouds) == 3, f"clouds: three are needed, but {len(clouds)} came")
    named = {name: np.asarray(cloud, dtype=np.float64) for name, cloud in zip("xyz", clouds, strict=True)}
    measured: dict[str, float] = {}

    def d(first: str, second: str) -> float:
        if first + second not in measured:
            measured[first + second] = _number(distance, named, first, second)
        return measured[first + second]

    pairs = ("xy", "yz", "xz")
    for first, second in pairs:
        one, other = d(first, second), d(second, first)
        _check(
            abs(one - other) <= rtol * max(one, other),
            f"symmetry: distance({first}, {second}) = {one!r}, distance({second}, {first}) = {other!r}",
        )
    everything = np.concatenate(list(named.values()))
    scale = max(*measured.values(), float(np.ptp(everything, axis=0).max()))
    for name in named:
        _check(
            d(name, name) <= rtol * scale,
            f"identity: distance({name}, {name}) = {d(name, name)!r} where 0 is due, for data of size {scale:.6g}",
        )
    for first, second in pairs:
        _check(
            d(first, second) > 0 or _same_measure(named[first], named[second]),
            f"identity: distance({first}, {second}) = 0, but {first} and {second} differ",
        )
    for first, middle, last in ("xyz", "yxz", "xzy"):
        direct, detour = d(first, last), d(first, middle) + d(middle, last)
        _check(
            direct <= detour * (1 + rtol),
            f"triangle inequality: distance({first}, {last}) = {direct!r}, more than "
            f"distance({first}, {middle}) + distance({middle}, {last}) = {detour!r}",
        )
    for first, second in pairs:
        reordered = {first: _reordered(named[first]), second: named[second][::-1]}
        other = _number(distance, reordered, first, second)
        _check(
            abs(d(first, second) - other) <= rtol * max(d(first, second), other),
            f"order of points: distance({first}, {second}) = {d(first, second)!r}, but {other!r} with the points of "
            "both reordered",
        )


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _number(distance: Callable[[Any, Any], float], clouds: dict[str, NDArray[np.float64]], one: str, two: str) -> float:
    """The distance as a float, which must be real, finite and not negative."""
    found = distance(clouds[one].copy(), clouds[two].copy())
    try:
        number = float(found)
    except (TypeError, ValueError):
        raise AssertionError(f"real number: distance({one}, {two}) = {found!r}") from None
    _check(math.isfinite(number), f"finite: distance({one}, {two}) = {number!r}")
    _check(number >= 0, f"non-negativity: distance({one}, {two}) = {number!r}")
    return number


def _reordered(cloud: NDArray[np.float64]) -> NDArray[np.float64]:
    """Odd points first, then even ones: no point but for the shortest clouds keeps its neighbours."""
    return np.concatenate([cloud[1::2], cloud[::2]])


def _same_measure(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    """Whether the same points occur in the same proportions."""
    points_x, count_x = np.unique(x.reshape(len(x), -1), axis=0, return_counts=True)
    points_y, count_y = np.unique(y.reshape(len(y), -1), axis=0, return_counts=True)
    return np.array_equal(points_x, points_y) and np.array_equal(count_x * len(y), count_y * len(x))
