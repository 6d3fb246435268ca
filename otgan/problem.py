"""The transport problem: a cost, and a mass on each side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import frames, inputs
from otgan.costs import Cost, MatrixCost, PointCost
from otgan.masses import WholeMasses, whole_masses

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

__all__ = ["Problem"]


@dataclass(frozen=True, eq=False)
class Problem:
    """Move the masses ``a`` onto the masses ``b`` at least cost ``<P, C>``.

    Attributes
    ----------
    cost : Cost
        n rows, m columns.
    a : (n,) ndarray of float64
    b : (m,) ndarray of float64
        Masses, non-negative, of one total up to rounding: what :attr:`masses` are exactly.
    p : float
        The order: the cost is a distance to the power p. 1 for a cost matrix.
    uniform : bool
        Whether every point of a side carries the same mass.
    weights : tuple, optional
        What came for a and b, before rounding: an array, or the number of points for equal weights 1/n; a and b
        themselves if None.
    columns : tuple, optional
        The names of the coordinates, where the points came as a data frame.
    """

    cost: Cost
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    p: float = 1.0
    uniform: bool = False
    weights: tuple[NDArray[np.float64] | int, NDArray[np.float64] | int] | None = None
    columns: tuple[Hashable, ...] | None = None

    @classmethod
    def from_points(
        cls, x: Any, y: Any, p: Any = 1, *, a: Any = None, b: Any = None, metric: Any = "euclidean", device: str = "cpu"
    ) -> Problem:
        """Check everything and build the problem between points; see :func:`otgan.solve`."""
        metric = inputs.metric_name(metric)
        y, columns = frames.aligned(x, y), frames.columns(x) or frames.columns(y)
        cost = PointCost(inputs.points(x, "x"), inputs.points(y, "y"), inputs.exponent(p), metric, device)
        problem = cls._weighted(cost, a, b, cost.p)
        inputs.value_fits(problem.mass, cost.ceiling)
        return problem if columns is None else replace(problem, columns=columns)

    @classmethod
    def from_matrix(cls, C: Any, a: Any = None, b: Any = None) -> Problem:
        """Check everything and build the problem of a cost matrix; see :func:`otgan.solve_cost`."""
        return cls.of_cost(MatrixCost.of(C), a, b)

    @classmethod
    def of_cost(cls, cost: Cost, a: Any = None, b: Any = None, p: float = 1.0) -> Problem:
        """The problem of a cost that is checked, with weights that are not."""
        return cls._weighted(cost, a, b, p)

    @classmethod
    def _weighted(cls, cost: Cost, a: Any, b: Any, p: float) -> Problem:
        n, m = cost.shape
        if a is None and b is None and n == m:
            return cls(cost, np.full(n, 1.0 / n), np.full(n, 1.0 / n), p, True, (n, n))
        mass_a = inputs.weights(a, n, "a", "the n rows")
        mass_b = inputs.weights(b, m, "b", "the m columns")
        given = n if a is None else mass_a, m if b is None else mass_b
        mass_b = inputs.equal_mass(mass_a, mass_b, inputs.mass_tolerance(a, b))
        uniform = (a is None or not np.ptp(mass_a)) and (b is None or not np.ptp(mass_b))
        return cls(cost, mass_a, mass_b, p, uniform, given)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of points n and m."""
        return self.cost.shape

    @cached_property
    def mass(self) -> float:
        """The total mass that moves."""
        return inputs.total(self.a)

    @cached_property
    def masses(self) -> WholeMasses:
        """The masses exactly, as whole numbers: what plans move, and what bounds are for."""
        return whole_masses(*(self.weights or (self.a, self.b)))

    @property
    def transposed(self) -> Problem:
        """The same problem with the two sides exchanged."""
        turned = replace(self, cost=self.cost.T, a=self.b, b=self.a)
        masses = self.masses
        vars(turned)["masses"] = WholeMasses(masses.b, masses.a, masses.unit)  # the total stays that of a
        return turned
