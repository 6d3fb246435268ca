"""Largest matchings of bipartite graphs (Hopcroft & Karp 1973)."""

from __future__ import annotations

import numpy as np

from otgan.kernels.copies import copy_into
from otgan.kernels.jit import kernel

__all__ = ["largest_matching"]


@kernel
def largest_matching(start, cols, partner, partner_of):
    """Complete a matching to one with as many pairs as there can be.

    Parameters
    ----------
    start : (n + 1,) int64 ndarray
    cols : (k,) int64 ndarray
        The columns of row i are ``cols[start[i]:start[i + 1]]``.
    partner : (n,) int64 ndarray
        The column of each row, -1 for none; changed in place.
    partner_of : (m,) int64 ndarray
        The row of each column, likewise.
    """
    n = partner.size
    layer, next_arc, path = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    while layers(start, cols, partner, partner_of, layer, path):
        copy_into(next_arc, start[:-1])
        for i in range(n):
            if partner[i] < 0:
                augment(i, start, cols, partner, partner_of, layer, next_arc, path)


@kernel
def layers(start, cols, partner, partner_of, layer, queue):
    """How many steps each row is from a free one along alternating paths; whether a free column is met."""
    head = tail = 0
    for i in range(partner.size):
        layer[i] = -1
        if partner[i] < 0:
            layer[i] = 0
            queue[tail] = i
            tail += 1
    found = False
    while head < tail:
        i = queue[head]
        head += 1
        for k in range(start[i], start[i + 1]):
            other = partner_of[cols[k]]
            if other < 0:
                found = True
            elif layer[other] < 0:
                layer[other] = layer[i] + 1
                queue[tail] = other
                tail += 1
    return found


@kernel
def augment(root, start, cols, partner, partner_of, layer, next_arc, path):
    """Match a free row along a path that goes from layer to layer, if there is one; each arc is tried once a round."""
    depth = 0
    path[0] = root
    while depth >= 0:
        i = path[depth]
        if next_arc[i] == start[i + 1]:
            layer[i] = -1  # leads nowhere
            depth -= 1
            continue
        j = cols[next_arc[i]]
        next_arc[i] += 1
        other = partner_of[j]
        if other < 0:
            while depth >= 0:
                i = path[depth]
                before = partner[i]
                partner[i], partner_of[j] = j, i
                j = before
                depth -= 1
            return
        if layer[other] == layer[i] + 1:
            depth += 1
            path[depth] = other
