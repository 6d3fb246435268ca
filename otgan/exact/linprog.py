"""Linear programs of optimal transport, as the textbooks write them, solved by HiGHS (Huangfu & Hall 2018).

Three programs, each an object with its matrices spelled out, each solvable on its own:

- :func:`primal`: ``min c.x`` subject to ``A x = b, x >= 0`` with ``c = vec(C)``, the plan ``x = vec(P)`` row by row;
- :func:`dual`: ``max b.y`` subject to ``A^T y <= c`` with ``y = (f, g)``;
- :func:`kantorovich_rubinstein`: for a metric cost on the common support ``f = -g``, so one function remains:
  ``max (a - b).f`` subject to ``|f_i - f_j| <= d_ij``.

They serve for teaching and as a reference for other solvers. Use them below about a thousand points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from otgan import inputs
from otgan.costs import PointCost, dense
from otgan.errors import OTError
from otgan.exact.dense import RawAnswer, solve_dense

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.problem import Problem
    from otgan.solution import Solution

__all__ = ["COUNTS_STEPS", "LinearProgram", "accepts", "dual", "kantorovich_rubinstein", "memory", "primal", "solve"]

COUNTS_STEPS = True

OPTIONS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """``optimise objective.v`` subject to ``A v = b`` or ``A v <= b``, and bounds on v.

    Attributes
    ----------
    objective : (k,) ndarray
    A : (r, k) scipy.sparse.csr_array
    b : (r,) ndarray
    equality : bool
        Whether the rows are equations; otherwise ``<=``.
    maximise : bool
    nonnegative : bool
        Whether v >= 0; otherwise v is free.
    """

    objective: NDArray[np.float64]
    A: sparse.csr_array
    b: NDArray[np.float64]
    equality: bool
    maximise: bool
    nonnegative: bool

    def solve(self, max_steps: int | None = None) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The optimal value, the variables (k,), and the multipliers of the rows (r,).

        Raises
        ------
        OTError
            If HiGHS does not reach an optimum.
        """
        result = self.run(max_steps)
        if result.x is None or result.status != 0:
            raise OTError(
                f"HiGHS did not solve the program: {result.message} Rescale the costs, or use another method."
            )
        sign = -1.0 if self.maximise else 1.0
        multipliers = (result.eqlin if self.equality else result.ineqlin).marginals
        return sign * float(result.fun), np.asarray(result.x), sign * np.asarray(multipliers)

    def run(self, max_steps: int | None = None) -> Any:
        """What HiGHS says, as scipy's OptimizeResult; without presolve if it first finds no answer."""
        from scipy.optimize import linprog

        options: dict[str, Any] = dict(OPTIONS)
        if max_steps is not None:
            options["maxiter"] = max_steps
        rows = {"A_eq": self.A, "b_eq": self.b} if self.equality else {"A_ub": self.A, "b_ub": self.b}
        objective = -self.objective if self.maximise else self.objective
        bounds = (0, None) if self.nonnegative else (None, None)
        result = linprog(objective, bounds=bounds, method="highs-ds", options=options, **rows)
        if result.status in (2, 4):  # presolve takes rounding for a contradiction
            result = linprog(
                objective, bounds=bounds, method="highs-ds", options={**options, "presolve": False}, **rows
            )
        return result


def _marginal_rows(n: int, m: int) -> sparse.csr_array:
    """The matrix A with ``A vec(P) = (P 1, P^T 1)``, shape (n + m, n m)."""
    rows = sparse.kron(sparse.eye_array(n), np.ones((1, m)))
    cols = sparse.kron(np.ones((1, n)), sparse.eye_array(m))
    return sparse.csr_array(sparse.vstack([rows, cols]))


def primal(C: Any, a: Any = None, b: Any = None) -> LinearProgram:
    """The transport program ``min <P, C>`` over plans with marginals a and b.

    Parameters
    ----------
    C : (n, m) array_like
        Costs.
    a : (n,) array_like, optional
    b : (m,) array_like, optional
        Masses of one total; 1/n and 1/m each if None.

    Returns
    -------
    LinearProgram
        ``objective`` is vec(C), ``A`` has one row a point, ``b`` is (a, b).

    Raises
    ------
    InvalidInput
        As :func:`otgan.solve_cost`.

    Examples
    --------
    >>> from otgan.exact.linprog import primal
    >>> value, x, y = primal([[0.0, 2.0], [1.0, 0.0]], [0.5, 0.5], [0.25, 0.75]).solve()
    >>> round(value, 12)
    0.5
    >>> x.reshape(2, 2)
    array([[0.25, 0.25],
           [0.  , 0.5 ]])
    """
    problem = _problem(C, a, b)
    n, m = problem.shape
    return LinearProgram(
        dense(problem.cost).ravel(), _marginal_rows(n, m), np.r_[problem.a, problem.b], True, False, True
    )


def dual(C: Any, a: Any = None, b: Any = None) -> LinearProgram:
    """The dual program ``max a.f + b.g`` subject to ``f_i + g_j <= C_ij``, variables (f, g).

    Parameters and errors as for :func:`primal`.

    Examples
    --------
    >>> from otgan.exact.linprog import dual
    >>> value, y, x = dual([[0.0, 2.0], [1.0, 0.0]], [0.5, 0.5], [0.25, 0.75]).solve()
    >>> round(value, 12)
    0.5
    """
    program = primal(C, a, b)
    transposed = sparse.csr_array(program.A.T)
    return LinearProgram(program.b, transposed, program.objective, False, True, False)


def kantorovich_rubinstein(x: Any, y: Any, *, a: Any = None, b: Any = None, metric: str = "euclidean") -> LinearProgram:
    """The Kantorovich-Rubinstein program on the common support of x and y, for p = 1.

    For a metric cost the optimal potentials satisfy f = -g there, so f is 1-Lipschitz, and a critic is all that is
    left to find (Villani 2009, remark 6.5). The variables are f at the distinct points of x and y, sorted by row.

    Parameters
    ----------
    x : (n, d) array_like
    y : (m, d) array_like
        Points; 1-D arrays are points on the line.
    a, b : array_like, optional
        Masses of one total.
    metric : {"euclidean", "cityblock", "chebyshev"}

    Examples
    --------
    >>> from otgan.exact.linprog import kantorovich_rubinstein
    >>> value, f, _ = kantorovich_rubinstein([0.0, 1.0], [1.0, 3.0]).solve()
    >>> round(value, 12)
    1.5
    """
    from otgan.problem import Problem

    problem = Problem.from_points(x, y, 1, a=a, b=b, metric=metric)
    cost = problem.cost
    assert isinstance(cost, PointCost)
    support, index = np.unique(np.vstack([cost.x, cost.y]), axis=0, return_inverse=True)
    imbalance = np.bincount(index.ravel(), weights=np.r_[problem.a, -problem.b], minlength=len(support)).astype(
        np.float64
    )
    k = len(support)
    i, j = np.nonzero(~np.eye(k, dtype=bool))
    rows = np.arange(len(i))
    A = sparse.csr_array(
        (np.r_[np.ones(len(i)), -np.ones(len(i))], (np.r_[rows, rows], np.r_[i, j])), shape=(len(i), k)
    )
    between = PointCost(support, support, 1.0, inputs.metric_name(metric))
    return LinearProgram(imbalance, A, between.entries(i, j), False, True, False)


def _problem(C: Any, a: Any, b: Any) -> Problem:
    from otgan.problem import Problem

    return Problem.from_matrix(C, a, b)


def accepts(problem: Problem) -> str | None:
    """Why this solver cannot take ``problem``; it takes all."""
    return None


def memory(n: int, m: int) -> int:
    """Bytes needed: HiGHS keeps several copies of the constraint matrix and its factors."""
    return 1000 * n * m


def solve(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Solve the primal program with HiGHS' dual simplex; its multipliers are the potentials."""
    return solve_dense(problem, simplex, method="linprog", rtol=rtol, max_steps=max_steps)


def simplex(C: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], max_steps: int | None) -> RawAnswer:
    """One run of HiGHS on the primal program, without the row of the heaviest column.

    That row follows from the others. Left in, the rounding of the masses makes the equations contradict each other,
    and HiGHS may call the program infeasible.
    """
    n, m = C.shape
    kept = np.delete(np.arange(n + m), n + int(b.argmax()))
    program = LinearProgram(C.ravel(), _marginal_rows(n, m)[kept], np.r_[a, b][kept], True, False, True)
    result = program.run(max_steps)
    multipliers = np.zeros(n + m)
    if result.x is None:  # no plan at all: the empty one is repaired into a feasible one, and certified as such
        empty = np.empty(0, np.intp)
        return RawAnswer(empty, empty, np.empty(0), multipliers[:n], multipliers[n:], finished=max_steps is None)
    plan = np.maximum(np.reshape(result.x, (n, m)), 0.0)
    row, col = np.nonzero(plan)
    if result.status == 0:
        multipliers[kept] = result.eqlin.marginals
    finished = max_steps is None or result.status == 0
    return RawAnswer(row, col, plan[row, col], multipliers[:n], multipliers[n:], finished)
