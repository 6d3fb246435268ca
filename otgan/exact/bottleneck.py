"""W_inf in any dimension (bottleneck transport): the least distance such that all mass can move no further.

Only a distance between two points can be the answer. So the pairs are sorted by distance, and the shortest prefix along
which a plan exists is searched for by bisection: a matching where the weights are equal, else the flow of
:mod:`otgan.exact.feasible`. The plan proves the distance from above. From below it is proven by a cut at the distance
before: points with more mass than all the points they reach within less.

Pairs are found by a k-d tree, up to the longest way of a plan that is optimal for p = 2: W_inf is no longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.costs import PointCost
from otgan.errors import InvalidInput, OTError
from otgan.exact.feasible import Attempt, all_equal, attempt_plan, find_cut, largest_matching
from otgan.exact.listed import in_order
from otgan.exact.sparse.progress import Progress
from otgan.metric import METRICS
from otgan.runtime import memory
from otgan.runtime.interrupts import Interrupts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.problem import Problem

    Indices = NDArray[np.intp]

__all__ = ["Bottleneck", "solve_bottleneck"]

BYTES_PER_PAIR = 64  # that the search holds: ends, distance, order, a graph of them
RTOL = 1e-9  # of the plan that bounds the search


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
        shorter way could be enough, as the distance is that of a point from its nearest.
    """

    distance: float
    pair: tuple[int, int]
    rows: Indices
    cols: Indices
    cut: tuple[Indices, Indices] | None


def solve_bottleneck(problem: Problem, longest: float) -> Bottleneck:
    """Solve for p = inf.

    Parameters
    ----------
    problem : Problem
        Between points, with p = 1.
    longest : float
        The longest distance of some plan.

    Raises
    ------
    InvalidInput
        If the pairs within that distance do not fit into memory.
    KeyboardInterrupt
        After Ctrl-C, with the bounds on W_inf that are known by then.
    """
    with Interrupts() as interrupts:
        found = _bottleneck(problem, longest)
    if interrupts.asked:
        raise KeyboardInterrupt(f"interrupted, when W_inf was found to be {found.distance:.15g}")
    return found


def _bottleneck(problem: Problem, longest: float) -> Bottleneck:
    cost = problem.cost
    assert isinstance(cost, PointCost)
    mass_a, mass_b = problem.masses.a, problem.masses.b
    rows, cols = (np.flatnonzero(side.any(axis=1)) for side in (mass_a, mass_b))
    search = _Search(cost.between(cost.x[rows], cost.y[cols]), mass_a[rows], mass_b[cols], longest)
    k, plan = search.bisect()
    distance = float(search.distances[k - 1])
    before = int(np.searchsorted(search.distances, distance))
    cut = search.cut(before)
    deciding = np.flatnonzero(search.among(plan, before, k))[0]
    return Bottleneck(
        distance,
        (int(rows[plan[0][deciding]]), int(cols[plan[1][deciding]])),
        rows[plan[0]],
        cols[plan[1]],
        None if cut is None else (rows[cut[0]], cols[cut[1]]),
    )


class _Search:
    """Pairs sorted by distance, and whether a plan exists along the first of them."""

    def __init__(self, cost: PointCost, a: NDArray[np.int64], b: NDArray[np.int64], longest: float) -> None:
        self.a, self.b, self.shape = a, b, cost.shape
        self.equal = all_equal(a, b)
        rows, cols = _pairs_within(cost, longest)
        distances = cost.entries(rows, cols)
        order = np.argsort(distances, kind="stable")
        self.rows, self.cols, self.distances = rows[order], cols[order], distances[order]
        self.begun: tuple[Indices, Indices] | None = None
        self.vain: tuple[int, Attempt] | None = None  # the longest prefix without a plan
        self.known = 1, len(self.distances)  # among which pairs in the order the answer is
        self.progress = Progress(RTOL)

    def bisect(self) -> tuple[int, Any]:
        """The number of pairs of the shortest prefix with a plan, whole groups of equal distance, and the plan."""
        ends = np.flatnonzero(np.r_[self.distances[1:] != self.distances[:-1], True]) + 1
        nearest = max(self._nearest(self.rows, self.shape[0]), self._nearest(self.cols, self.shape[1]))
        low, high = int(np.searchsorted(ends, nearest + 1)), len(ends) - 1
        found = None
        while low < high:
            self.known = int(ends[low]), int(ends[high])
            self._stop_if_asked()
            middle = (low + high) // 2
            plan = self.plan(int(ends[middle]))
            if plan is None:
                low = middle + 1
            else:
                high, found = middle, plan
        k = int(ends[high])
        return k, self.plan(k) if found is None else found

    def _nearest(self, ends: Indices, size: int) -> int:
        """The first place in the order by which every point has met a pair."""
        first = np.full(size, len(ends) - 1)
        first[ends[::-1]] = np.arange(len(ends))[::-1]
        return int(first.max())

    def plan(self, k: int) -> Any:
        """A plan along the first k pairs; None if there is none."""
        if self.equal:
            rows, cols = largest_matching(self.rows[:k], self.cols[:k], self.shape, self.begun)
            if len(rows) == len(self.a):
                return rows, cols, self.a
            self.begun = rows, cols  # bisection goes on with longer pairs besides these
            return None
        attempt = self._attempt(k)
        if attempt.allowed:
            return attempt.plan
        self.vain = k, attempt
        return None

    def _attempt(self, k: int) -> Attempt:
        listed = in_order(self.shape, self.rows[:k], self.cols[:k], np.zeros(k))
        attempt = attempt_plan(listed, self.a, self.b, self.progress)
        if not (attempt.allowed or attempt.finished):
            self._stop_if_asked()
            raise OTError("the simplex that looks for a plan came to no end. Please report the data.")
        return attempt

    def _stop_if_asked(self) -> None:
        """End after Ctrl-C, with what is known."""
        if self.progress.interrupted:
            low, high = (f"{self.distances[k - 1]:.15g}" for k in self.known)
            raise KeyboardInterrupt(f"interrupted, when W_inf was known to lie in [{low}, {high}]")

    def cut(self, k: int) -> tuple[Indices, Indices] | None:
        """Rows that cannot place their mass along the first k pairs, and the columns they reach; None for k = 0."""
        if k == 0:
            return None
        if self.equal:
            return _reached_in_vain(self.rows[:k], self.cols[:k], self.shape, self.begun)
        attempt = self.vain[1] if self.vain is not None and self.vain[0] == k else self._attempt(k)
        return find_cut(attempt, self.a, self.b)

    def among(self, plan: Any, start: int, stop: int) -> NDArray[np.bool_]:
        """Which arcs of a plan are among some of the pairs."""
        key = self.cols[start:stop].astype(np.int64) * self.shape[0] + self.rows[start:stop]
        return np.isin(plan[1].astype(np.int64) * self.shape[0] + plan[0], key)


def _reached_in_vain(
    rows: Indices, cols: Indices, shape: tuple[int, int], begun: tuple[Indices, Indices] | None
) -> tuple[Indices, Indices]:
    """Rows and columns that an unmatched row reaches along alternating paths: one row more than columns."""
    from scipy import sparse
    from scipy.sparse.csgraph import breadth_first_order

    n, m = shape
    matched_rows, matched_cols = largest_matching(rows, cols, shape, begun)
    tails, heads = np.r_[rows, matched_cols + n], np.r_[cols + n, matched_rows]
    graph = sparse.csr_array((np.ones(len(tails), np.int8), (tails, heads)), shape=(n + m, n + m))
    unmatched = np.setdiff1d(np.arange(n), matched_rows)[0]
    reached = breadth_first_order(graph, unmatched, return_predecessors=False)
    return reached[reached < n].astype(np.intp), reached[reached >= n].astype(np.intp) - n


def _pairs_within(cost: PointCost, longest: float) -> tuple[Indices, Indices]:
    """All pairs of points up to a distance from each other."""
    from scipy.spatial import KDTree

    norm = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": np.inf}[cost.metric]
    assert set(METRICS) == {"euclidean", "cityblock", "chebyshev"}
    reach = longest * (1 + 4 * cost.rounding) + 1e-300
    x, y = KDTree(cost.x), KDTree(cost.y)
    count = int(x.count_neighbors(y, reach, p=norm))
    if not memory.fits(BYTES_PER_PAIR * count):
        raise InvalidInput(
            f"p=inf needs all pairs within {longest:.6g} of each other, {count:.3g} of them, which take "
            f"{memory.gib(BYTES_PER_PAIR * count)}. Use fewer points, or a large finite p, which bounds W_inf from "
            "below."
        )
    near = x.query_ball_tree(y, reach, p=norm)
    counts = np.fromiter(map(len, near), np.intp, len(near))
    cols = np.fromiter((j for row in near for j in row), np.intp, int(counts.sum()))
    return np.repeat(np.arange(len(near)), counts), cols
