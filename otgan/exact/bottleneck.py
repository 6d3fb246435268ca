"""W_inf in any dimension (bottleneck transport): the least distance such that all mass can move no further.

Only a distance between two points can be the answer. Whether a plan exists within a limit is a flow between points that
reach each other (:mod:`otgan.kernels.reach`), and both answers say more than was asked. A plan that exists may stay
below the limit: the answer is at most its longest way. Where none exists there is a cut, rows with more mass than all
columns that they reach, and some of it has to go to another column: the answer is at least the shortest way there.
So bisection ends where the two bounds meet, with a plan and a cut as the proof, and no list of pairs is needed. It
begins near the answer and at the plan of a coarser level (:mod:`otgan.exact.sparse.multiscale`).

What lost: the sorted list of all pairs up to the longest way of a plan for p = 2, bisected with Hopcroft & Karp's
matching (20,000 uniform points of the plane in 16 s, and in 3 s now); searches depth first from one row after the other
(Pothen & Fan 1990: 294 rounds where shortest paths take 21), breadth first trees that end with one path each (129);
asking the tree from its root again for each column (twice as long where many are within reach); levels four times as
fine each (half as long again at 30,000 points of the pair "squared"); the plan for p = 2, 4, 8 or 16 as the first of
the last level (41, 44, 38 and 30 rounds in its first flow, where the coarser level's takes 48; it takes longer itself).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.costs import PointCost
from otgan.metric import METRICS
from otgan.runtime.interrupts import Interrupts, asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from otgan.exact.sparse.multiscale import Level, Plan
    from otgan.problem import Problem

    Indices = NDArray[np.intp]

__all__ = ["Bottleneck", "solve_bottleneck"]

COARSE = 0.001  # relative tolerance of the levels before the last
LISTED = 64  # pairs for each point at most, where they are listed
BEYOND = 1.05  # times the limit
STEP = 0.0005  # of the distance: half of the first step away from a guess
ARCS = 4  # for each point, to begin with


@dataclass(frozen=True, eq=False)
class Bottleneck:
    """W_inf with its two proofs.

    Attributes
    ----------
    distance : float
    pair : (int, int)
        The row and column whose distance it is.
    rows, cols : (k,) ndarray of int
        The pairs of a plan that moves no mass further.
    cut : (rows, cols) or None
        Rows that have more mass than the columns within less than that distance, and those columns. None where no
        mass has to move.
    """

    distance: float
    pair: tuple[int, int]
    rows: Indices
    cols: Indices
    cut: tuple[Indices, Indices] | None


def solve_bottleneck(problem: Problem) -> Bottleneck:
    """Solve for p = inf.

    Parameters
    ----------
    problem : Problem
        Between points, with p = 1.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C.
    """
    with Interrupts() as interrupts:
        found = _solve(problem)
    if interrupts.asked:
        raise KeyboardInterrupt(f"interrupted, when W_inf was found to be {found.distance:.15g}")
    return found


def _solve(problem: Problem) -> Bottleneck:
    from otgan.exact.sparse.multiscale import coarse_to_fine, refine, spatial_order
    from otgan.kernels.spanning import merge_masses

    cost = problem.cost
    assert isinstance(cost, PointCost)
    mass_a, mass_b = problem.masses.a, problem.masses.b
    rows, cols = (np.flatnonzero(side.any(axis=1)) for side in (mass_a, mass_b))
    rows, cols = rows[spatial_order(cost.x[rows])], cols[spatial_order(cost.y[cols])]
    levels = coarse_to_fine(cost.between(cost.x[rows], cost.y[cols]), mass_a[rows], mass_b[cols])
    coarsest, *finer = levels
    search = _Search(coarsest, merge_masses(coarsest.a, coarsest.b), not finer)
    search.run(0.0)
    before = search.distance
    for level in finer:
        last, search = search.distance, _Search(level, refine(search.plan, level), level is levels[-1])
        search.run(last * (last / before) if before > 0 else last)  # as much less again as the last level was
        before = last
    plan = search.plan
    return Bottleneck(
        search.distance,
        (int(rows[search.pair[0]]), int(cols[search.pair[1]])),
        rows[plan[0]],
        cols[plan[1]],
        None if search.cut is None else (rows[search.cut[0]], cols[search.cut[1]]),
    )


class _Search:
    """The flow within a limit, and the bounds that meet; both in sums over coordinates, squares where Euclidean.

    Attributes
    ----------
    lower, upper : float
        Every plan goes at least as far as ``lower``, and ``plan`` no further than ``upper``.
    pair : (int, int)
        A pair of the plan that is ``upper`` apart.
    cut : (rows, cols) or None
        Proves ``lower``.
    """

    upper: float
    pair: tuple[int, int]
    plan: Plan
    cut: tuple[Indices, Indices] | None
    outside: Any  # columns that the last round did not visit

    def __init__(self, level: Level, plan: Plan, finest: bool) -> None:
        from otgan.kernels import flow, reach, tree

        self.finest = finest
        self.kernels, self.flows = reach, flow
        self.x, self.y = np.ascontiguousarray(level.cost.x), np.ascontiguousarray(level.cost.y)
        self.metric = METRICS[level.cost.metric].code
        self.power = 2 if level.cost.metric == "euclidean" else 1
        self.tree = tree.build(self.y)
        self.visits = reach.room_for_visits(len(self.x), self.tree)
        self.flow = flow.flow_of(level.a, level.b, *plan, ARCS * (len(level.a) + len(level.b)))
        self.lower, self.cut = 0.0, None
        self.lists: Any = None
        self.listed = 0.0  # up to which sum; negative where that would be too many pairs
        self._keep_plan()

    def run(self, guess: float) -> None:
        """Bring the bounds together, from near a guess of the distance, until they agree; but for coarse levels."""
        rtol = 0.0 if self.finest else COARSE
        limit, step = guess**self.power, STEP
        found = False  # a plan, besides that of the beginning
        while self.lower < self.upper * (1 - rtol):
            limit = limit if self.lower <= limit < self.upper else self._middle()
            if self._feasible(limit):
                found = True
                self._keep_plan()
            else:
                self._keep_cut()
            step *= 2
            if self.cut is None:
                limit = self.upper * (1 - step) ** self.power if step < 0.5 else self.lower
            else:
                limit = self._middle() if found else self.lower * (1 + step) ** self.power

    @property
    def distance(self) -> float:
        """The longest way of the best plan."""
        return math.sqrt(self.upper) if self.power == 2 else self.upper

    def _middle(self) -> float:
        """Half way between the bounds, as distances."""
        middle = (0.5 * (self.lower ** (1 / self.power) + self.upper ** (1 / self.power))) ** self.power
        return middle if self.lower < middle < self.upper else self.lower

    def _feasible(self, limit: float) -> bool:
        """Whether all mass can go within the limit: the flow then sends it, or else the last round visited a cut."""
        self.flows.shorten(self.x, self.y, limit, self.metric, self.flow)
        self._list(limit)
        one_round = self._listed_rounds(limit) if self.lists else self._rounds(limit)
        while True:
            self._stop_if_asked()
            state = one_round()
            if state == self.kernels.FULL:
                self.flow = _with_more_arcs(self.flow)
            elif state != self.kernels.GOES_ON:
                return state == self.kernels.DONE

    def _stop_if_asked(self) -> None:
        """End after Ctrl-C, with what is known."""
        if asked():
            low, high = (f"{bound ** (1 / self.power):.15g}" for bound in (self.lower, self.upper))
            known = f"when W_inf was known to lie in [{low}, {high}]" if self.finest else "before W_inf was bounded"
            raise KeyboardInterrupt(f"interrupted, {known}")

    def _rounds(self, limit: float) -> Callable[[], int]:
        """Rounds that ask the tree."""
        kernels = self.kernels
        free = kernels.left_of(self.tree, self.flow.b.any(axis=1))
        everything = np.ones(len(self.y), np.bool_)

        def one_round() -> int:
            self.outside = kernels.left_of(self.tree, everything)
            sides = self.tree, self.x, limit, self.metric, self.flow
            return kernels.one_round(*sides, free, self.outside, self.visits)

        return one_round

    def _listed_rounds(self, limit: float) -> Callable[[], int]:
        """Rounds that run through lists."""
        from otgan.kernels.reach_lists import one_round

        seen = np.empty(len(self.y), np.bool_)

        def listed_round() -> int:
            state = one_round(self.lists, limit, self.flow, seen, self.visits)
            if state == self.kernels.BLOCKED:
                self.outside = self.kernels.left_of(self.tree, ~seen)
            return state

        return listed_round

    def _list(self, limit: float) -> None:
        """List the pairs within reach, and a little beyond, if they are few."""
        from otgan.kernels.reach_lists import count_within, list_within

        if limit <= self.listed or self.listed < 0:
            return
        beyond, most = limit * BEYOND**self.power, LISTED * (len(self.x) + len(self.y))
        start = np.cumsum(count_within(self.tree, self.x, beyond, self.metric, most))
        few = start[-1] <= most
        self.listed = beyond if few else -1.0
        self.lists = list_within(self.tree, self.x, beyond, self.metric, start) if few else None

    def _keep_plan(self) -> None:
        """Whatever moves mass no further than the plan at hand does may be the answer."""
        rows, cols, mass = self.flows.arcs(self.flow)
        order = np.lexsort((cols, rows))
        self.plan = rows[order], cols[order], mass[order]
        self.upper, row, col = self.flows.longest(self.x, self.y, self.metric, self.flow)
        self.pair = int(row), int(col)

    def _keep_cut(self) -> None:
        """A plan has to leave the cut, so it goes at least as far as to the nearest column outside."""
        rows = self.visits.layer >= 0
        self.lower = self.kernels.next_limit(self.tree, self.x, rows, self.outside, self.metric)
        outside = self.tree.rows[self.outside.slots]
        self.cut = np.flatnonzero(rows), np.setdiff1d(np.arange(len(self.y)), outside)


def _with_more_arcs(flow: Any) -> Any:
    """The same flow with twice the room for arcs."""
    arcs = len(flow.row)
    following = np.arange(arcs + 1, 2 * arcs + 1)
    following[-1] = flow.unused[0]
    return flow._replace(
        row=np.r_[flow.row, np.empty(arcs, np.int64)],
        next=np.r_[flow.next, following],
        mass=np.r_[flow.mass, np.zeros_like(flow.mass)],
        unused=np.array([arcs, flow.unused[1] + arcs]),
    )
