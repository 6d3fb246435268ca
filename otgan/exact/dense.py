"""Solvers of a dense cost matrix: capped costs, and iterative refinement until the bounds agree.

Two things go wrong when costs span many orders of magnitude. A solver compares reduced costs with a tolerance
relative to the largest cost, so cheap arcs look alike; and potentials as large as the largest cost carry its rounding
into every small one. Capping avoids both: ``min(C, K)`` with K above every cost that an optimal plan pays is solved by
the same plan. Its potentials are feasible for C too, and no larger than a few K. The solution shows whether K was high
enough (no mass on a capped arc), so a wrong K costs a round and never gives a wrong answer.

If the certified bounds still do not meet, the problem of the reduced costs ``C - f - g`` is solved in their place and
its potentials are added (iterative refinement, Gleixner, Steffy & Wolter 2016): each round works at the scale of what
is still unproven. Where that ends without a proof, :mod:`otgan.exact.polish` goes on with masses that are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from scipy import sparse

from otgan.costs import Cost, dense
from otgan.exact.polish import polish
from otgan.plan import Plan, matching
from otgan.pricing import MatrixPricing
from otgan.problem import Problem
from otgan.runtime import interrupts
from otgan.solution import Solution, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Engine", "RawAnswer", "solve_dense"]

WIDE_RATIO = 1e4  # costs this much above the dearest nearest neighbour are capped at once
MAX_ROUNDS = 12  # of the engine, each with costs seen from the potentials of the last
LARGEST_WHOLE = 2**53  # that float64 holds with all numbers below


class RawAnswer(NamedTuple):
    """What an engine found for ``min <P, C>``, before it is certified."""

    row: NDArray[np.intp]
    col: NDArray[np.intp]
    mass: NDArray[np.float64]
    f: NDArray[np.float64]
    g: NDArray[np.float64]
    finished: bool = True
    is_matching: bool = False  # all mass of row i goes to column col[i]


class Engine(Protocol):
    """A solver for a dense cost matrix with entries in [0, 1] and positive masses of one total."""

    def __call__(
        self, C: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], max_steps: int | None, /
    ) -> RawAnswer:
        """Solve, with at most ``max_steps`` steps of its own kind."""
        ...


@dataclass(frozen=True, eq=False)
class DenseCost(Cost):
    """A cost beside all its entries, for as long as a solver holds them anyway: the certificate need not repeat them.

    Attributes
    ----------
    cost : Cost
    matrix : (n, m) ndarray of float64
        All its entries.
    """

    cost: Cost
    matrix: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int]:
        return self.cost.shape

    @property
    def rounding(self) -> float:
        return self.cost.rounding

    @property
    def floor(self) -> float:
        return self.cost.floor

    @property
    def ceiling(self) -> float:
        return self.cost.ceiling

    @property
    def T(self) -> DenseCost:
        return DenseCost(self.cost.T, self.matrix.T)

    @property
    def pricing(self) -> MatrixPricing:
        return MatrixPricing(self.matrix)

    def block(self, rows: slice, cols: slice) -> NDArray[np.float64]:
        return self.matrix[rows, cols]

    def entries(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.float64]:
        return self.cost.entries(rows, cols)

    @property
    def lost_to_underflow(self) -> float:
        return self.cost.lost_to_underflow

    def underflow(
        self, rows: NDArray[np.intp], cols: NDArray[np.intp], entries: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return self.cost.underflow(rows, cols, entries)


@dataclass
class _Search:
    """The best plan and potentials so far, on the points that carry mass."""

    C: NDArray[np.float64]
    f: NDArray[np.float64]
    g: NDArray[np.float64]
    cap: float


def solve_dense(
    problem: Problem, engine: Engine, *, method: str, rtol: float, max_steps: int | None = None
) -> Solution:
    """Solve with ``engine`` in rounds until the certified gap is at most ``rtol`` or stops falling."""
    rows, cols = np.flatnonzero(problem.a > 0), np.flatnonzero(problem.b > 0)
    asked, C = problem, dense(problem.cost)
    problem = replace(asked, cost=DenseCost(asked.cost, C))
    vars(problem)["masses"] = asked.masses
    if len(rows) < C.shape[0] or len(cols) < C.shape[1]:
        C = np.ascontiguousarray(C[np.ix_(rows, cols)])
    a, b, unit = _masses(problem, rows, cols)
    lowest = float(C.min())
    search = _Search(C, np.full(len(rows), min(lowest, 0.0)), np.zeros(len(cols)), _first_cap(C, lowest))
    best: Solution | None = None
    for done in range(1, MAX_ROUNDS + 1):
        answer, capped = _capped_round(search, engine, a, b, max_steps)
        found = _lift(problem, rows, cols, answer, unit, search)
        solution = Solution.certified(
            problem, *found, method=method, rtol=rtol, finished=answer.finished, stats={"rounds": done}
        )
        previous, best = best, _better(solution, best, method, rtol)
        if best.status is not Status.GAP or interrupts.asked():
            break
        stalled = previous is not None and best.gap > 0.5 * previous.gap
        if stalled and not capped:
            break
        _narrow(search, best, rows, cols, capped)
    assert best is not None
    if best.status is Status.GAP and not np.isinf(best.upper - best.lower) and not interrupts.asked():
        best = _better(polish(best, search.C, rows, cols, rtol), best, method, rtol)
    return replace(best, problem=asked)


def _masses(
    problem: Problem, rows: NDArray[np.intp], cols: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Masses for the engine and the unit they count in: the whole numbers where floats can hold them."""
    masses = problem.masses
    if masses.a.shape[1] == 1 and masses.a.sum() <= LARGEST_WHOLE:
        a, b = (side[:, 0].astype(np.float64) for side in (masses.a[rows], masses.b[cols]))
        return a, b, masses.unit
    return problem.a[rows] / problem.mass, problem.b[cols] / problem.mass, problem.mass


def _first_cap(C: NDArray[np.float64], lowest: float) -> float:
    """Infinity, or for costs of very wide range a first guess at what an optimal plan pays at most."""
    low = C - lowest if lowest < 0 else C
    nearest = max(low.min(axis=0).max(), low.min(axis=1).max())
    return 4 * nearest if nearest > 0 and low.max() > WIDE_RATIO * nearest else np.inf


def _capped_round(
    search: _Search, engine: Engine, a: NDArray[np.float64], b: NDArray[np.float64], max_steps: int | None
) -> tuple[RawAnswer, bool]:
    """Solve the reduced costs under the cap, scaled to [0, 1]; whether a capped arc carries mass."""
    reduced = search.C - search.f[:, None]
    reduced -= search.g
    np.maximum(reduced, 0.0, out=reduced)
    if np.isfinite(search.cap):
        np.minimum(reduced, search.cap, out=reduced)
    scale = float(reduced.max()) or 1.0
    if not math.isfinite(scale):  # no engine has an idea of NaN, and some never return
        raise OverflowError("reduced costs left float64, which the checks of the input should have prevented")
    reduced /= scale
    answer = engine(reduced, a, b, max_steps)
    capped = bool(np.isfinite(search.cap) and reduced[answer.row, answer.col].max(initial=0.0) >= 1.0)
    return answer._replace(f=answer.f * scale, g=answer.g * scale), capped


def _lift(
    problem: Problem,
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
    answer: RawAnswer,
    unit: float,
    search: _Search,
) -> tuple[Plan | sparse.coo_array, NDArray[np.float64], NDArray[np.float64]]:
    """The engine's answer on all points of the problem, in its units."""
    f, g = np.zeros(problem.shape[0]), np.zeros(problem.shape[1])
    f[rows], g[cols] = search.f + answer.f, search.g + answer.g
    if answer.is_matching:
        return matching(problem, answer.col), f, g
    return sparse.coo_array((answer.mass * unit, (rows[answer.row], cols[answer.col])), shape=problem.shape), f, g


def _better(new: Solution, old: Solution | None, method: str, rtol: float) -> Solution:
    """The better plan with the better potentials, whichever rounds they come from."""
    if old is None or (new.upper <= old.upper and new.lower >= old.lower):
        return new
    plan = new.moves if new.upper <= old.upper else old.moves
    dual = new if new.lower >= old.lower else old
    finished = new.status is not Status.MAX_STEPS
    return Solution.certified(
        new.problem, plan, dual.f, dual.g, method=method, rtol=rtol, finished=finished, stats=new.stats
    )


def _narrow(search: _Search, best: Solution, rows: NDArray[np.intp], cols: NDArray[np.intp], capped: bool) -> None:
    """Set up the next round: the best potentials, and a cap at the scale of what is unproven."""
    search.f, search.g = best.f[rows], best.g[cols]
    if capped:
        search.cap *= 1e4
        return
    unproven = (best.upper - best.lower) / best.problem.mass
    # A plan pays at most ``unproven`` beyond the potentials; an arc with an average mass thus costs at most this.
    search.cap = 4 * unproven * (len(rows) + len(cols))
