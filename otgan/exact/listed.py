"""Costs between some pairs only: all others are forbidden.

The arc-list simplex of "sparse" runs on the pairs that are listed. It begins at a plan along these alone, or
:mod:`otgan.exact.feasible` proves that there is none. Pairs outside only hold the tree together, at a cost that is
raised if one carries mass.

100,000 rows with 6 pairs each, equal weights, two busy cores: 10 s, of which scipy's matching takes 4 to 8; a simplex
from the north-west corner takes 268 s.

The certificate is that of every solution, over the listed pairs: potentials need not be feasible elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otgan import inputs
from otgan.costs import Cost
from otgan.errors import Infeasible, InvalidInput
from otgan.exact.feasible import attempt_plan, find_cut, leaves_the_list, simplex
from otgan.exact.sparse.progress import Progress
from otgan.masses import as_ints
from otgan.plan import Plan
from otgan.problem import Problem
from otgan.runtime import memory
from otgan.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.pricing import MatrixPricing

    Array = NDArray[np.float64]
    Indices = NDArray[np.intp]
    Masses = NDArray[np.int64]
    Moves = tuple[Indices, Indices, Masses]

__all__ = ["ListedCost", "forbids_pairs", "in_order", "is_sparse", "listed_cost", "solve_listed"]

METHODS = ("auto", "network-simplex")
ROUNDING = 1e-9  # of the mass: what sums of floats may differ by
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
        if not len(self.keys):
            return np.full(len(wanted), self.outside)
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


def is_sparse(C: Any) -> bool:
    """Whether C is a sparse array or matrix of scipy's."""
    return type(C).__module__.startswith("scipy.sparse")


def forbids_pairs(C: Any) -> bool:
    """Whether C is a matrix with infinite entries, which is asked where it was refused as one without."""
    if inputs.is_tensor(C):
        C = C.detach().cpu().numpy() if C.is_floating_point() and not C.is_meta else ()
    elif isinstance(C, list | tuple) or hasattr(C, "to_numpy"):
        try:
            C = np.asarray(C)
        except (TypeError, ValueError):  # rows of several lengths
            return False
    if not (isinstance(C, np.ndarray) and C.dtype.kind == "f" and C.ndim == 2 and memory.fits(9 * C.size)):
        return False
    return bool(np.isposinf(C).any())


def listed_cost(C: Any) -> ListedCost:
    """The listed pairs of a sparse array, explicit zeros among them, or the finite ones of a matrix.

    Raises
    ------
    InvalidInput
        For NaN or minus infinity, no pair at all, or a pair that comes twice.
    """
    if is_sparse(C):
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
            f"C must list each pair once, but ({cost.rows[twice[0]]}, {cost.cols[twice[0]]}) comes twice. Leave out "
            "the cost that does not count; C.sum_duplicates() would add them."
        )
    return cost


def solve_listed(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Solve and certify a problem whose cost is a :class:`ListedCost`, with ``max_steps`` pivots a round at most.

    Where that, or Ctrl-C, ends it before it is known whether there is a plan, the upper bound is infinite.

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
        first = attempt_plan(inner, a, b, rounds)
        if not (first.allowed or rounds.interrupted) and first.finished:
            raise _infeasible(*find_cut(first, a, b), a, b, rows, cols)
        found = _cheapest(inner, first.plan, rounds) if first.allowed else _Found(first.plan)
        f, g = np.zeros(problem.shape[0]), np.zeros(problem.shape[1])
        f[rows], g[cols] = found.f, found.g
        moves = Plan(rows[found.plan[0]], cols[found.plan[1]], found.plan[2])
        stats = {"pivots": found.pivots, "arcs": len(inner.values)}
        return Solution.certified(
            problem, moves, f, g, method="network-simplex", rtol=rtol, finished=found.finished, stats=stats
        )


class _Found(NamedTuple):
    """A plan and potentials, and how they were found; the defaults are what is known before there is a plan."""

    plan: Moves
    f: Array | float = 0.0
    g: Array | float = 0.0
    pivots: int = 0
    finished: bool = False


def _cheapest(cost: ListedCost, plan: Moves, progress: Progress) -> _Found:
    """Go from a plan along listed pairs to the cheapest one, or as far as there is time for."""
    from otgan.exact.sparse.network import Network

    outside = 2 * cost.ceiling or 1.0  # of the size of the costs: large potentials lose the digits of small ones
    while True:
        network = Network(replace(cost, outside=outside), cost.rows, cost.cols, plan)
        finished, found = simplex(network, progress), network.plan()[:3]
        allowed = not leaves_the_list(cost, found)
        if allowed or not finished:
            return _Found(found if allowed else plan, network.f, network.g, network.pivots, finished)
        outside *= DEARER


def _between(cost: ListedCost, rows: Indices, cols: Indices) -> ListedCost:
    """The listed pairs between some rows and some columns, numbered anew."""
    row_of, col_of = np.full(cost.size[0], -1), np.full(cost.size[1], -1)
    row_of[rows], col_of[cols] = np.arange(len(rows)), np.arange(len(cols))
    i, j = row_of[cost.rows], col_of[cost.cols]
    kept = (i >= 0) & (j >= 0)
    return ListedCost((len(rows), len(cols)), i[kept], j[kept], cost.values[kept])


def _infeasible(above: Indices, reached: Indices, a: Masses, b: Masses, rows: Indices, cols: Indices) -> Infeasible:
    """The error that names a cut, in the numbers of all rows and columns."""
    mass_a, mass_b = as_ints(a), as_ints(b)
    total = sum(mass_a)
    held, taken = (
        Fraction(sum(masses), total) for masses in ((mass_a[i] for i in above), (mass_b[j] for j in reached))
    )
    some = ", ".join(map(str, rows[above][:SHOWN])) + (", ..." if len(above) > SHOWN else "")
    advice = (
        "Allow more pairs, or change the weights"
        if held - taken > ROUNDING
        else f"That is {float(held - taken):.2g} less, as rounding may leave it: pass weights that are whole numbers"
    )
    return Infeasible(
        f"there is no plan that C allows: rows {some} ({len(above)} in all) hold {float(held):.6g} of the mass, and "
        f"the {len(reached)} columns that they may send to take {float(taken):.6g}. {advice}; "
        "the error's rows and cols name them.",
        rows[above],
        cols[reached],
    )
