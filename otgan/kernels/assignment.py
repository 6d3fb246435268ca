"""The dense assignment problem by shortest augmenting paths (Jonker & Volgenant 1987).

Two quick passes match most rows and leave good column potentials; a Dijkstra search with those potentials matches each
of the rest. Potentials stay feasible throughout, so the matching comes with its proof.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel

__all__ = ["assignment"]

SWEEPS = 2  # of bids by the free rows
BIDS_PER_ROW = 10  # two rows may outbid each other for long where rounding decides


@kernel
def assignment(C):
    """Match each row of C (n, n) with a column at least total cost.

    Returns
    -------
    match : (n,) ndarray of int64
        Column of each row, a permutation.
    f, g : (n,) ndarray of float64
        ``f_i + g_j <= C_ij`` up to rounding, with equality on the matching.
    """
    n = C.shape[0]
    match, row_of = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    g = np.empty(n)
    free = take_cheapest_rows(C, g, match, row_of)
    for _ in range(SWEEPS):
        free = bid(C, g, match, row_of, free)
    distance, before, order = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
    for i in free:
        augment(C, g, match, row_of, i, distance, before, order)
    f = np.empty(n)
    for i in range(n):
        f[i] = C[i, match[i]] - g[match[i]]
    return match, f, g


@kernel
def take_cheapest_rows(C, g, match, row_of):
    """Let each column take its cheapest row, unless a later column has it; returns the rows that are left over.

    A row that only one column wanted gives up what it saves against its second choice.
    """
    n = C.shape[0]
    cheapest, wanted = np.zeros(n, np.int64), np.zeros(n, np.int64)
    g[:] = C[0]
    for i in range(1, n):
        for j in range(n):
            if C[i, j] < g[j]:
                g[j], cheapest[j] = C[i, j], i
    for j in range(n - 1, -1, -1):
        i = cheapest[j]
        wanted[i] += 1
        if wanted[i] == 1:
            match[i], row_of[j] = j, i
    free, count = np.empty(n, np.int64), 0
    for i in range(n):
        if wanted[i] == 0:
            free[count] = i
            count += 1
        elif wanted[i] == 1:
            second = np.inf
            for j in range(n):
                if j != match[i]:
                    second = min(second, C[i, j] - g[j])
            if second < np.inf:
                g[match[i]] -= second
    return free[:count]


@kernel
def bid(C, g, match, row_of, free):
    """Let each free row take its best column and lower its potential to the second best; returns the losers."""
    n = C.shape[0]
    stack, count = free[::-1].copy(), free.size
    left, lost = np.empty(n, np.int64), 0
    for _ in range(BIDS_PER_ROW * n):
        if count == 0:
            break
        count -= 1
        i = stack[count]
        best, second, j, other = np.inf, np.inf, -1, -1
        for k in range(n):
            value = C[i, k] - g[k]
            if value < second:
                if value < best:
                    best, second, j, other = value, best, k, j
                else:
                    second, other = value, k
        loser = row_of[j]
        if best < second < np.inf:
            g[j] -= second - best
        elif loser >= 0 and other >= 0:
            j = other
            loser = row_of[j]
        match[i], row_of[j] = j, i
        if loser >= 0:
            match[loser] = -1
            if best < second:
                stack[count] = loser
                count += 1
            else:
                left[lost] = loser
                lost += 1
    for k in range(count):
        left[lost + k] = stack[k]
    return left[: lost + count]


@kernel
def augment(C, g, match, row_of, start, distance, before, order):
    """Match row ``start`` along the shortest path of reduced costs to a free column, and update the potentials.

    ``order`` lists the columns: first those whose distance is final (``done``), then those at the present least
    distance (up to ``reached``), then the others.
    """
    n = C.shape[0]
    for j in range(n):
        distance[j], before[j], order[j] = C[start, j] - g[j], start, j
    done = reached = settled = 0
    least, end = 0.0, -1
    while end < 0:
        if reached == done:
            settled = done
            least = np.inf
            for k in range(done, n):
                j = order[k]
                if distance[j] <= least:
                    if distance[j] < least:
                        least, reached = distance[j], done
                    order[k], order[reached] = order[reached], j
                    reached += 1
            for k in range(done, reached):
                if row_of[order[k]] < 0:
                    end = order[k]
                    break
        if end < 0:
            j = order[done]
            done += 1
            end = relax(C, g, row_of, row_of[j], j, least, distance, before, order, reached)
            if end <= -2:
                reached, end = -2 - end, -1
    for k in range(settled):
        g[order[k]] += distance[order[k]] - least
    j = end
    i = -1
    while i != start:
        i = before[j]
        row_of[j] = i
        match[i], j = j, match[i]


@kernel
def relax(C, g, row_of, i, through, least, distance, before, order, reached):
    """Shorten the paths to the columns beyond ``reached`` that go through row i and its column.

    Returns a free column that is reached at the least distance, or -2 minus the new ``reached``.
    """
    offset = C[i, through] - g[through] - least
    for k in range(reached, order.size):
        j = order[k]
        length = C[i, j] - g[j] - offset
        if length < distance[j]:
            distance[j], before[j] = length, i
            if length <= least:
                if row_of[j] < 0:
                    return j
                order[k], order[reached] = order[reached], j
                reached += 1
    return -2 - reached
