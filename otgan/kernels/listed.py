"""The assignment problem where most costs are one greatest number: on the others alone, listed row by row.

Where a row pays the greatest cost, any column that is left over will do. So each row gets a column of its own at that
cost beside those that all share, and what is then matched with its own takes what is left. Prices of shared columns
begin at zero and only fall, those of columns left over stay zero, and those of rows' own too: so the potentials are
feasible for all pairs. Of 4000 x 4000 costs with one in a hundred below the greatest this takes a tenth of the time of
searches over whole rows.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.arcs import Arcs, Matching, best_two, row_minima
from otgan.kernels.augment import augment
from otgan.kernels.jit import kernel

__all__ = ["ANY", "LEAST_ROWS", "few_arcs", "first_bids", "matching_of_few", "shared_columns"]

SHARE = 0.125  # of all costs, that may be listed
ROWS = 16  # that are looked at first
BLOCK = 32  # costs that are passed over at once where none is listed
BIDS = 8  # a row
LEAST_ROWS = 64  # of a matrix: smaller ones are solved before this has begun
ANY = 2**62  # arcs that one search may look at


@kernel
def matching_of_few(C, limit):
    """An optimal matching, if the costs below the greatest are few; no search begins after ``limit`` arcs.

    Returns
    -------
    match : (n,) ndarray of int64
        Column of each row, -1 for none.
    g : (n,) ndarray of float64
        Prices.
    found : bool
        Whether every row has a column.
    """
    n = C.shape[0]
    arcs, few = few_arcs(C)
    if few:
        f, g, matching, free = first_bids(arcs)
        free, _, _ = augment(arcs, f, g, matching, free, ANY, limit)
        return shared_columns(arcs, matching), g[:n].copy(), free.size == 0
    return np.full(n, -1), np.zeros(n), False


@kernel
def few_arcs(C):
    """The costs of C (n, n) below the greatest, and one more for each row to a column of its own, n + i.

    Returns
    -------
    arcs : Arcs
    few : bool
        Whether they are few, and the rest all equal; otherwise the arcs mean nothing.
    """
    n = C.shape[0]
    greatest, few = greatest_cost(C)
    room = int(SHARE * n * n) + n if few else 0
    start, degree = np.zeros(n, np.int64), np.zeros(n, np.int64)
    col, cost, used = np.empty(room, np.int64), np.empty(room), 0
    for i in range(n):
        if few:
            start[i] = used
            used, few = add_row(C[i], greatest, col, cost, used, room - n)
            degree[i] = used - start[i] + 1
            col[used], cost[used] = n + i, greatest
            used += 1
    return Arcs(start, degree, col[:used], cost[:used]), few


@kernel
def greatest_cost(C):
    """The greatest cost of a few rows, and whether all but a small share of theirs are equal to it."""
    n, greatest, equal = C.shape[0], -np.inf, 0
    rows = min(n, ROWS)
    for k in range(rows):
        for cost in C[k * n // rows]:
            greatest = cost if cost > greatest else greatest
    for k in range(rows):
        for cost in C[k * n // rows]:
            equal += cost == greatest
    return greatest, equal >= (1 - SHARE) * rows * n


@kernel
def add_row(costs, greatest, col, cost, used, room):
    """List the costs below the greatest; how many there are now, and whether there was room and none is above it."""
    above = 0
    for start in range(0, costs.size, BLOCK):
        stop = min(start + BLOCK, costs.size)
        below = 0
        for j in range(start, stop):
            below += costs[j] < greatest
            above += costs[j] > greatest
        if used + below > room:
            return used, False
        if below > 0:
            for j in range(start, stop):
                if costs[j] < greatest:
                    col[used], cost[used] = j, costs[j]
                    used += 1
    return used, above == 0


@kernel
def first_bids(arcs):
    """A partial matching: rows take their cheapest column for what they save against the second; who is outbid is next.

    Returns
    -------
    f : (n,) ndarray of float64
    g : (2 n,) ndarray of float64
        Potentials.
    matching : Matching
    free : ndarray of int64
        The rows that are not matched.
    """
    n = arcs.start.size
    g, match, row_of = np.zeros(2 * n), np.full(n, -1), np.full(2 * n, -1)
    free, queue = np.empty(n, np.int64), np.empty(BIDS * n, np.int64)
    left, queued = 0, n
    for i in range(n):
        queue[i] = i
    for k in range(BIDS * n):
        if k < queued:
            i = queue[k]
            place, saved = choice(arcs, g, row_of, i)
            if place < 0:
                free[left] = i
                left += 1
                continue
            j = arcs.col[place]
            loser = row_of[j]
            match[i], row_of[j] = place - arcs.start[i], i
            if j < n:
                g[j] -= saved
            if loser >= 0:
                match[loser] = -1
                if queued < queue.size:
                    queue[queued] = loser
                    queued += 1
                else:
                    free[left] = loser
                    left += 1
    return row_minima(arcs, g), g, Matching(match, row_of), free[:left]


@kernel
def choice(arcs, g, row_of, i):
    """Where the cheapest arc of row i is, and what it saves against the second; of equals a free one, or -1."""
    place, best, second = best_two(arcs, g, i)
    if second > best or row_of[arcs.col[place]] < 0:
        return place, (second - best if second < np.inf else 0.0)
    for t in range(arcs.start[i], arcs.start[i] + arcs.degree[i]):
        j = arcs.col[t]
        if arcs.cost[t] - g[j] == best and row_of[j] < 0:
            return t, 0.0
    return -1, 0.0


@kernel
def shared_columns(arcs, matching):
    """The column of each row, (n,), if those matched with their own take what is left over; -1 where not matched."""
    n = arcs.start.size
    match, left = np.full(n, -1), 0
    for i in range(n):
        if matching.match[i] >= 0:
            j = arcs.col[arcs.start[i] + matching.match[i]]
            while j >= n:
                j = left if matching.row_of[left] < 0 else n
                left += 1
            match[i] = j
    return match
