"""Weighted medians by quickselect."""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel

__all__ = ["weighted_median"]


@kernel
def exchange(array, i, j):
    """Exchange two entries."""
    array[i], array[j] = array[j], array[i]


@kernel
def weighted_quantile(values, weights, target):
    """The least value with no less than ``target`` of the weight up to it, and what of that is not below it.

    Reorders its arguments. Quickselect with three parts (Hoare 1961, Dijkstra 1976) and pivots from a linear
    congruential generator, so that no order of the data is slow; O(n).
    """
    first, stop = 0, values.size
    random = np.uint64(1)
    while True:
        random = random * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        pivot = values[first + np.int64((random >> np.uint64(33)) % np.uint64(stop - first))]
        below, at, above = first, first, stop
        weight_below, weight_equal = 0.0, 0.0
        while at < above:
            if values[at] < pivot:
                weight_below += weights[at]
                exchange(values, below, at)
                exchange(weights, below, at)
                below += 1
                at += 1
            elif values[at] > pivot:
                above -= 1
                exchange(values, at, above)
                exchange(weights, at, above)
            else:
                weight_equal += weights[at]
                at += 1
        if target < weight_below and below > first:
            stop = below
        elif target <= weight_below + weight_equal or above == stop:
            return pivot, target - weight_below
        else:
            target -= weight_below + weight_equal
            first = above


@kernel
def weighted_median(rows, weights):
    """The row of (n, k), in lexicographic order, with at most half of the weight below it and at most half above it.

    One column after another decides, of the rows that agree with the median so far.
    """
    median = np.empty(rows.shape[1], rows.dtype)
    target = 0.5 * weights.sum()
    median[0], target = weighted_quantile(rows[:, 0].copy(), weights.copy(), target)
    for d in range(1, rows.shape[1]):
        among = rows[:, d - 1] == median[d - 1]
        rows, weights = rows[among], weights[among]
        median[d], target = weighted_quantile(rows[:, d].copy(), weights.copy(), target)
    return median
