"""Transport plans with masses as whole numbers, so that their marginals are exact."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.masses import WholeMasses
    from otgan.problem import Problem

__all__ = ["Plan", "arcs", "matching", "repair_plan"]


@dataclass(frozen=True, eq=False)
class Plan:
    """Arcs with the masses they carry.

    Attributes
    ----------
    rows, cols : (k,) ndarray of int
    mass : (k, digits) ndarray of int64
        Whole numbers in the units of :attr:`otgan.problem.Problem.masses`, not negative.
    """

    rows: NDArray[np.intp]
    cols: NDArray[np.intp]
    mass: NDArray[np.int64]

    @cached_property
    def floats(self) -> NDArray[np.float64]:
        """The masses in units of their first digit, each off by less than an ulp."""
        if self.mass.shape[1] == 1:
            return self.mass[:, 0].astype(np.float64)
        from otgan.kernels.wide import as_floats

        return as_floats(self.mass)

    def array(self, problem: Problem) -> sparse.coo_array:
        """The plan in floats, in units of the weights."""
        data = self.floats * problem.masses.unit
        return sparse.coo_array((data, (self.rows, self.cols)), shape=problem.shape)

    def marginal_error(self, masses: WholeMasses) -> float:
        """The sum of the marginals' absolute errors as a share of the mass, on the worse side; 0 if they are exact."""
        errors = []
        for index, wanted in ((self.rows, masses.a), (self.cols, masses.b)):
            if _is_one_each(index, self.mass, wanted):
                continue
            from otgan.kernels.wide import as_floats, sums

            carried = sums(index, self.mass, len(wanted))
            if not np.array_equal(carried, wanted):
                carried, wanted = as_floats(carried), as_floats(wanted)
                errors.append(float(np.abs(carried - wanted).sum() / wanted.sum()) or float(np.finfo(float).tiny))
        return max(errors, default=0.0)


def _is_one_each(index: NDArray[np.intp], mass: NDArray[np.int64], wanted: NDArray[np.int64]) -> bool:
    """Whether every point is met once, with the mass that it wants; found out without compiled code."""
    if len(index) != len(wanted) or mass.shape != wanted.shape:
        return False
    place = np.full(len(wanted), -1)
    place[index] = np.arange(len(index))
    return bool(place.min() >= 0 and np.array_equal(mass[place], wanted))


def matching(problem: Problem, cols: NDArray[np.intp]) -> Plan:
    """The plan that sends all mass of row i to column ``cols[i]``, for n = m and equal weights."""
    return Plan(np.arange(len(cols)), cols, problem.masses.a)


def arcs(plan: sparse.coo_array) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Rows, columns and masses of a plan in floats, (k,) each."""
    return np.asarray(plan.row, np.intp), np.asarray(plan.col, np.intp), np.asarray(plan.data, np.float64)


def repair_plan(problem: Problem, plan: sparse.coo_array, reduced_costs: NDArray[np.float64] | None = None) -> Plan:
    """The exact plan nearest at hand to one in floats, without cycles.

    What a row or column carries too much is taken from its lighter arcs, and what is then missing is sent along the
    north-west corner of the remainders. The cycles that this closes are cancelled, each in the direction in which that
    saves costs, so rounding ends up on the arcs of the plan itself wherever these connect what was short.

    Parameters
    ----------
    problem : Problem
    plan : (n, m) coo_array
        Any masses; those that are not positive and finite are left out.
    reduced_costs : (k,) ndarray, optional
        ``C_ij - f_i - g_j`` along the arcs of ``plan``; the costs themselves if None.
    """
    from otgan.kernels.forest import complete, from_floats, to_forest, trim

    masses = problem.masses
    row, col, data = arcs(plan)
    kept = np.flatnonzero(np.isfinite(data) & (data > 0))
    kept = kept[np.argsort(-data[kept], kind="stable")]
    row, col = row[kept], col[kept]
    mass, left_a, left_b = from_floats(data[kept] / masses.unit, masses.a.shape[1]), masses.a.copy(), masses.b.copy()
    trim(row, col, mass, left_a, left_b)
    more_row, more_col, more = complete(left_a, left_b)
    row, col, mass = np.r_[row, more_row], np.r_[col, more_col], np.r_[mass, more]
    cost = problem.cost.entries(row, col)
    if reduced_costs is not None:
        cost[: len(kept)] = reduced_costs[kept]
    kept = to_forest(problem.shape[0], problem.shape[1], row, col, mass, cost)
    return Plan(row[kept], col[kept], mass[kept])
