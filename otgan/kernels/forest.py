"""Exact transport plans without cycles, in whole numbers, from any masses along arcs."""

from __future__ import annotations

import numpy as np

from otgan.kernels.copies import copy_into
from otgan.kernels.jit import kernel
from otgan.kernels.spanning import merge_masses
from otgan.kernels.wide import BASE, add_at, is_less, is_zero, subtract_at, take_lesser

__all__ = ["complete", "from_floats", "to_forest", "trim"]


@kernel
def from_floats(values, digits):
    """Values that are not negative, in units of the first digit, rounded down to whole numbers (n, digits)."""
    out = np.empty((values.size, digits), np.int64)
    for i in range(values.size):
        rest = min(values[i], float(BASE - 1))
        for d in range(digits):
            out[i, d] = np.int64(rest)
            rest = (rest - out[i, d]) * BASE
    return out


@kernel
def trim(rows, cols, mass, left_a, left_b):
    """Lower the masses, in order, to what is left of both points, and take them from that; all in place."""
    moved = np.empty(mass.shape[1], np.int64)
    for k in range(rows.size):
        take_lesser(mass[k], left_a[rows[k]], moved)
        take_lesser(moved, left_b[cols[k]], mass[k])
        subtract_at(left_a, rows[k], mass[k])
        subtract_at(left_b, cols[k], mass[k])


@kernel
def complete(left_a, left_b):
    """Rows, columns and masses that move what is left, in order."""
    return merge_masses(left_a, left_b)


@kernel
def to_forest(n, m, rows, cols, mass, cost):
    """Cancel all cycles of a plan in place; which arcs carry mass in the end.

    The arcs join a forest one by one. One that closes a cycle sends mass around it, in the direction that costs less,
    until an arc of the cycle is empty and can be left out. Arcs that come empty stay, as they may be of use.

    Parameters
    ----------
    n, m : int
        Rows are the nodes 0 to n - 1, columns the nodes n to n + m - 1.
    rows, cols : (k,) ndarray
    mass : (k, digits) ndarray
        Changed in place.
    cost : (k,) ndarray
        Costs, or reduced costs.

    Returns
    -------
    (k,) ndarray of bool
    """
    parent, arc = np.full(n + m, -1), np.full(n + m, -1)
    seen = np.full(n + m, -1)
    moved = np.empty(mass.shape[1], np.int64)
    for k in range(rows.size):
        i, j = rows[k], n + cols[k]
        apex = meeting(parent, seen, i, j, k)
        if apex < 0:
            hang(parent, arc, i, j, k)
            continue
        cheaper = (
            cost[k] + path_cost(parent, arc, cost, n, i, apex, True) + path_cost(parent, arc, cost, n, j, apex, False)
        )
        raised = cheaper < 0.0
        first = blocking(parent, arc, mass, n, i, apex, raised)
        second = blocking(parent, arc, mass, n, j, apex, not raised)
        least = lighter(arc, mass, first, second)
        if not raised and (least < 0 or not is_less(mass[arc[least]], mass[k])):
            copy_into(moved, mass[k])  # the new arc itself is empty first
            least = -1
        else:
            copy_into(moved, mass[arc[least]])
        if not is_zero(moved):
            shift_path(parent, arc, mass, n, i, apex, moved, raised)
            shift_path(parent, arc, mass, n, j, apex, moved, not raised)
            if raised:
                add_at(mass, k, moved)
            else:
                subtract_at(mass, k, moved)
        if least >= 0:
            on_row_side = least == first
            parent[least] = arc[least] = -1
            hang(parent, arc, i if on_row_side else j, j if on_row_side else i, k)
    carries = np.zeros(rows.size, np.bool_)
    for k in range(rows.size):
        carries[k] = not is_zero(mass[k])
    return carries


@kernel
def meeting(parent, seen, i, j, stamp):
    """The lowest common ancestor of two nodes, -1 if they are in different trees."""
    while i >= 0:
        seen[i] = stamp
        i = parent[i]
    while j >= 0 and seen[j] != stamp:
        j = parent[j]
    return j


@kernel
def hang(parent, arc, node, onto, new_arc):
    """Make ``node`` the root of its tree, and hang that tree below ``onto`` by a new arc."""
    below, joint = onto, new_arc
    u = node
    while u >= 0:
        up, up_arc = parent[u], arc[u]
        parent[u], arc[u] = below, joint
        below, joint = u, up_arc
        u = up


@kernel
def path_cost(parent, arc, cost, n, u, apex, rows_fall):
    """What more mass on the closing arc costs on the way up from u: where mass falls, cost is saved.

    On the way from the row of that arc, mass falls on the arcs that go up from rows, on the other way from columns.
    """
    total = 0.0
    while u != apex:
        total += -cost[arc[u]] if (u < n) == rows_fall else cost[arc[u]]
        u = parent[u]
    return total


@kernel
def blocking(parent, arc, mass, n, u, apex, rows_fall):
    """The node on the way up from u to the apex whose arc is the first to be empty; -1 if there is none."""
    least = -1
    while u != apex:
        if (u < n) == rows_fall and (least < 0 or is_less(mass[arc[u]], mass[arc[least]])):
            least = u
        u = parent[u]
    return least


@kernel
def lighter(arc, mass, u, v):
    """The node of the two whose arc carries less; -1 stands for none."""
    if u < 0 or v < 0:
        return max(u, v)
    return v if is_less(mass[arc[v]], mass[arc[u]]) else u


@kernel
def shift_path(parent, arc, mass, n, u, apex, moved, rows_fall):
    """Move mass along the way up from u to the apex."""
    while u != apex:
        if (u < n) == rows_fall:
            subtract_at(mass, arc[u], moved)
        else:
            add_at(mass, arc[u], moved)
        u = parent[u]
