"""Forward auction for the sparse assignment problem (Bertsekas 1988), one bid at a time."""

from __future__ import annotations

import numpy as np

from otgan.kernels.arcs import best_two
from otgan.kernels.copies import copy_into
from otgan.kernels.jit import kernel

__all__ = ["auction"]


@kernel
def auction(arcs, g, matching, free, eps, max_raise, max_bids):
    """Let the free rows bid, first in first out, until none is left or ``max_bids`` are made.

    A row takes the column with the least ``C_ij - g_j`` and lowers g_j until the column is worth eps less to it than
    its second best. A matched row stays within eps of its best, so the matching ends within n eps of the optimum.

    Parameters
    ----------
    arcs : Arcs
    g : (m,) ndarray
        Prices; lowered in place.
    matching : Matching
    free : (k,) ndarray of int64
    eps : float
    max_raise : float
        No bid goes further than this beyond eps. A point that is alone in its region would otherwise bid all that the
        next region costs, and potentials of that size carry no small digits.
    max_bids : int

    Returns
    -------
    free : ndarray of int64
        Rows left over.
    bids : int
    """
    start, col = arcs.start, arcs.col
    match, row_of = matching
    n = start.size
    ring = np.empty(n, np.int64)
    copy_into(ring, free)
    head, length, bids = 0, free.size, 0
    while length > 0 and bids < max_bids:
        i = ring[head]
        head = head + 1 if head + 1 < n else 0
        length -= 1
        bids += 1
        place, best, second = best_two(arcs, g, i)
        if place < 0:  # no arc with a value: nothing to bid for
            length += 1
            head = head - 1 if head > 0 else n - 1
            break
        j = col[place]
        g[j] -= min(second - best, max_raise) + eps if second < np.inf else eps
        match[i] = place - start[i]
        loser = row_of[j]
        row_of[j] = i
        if loser >= 0:
            match[loser] = -1
            tail = head + length
            ring[tail if tail < n else tail - n] = loser
            length += 1
    left = np.empty(length, np.int64)
    for k in range(length):
        at = head + k
        left[k] = ring[at if at < n else at - n]
    return left, bids
