"""Plans along listed pairs alone, or a cut that proves that there is none.

A plan begins at scipy's cheapest perfect matching where the weights are equal, and else at what sending along one pair
after the other, the cheapest first, gives. If that has to leave the list, every listed pair costs nothing for once, and
the others one: where some mass is left on those in the end there is no plan, and the potentials say which rows cannot
place their mass (a cut: Gale 1957; Hall 1935 for permutations). A search that is stopped before its end proves neither.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.masses import as_ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.exact.listed import ListedCost
    from otgan.exact.sparse.network import Network  # which needs Numba
    from otgan.exact.sparse.progress import Progress

    Indices = NDArray[np.intp]
    Masses = NDArray[np.int64]
    Moves = tuple[Indices, Indices, Masses]

__all__ = ["Attempt", "all_equal", "attempt_plan", "find_cut", "largest_matching", "leaves_the_list", "simplex"]


@dataclass(frozen=True, eq=False)
class Attempt:
    """A plan with the right marginals that keeps to the list if the search found one that does.

    Attributes
    ----------
    plan : tuple of ndarray
        Rows, columns and masses.
    allowed : bool
        Whether it keeps to the list.
    network : Network or None
        That of mass outside the list; None where the first plan is allowed.
    finished : bool
        Whether the search came to its end. If it did, a plan that is not allowed proves that none is.
    """

    plan: Moves
    allowed: bool
    network: Network | None = None
    finished: bool = True


def attempt_plan(cost: ListedCost, a: Masses, b: Masses, progress: Progress) -> Attempt:
    """Look for a plan along listed pairs alone."""
    plan = _first_plan(cost, a, b)
    if not leaves_the_list(cost, plan):
        return Attempt(plan, True)
    network, finished = _least_outside(cost, plan, progress)
    plan = network.plan()
    return Attempt(plan[:3], not leaves_the_list(cost, plan), network, finished)


def _first_plan(cost: ListedCost, a: Masses, b: Masses) -> Moves:
    """A plan that is cheap and uses listed pairs where that is easy: the best matching, or one pair after the other."""
    from otgan.kernels.spanning import merge_masses, send_greedily

    arcs = _matching(cost) if all_equal(a, b) else np.empty(0, np.intp)
    arcs = np.r_[arcs, np.argsort(cost.values, kind="stable")]
    left_a, left_b = a.copy(), b.copy()
    sent, mass = send_greedily(cost.rows[arcs], cost.cols[arcs], left_a, left_b)
    rows, cols = cost.rows[arcs[sent]], cost.cols[arcs[sent]]
    if not left_a.any():
        return rows, cols, mass
    more_rows, more_cols, more = merge_masses(left_a, left_b)
    return np.r_[rows, more_rows], np.r_[cols, more_cols], np.r_[mass, more]


def all_equal(a: Masses, b: Masses) -> bool:
    """Whether there are as many rows as columns, all of one mass, so that a plan may be a matching."""
    return len(a) == len(b) and bool((a == a[0]).all() and (b == a[0]).all())


def _matching(cost: ListedCost) -> Indices:
    """The pairs of a cheapest perfect matching; of a largest one where none is perfect."""
    from scipy import sparse
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    above = cost.values - cost.floor
    above += above.max(initial=0.0) or 1.0  # zeros would not be pairs
    try:
        found = min_weight_full_bipartite_matching(sparse.csr_array((above, (cost.rows, cost.cols)), shape=cost.size))
        rows, cols = found
    except ValueError:  # there is none
        rows, cols = largest_matching(cost.rows, cost.cols, cost.size)
    return np.searchsorted(cost.keys, cols.astype(np.int64) * cost.size[0] + rows)


def largest_matching(rows: Indices, cols: Indices, size: tuple[int, int]) -> tuple[Indices, Indices]:
    """Rows and columns of as many pairs (k,) as can be chosen with no row and no column twice.

    (scipy's ``maximum_bipartite_matching`` does not end within minutes for pairs
    of 3000 points of a square up to 0.05 from each other.)
    """
    from otgan.kernels.matching import largest_matching as complete

    n, m = size
    partner, partner_of = np.full(n, -1), np.full(m, -1)
    order = np.argsort(rows, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    complete(start, cols[order].astype(np.int64), partner, partner_of)
    matched = np.flatnonzero(partner >= 0)
    return matched, partner[matched]


def _least_outside(cost: ListedCost, plan: Moves, progress: Progress) -> tuple[Network, bool]:
    """The network of a plan that sends as little as possible outside the list, and whether the simplex ended."""
    from otgan.exact.sparse.network import Network

    counted = replace(cost, values=np.zeros(len(cost.values)), outside=1.0)
    network = Network(counted, cost.rows, cost.cols, plan)
    return network, simplex(network, progress)


def simplex(network: Network, progress: Progress) -> bool:
    """Make a network optimal for its arcs, with ``max_steps`` pivots at most; whether that was enough."""
    from otgan.exact.sparse.generation import PIVOTS_PER_LOOK, solve_on_arcs

    limit = progress.max_steps
    if limit is None:
        return solve_on_arcs(network, progress)
    while not progress.interrupted and network.pivots < limit:
        if network.solve(min(PIVOTS_PER_LOOK, limit - network.pivots)):
            return True
    return False


def leaves_the_list(cost: ListedCost, plan: tuple[Any, ...]) -> bool:
    """Whether a plan sends along pairs that are not listed."""
    return bool(np.isinf(cost.entries(plan[0], plan[1])).any())


def find_cut(vain: Attempt, a: Masses, b: Masses) -> tuple[Indices, Indices]:
    """Rows that together have more mass than the columns that they reach, and those columns.

    The potentials of the problem that counts mass outside the list are whole numbers apart, with ``f_i + g_j <= 0``
    for listed pairs, and ``a . f + b . g``, the mass that must stay outside, is positive. That is the sum over all
    levels t of the mass of rows with ``f_i >= t`` less that of columns with ``g_j <= -t``, among which are all that
    those rows reach: so at some level it is positive.

    Parameters
    ----------
    vain : Attempt
        One that is finished, with a plan that is not allowed.
    a, b : ndarray
        The masses that were to be moved.
    """
    network = vain.network
    assert network is not None
    level = network.f[0]
    f, g = np.rint(network.f - level), np.rint(network.g + level)
    mass_a, mass_b = as_ints(a), as_ints(b)
    best, rows, cols = 0, np.empty(0, np.intp), np.empty(0, np.intp)
    for t in np.unique(f):
        above, reached = np.flatnonzero(f >= t), np.flatnonzero(g <= -t)
        excess = sum(mass_a[i] for i in above) - sum(mass_b[j] for j in reached)
        if excess > best:
            best, rows, cols = excess, above, reached
    assert best > 0
    return rows, cols
