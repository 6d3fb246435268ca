"""The proof of an answer, by one float64 code for every solver.

A plan with the right marginals bounds the optimal cost from above. Potentials with ``f_i + g_j <= C_ij`` over *all*
pairs bound it from below (weak duality). Here both are checked against the problem itself, nothing is taken from the
solver on trust, and every bound is pushed outwards by the rounding of its own evaluation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from otgan.costs import EPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.costs import Cost
    from otgan.problem import Problem

__all__ = ["Certificate", "arcs", "certify", "dual_bound", "make_feasible", "repair_plan"]

NEGLIGIBLE = 1e-12  # share of its own mass that a point may lose to rounding
MARGINAL_RTOL = 1e-11  # marginals further off than this share of the mass are not the marginals asked for


@dataclass(frozen=True)
class Certificate:
    """What was proven about a plan and a pair of potentials.

    Attributes
    ----------
    lower, upper : float
        Bounds on the optimal cost, units of cost times mass.
    marginal_error : float
        Sum of the absolute errors of the plan's marginals, as a share of the mass (the worse side).
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
        """Relative distance of the bounds, ``(upper - lower) / upper``; 0 if both are 0.

        With costs of both signs, which may cancel, it is relative to :attr:`magnitude` where that is larger.
        """
        if self.upper == self.lower:
            return 0.0
        scale = max(abs(self.upper), self.magnitude)
        return (self.upper - self.lower) / scale if scale else math.inf

    def is_optimal(self, rtol: float = 1e-9) -> bool:
        """Whether the bounds meet within ``rtol`` and the plan moves the masses asked for."""
        return self.gap <= rtol and self.marginal_error <= MARGINAL_RTOL


def certify(
    problem: Problem, plan: sparse.coo_array, f: NDArray[np.float64], g: NDArray[np.float64]
) -> tuple[float, Certificate]:
    """The plan's cost ``<P, C>``, and what it and the potentials prove.

    Parameters
    ----------
    problem : Problem
        n rows, m columns.
    plan : (n, m) coo_array
        Non-negative masses.
    f : (n,) ndarray
    g : (m,) ndarray
        Potentials, finite everywhere.
    """
    cost, a, b = problem.cost, problem.a, problem.b
    row, col, data = arcs(plan)
    arc_cost = cost.entries(row, col)
    value = _sum(data * arc_cost)
    magnitude = _sum(data * np.abs(arc_cost))
    error_a = _marginal(row, data, len(a)) - a
    error_b = _marginal(col, data, len(b)) - b
    # The marginals' errors can be led along the plan's own arcs, each once at most; or anywhere, at the largest cost.
    # Which part of the support the last ulp of a mass belongs to is not asked: totals are equal up to rounding only.
    wrong = _sum(np.abs(error_a)) + _sum(np.abs(error_b))
    astray = wrong * min(_sum(np.abs(arc_cost)), 2 * cost.ceiling) if wrong else 0.0
    upper = value + (cost.rounding + 2 * EPS) * magnitude + float(data @ cost.underflow(row, col, arc_cost)) + astray
    lower, violation = dual_bound(problem, f, g)
    return value, Certificate(
        lower=min(lower, upper),
        upper=upper,
        magnitude=magnitude,
        marginal_error=max(_sum(np.abs(error_a)), _sum(np.abs(error_b))) / problem.mass,
        dual_violation=violation,
        slackness=float(np.max(arc_cost - f[row] - g[col], initial=0.0)),
    )


def dual_bound(problem: Problem, f: NDArray[np.float64], g: NDArray[np.float64]) -> tuple[float, float]:
    """A proven lower bound from any finite potentials, and the largest ``f_i + g_j - C_ij`` over all pairs, or 0.

    Where a column is violated its ``g_j`` is lowered until it is not, also by what the minimum may be off.
    """
    cost, a, b = problem.cost, problem.a, problem.b
    minima, error = cost.column_minima(f)
    feasible = np.minimum(g, minima - error)
    lower = _sum(np.concatenate([a * f, b * feasible]))
    lower -= 2 * EPS * float(a @ np.abs(f) + b @ np.abs(feasible)) + cost.rounding * abs(lower)
    return max(lower, _trivial_bound(problem)), max(float((g - minima).max()), 0.0)


def _trivial_bound(problem: Problem) -> float:
    """No plan is cheaper than the whole mass at the least cost."""
    floor = problem.cost.floor
    return floor * problem.mass * (1 + 4 * EPS if floor < 0 else 1 - 4 * EPS)


def make_feasible(
    problem: Problem, f: NDArray[np.float64], g: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Potentials that are feasible over all pairs, and at least as good as a solver's wherever those were feasible.

    Two c-transforms (Santambrogio 2015, section 1.2): ``g_j = min_i C_ij - f_i`` over the rows that carry mass, then
    ``f_i = min_j C_ij - g_j`` over all columns. What a solver left at points without mass is not used. Each minimum is
    rounded downwards, so ``f_i + g_j <= C_ij`` holds for the floats themselves. The constant that may be moved from
    one side to the other is set so that both sides have one median: the smaller the numbers, the less they round.
    """
    rows, cols = (problem.a > 0) & np.isfinite(f), (problem.b > 0) & np.isfinite(g)
    if not rows.any() or not cols.any():  # nothing to start from: zero is feasible up to the least cost
        f, g = np.zeros_like(f), np.zeros_like(g)
        rows, cols = problem.a > 0, problem.b > 0
    shift = 0.5 * (_middle(g[cols]) - _middle(f[rows]))
    new_g = _c_transform(problem.cost, np.where(rows, f + shift, -np.inf))
    return _c_transform(problem.cost.T, new_g), new_g


def _sum(values: NDArray[np.float64]) -> float:
    """The correctly rounded sum; of a list, which takes half the time of an array."""
    return math.fsum(values.tolist())


def _middle(values: NDArray[np.float64]) -> float:
    """A median; numpy's own checks for much that cannot come, and takes ten times as long for a hundred values."""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])


def _c_transform(cost: Cost, f: NDArray[np.float64]) -> NDArray[np.float64]:
    minima, error = cost.column_minima(f)
    return np.nextafter(minima - error, -np.inf)


def repair_plan(problem: Problem, plan: sparse.coo_array) -> sparse.coo_array:
    """The plan with exact marginals nearest at hand (Altschuler, Weed & Rigollet 2017, Algorithm 2, kept sparse).

    Rows, then columns that carry too much are scaled down; what is missing is added along the north-west corner of
    the remainders, which costs at most n + m - 1 new arcs. Remainders at the level of rounding are left, and so are
    arcs whose mass is below the rounding of the total and next to nothing of both points that they connect.
    """
    a, b = problem.a, problem.b
    row, col, data = arcs(plan)
    if _is_matching(row, data, a) and np.array_equal(_marginal(col, data, len(b)), b):
        return plan
    keep = np.isfinite(data) & (data > 0)
    row, col, data = row[keep], col[keep], data[keep]
    data = data * _shrink(_marginal(row, data, len(a)), a)[row]
    data = data * _shrink(_marginal(col, data, len(b)), b)[col]
    short_a = np.maximum(a - _marginal(row, data, len(a)), 0.0)
    short_b = np.maximum(b - _marginal(col, data, len(b)), 0.0)
    if max(short_a.sum(), short_b.sum()) > 1e-14 * problem.mass:
        from otgan.kernels.line import monotone_plan

        i, j = np.flatnonzero(short_a), np.flatnonzero(short_b)
        if len(i) and len(j):
            rows, cols, mass = monotone_plan(short_a[i], short_b[j])
            row, col, data = np.r_[row, i[rows]], np.r_[col, j[cols]], np.r_[data, mass]
    meant = (data > 8 * EPS * problem.mass) | (data > NEGLIGIBLE * np.minimum(a[row], b[col]))
    fixed = sparse.coo_array((data[meant], (row[meant], col[meant])), shape=plan.shape)
    fixed.sum_duplicates()
    return fixed


def _is_matching(row: NDArray[np.intp], data: NDArray[np.float64], a: NDArray[np.float64]) -> bool:
    """Whether each row, in order, sends all its mass along one arc."""
    return len(row) == len(a) and np.array_equal(data, a) and np.array_equal(row, np.arange(len(a))) and a.min() > 0


def arcs(plan: sparse.coo_array) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Rows, columns and masses of a plan, (k,) each."""
    return np.asarray(plan.row, np.intp), np.asarray(plan.col, np.intp), np.asarray(plan.data, np.float64)


def _marginal(index: NDArray[np.intp], data: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    return np.bincount(index, weights=data, minlength=size).astype(np.float64, copy=False)


def _shrink(carried: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factors of at most one that bring what is carried down to what is wanted."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(carried > wanted, wanted / carried, 1.0)
