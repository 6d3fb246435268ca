"""Certified column generation in O(n) memory: solve on a few arcs, price all pairs, add what was missed.

For equal masses, n = m. The prices start from a coarse problem (:mod:`otgan.exact.coarse`), so the columns that are
cheapest under them are nearly the right arcs. An auction with falling epsilon (Bertsekas 1988) brings the prices to
within a thousandth, asking for new arcs between its rounds; shortest augmenting paths (Jonker & Volgenant 1987) then
make them exact. Rows whose arc is not exactly tight are matched anew, and that is done again for the few rows for
which pricing still finds something, until no pair of all n * m is violated.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from otgan.costs import EPS, PointCost
from otgan.exact.coarse import group, spatial_order
from otgan.exact.restricted import Restricted
from otgan.solution import Solution, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from otgan.problem import Problem

__all__ = ["accepts", "memory", "solve"]

SMALLEST_COARSE = 100  # groups; below, the prices start from zero
ARCS = 8  # that a row, and a column, asks for at a time
FIRST_EPS, LAST_EPS, EPS_FALL = 0.25, 1e-3, 3.0  # of the auction, as a share of what the first matching pays too much
OUTLIER = 100.0  # times the median
MAX_BIDS = 20  # a row and a round of the auction: what is left then is up to the augmenting paths
FAR = 0.1  # share of all arcs that a search from one row looks at before it is left to a search from many
CHUNK_STEPS = 50_000_000  # about a second of compiled code that cannot be interrupted
MAX_ROUNDS = 200  # of augmenting paths on one level
MAX_STEPS = 20_000  # arcs looked at by augmenting paths, for each row


def accepts(problem: Problem) -> str | None:
    """Why this solver cannot take ``problem``; None if it can."""
    n, m = problem.shape
    if not isinstance(problem.cost, PointCost):
        return "it needs points, not a cost matrix"
    if n != m:
        return f"it needs as many points on both sides, and there are {n} and {m}"
    if np.ptp(problem.a) or np.ptp(problem.b):
        return "it needs equal weights"
    return None


def memory(n: int, m: int) -> int:
    """Bytes needed beside the data: about 60 arcs a row, and lists of what pricing found."""
    return 3000 * (n + m)


def solve(problem: Problem, *, rtol: float, max_steps: int | None = None, progress: bool = False) -> Solution:
    """Solve and certify; ``max_steps`` limits the rounds of pricing. Ctrl-C ends it with what is proven so far."""
    cost = problem.cost
    assert isinstance(cost, PointCost)  # accepts() was asked
    with Watch(rtol, max_steps, progress) as watch:
        with watch.part("start"):
            rows, cols = spatial_order(cost.x), spatial_order(cost.y)
            ordered = PointCost(cost.x[rows], cost.y[cols], cost.p, cost.metric)
        answer = solve_equal(ordered, watch)
    columns, f, g = np.empty(len(rows), np.intp), np.empty(len(rows)), np.empty(len(cols))
    columns[rows], f[rows], g[cols] = cols[answer.columns], answer.f, answer.g
    with watch.part("certificate"):
        plan = sparse.coo_array((problem.a, (np.arange(len(rows)), columns)), shape=problem.shape)
        solution = Solution.certified(
            problem, plan, f, g, method="sparse", rtol=rtol, finished=answer.finished, stats=watch.stats
        )
    if answer.interrupted and solution.status is not Status.OPTIMAL:
        from dataclasses import replace

        solution = replace(solution, status=Status.INTERRUPTED)
    return solution


@dataclass
class Answer:
    """The best matching found, and feasible potentials: nothing about them is believed before it is certified.

    Attributes
    ----------
    columns : (n,) ndarray of int
        Column of each row, a permutation.
    f, g : (n,) ndarray of float64
    finished, interrupted : bool
    """

    columns: NDArray[np.intp]
    f: NDArray[np.float64]
    g: NDArray[np.float64]
    finished: bool = False
    interrupted: bool = False


def solve_equal(cost: PointCost, watch: Watch) -> Answer:
    """Match the points of ``cost`` (both sides in spatial order), from a coarse matching down."""
    n = cost.shape[0]
    columns, g = np.arange(n), np.zeros(n)
    matching: Matching | None = None
    try:
        with watch.part("start"):
            if n >= 8 * SMALLEST_COARSE:
                groups = group(cost)
                with watch.coarser():
                    coarse = solve_equal(groups.cost, watch)
                columns, g = groups.spread(coarse.columns), tamed(groups.prices(cost, coarse.f))
                if coarse.interrupted:
                    return _start_only(cost, columns, g)
            matching = Matching(Restricted(cost, g, room=3 * ARCS), columns)
            matching.first_arcs()
        auction_rounds(matching, watch)
        finished = augmenting_rounds(matching, watch)
        return matching.answer(finished)
    except KeyboardInterrupt:
        answer = matching.answer(False) if matching is not None else _start_only(cost, columns, g)
        answer.interrupted = True
        return answer


def tamed(g: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prices without outliers: one far point would have one as large as its cost, and no small digits in it."""
    middle = np.median(g)
    reach = OUTLIER * np.median(np.abs(g - middle))
    return np.clip(g, middle - reach, middle + reach) if reach > 0 else g


def _start_only(cost: PointCost, columns: NDArray[np.intp], g: NDArray[np.float64]) -> Answer:
    """The answer when nothing but the start was done: the c-transform of g is left to the certificate."""
    f = cost.entries(np.arange(len(columns)), columns) - g[columns]
    return Answer(columns, f, g, interrupted=True)


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

    def first_arcs(self) -> None:
        """Arcs of the first matching, so that the graph is feasible, and the cheapest of every row and column."""
        n = len(self.best)
        self.arcs.add(np.arange(n), self.best)
        self.arcs.price(np.ones(n, bool), ARCS)
        self.arcs.offer(self.feasible_f(), ARCS)

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

        return release(*self.arcs.arcs, f, self.arcs.g, self.match, self.row_of, slack)

    def augment(self, f: NDArray[np.float64], free: NDArray[np.int64], max_steps: int) -> int:
        """Match the free rows along shortest paths, if that takes no more than max_steps; how many steps it took."""
        from otgan.kernels.augment import augment, augment_together

        arcs, done = self.arcs, 0
        together, reach = [free[:0]], int(FAR * arcs.count.sum())
        while len(free) and done < max_steps:
            chunk = min(max_steps - done, CHUNK_STEPS)
            free, far, steps = augment(*arcs.arcs, f, arcs.g, self.match, self.row_of, free, reach, chunk)
            together.append(far)
            done += steps
        free = np.concatenate(together)
        while len(free) and done < max_steps:
            matched, steps = augment_together(*arcs.arcs, f, arcs.g, self.match, self.row_of, free)
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


def auction_rounds(matching: Matching, watch: Watch) -> None:
    """Auctions with falling epsilon; after each, rows whose arcs have become too dear ask for more."""
    from otgan.kernels.auction import auction

    arcs = matching.arcs
    n = len(matching.best)
    excess = matching.best_costs - matching.feasible_f() - arcs.g[matching.best]
    scale = typical(excess)
    eps = FIRST_EPS * scale
    while eps > max(LAST_EPS * scale, 8 * EPS * float(np.abs(arcs.g).max())) and watch.may_go_on(matching):
        with watch.part("inner"):
            free = matching.release(matching.feasible_f(), eps)
            bid = eps, OUTLIER * scale
            free, _ = auction(*arcs.arcs, arcs.g, matching.match, matching.row_of, free, *bid, MAX_BIDS * n)
            # The last few rows would outbid each other for long, and a path settles each of them. What else lies
            # below the matched arcs does so by less than eps, and counts as if it did not.
            matching.augment(matching.tight_f(), free, MAX_STEPS * n)
            matching.keep_best()
        with watch.part("pricing"):
            arcs.price(arcs.minima() > arcs.bound, ARCS)
        eps /= EPS_FALL


def typical(excess: NDArray[np.float64]) -> float:
    """The mean of those above zero; one far pair, however far, must not set the scale for all others."""
    positive = excess[excess > 0]
    return float(np.minimum(positive, OUTLIER * np.median(positive)).mean()) if len(positive) else 0.0


def augmenting_rounds(matching: Matching, watch: Watch) -> bool:
    """Make matching and potentials exact; whether no pair is violated any more (or rtol is reached)."""
    arcs = matching.arcs
    n = len(matching.best)
    f = arcs.minima()
    budget = MAX_STEPS * n + CHUNK_STEPS
    for _ in range(MAX_ROUNDS):
        rounding = 2 * EPS * max(float(np.abs(arcs.g).max()), float(np.abs(f).max()))
        with watch.part("pricing"):
            stale = f > arcs.bound + rounding
            if stale.any():
                arcs.price(stale, ARCS)
                f[stale] = arcs.minima()[stale]
        with watch.part("inner"):
            free = matching.release(f, rounding)
            matching.keep_best()
        if len(free) == 0 or watch.reached(matching):
            return True
        if budget <= 0 or not watch.may_go_on(matching):
            return False
        with watch.part("inner"):
            budget -= matching.augment(f, free, budget)
            matching.keep_best()
            f = arcs.minima()  # what is off by the rounding of many shifts is read off afresh
    return False


@dataclass
class Watch:
    """Seconds by part, rounds, limits and the progress bar of one solve.

    Attributes
    ----------
    rtol : float
    max_steps : int or None
        Rounds of pricing at most.
    progress : bool
    stats : dict
        ``rounds``, ``arcs``, ``queries`` (rows priced) and ``seconds_<part>`` for start, inner, pricing, certificate.
    """

    rtol: float
    max_steps: int | None
    progress: bool
    stats: dict[str, Any] = field(default_factory=lambda: {"rounds": 0, "arcs": 0, "queries": 0})
    depth: int = 0
    bar: Any = None

    def __enter__(self) -> Watch:
        if self.progress:
            try:
                from tqdm import tqdm

                self.bar = tqdm(desc="sparse", unit=" rounds", disable=None)
            except ImportError:  # a bar is a convenience, and tqdm no dependency of the core
                self.bar = None
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Charge the seconds inside to a part of the whole; coarse levels are part of the start."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            if self.depth == 0:
                key = f"seconds_{name}"
                self.stats[key] = self.stats.get(key, 0.0) + time.perf_counter() - begin

    @contextmanager
    def coarser(self) -> Iterator[None]:
        """One level down."""
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def may_go_on(self, matching: Matching) -> bool:
        """Count a round of the finest level, and say whether the limit allows it."""
        if self.depth:
            return True
        arcs = matching.arcs
        if self.max_steps is not None and self.stats["rounds"] >= self.max_steps:
            return False
        self.stats["rounds"] += 1
        self.stats["arcs"], self.stats["queries"] = int(arcs.count.sum()), arcs.queries
        if self.bar is not None and not self.bar.disable:
            self.bar.set_postfix(arcs=self.stats["arcs"], gap=f"{matching.gap():.1e}", refresh=False)
            self.bar.update()
        return True

    def reached(self, matching: Matching) -> bool:
        """Whether the best matching is already within a quarter of rtol; coarse levels need no more than 1e-6."""
        return matching.gap() <= (1e-6 if self.depth else 0.25 * self.rtol)
