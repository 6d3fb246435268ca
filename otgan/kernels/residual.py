"""Potentials of an optimal matching: shortest paths in its residual graph."""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel

__all__ = ["matching_potentials"]

MAX_SWEEPS = 200


@kernel
def matching_potentials(C):
    """Potentials f, g with f_i + g_i = C_ii and f_i + g_j <= C_ij, where the diagonal is an optimal matching.

    With ``e_i = -f_i`` the constraints read ``e_j <= e_i + C_ij - C_jj``: distances from a source that reaches every
    row at cost zero. A label-correcting search (Bellman 1958, Moore 1959, first in first out) finds them; starting
    from zero keeps them small. It stops early where rounding, or a matching that is not optimal, makes a cycle.
    """
    n = C.shape[0]
    e = np.zeros(n)
    tolerance = 4 * np.finfo(np.float64).eps * max(1.0, C.max())
    queue = np.arange(n)
    queued = np.ones(n, np.bool_)
    head, length = 0, n
    budget = MAX_SWEEPS * n
    while length > 0 and budget > 0:
        i = queue[head]
        head = (head + 1) % n
        length -= 1
        queued[i] = False
        budget -= 1
        for j in range(n):
            reach = e[i] + C[i, j] - C[j, j]
            if reach < e[j] - tolerance:
                e[j] = reach
                if not queued[j]:
                    queue[(head + length) % n] = j
                    queued[j] = True
                    length += 1
    return -e, e + np.diag(C)
