"""Certificates of optimality: proven bounds on the cost from a plan and potentials, by one code for every solver.

A plan with the right marginals bounds the optimal cost from above. Potentials with ``f_i + g_j <= C_ij`` over *all*
pairs bound it from below (weak duality). Here both are checked against the problem itself, nothing is taken from the
solver on trust, and every bound is pushed outwards by the rounding of its own evaluation.

Both bounds are for the masses of :mod:`otgan.masses`: the real numbers that the weights are. Plans move whole numbers
of them (:mod:`otgan.plan`), so a plan either has these marginals or proves nothing: its upper bound is infinite.
Neither bound is ever moved to agree with the other. A lower bound above an upper one cannot be, so it is an alarm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from otgan.costs import blocks
from otgan.masses import as_ints
from otgan.metric import EPS, TINY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.costs import Cost
    from otgan.masses import WholeMasses
    from otgan.plan import Plan
    from otgan.problem import Problem

__all__ = ["Certificate", "certify", "dual_bound", "in_two_floats", "make_feasible", "sharpen"]

NORMAL = 2.0**-960  # products above this lose nothing to underflow, nor do their errors
MODERATE_EXPONENT = 64  # exponents up to which values need no scaling before they are multiplied by masses
PRODUCT_ERROR = 2.0**-98  # relative error of a sum of products in twice the working precision, with room
TIGHT = 8  # ulps that may lie between the two sides of an arc that is tight
SPLITTER = 2.0**27 + 1  # times a float64, parts its 53 bits into halves


@dataclass(frozen=True)
class Certificate:
    """What was proven about a plan and a pair of potentials.

    Attributes
    ----------
    lower, upper : float
        Bounds on the optimal cost, units of cost times mass, for the masses that the weights are exactly
        (:mod:`otgan.masses`).
    marginal_error : float
        Sum of the absolute errors of the plan's marginals, as a share of the mass (the worse side). 0 for every plan of
        a solution, whose masses are whole numbers; otherwise ``upper`` is infinite.
    dual_violation : float
        Largest ``f_i + g_j - C_ij`` over all n * m pairs, 0 if none is positive; units of cost. ``lower`` already
        accounts for it.
    slackness : float
        Largest reduced cost ``C_ij - f_i - g_j`` on an arc that carries mass; units of cost. Zero for an exact optimum.
    magnitude : float
        ``<P, |C|>``: the plan's cost, or with negative costs what would be paid if all were positive.
    """

    lower: float
    upper: float
    marginal_error: float
    dual_violation: float
    slackness: float
    magnitude: float = 0.0

    @property
    def gap(self) -> float:
        """Relative distance of the bounds, ``(upper - lower) / upper``; 0 if both are 0, inf if one is.

        With costs of both signs, which may cancel, it is relative to :attr:`magnitude` where that is larger.
        """
        if self.upper == self.lower:
            return 0.0
        scale = max(abs(self.upper), self.magnitude)
        if math.isinf(scale):
            return math.inf
        return (self.upper - self.lower) / scale if scale else math.inf

    def is_optimal(self, rtol: float = 1e-9) -> bool:
        """Whether the bounds meet within ``rtol`` without a contradiction, and the plan moves the masses asked for."""
        return self.is_consistent and self.marginal_error == 0 and self.gap <= rtol

    @property
    def is_consistent(self) -> bool:
        """Whether the lower bound is below the upper one, as it has to be."""
        return self.lower <= self.upper


def certify(
    problem: Problem,
    plan: Plan,
    f: NDArray[np.float64],
    g: NDArray[np.float64],
    *,
    sharp: bool = False,
    feasible: bool = False,
) -> tuple[float, Certificate]:
    """The plan's cost ``<P, C>``, and what it and the potentials prove.

    Parameters
    ----------
    problem : Problem
        n rows, m columns.
    plan : Plan
        Whole masses.
    f : (n,) ndarray
    g : (m,) ndarray
        Potentials, finite everywhere.
    sharp : bool
        Whether to see if the potentials are feasible as they are, see :func:`sharpen`.
    feasible : bool
        Whether they are what :func:`make_feasible` returned, so that no pair has to be looked at again.

    Returns
    -------
    value : float
        Between the bounds, which may be closer together than the rounding of a sum.
    certificate : Certificate
    """
    cost = problem.cost
    arc_cost = cost.entries(plan.rows, plan.cols)
    lower, violation = (_earned(problem, f, g), 0.0) if feasible else dual_bound(problem, f, g, sharp=sharp)
    error = plan.marginal_error(problem.masses)
    value, magnitude, lost = _paid(problem, plan, arc_cost)
    upper = value + (cost.rounding + 4 * EPS) * magnitude + lost if error == 0 else math.inf
    return min(max(value, lower), upper), Certificate(
        lower=lower,
        upper=upper,
        magnitude=magnitude,
        marginal_error=error,
        dual_violation=violation,
        slackness=float(np.max(arc_cost - f[plan.rows] - g[plan.cols], initial=0.0)),
    )


def _paid(problem: Problem, plan: Plan, arc_cost: NDArray[np.float64]) -> tuple[float, float, float]:
    """``<P, C>`` and ``<P, |C|>``, each right to a few ulps, and what underflow may have taken from the first."""
    mass, unit = plan.floats, problem.masses.unit
    scaled, exponent = _scaled(arc_cost)
    paid = mass * scaled
    value = _sum(paid)
    magnitude = value if not len(scaled) or scaled.min() >= 0 else _sum(np.abs(paid))
    hidden = float(mass @ problem.cost.underflow(plan.rows, plan.cols, arc_cost)) * unit * (1 + 4 * EPS)
    tiny = np.count_nonzero(scaled[np.abs(paid) < NORMAL])
    if tiny:  # the products, and costs that lost digits where they were scaled
        hidden += _times(float(tiny), unit, exponent - 1073) + _times(1.0, problem.mass, exponent - 1073)
    moves, value, magnitude = magnitude > 0, _times(value, unit, exponent), _times(magnitude, unit, exponent)
    return value, magnitude, hidden + 4 * TINY if hidden or tiny or (moves and magnitude < NORMAL) else 0.0


def dual_bound(
    problem: Problem, f: NDArray[np.float64], g: NDArray[np.float64], *, sharp: bool = False
) -> tuple[float, float]:
    """A proven lower bound from any finite potentials, and the largest ``f_i + g_j - C_ij`` over all pairs, or 0.

    Where a column is violated its ``g_j`` is lowered until it is not, also by what the minimum may be off. The sum
    over all points runs in twice the working precision, so that potentials may be large where the cost is small.
    """
    if sharp:
        minima = _exact_minima(problem.cost, f)
        feasible = np.minimum(g, minima)
    else:
        minima, error = problem.cost.column_minima(f)
        feasible = np.minimum(g, np.nextafter(minima - error, -np.inf))
    return _earned(problem, f, feasible, sharp=sharp), max(float((g - minima).max()), 0.0)


def _earned(problem: Problem, f: NDArray[np.float64], g: NDArray[np.float64], *, sharp: bool = False) -> float:
    """The lower bound of potentials that are feasible over all pairs, less the rounding of costs and of the sum."""
    cost, masses = problem.cost, problem.masses
    mass, rest = in_two_floats(masses.a, masses.b)
    # Potentials of points without mass may be so large that the others would vanish beside them.
    counted = np.where(mass + rest > 0, np.concatenate([f, g]), 0.0)
    if not cost.lost_to_underflow and (not counted.any() or (sharp and _is_exactly_zero(counted, mass, masses))):
        return max(0.0, _trivial_bound(problem))
    potentials, exponent = _scaled(counted)
    earned, size = _dot(potentials, mass, rest)
    lower = _times(earned, masses.unit, exponent)
    lower -= (cost.rounding + 4 * EPS) * abs(lower) + _times(PRODUCT_ERROR * size, masses.unit, exponent)
    lower -= _times(len(potentials), masses.unit, exponent - 1071) + _times(1.0, problem.mass, exponent - 1073)
    lower -= problem.mass * (1 + 4 * EPS) * cost.lost_to_underflow + 4 * TINY
    return max(lower, _trivial_bound(problem))


def _is_exactly_zero(potentials: NDArray[np.float64], mass: NDArray[np.float64], masses: WholeMasses) -> bool:
    """Whether potentials times masses are zero in fractions, as costs of both signs may leave it.

    No relative gap allows for any rounding then, so it is not that of the two floats which a mass may not fit into.
    """
    kept = np.flatnonzero(potentials)
    if not np.isclose(potentials @ mass, 0.0, atol=1e-9 * float(np.abs(potentials) @ mass)):
        return False
    whole = as_ints(np.concatenate([masses.a, masses.b])[kept])
    return sum(Fraction(f) * w for f, w in zip(potentials[kept].tolist(), whole, strict=True)) == 0


def _times(value: float, unit: float, exponent: int) -> float:
    """``value * unit * 2 ** exponent`` without overflow or underflow on the way."""
    (value, first), (unit, second) = math.frexp(value), math.frexp(unit)
    return math.ldexp(value * unit, first + second + exponent)


def _scaled(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """The values over a power of two that brings the largest to about 1, and its exponent; only underflow rounds.

    Nothing is done where the values are of moderate size.
    """
    largest = float(np.max(np.abs(values), initial=0.0))
    exponent = math.frexp(largest)[1]
    if -MODERATE_EXPONENT < exponent < MODERATE_EXPONENT:
        return values, 0
    if -900 < exponent < 900:
        return np.ldexp(values, -exponent), exponent
    return np.ldexp(np.ldexp(values, -(exponent // 2)), exponent // 2 - exponent), exponent


def in_two_floats(a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whole masses of both sides, (n + m,), as floats in units of the first digit, and what these leave out."""
    whole = np.concatenate([a, b])
    if whole.shape[1] == 1:
        mass = whole[:, 0].astype(np.float64)
        return mass, (whole[:, 0] - mass.astype(np.int64)).astype(np.float64)
    from otgan.kernels import wide

    return wide.in_two_floats(whole)


def _dot(potentials: NDArray[np.float64], mass: NDArray[np.float64], rest: NDArray[np.float64]) -> tuple[float, float]:
    """``potentials . (mass + rest)`` in twice the working precision, and the sum of the products' magnitudes.

    Products are split without error (Dekker 1971), and the sum of all parts is rounded once.
    """
    if mass.min() == mass.max() and not rest.any():
        return float(mass[0]) * _sum(potentials), float(mass[0]) * float(np.abs(potentials).sum())
    product = potentials * mass
    left, right = _halves(potentials), _halves(mass)
    error = ((left[0] * right[0] - product) + left[0] * right[1] + left[1] * right[0]) + left[1] * right[1]
    parts = [product, error, potentials * rest] if rest.any() else [product, error]
    return _sum(np.concatenate(parts)), float(np.abs(product).sum())


def _halves(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each value as the sum of two that have half the digits (Veltkamp)."""
    wide = SPLITTER * values
    high = wide - (wide - values)
    return high, values - high


def _trivial_bound(problem: Problem) -> float:
    """No plan is cheaper than the whole mass at the least cost."""
    bound = problem.cost.floor * problem.mass
    return bound - 4 * EPS * abs(bound) - TINY if bound else 0.0


def make_feasible(
    problem: Problem, f: NDArray[np.float64], g: NDArray[np.float64], plan: Plan | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Potentials that are feasible over all pairs, and at least as good as a solver's wherever those were feasible.

    Two c-transforms (Santambrogio 2015, section 1.2): ``g_j = min_i C_ij - f_i`` over the rows that carry mass, then
    ``f_i = min_j C_ij - g_j`` over all columns. What a solver left at points without mass is not used. Each minimum is
    rounded downwards, so ``f_i + g_j <= C_ij`` holds for the floats themselves, as they were computed here: of another
    computation of the costs up to ``cost.rounding``, which bounds charge. The constant that may be moved from one side
    to the other is set so that potentials, weighted by mass, are least: what they round costs that much.

    Where a ``plan`` shows that each row is tight with one of its columns then, the second has nothing to add to f, and
    is left out.
    """
    rows, cols = (problem.a > 0) & np.isfinite(f), (problem.b > 0) & np.isfinite(g)
    if not rows.any() or not cols.any():  # nothing to start from: zero is feasible up to the least cost
        f, g = np.zeros_like(f), np.zeros_like(g)
        rows, cols = problem.a > 0, problem.b > 0
    shift = _weighted_median(np.concatenate([-f[rows], g[cols]]), np.concatenate([problem.a[rows], problem.b[cols]]))
    new_f = np.where(rows, f + shift, -np.inf)
    new_g = _c_transform(problem.cost, new_f)
    if plan is not None and rows.all() and _is_tight(problem.cost, plan, new_f, new_g):
        return new_f, new_g
    return _c_transform(problem.cost.T, new_g), new_g


def _is_tight(cost: Cost, plan: Plan, f: NDArray[np.float64], g: NDArray[np.float64]) -> bool:
    """Whether the plan has an arc of each row, and all its arcs are tight up to rounding."""
    covered = np.zeros(cost.shape[0], np.bool_)
    covered[plan.rows] = True
    if not covered.all():
        return False
    arc_cost, f, g = cost.entries(plan.rows, plan.cols), f[plan.rows], g[plan.cols]
    rounding = (TIGHT * EPS + 2 * cost.rounding) * (np.abs(arc_cost) + np.abs(f) + np.abs(g))
    return bool((arc_cost - f - g <= rounding).all())


def _sum(values: NDArray[np.float64]) -> float:
    """The correctly rounded sum; of a list, which takes half the time of an array."""
    return math.fsum(values.tolist())


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    if weights.min() == weights.max():
        return float(np.partition(values, len(values) // 2)[len(values) // 2])
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(below, 0.5 * below[-1])]])


def _c_transform(cost: Cost, f: NDArray[np.float64]) -> NDArray[np.float64]:
    minima, error = cost.column_minima(f)
    return np.nextafter(minima - error, -np.inf)


def sharpen(
    problem: Problem, f: NDArray[np.float64], g: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Feasible potentials once more, by differences that are rounded only where they have to be.

    :func:`make_feasible` gives an ulp away everywhere. That matters where potentials are much larger than the cost, and
    there whole numbers, or others with few digits, need not be rounded at all. Takes several times as long.
    """
    cost = problem.cost
    new_g = _exact_minima(cost, np.where(problem.a > 0, f, -np.inf))
    return _exact_minima(cost.T, new_g), new_g


def _exact_minima(cost: Cost, f: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest floats with ``f_i + g_j <= C_ij`` for the entries as computed; 0 where none of those is finite."""
    minima = np.full(cost.shape[1], np.inf)
    with np.errstate(invalid="ignore"):
        for rows, cols in blocks(*cost.shape):
            entries, minus = cost.block(rows, cols), -f[rows, None]
            difference = entries + minus
            part = difference - entries
            error = (entries - (difference - part)) + (minus - part)
            rounded = np.where(error < 0, np.nextafter(difference, -np.inf), difference)
            np.minimum(minima[cols], rounded.min(axis=0), out=minima[cols])
    return np.where(np.isfinite(minima), minima, 0.0)
