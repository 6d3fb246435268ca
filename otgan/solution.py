"""The solution of a transport problem: a plan, potentials, and the certificate of both."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.certificate import certify, make_feasible, sharpen
from otgan.errors import OTError
from otgan.plan import Plan, arcs, repair_plan
from otgan.potentials import DualPotentials

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from otgan.certificate import Certificate
    from otgan.problem import Problem

__all__ = ["Solution", "Status"]

SHARPENED = 2**22  # pairs; with more, potentials are not rounded with that much care


class Status(Enum):
    """How a solve ended; the value says what that means and what to do."""

    OPTIMAL = "Proven optimal within rtol: by the plan and its potentials, or on the line by the order of the points."
    GAP = (
        "The solver finished, but float64 does not bring the bounds within rtol. The truth lies between lower and "
        "upper; accept a larger rtol, or rescale the costs or weights so that they span fewer orders of magnitude."
    )
    MAX_STEPS = (
        "The solver stopped at max_steps. The truth lies between lower and upper; raise max_steps or leave it None."
    )
    CONTRADICTION = (
        "The lower bound lies above the upper one, which cannot be: one of the two proofs is wrong. Do not use either "
        "number; please report the data."
    )
    INTERRUPTED = "The solver was interrupted. The truth lies between lower and upper; let it run to close the gap."

    @property
    def message(self) -> str:
        """The sentence for people."""
        return self.value


@dataclass(frozen=True, eq=False)
class Solution:
    """A transport plan, potentials, and the bounds that they prove.

    On the line the order of the points proves the value and the bounds; the plan, the potentials and their certificate
    are then made when they are first asked for (:mod:`otgan.exact.ordered`).

    Attributes
    ----------
    problem : otgan.problem.Problem
        What was solved.
    moves : otgan.plan.Plan
        The plan in whole numbers, whose marginals are the masses exactly.
    f : (n,) ndarray of float64
    g : (m,) ndarray of float64
        Potentials with ``f_i + g_j <= C_ij`` for all pairs, also of points without mass. Units of cost.
    value : float
        ``<P, C>``, the cost of the plan, never outside of the bounds. The optimal cost where ``status`` is OPTIMAL.
    certificate : otgan.certificate.Certificate
        The bounds and the errors they rest on.
    status : Status
        How the solve ended, ``status.message`` for people.
    method : str
        The solver that made it.
    stats : dict
        Steps, rounds and other figures of the solver. ``seconds`` in all, of which ``certificate_seconds`` went into
        the proof: making potentials feasible, repairing the plan, both bounds. Small problems have only the first.
    """

    problem: Problem
    moves: Plan
    f: NDArray[np.float64]
    g: NDArray[np.float64]
    value: float
    certificate: Certificate
    status: Status
    method: str
    stats: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def certified(
        cls,
        problem: Problem,
        plan: Plan | sparse.coo_array,
        f: NDArray[np.float64],
        g: NDArray[np.float64],
        *,
        method: str,
        rtol: float,
        finished: bool = True,
        stats: dict[str, Any] | None = None,
    ) -> Solution:
        """Repair what a solver found (marginals exact, potentials feasible over all pairs), certify it, wrap it."""
        start = time.perf_counter()
        f, g = make_feasible(problem, f, g, plan if isinstance(plan, Plan) else None)
        if not isinstance(plan, Plan):
            row, col, _ = arcs(plan)
            plan = repair_plan(problem, plan, problem.cost.entries(row, col) - f[row] - g[col])
        value, certificate = certify(problem, plan, f, g, feasible=True)
        if finished and not certificate.is_optimal(rtol) and math.prod(problem.shape) <= SHARPENED:
            sharp_f, sharp_g = sharpen(problem, f, g)
            sharp = certify(problem, plan, sharp_f, sharp_g, sharp=True)
            if sharp[1].lower > certificate.lower:
                f, g, value, certificate = sharp_f, sharp_g, *sharp
        status = Status.GAP if finished else Status.MAX_STEPS
        if certificate.is_optimal(rtol):
            status = Status.OPTIMAL
        elif not certificate.is_consistent:
            status = Status.CONTRADICTION
        stats = {**(stats or {}), "certificate_seconds": time.perf_counter() - start}
        return cls(problem, plan, f, g, value, certificate, status, method, stats)

    @cached_property
    def plan(self) -> sparse.coo_array:
        """The plan in floats, (n, m): masses ``P_ij > 0``, each right to an ulp, in units of the weights."""
        return self.moves.array(self.problem)

    @property
    def assignment(self) -> NDArray[np.intp]:
        """The column of each row, (n,), where the plan is a permutation: n = m and equal weights.

        Raises
        ------
        OTError
            Where it is none.

        Examples
        --------
        >>> import otgan
        >>> otgan.solve([[0.0, 0.0], [5.0, 0.0]], [[5.0, 1.0], [0.0, 1.0]]).assignment
        array([1, 0])
        """
        n, m = self.problem.shape
        if n != m or not self.problem.uniform:
            reason = f"there are {n} and {m}" if n != m else "the weights differ"
            raise OTError(
                f"an assignment needs as many points on both sides, with equal weights, but {reason}. Use plan, sample "
                "or barycentric_projection."
            )
        columns = np.full(n, -1)
        columns[self.moves.rows] = self.moves.cols
        if len(self.moves.rows) != n:
            raise OTError("the plan splits points, as it was not solved to the end. Use plan.")
        return columns

    def sample(self, k: int, *, rng: Any = None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """K pairs drawn from the plan: rows and columns, (k,) each, the pair (i, j) with probability ``P_ij``.

        Parameters
        ----------
        k : int
        rng : numpy.random.Generator or int, optional
            A generator or its seed.

        Raises
        ------
        InvalidInput
            For a k below 1, or an ``rng`` that is none.

        Examples
        --------
        >>> import otgan
        >>> rows, cols = otgan.solve([[0.0, 0.0]], [[1.0, 0.0], [2.0, 0.0]]).sample(4, rng=0)
        >>> rows.tolist(), sorted(set(cols.tolist()))
        ([0, 0, 0, 0], [0, 1])
        """
        mass = self.moves.floats
        chosen = inputs.generator(rng).choice(len(mass), inputs.count(k, "k"), p=mass / mass.sum())
        return self.moves.rows[chosen], self.moves.cols[chosen]

    def barycentric_projection(self) -> NDArray[np.float64]:
        """Where the plan sends each point of x on average, (n, d): ``sum_j P_ij y_j / a_i``; NaN without mass.

        Raises
        ------
        OTError
            For a cost matrix, which has no points.

        Examples
        --------
        >>> import otgan
        >>> otgan.solve([[0.0, 0.0]], [[1.0, 0.0], [2.0, 0.0]]).barycentric_projection()
        array([[1.5, 0. ]])
        """
        from otgan.costs import PointCost

        cost = self.problem.cost
        if not isinstance(cost, PointCost):
            raise OTError("a barycentric projection needs points; solve(x, y) has them, solve_cost(C) not.")
        mass, total = self.moves.floats, np.zeros(len(cost.x))
        np.add.at(total, self.moves.rows, mass)
        moved = np.zeros(cost.x.shape)
        with np.errstate(invalid="ignore"):  # 0 / 0 where there is no mass
            np.add.at(moved, self.moves.rows, (mass / total[self.moves.rows])[:, None] * cost.y[self.moves.cols])
            moved[total == 0] = np.nan
        return moved

    @property
    def lower(self) -> float:
        """Proven lower bound on the optimal cost, for the masses that the weights are exactly."""
        return self.certificate.lower

    @property
    def upper(self) -> float:
        """Proven upper bound on the optimal cost, for the masses that the weights are exactly."""
        return self.certificate.upper

    @property
    def gap(self) -> float:
        """``(upper - lower) / upper``, 0 if both are 0."""
        return self.certificate.gap

    @property
    def distance(self) -> float:
        """``value ** (1 / p)``, the Wasserstein distance where the total mass is 1."""
        if self.problem.p == 1:
            return self.value
        return self.value ** (1.0 / self.problem.p)

    @property
    def potentials(self) -> DualPotentials:
        """The potentials as functions on the whole space (c-transform; for p = 1 the McShane extension).

        At the points of x with mass their gradient is the plan's own.
        """
        from otgan.costs import PointCost

        cost = self.problem.cost
        if not isinstance(cost, PointCost):
            raise OTError("potentials need points to be evaluated elsewhere; solve(x, y) has them, solve_cost(C) not.")
        return replace(DualPotentials.from_values(cost, self.f, self.g, self.plan), columns=self.problem.columns)

    def __repr__(self) -> str:
        n, m = self.problem.shape
        return (
            f"Solution(value={self.value:.10g}, gap={self.gap:.1e}, status={self.status.name}, "
            f"method={self.method!r}, n={n}, m={m})"
        )
