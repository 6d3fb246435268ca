"""Shortest augmenting paths for the sparse assignment problem, with a binary heap.

From one free row at a time (Jonker & Volgenant 1987) as long as the way to a free column is short; for the rows whose
way is long, from all of them at once (the Hungarian method as Edmonds & Karp 1972 run it), because one search over the
whole graph then serves many of them.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.arcs import grown
from otgan.kernels.jit import kernel

__all__ = ["augment", "augment_together"]


@kernel
def push(keys, items, size, key, item):
    """Add an entry to a binary heap of ``size`` entries."""
    k = size
    while k > 0:
        parent = (k - 1) >> 1
        if keys[parent] <= key:
            break
        keys[k], items[k] = keys[parent], items[parent]
        k = parent
    keys[k], items[k] = key, item


@kernel
def pop(keys, items, size):
    """Remove the least entry from a binary heap of ``size`` entries."""
    size -= 1
    key, item = keys[size], items[size]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if key <= keys[child]:
            break
        keys[k], items[k] = keys[child], items[child]
        k = child
    keys[k], items[k] = key, item


@kernel
def shift_potentials(f, g, row_of, scanned, distance, final):
    """Lower g of the scanned columns, and raise f of their rows, by what each lies nearer than the path's end."""
    for j in scanned:
        rise = final - distance[j]
        if rise > 0.0:
            g[j] -= rise
            if row_of[j] >= 0:
                f[row_of[j]] += rise


@kernel
def flip(arcs, f, g, matching, from_row, from_place, s, sink):
    """Match along the path from row s to column ``sink``; the potentials of its rows are read off the new arcs."""
    (start, _, col, cost), (match, row_of) = arcs, matching
    j = sink
    while True:
        i = from_row[j]
        previous = match[i]
        match[i], row_of[j] = from_place[j], i
        f[i] = cost[start[i] + match[i]] - g[j]
        if i == s:
            return
        j = col[start[i] + previous]


@kernel
def augment(arcs, f, g, matching, free, reach_steps, max_steps):
    """Match free rows one by one along shortest paths in the reduced costs ``C - f - g``.

    The potentials have to be feasible on the arcs and tight on the matching, and they stay so: no epsilon is left.
    In the arguments f goes up and g goes down.

    Parameters
    ----------
    arcs, g, matching, free
        As for :func:`otgan.kernels.auction.auction`.
    f : (n,) ndarray
    reach_steps : int
        A search that has looked at more arcs than this is given up.
    max_steps : int
        No further search begins once this many arcs have been looked at.

    Returns
    -------
    free, far : ndarray of int64
        Rows not taken up any more, and rows given up.
    steps : int
        Arcs looked at.
    """
    (start, count, col, cost), row_of = arcs, matching.row_of
    m = g.size
    distance = np.full(m, np.inf)
    from_row, from_place = np.empty(m, np.int64), np.empty(m, np.int64)
    seen, scanned = np.empty(m, np.int64), np.empty(m, np.int64)
    keys, items = np.empty(1024), np.empty(1024, np.int64)
    far = np.empty(free.size, np.int64)
    n_far, done, steps = 0, 0, 0
    while done < free.size and steps < max_steps:
        s = free[done]
        done += 1
        row, reach = s, 0.0
        n_seen, n_scanned, size = 0, 0, 0
        sink, final = -1, np.inf
        last_step = steps + reach_steps
        while True:
            steps += count[row]
            for k in range(count[row]):
                t = start[row] + k
                j = col[t]
                d = reach + max(cost[t] - g[j] - f[row], 0.0)  # rounding may leave it a little below zero
                if not (d < distance[j] and d < final):  # NaN never is
                    continue
                if distance[j] == np.inf:
                    seen[n_seen] = j
                    n_seen += 1
                distance[j], from_row[j], from_place[j] = d, row, k
                if row_of[j] < 0:
                    sink, final = j, d
                    continue
                if size == keys.size:
                    keys, items = grown(keys, 2 * size), grown(items, 2 * size)
                push(keys, items, size, d, j)
                size += 1
            if final <= reach:
                break
            j = -1
            while size > 0 and j < 0 and keys[0] < final:
                if keys[0] == distance[items[0]]:  # not reached by a shorter way since
                    j = items[0]
                pop(keys, items, size)
                size -= 1
            if j < 0:
                break
            if steps > last_step:
                sink = -1
                break
            scanned[n_scanned] = j
            n_scanned += 1
            row, reach = row_of[j], distance[j]
        if sink >= 0:
            f[s] += final
            shift_potentials(f, g, row_of, scanned[:n_scanned], distance, final)
            flip(arcs, f, g, matching, from_row, from_place, s, sink)
        else:
            far[n_far] = s
            n_far += 1
        for k in range(n_seen):
            distance[seen[k]] = np.inf
    return free[done:], far[:n_far], steps


@kernel
def augment_together(arcs, f, g, matching, free):
    """One search from all free rows at once, and a path for every tree that reaches a free column.

    The trees of different rows are disjoint, so all their paths can be taken. Arguments as for :func:`augment`.

    Returns
    -------
    matched : int
        How many rows were matched: at least one, unless no free column can be reached.
    steps : int
        Arcs looked at.
    """
    (start, count, col, cost), row_of = arcs, matching.row_of
    n = start.size
    distance = np.full(n, np.inf)
    from_row, from_place = np.empty(n, np.int64), np.empty(n, np.int64)
    root, sink = np.full(n, -1), np.full(n, -1)
    scanned = np.empty(n, np.int64)
    keys, items = np.empty(4 * n), np.empty(4 * n, np.int64)
    n_scanned, size, steps, matched, sinks = 0, 0, 0, 0, 0
    reach = 0.0
    waiting = free.size
    while True:
        if waiting > 0:
            waiting -= 1
            row = free[waiting]
            root[row] = row
        else:
            j = -1
            while size > 0 and j < 0:
                if keys[0] == distance[items[0]]:
                    j = items[0]
                pop(keys, items, size)
                size -= 1
            if j < 0:
                break
            scanned[n_scanned] = j
            n_scanned += 1
            reach = distance[j]
            row = row_of[j]
            if row < 0:
                sinks += 1
                tree = root[from_row[j]]
                if sink[tree] < 0:
                    sink[tree] = j
                    matched += 1
                if sinks == free.size:
                    break
                continue
            root[row] = root[from_row[j]]
        steps += count[row]
        for k in range(count[row]):
            t = start[row] + k
            j = col[t]
            d = reach + max(cost[t] - g[j] - f[row], 0.0)
            if not d < distance[j]:
                continue
            distance[j], from_row[j], from_place[j] = d, row, k
            if size == keys.size:
                keys, items = grown(keys, 2 * size), grown(items, 2 * size)
            push(keys, items, size, d, j)
            size += 1
    for s in free:
        f[s] += reach
    shift_potentials(f, g, row_of, scanned[:n_scanned], distance, reach)
    for s in free:
        if sink[s] >= 0:
            flip(arcs, f, g, matching, from_row, from_place, s, sink[s])
    return matched, steps
