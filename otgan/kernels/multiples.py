"""Products of multi-digit integers (:mod:`otgan.kernels.wide`)."""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel
from otgan.kernels.wide import BASE, BITS

__all__ = ["multiples", "shifted"]

HALF_BITS = np.int64(BITS // 2)  # of half a digit: products of two fit into an int64
HALF = (np.int64(1) << HALF_BITS) - 1  # the lower half of a digit, all its bits set


@kernel
def shifted(numbers, shifts, k):
    """``numbers * 2^shifts`` of numbers (n,) below 2^62, where that fits into k digits: (n, k)."""
    out = np.zeros((numbers.size, k), np.int64)
    for i in range(numbers.size):
        d, bits = k - 1 - shifts[i] // BITS, np.int64(shifts[i] % BITS)
        out[i, d] = (numbers[i] << bits) & (BASE - 1)
        if d > 0:
            out[i, d - 1] = numbers[i] >> (BITS - bits)
    return out


@kernel
def multiples(x, factor, k):
    """``x * factor`` of x (n, l) and a factor of some digits, where that fits into k digits: (n, k)."""
    few, many = 2 * x.shape[1], 2 * factor.size
    halves, product, out = np.empty(few, np.int64), np.empty(few + many, np.int64), np.zeros((x.shape[0], k), np.int64)
    factor_halves = np.empty(many, np.int64)  # the least significant first, as all halves here
    set_halves(factor, factor_halves)
    for i in range(x.shape[0]):
        set_halves(x[i], halves)
        product[:] = 0
        for low in range(few):
            if halves[low] == 0:
                continue
            carry = np.int64(0)
            for high in range(many):
                total = product[low + high] + halves[low] * factor_halves[high] + carry
                product[low + high] = total & HALF
                carry = total >> HALF_BITS
            product[low + many] = carry
        for d in range(min(k, (few + many) // 2)):
            out[i, k - 1 - d] = product[2 * d] | (product[2 * d + 1] << HALF_BITS)
    return out


@kernel
def set_halves(x, halves):
    """Set the halves of digits of x, the least significant first."""
    for d in range(x.size):
        digit = x[x.size - 1 - d]
        halves[2 * d], halves[2 * d + 1] = digit & HALF, digit >> HALF_BITS
