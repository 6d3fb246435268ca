"""Column generation for any masses around a network simplex, coarse to fine, in memory that grows with n + m.

The simplex works on a list of arcs (:class:`~otgan.exact.sparse.network.Network`). Exact pricing of *all* pairs finds
the arcs whose reduced cost is negative, the best few of every row and column join the list, and the simplex goes on
from the basis it has. Once no pair is violated, or none that could change the value by more than rtol, potentials and
plan prove each other. (Shortlist and shielding methods are similar, but without a proof: Gottschlich & Schuhmacher
2014, Schmitzer 2016.)

The time depends on the first solution. The problem is first solved between the cells of a k-d tree, from 128 cells a
side upwards, twice as many on each level. The plan of a level is passed to the children of its cells: it is a basis of
the next level within a few per cent of its optimum. The potentials of the level, extended by the c-transform, select
the arcs to list.

Masses are whole numbers (:mod:`otgan.masses`). Flows are sums and differences of those, so they are exact, and ties
are ties.

Slower alternatives, when levels were four times as fine each, at 6000 x 4500 points, p = 1 (p = 2): without
coarse levels the same loop takes 10 (12) rounds, 283,000 (374,000) pivots and 2.5 s (2.9 s), where 4 (3) rounds on the
finest level and 14,500 (10,100) pivots do; POT's sparse simplex, which starts every round from nothing, takes 0.69 s
(0.91 s) on the same arc lists where ours takes 0.16 s (0.15 s), coarse levels included. In high dimension coarse levels
help little: at 3000 x 2500 points, d = 64, ours takes 0.54 s (0.59 s) and POT's sparse one 0.28 s (0.27 s).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from otgan.costs import PointCost
from otgan.exact.sparse.generation import ColumnGeneration, solve_on_arcs
from otgan.exact.sparse.multiscale import Level, coarse_to_fine, refine, spatial_order
from otgan.exact.sparse.network import Network
from otgan.plan import Plan
from otgan.pricing import Index
from otgan.solution import Solution, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.exact.sparse.progress import Progress
    from otgan.pricing import Pricing
    from otgan.problem import Problem

    Nodes = NDArray[np.int32]

__all__ = ["solve"]

FIRST_ARCS, FIRST_ARCS_ALONG_RAYS = 8, 12  # of a point, by reduced cost; for p = 1 more are nearly as cheap
# Of problems with many nodes, levels begin with more arcs after one that took many pivots a node, the first one apart.
MANY_NODES, MANY_PIVOTS, MORE_FIRST_ARCS = 40_000, 2.5, 24
SOON = 4096  # nodes of the levels that are looked at for this: finer ones take as many where it does not pay
FEW_PAIRS = 200_000  # up to which all are listed
POINTS_AT_ONCE = 2**17  # that arcs are looked for, as their lists take several times the room of what is kept


def solve(problem: Problem, progress: Progress) -> Solution:
    """Solve and certify."""
    search = _Search(problem, progress)
    with progress.part("start"):
        search.solve_coarse_levels()
    finest = search.levels[-1]
    rounds = ColumnGeneration(search.network, finest.a, finest.b, progress)
    best: Solution | None = None
    for wanted in (0.1 * progress.rtol, 0.0):
        finished = rounds.run(wanted)
        solution = search.certified(finished)
        if best is None or solution.gap < best.gap:
            best = solution
        if solution.status is not Status.GAP:
            break
    assert best is not None
    return best


class _Search:
    """Levels, and the network of the present one."""

    def __init__(self, problem: Problem, progress: Progress) -> None:
        cost = problem.cost
        assert isinstance(cost, PointCost)
        self.problem, self.progress = problem, progress
        a, b = problem.masses.a, problem.masses.b
        self.rows, self.cols = (np.flatnonzero(mass.any(axis=1)) for mass in (a, b))
        self.rows = self.rows[spatial_order(cost.x[self.rows])]
        self.cols = self.cols[spatial_order(cost.y[self.cols])]
        x, y = np.ascontiguousarray(cost.x[self.rows]), np.ascontiguousarray(cost.y[self.cols])
        self.levels = coarse_to_fine(cost.between(x, y), a[self.rows], b[self.cols])
        self.network: Network

    def solve_coarse_levels(self) -> None:
        """Solve the levels below the finest on their first arcs, and set up the finest."""
        coarse: Level | None = None
        arcs = FIRST_ARCS_ALONG_RAYS if self.levels[0].cost.p == 1 else FIRST_ARCS
        for level in self.levels:
            if coarse is None:
                self.network = _coarsest(level, arcs)
            else:
                f, g = _extend(self.network, coarse, level)
                plan = refine(self.network.plan()[:3], level)
                self.network = Network(level.cost, *_first_arcs(level.cost, f, g, arcs), plan)
            if level is not self.levels[-1]:
                solve_on_arcs(self.network, self.progress)
                if coarse is not None and self._is_hard(level):
                    arcs = MORE_FIRST_ARCS
            coarse = level

    def _is_hard(self, level: Level) -> bool:
        """Whether so many arcs will be missed on finer levels that it pays to begin with more."""
        nodes, now = len(self.rows) + len(self.cols), sum(level.cost.shape)
        return nodes > MANY_NODES and now <= SOON and self.network.pivots > MANY_PIVOTS * now

    def certified(self, finished: bool) -> Solution:
        """The answer on all points of the problem, with its proof."""
        problem, network, progress = self.problem, self.network, self.progress
        rows, cols, mass, _ = network.plan()
        progress.stats.update(levels=len(self.levels), pivots=network.pivots)
        with progress.part("certificate"):
            plan = Plan(self.rows[rows], self.cols[cols], mass)
            f, g = np.zeros(problem.shape[0]), np.zeros(problem.shape[1])
            f[self.rows], g[self.cols] = network.f, network.g
            return Solution.certified(
                problem, plan, f, g, method="sparse", rtol=progress.rtol, finished=finished, stats=progress.stats
            )


def _coarsest(level: Level, k: int) -> Network:
    """The network of the first level: all arcs where they are few, else the best k of each point."""
    from otgan.kernels.spanning import merge_masses

    n, m = level.cost.shape
    plan = merge_masses(level.a, level.b)
    if n * m <= FEW_PAIRS:
        rows, cols = np.divmod(np.arange(n * m), m)
    else:
        rows, cols = _first_arcs(level.cost, np.zeros(n), np.zeros(m), k)
    return Network(level.cost, rows, cols, plan)


def _first_arcs(cost: PointCost, f: NDArray[np.float64], g: NDArray[np.float64], k: int) -> tuple[Nodes, Nodes]:
    """The best k arcs of every column for the potentials f, and of every row for g."""
    rows, cols = _best(cost.pricing, f, k)
    more_cols, more_rows = _best(cost.T.pricing, g, k)
    return np.concatenate([rows, more_rows]), np.concatenate([cols, more_cols])


def _best(pricing: Pricing, f: NDArray[np.float64], k: int) -> tuple[Nodes, Nodes]:
    """The best k rows of every target, and these targets."""
    points, rows, targets = pricing.y.points, [], []
    for start in range(0, len(points), POINTS_AT_ONCE):
        some = points[start : start + POINTS_AT_ONCE]
        part = pricing if len(some) == len(points) else replace(pricing, y=Index(some))
        best, place, _ = part.below(f, np.full(len(some), np.inf), k)
        rows.append(best.astype(np.int32))
        targets.append((start + place).astype(np.int32))
    return np.concatenate(rows), np.concatenate(targets)


def _extend(network: Network, coarse: Level, fine: Level) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Potentials of a coarse level at the points of a finer one, by the c-transform."""
    f = fine.cost.between(coarse.cost.y, fine.cost.x).column_minima(network.g)[0]
    g = fine.cost.between(coarse.cost.x, fine.cost.y).column_minima(network.f)[0]
    return f, g
