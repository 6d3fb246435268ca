"""Costs between some pairs only: all others are forbidden.

The arc-list simplex of "sparse" runs on the pairs that are listed. First every listed pair costs nothing, and the pairs
outside that a first plan needs cost one: if some mass is left on these in the end, there is no plan, and the potentials
say which rows cannot place their mass (a cut: Gale 1957; Hall 1935 for permutations). Otherwise its plan is where the
search for the cheapest begins. Pairs outside then only hold the tree together, at a cost that is raised if one carries
mass.

The certificate is that of every solution, over the listed pairs: potentials need not be feasible elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from otgan import inputs
from otgan.costs import Cost
from otgan.errors import Infeasible, InvalidInput
from otgan.exact.sparse.generation import solve_on_arcs
from otgan.exact.sparse.network import Network
from otgan.exact.sparse.progress import Progress
from otgan.masses import BITS
from otgan.plan import Plan
from otgan.problem import Problem
from otgan.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.pricing import MatrixPricing

    Array = NDArray[np.float64]
    Indices = NDArray[np.intp]

__all__ = ["ListedCost", "is_listed", "listed_cost", "solve_listed"]

METHODS = ("auto", "network-simplex")
DEARER = 16  # times, that pairs outside the list are made if they carry mass
SHOWN = 5  # rows that a message names


@dataclass(frozen=True, eq=False)
class ListedCost(Cost):
    """Costs of listed pairs, in the order of columns, then rows.

    Attributes
    ----------
    size : (int, int)
        Rows n and columns m.
    rows, cols : (k,) ndarray of int
        The pairs, each once.
    values : (k,) ndarray of float64
        Their costs.
    outside : float
        What all others cost: infinite.
    """

    size: tuple[int, int]
    rows: Indices
    cols: Indices
    values: Array
    outside: float = np.inf

    @property
    def shape(self) -> tuple[int, int]:  # noqa: D102
        return self.size

    @property
    def rounding(self) -> float:  # noqa: D102
        return 0.0

    @property
    def floor(self) -> float:  # noqa: D102
        return float(self.values.min(initial=0.0))

    @property
    def ceiling(self) -> float:  # noqa: D102
        return float(np.abs(self.values).max(initial=0.0))

    @property
    def T(self) -> ListedCost:  # noqa: D102
        return self._turned

    @cached_property
    def _turned(self) -> ListedCost:
        return in_order((self.size[1], self.size[0]), self.cols, self.rows, self.values, self.outside)

    @property
    def pricing(self) -> MatrixPricing:  # noqa: D102
        raise NotImplementedError("all listed pairs are arcs from the beginning")

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """A number for each pair, rising."""
        return self.cols.astype(np.int64) * self.size[0] + self.rows

    def block(self, rows: slice, cols: slice) -> Array:  # noqa: D102
        i, j = np.arange(self.size[0])[rows], np.arange(self.size[1])[cols]
        return self.entries(np.repeat(i, len(j)), np.tile(j, len(i))).reshape(len(i), len(j))

    def entries(self, rows: Indices, cols: Indices) -> Array:  # noqa: D102
        wanted = cols.astype(np.int64) * self.size[0] + rows
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, self.values[place], self.outside)

    def column_minima(self, f: Array) -> tuple[Array, float]:
        """Over the listed pairs; 0 for columns without any, whose potentials may be anything."""
        minima = np.full(self.size[1], np.inf)
        starts = np.flatnonzero(np.r_[True, self.cols[1:] != self.cols[:-1]])
        minima[self.cols[starts]] = np.minimum.reduceat(self.values - f[self.rows], starts)
        return np.where(np.isfinite(minima), minima, 0.0), 0.0


def in_order(size: tuple[int, int], rows: Indices, cols: Indices, values: Array, outside: float = np.inf) -> ListedCost:
    """The cost of pairs that come in any order."""
    order = np.lexsort((rows, cols))
    return ListedCost(size, rows[order], cols[order], values[order], outside)


def is_listed(C: Any) -> bool:
    """Whether C lists its pairs: a sparse array, or a matrix with infinite entries."""
    if type(C).__module__.startswith("scipy.sparse"):
        return True
    if inputs.is_tensor(C):
        C = C.detach().cpu().numpy() if C.is_floating_point() and not C.is_meta else ()
    return isinstance(C, np.ndarray) and C.dtype.kind == "f" and C.ndim == 2 and bool(np.isposinf(C).any())


def listed_cost(C: Any) -> ListedCost:
    """The listed pairs of a sparse array, explicit zeros among them, or the finite ones of a matrix.

    Raises
    ------
    InvalidInput
        For NaN or minus infinity, no pair at all, or a pair that comes twice.
    """
    if type(C).__module__.startswith("scipy.sparse"):
        given = C.tocoo()
        if given.ndim != 2 or 0 in given.shape:
            raise InvalidInput(f"C must be a matrix of shape (n, m), but has shape {given.shape}.")
        rows, cols = given.row.astype(np.intp), given.col.astype(np.intp)
        data = (
            np.asarray(given.data, dtype=np.float64) if np.isrealobj(given.data) else inputs.real_array(given.data, "C")
        )
        size = (int(given.shape[0]), int(given.shape[1]))
        kept = ~np.isposinf(data)  # as forbidden as what is not listed
        rows, cols, data = rows[kept], cols[kept], data[kept]
    else:
        matrix = np.asarray(C.detach().cpu() if inputs.is_tensor(C) else C, dtype=np.float64)
        size = (matrix.shape[0], matrix.shape[1])
        rows, cols = np.nonzero(~np.isposinf(matrix))
        data = matrix[rows, cols]
    if not len(data):
        raise Infeasible(
            "C must allow some pairs, but forbids all. List their costs.", np.arange(size[0]), np.empty(0, np.intp)
        )
    inputs.cost_matrix(data[None])
    cost = in_order(size, rows, cols, data)
    twice = np.flatnonzero(cost.keys[1:] == cost.keys[:-1])
    if len(twice):
        raise InvalidInput(
            f"C must list each pair once, but ({cost.rows[twice[0]]}, {cost.cols[twice[0]]}) comes twice. Leave out the cost "
            "that does not count; C.sum_duplicates() would add them."
        )
    return cost


def solve_listed(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Solve and certify a problem whose cost is a :class:`ListedCost`.

    Raises
    ------
    Infeasible
        If no plan moves the masses along listed pairs alone.
    """
    cost = problem.cost
    assert isinstance(cost, ListedCost)
    rows, cols = (np.flatnonzero(side.any(axis=1)) for side in (problem.masses.a, problem.masses.b))
    a, b = problem.masses.a[rows], problem.masses.b[cols]
    inner = _between(cost, rows, cols)
    with Progress(rtol, max_steps, shown=progress) as rounds:
        plan = _feasible_plan(inner, a, b, rows, cols, rounds)
        outside = 2 * inner.ceiling + 1.0
        while True:
            network = Network(replace(inner, outside=outside), inner.rows, inner.cols, plan)
            finished = solve_on_arcs(network, rounds)
            plan = network.plan()[:3]
            if not _leaves_the_list(inner, plan):
                break
            outside *= DEARER
            plan = _feasible_plan(inner, a, b, rows, cols, rounds)
        f, g = np.zeros(problem.shape[0]), np.zeros(problem.shape[1])
        f[rows], g[cols] = network.f, network.g
        moves = Plan(rows[plan[0]], cols[plan[1]], plan[2])
        stats = {"pivots": network.pivots, "arcs": len(inner.values)}
        return Solution.certified(
            problem, moves, f, g, method="network-simplex", rtol=rtol, finished=finished, stats=stats
        )


def _between(cost: ListedCost, rows: Indices, cols: Indices) -> ListedCost:
    """The listed pairs between some rows and some columns, numbered anew."""
    row_of, col_of = np.full(cost.size[0], -1), np.full(cost.size[1], -1)
    row_of[rows], col_of[cols] = np.arange(len(rows)), np.arange(len(cols))
    i, j = row_of[cost.rows], col_of[cost.cols]
    kept = (i >= 0) & (j >= 0)
    return ListedCost((len(rows), len(cols)), i[kept], j[kept], cost.values[kept])


def _feasible_plan(
    cost: ListedCost, a: NDArray[np.int64], b: NDArray[np.int64], rows: Indices, cols: Indices, progress: Progress
) -> tuple[Indices, Indices, NDArray[np.int64]]:
    """A plan along listed pairs alone, by the simplex on costs of 0 and 1."""
    from otgan.kernels.spanning import merge_masses

    if not len(cost.values):
        _refuse(a, b, rows, cols, np.zeros(len(rows)), np.ones(len(cols)))
    counted = replace(cost, values=np.zeros(len(cost.values)), outside=1.0)
    network = Network(counted, cost.rows, cost.cols, merge_masses(a, b))
    solve_on_arcs(network, progress)
    plan = network.plan()[:3]
    if _leaves_the_list(cost, plan):
        level = network.f[0]  # potentials are whole numbers apart
        _refuse(a, b, rows, cols, np.rint(network.f - level), np.rint(network.g + level))
    return plan


def _leaves_the_list(cost: ListedCost, plan: tuple[Indices, Indices, Any]) -> bool:
    return bool(np.isinf(cost.entries(plan[0], plan[1])).any())


def _refuse(a: NDArray[np.int64], b: NDArray[np.int64], rows: Indices, cols: Indices, f: Array, g: Array) -> NoReturn:
    """Raise Infeasible with the rows of a level set of f, and the columns that they reach.

    The potentials are whole numbers with ``f_i + g_j <= 0`` for listed pairs, and ``a . f + b . g`` is positive. That
    is the sum over all levels t of the mass of rows with ``f_i >= t`` less that of columns with ``g_j <= -t``, among
    which are all that those rows reach: so at some level it is positive.
    """
    mass_a, mass_b = _as_ints(a), _as_ints(b)
    best: tuple[int, Indices, Indices] = (0, np.empty(0, np.intp), np.empty(0, np.intp))
    for level in np.unique(f):
        above, reached = np.flatnonzero(f >= level), np.flatnonzero(g <= -level)
        excess = sum(mass_a[i] for i in above) - sum(mass_b[j] for j in reached)
        best = max(best, (excess, above, reached), key=lambda found: found[0])
    excess, above, reached = best
    total = sum(mass_a)
    if excess <= 0:
        raise InvalidInput("no plan was found along the pairs that are listed, within the steps allowed. Allow more.")
    share = sum(mass_a[i] for i in above) / total, sum(mass_b[j] for j in reached) / total
    shown = ", ".join(map(str, rows[above][:SHOWN])) + (", ..." if len(above) > SHOWN else "")
    raise Infeasible(
        f"there is no plan: the {len(above)} rows {shown} hold {share[0]:.6g} of the mass, and all columns that they "
        f"may send to, {len(reached)}, take {share[1]:.6g}. Allow more pairs, or change the weights. The error's rows and "
        "cols name them.",
        rows[above],
        cols[reached],
    )


def _as_ints(masses: NDArray[np.int64]) -> list[int]:
    """Whole numbers of any size."""
    return [sum(int(digit) << BITS * d for d, digit in enumerate(row[::-1])) for row in masses.tolist()]
