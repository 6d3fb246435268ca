"""Column generation for the assignment problem (equal masses, n = m): an auction, then shortest augmenting paths.

The prices start from a coarse problem (:mod:`otgan.exact.sparse.multiscale`), so the columns that are cheapest under
them are nearly the right arcs. An auction with falling epsilon (Bertsekas 1988) brings the prices to within a
thousandth, and asks for new arcs between its rounds. Shortest augmenting paths (Jonker & Volgenant 1987) then make them
exact: rows whose arc is not exactly tight are matched again. This is repeated for the few rows for which pricing still
finds a violated pair, until no pair of all n * m is violated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from otgan.costs import PointCost
from otgan.exact import small
from otgan.exact.sparse.multiscale import group, spatial_order
from otgan.exact.sparse.restricted import Restricted
from otgan.metric import EPS
from otgan.plan import matching
from otgan.problem import Problem
from otgan.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.exact.sparse.progress import Progress
    from otgan.kernels.arcs import Matching as KernelMatching

__all__ = ["solve", "suits"]

MOST_DENSE = 1000  # groups that are matched on all pairs: 20 ms where arcs, from zero prices, take up to 1.4 s
FEWEST_GROUPS = 100  # of a coarse problem; with fewer, the prices start from zero
PLANE = 2  # dimensions in which the simplex is as fast, and twice to three times so where mass moves far
DISTINCT_SHARE = 0.99  # of points that differ; with more ties, paths grow long and the simplex is 2 to 8 times faster
ARCS_PER_QUERY = 8  # that a row, and a column, asks for at a time
FIRST_EPS, LAST_EPS, EPS_FALL = 0.25, 1e-3, 3.0  # of the auction, as a share of what the first matching pays too much
OUTLIER_MEDIANS = 100.0  # times the median is where outliers begin
MAX_BIDS_PER_ROW = 20  # in a round of the auction: what is left then is up to the augmenting paths
FAR_SHARE = 0.1  # of all arcs that a search from one row looks at before it is left to a search from many
STEPS_PER_LOOK = 50_000_000  # at whether there was a Ctrl-C: about a second of compiled code
MAX_ROUNDS = 200  # of augmenting paths on one level
COARSE_GAP = 1e-6  # at which a coarse level is good enough
MAX_STEPS_PER_ROW = 20_000  # arcs looked at by augmenting paths


def suits(problem: Problem) -> bool:
    """Whether this is the solver for ``problem``."""
    n, m = problem.shape
    cost = problem.cost
    assert isinstance(cost, PointCost)
    fits = n == m and problem.uniform and cost.dimension > PLANE
    return fits and min(distinct(cost.x), distinct(cost.y)) > DISTINCT_SHARE * n


def distinct(points: NDArray[np.float64]) -> int:
    """How many of the points (n, d) differ, told apart by their places along one arbitrary direction."""
    direction = np.random.default_rng(0).standard_normal(points.shape[1])
    return len(np.unique(points @ direction))


def solve(problem: Problem, progress: Progress) -> Solution:
    """Solve and certify."""
    cost = problem.cost
    assert isinstance(cost, PointCost)
    with progress.part("start"):
        rows, cols = spatial_order(cost.x), spatial_order(cost.y)
        ordered = cost.between(cost.x[rows], cost.y[cols])
    answer = solve_equal(ordered, progress)
    columns, f, g = np.empty(len(rows), np.intp), np.empty(len(rows)), np.empty(len(cols))
    columns[rows], f[rows], g[cols] = cols[answer.columns], answer.f, answer.g
    with progress.part("certificate"):
        return Solution.certified(
            problem,
            matching(problem, columns),
            f,
            g,
            method="sparse",
            rtol=progress.rtol,
            finished=answer.finished,
            stats=progress.stats,
        )


@dataclass
class Answer:
    """The best matching found, and its potentials, before they are certified.

    Attributes
    ----------
    columns : (n,) ndarray of int
        Column of each row, a permutation.
    f, g : (n,) ndarray of float64
    finished : bool
    """

    columns: NDArray[np.intp]
    f: NDArray[np.float64]
    g: NDArray[np.float64]
    finished: bool = False


def solve_equal(cost: PointCost, progress: Progress, depth: int = 0) -> Answer:
    """Match the points of ``cost`` (both sides in spatial order), from a coarse matching down."""
    n = cost.shape[0]
    if depth and n <= MOST_DENSE and (answer := solve_dense(cost)) is not None:
        return answer
    columns, g = np.arange(n), np.zeros(n)
    with progress.part("start"):
        if n >= 8 * FEWEST_GROUPS:
            groups = group(cost)
            coarse = solve_equal(groups.cost, progress, depth + 1)
            columns, g = groups.spread(coarse.columns), clip_outliers(groups.prices(cost, coarse.f))
        if progress.interrupted:
            return Answer(columns, cost.entries(np.arange(n), columns) - g[columns], g)
        matching = Matching(Restricted(cost, g, room=3 * ARCS_PER_QUERY), columns)
        matching.first_arcs()
    auction_rounds(matching, progress, depth)
    return matching.answer(augmenting_rounds(matching, progress, depth))


def solve_dense(cost: PointCost) -> Answer | None:
    """The answer of the solver of small problems, which needs no good prices to begin with; None if it has none."""
    problem = Problem.from_points(cost.x, cost.y, cost.p, metric=cost.metric)
    found = small.solve(problem, "assignment", COARSE_GAP)
    if found is None or len(found.moves.rows) != len(cost.x):
        return None
    columns = np.empty(len(cost.x), np.intp)
    columns[found.moves.rows] = found.moves.cols
    return Answer(columns, found.f, found.g, finished=True)


def clip_outliers(g: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prices without outliers: one far point would have one as large as its cost, and no small digits in it."""
    middle = np.median(g)
    reach = OUTLIER_MEDIANS * np.median(np.abs(g - middle))
    return np.clip(g, middle - reach, middle + reach) if reach > 0 else g


class Matching:
    """A partial matching on restricted arcs, and the best complete one so far.

    Parameters
    ----------
    arcs : Restricted
    columns : (n,) ndarray of int
        A complete matching, to begin with.
    """

    def __init__(self, arcs: Restricted, columns: NDArray[np.intp]) -> None:
        n = len(columns)
        self.arcs, self.best = arcs, columns
        self.match = np.full(n, -1)
        self.row_of = np.full(n, -1)
        self.best_costs = arcs.cost.entries(np.arange(n), columns)

    @property
    def pair(self) -> KernelMatching:
        """The matching as kernels take it."""
        from otgan.kernels.arcs import Matching

        return Matching(self.match, self.row_of)

    def first_arcs(self) -> None:
        """Arcs of the first matching, so that the graph is feasible, and the cheapest of every row and column."""
        n = len(self.best)
        self.arcs.add(np.arange(n), self.best)
        self.arcs.price(np.ones(n, bool), ARCS_PER_QUERY)
        self.arcs.add_best_rows_per_column(self.feasible_f(), ARCS_PER_QUERY)

    def feasible_f(self) -> NDArray[np.float64]:
        """Row potentials that are feasible with the prices over all pairs."""
        return np.minimum(self.arcs.minima(), self.arcs.bound)

    def tight_f(self) -> NDArray[np.float64]:
        """Row potentials that make the matched arcs tight."""
        f = self.arcs.minima()
        matched = np.flatnonzero(self.match >= 0)
        place = self.arcs.start[matched] + self.match[matched]
        f[matched] = self.arcs.arc_cost[place] - self.arcs.g[self.arcs.col[place]]
        return f

    def release(self, f: NDArray[np.float64], slack: float) -> NDArray[np.int64]:
        """Unmatch the rows that pay more than slack above f; all free rows."""
        from otgan.kernels.arcs import release

        return release(self.arcs.arcs, f, self.arcs.g, self.pair, slack)

    def augment(self, f: NDArray[np.float64], free: NDArray[np.int64], max_steps: int) -> int:
        """Match the free rows along shortest paths, if that takes no more than max_steps; how many steps it took."""
        from otgan.kernels.augment import augment, augment_together

        arcs, done = self.arcs, 0
        together, reach = [free[:0]], int(FAR_SHARE * arcs.count.sum())
        while len(free) and done < max_steps:
            chunk = min(max_steps - done, STEPS_PER_LOOK)
            free, far, steps = augment(arcs.arcs, f, arcs.g, self.pair, free, reach, chunk)
            together.append(far)
            done += steps
        free = np.concatenate(together)
        while len(free) and done < max_steps:
            matched, steps = augment_together(arcs.arcs, f, arcs.g, self.pair, free)
            free = free[self.match[free] < 0]
            done += steps
            if not matched:
                break
        return done

    def keep_best(self) -> None:
        """Remember the matching if it is complete and cheaper than the last."""
        if self.match.min() < 0:
            return
        place = self.arcs.start + self.match
        costs = self.arcs.arc_cost[place]
        if costs.sum() <= self.best_costs.sum():
            self.best, self.best_costs = self.arcs.col[place], costs

    def gap(self) -> float:
        """Relative gap between the best matching and the feasible potentials, without the care for rounding."""
        upper = float(self.best_costs.sum())
        lower = float(self.feasible_f().sum() + self.arcs.g.sum())
        return (upper - lower) / upper if upper > 0 else 0.0

    def answer(self, finished: bool) -> Answer:
        """What has been found; rows that were never priced get potentials that the certificate has to repair."""
        f, g = self.feasible_f(), self.arcs.g
        return Answer(self.best, np.where(np.isfinite(f), f, self.best_costs - g[self.best]), g, finished)


def auction_rounds(matching: Matching, progress: Progress, depth: int) -> None:
    """Auctions with falling epsilon; after each, rows whose arcs have become too dear ask for more."""
    from otgan.kernels.auction import auction

    arcs = matching.arcs
    n = len(matching.best)
    excess = matching.best_costs - matching.feasible_f() - arcs.g[matching.best]
    scale = robust_mean(excess)
    eps = FIRST_EPS * scale
    while eps > max(LAST_EPS * scale, 8 * EPS * float(np.abs(arcs.g).max())) and may_go_on(matching, progress, depth):
        with progress.part("inner"):
            free = matching.release(matching.feasible_f(), eps)
            bid = eps, OUTLIER_MEDIANS * scale
            free, _ = auction(arcs.arcs, arcs.g, matching.pair, free, *bid, MAX_BIDS_PER_ROW * n)
            # The last few rows would outbid each other for long, and a path settles each of them. What else lies
            # below the matched arcs does so by less than eps, and counts as if it did not. (Rows that are left for the
            # next auction are ten times as many in the last one, which takes twice as long in all.)
            matching.augment(matching.tight_f(), free, MAX_STEPS_PER_ROW * n)
            matching.keep_best()
        with progress.part("pricing"):
            arcs.price(arcs.minima() > arcs.bound, ARCS_PER_QUERY)
        eps /= EPS_FALL


def robust_mean(excess: NDArray[np.float64]) -> float:
    """The mean of those above zero; one far pair, however far, must not set the scale for all others."""
    positive = excess[excess > 0]
    return float(np.minimum(positive, OUTLIER_MEDIANS * np.median(positive)).mean()) if len(positive) else 0.0


def augmenting_rounds(matching: Matching, progress: Progress, depth: int) -> bool:
    """Make matching and potentials exact; whether no pair is violated any more (or rtol is reached)."""
    arcs = matching.arcs
    n = len(matching.best)
    f = arcs.minima()
    budget = MAX_STEPS_PER_ROW * n + STEPS_PER_LOOK
    for _ in range(MAX_ROUNDS):
        rounding = 2 * EPS * max(float(np.abs(arcs.g).max()), float(np.abs(f).max()))
        with progress.part("pricing"):
            stale = f > arcs.bound + rounding
            if stale.any():
                arcs.price(stale, ARCS_PER_QUERY)
                f[stale] = arcs.minima()[stale]
        with progress.part("inner"):
            free = matching.release(f, rounding)
            matching.keep_best()
        if len(free) == 0 or matching.gap() <= (COARSE_GAP if depth else 0.25 * progress.rtol):
            return True
        if budget <= 0 or not may_go_on(matching, progress, depth):
            return False
        with progress.part("inner"):
            budget -= matching.augment(f, free, budget)
            matching.keep_best()
            f = arcs.minima()  # what is off by the rounding of many shifts is read off afresh
    return False


def may_go_on(matching: Matching, progress: Progress, depth: int) -> bool:
    """Whether there is time for another round; those of the finest level are counted."""
    if depth:
        return not progress.interrupted
    if progress.exhausted:
        return False
    progress.record_round(arcs=int(matching.arcs.count.sum()), gap=matching.gap())
    progress.stats["queries"] = matching.arcs.queries
    return True
