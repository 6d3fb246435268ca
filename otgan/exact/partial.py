"""Partial transport: only a part of the mass moves, the part that is cheapest to move.

One more point on each side takes what stays: the column ``m`` what of a is not moved, the row ``n`` what of b is not
served, both at no cost (Caffarelli & McCann 2010; Guittet 2002). Mass between these two points would be mass that
moves unseen, so it costs twice as much as anything else, and no optimal plan pays it. What is solved and proven is this
problem of n + 1 rows and m + 1 columns, like any other, with masses that are whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.costs import Cost
from otgan.errors import InvalidInput, OTError
from otgan.masses import WholeMasses, partial_masses
from otgan.plan import Plan
from otgan.pricing import MatrixPricing
from otgan.problem import Problem
from otgan.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.potentials import DualPotentials

__all__ = ["PartialSolution", "with_dummies"]

METHODS = ("auto", "network-simplex", "linprog")  # that take any cost with any masses


@dataclass(frozen=True, eq=False)
class PartialSolution(Solution):
    """A solution that moves a given mass: its plan has at most a in each row, at most b in each column.

    Attributes
    ----------
    f : (n,) ndarray of float64
    g : (m,) ndarray of float64
        Potentials, at most 0 up to rounding: ``f_i + g_j + level <= C_ij``. 0 where mass stays.
    level : float
        What a little more mass would cost, for each unit of it. The bounds are for ``a . f + b . g + level * mass``.
    mass : float
        What is moved, in units of the weights.
    whole : Solution
        With the two points that take what is not moved, n + 1 rows and m + 1 columns: what has been proven.
    """

    level: float = field(kw_only=True)
    mass: float = field(kw_only=True)
    whole: Solution = field(kw_only=True)

    @classmethod
    def of(cls, whole: Solution, mass: float) -> PartialSolution:
        """The part of a solution that is between points."""
        augmented = whole.problem
        cost, masses = augmented.cost, augmented.masses
        assert isinstance(cost, DummyCost)
        n, m = cost.cost.shape
        problem = Problem(cost.cost, augmented.a[:n], augmented.b[:m], augmented.p)
        vars(problem)["masses"] = WholeMasses(masses.a[:n], masses.b[:m], masses.unit)
        kept = (whole.moves.rows < n) & (whole.moves.cols < m)
        return cls(
            problem,
            Plan(whole.moves.rows[kept], whole.moves.cols[kept], whole.moves.mass[kept]),
            whole.f[:n] + whole.g[m],
            whole.g[:m] + whole.f[n],
            whole.value,
            whole.certificate,
            whole.status,
            whole.method,
            whole.stats,
            level=-float(whole.f[n] + whole.g[m]),
            mass=mass,
            whole=whole,
        )

    @property
    def assignment(self) -> NDArray[np.intp]:
        """There is none where only a part moves."""
        raise OTError("an assignment moves all mass, and this plan a part of it. Use plan or sample.")

    @property
    def potentials(self) -> DualPotentials:
        """There are none as functions: those of points are ``f`` and ``g``."""
        raise OTError("potentials as functions are for plans that move all mass. Use f, g and level.")

    def __repr__(self) -> str:
        return f"Partial{super().__repr__()[:-1]}, mass={self.mass:.6g})"


@dataclass(frozen=True, eq=False)
class DummyCost(Cost):
    """A cost with one more row and one more column, which cost nothing but where they meet.

    Attributes
    ----------
    cost : Cost
        n rows, m columns.
    """

    cost: Cost

    @property
    def shape(self) -> tuple[int, int]:
        n, m = self.cost.shape
        return n + 1, m + 1

    @cached_property
    def between(self) -> float:
        """What the two dummies cost each other."""
        return 2 * self.cost.ceiling or 1.0

    @property
    def rounding(self) -> float:
        return self.cost.rounding

    @property
    def floor(self) -> float:
        return min(0.0, self.cost.floor)

    @property
    def ceiling(self) -> float:
        return self.between

    @property
    def T(self) -> DummyCost:
        return DummyCost(self.cost.T)

    @property
    def pricing(self) -> MatrixPricing:
        return MatrixPricing(self.block(slice(None), slice(None)))

    def block(self, rows: slice, cols: slice) -> NDArray[np.float64]:
        n, m = self.cost.shape
        i, j = np.arange(n + 1)[rows], np.arange(m + 1)[cols]
        entries = np.zeros((len(i), len(j)))
        entries[np.ix_(i < n, j < m)] = self.cost.block(_within(rows, n), _within(cols, m))
        entries[np.ix_(i == n, j == m)] = self.between
        return entries

    def entries(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.float64]:
        n, m = self.cost.shape
        real, entries = (rows < n) & (cols < m), np.zeros(len(rows))
        entries[real] = self.cost.entries(rows[real], cols[real])
        entries[(rows == n) & (cols == m)] = self.between
        return entries

    @property
    def lost_to_underflow(self) -> float:
        return self.cost.lost_to_underflow

    def underflow(
        self, rows: NDArray[np.intp], cols: NDArray[np.intp], entries: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        n, m = self.cost.shape
        real, below = (rows < n) & (cols < m), np.zeros(len(rows))
        below[real] = self.cost.underflow(rows[real], cols[real], entries[real])
        return below


def with_dummies(cost: Cost, p: float, a: Any, b: Any, mass: Any) -> tuple[Problem, float]:
    """The problem of moving a mass alone, and the mass.

    Parameters
    ----------
    cost : Cost
    p : float
    a, b : array_like or None
        Weights, of any two totals.
    mass : float

    Raises
    ------
    InvalidInput
        For weights that make no sense, and more mass than one of the sides has, or none.
    """
    n, m = cost.shape
    left, right = inputs.weights(a, n, "a", "the n rows"), inputs.weights(b, m, "b", "the m columns")
    totals = inputs.total(left), inputs.total(right)
    moved, most = inputs.real(mass, "mass", low=0.0, open_low=True), min(totals)
    if moved > most * (1 + inputs.mass_tolerance(a, b)):
        raise InvalidInput(
            f"mass must be at most that of either side, but mass = {moved:.6g} and sum(a) = {totals[0]:.6g}, sum(b) = "
            f"{totals[1]:.6g}. Pass less, or leave it out where the totals are equal."
        )
    moved = min(moved, most)
    augmented = DummyCost(cost)
    masses = partial_masses(left, right, moved)
    stay_a, stay_b = (_last(side) * masses.unit for side in (masses.a, masses.b))
    problem = Problem(augmented, np.append(left, stay_a), np.append(right, stay_b), p)
    vars(problem)["masses"] = masses
    inputs.value_fits(problem.mass, augmented.ceiling)
    return problem, moved


def _last(masses: NDArray[np.int64]) -> float:
    """The last of whole masses in units of the first digit, which is zero only where the mass is: no rest of totals."""
    from otgan.kernels.wide import as_floats

    return float(as_floats(masses[-1:])[0])


def _within(part: slice, size: int) -> slice:
    """The part of a slice that lies below ``size``."""
    start, stop, _ = part.indices(size + 1)
    return slice(min(start, size), min(stop, size))
