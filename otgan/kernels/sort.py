"""Radix sort of float64 values, alone or with the masses that go along.

The bits of a float, with the sign bit flipped (all bits where it is negative), are a whole number of the same order.
Digits are taken from the highest bit in which two keys differ, so an offset or a narrow range costs no digits. Three
of them leave few inversions in almost all data; an insertion sort that gives up early finds out, and then the
remaining digits are sorted too.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel

__all__ = ["sorted_rows", "sorted_rows_with_masses", "sorted_values", "sorted_with_masses"]

BITS, FEW_BITS = 11, 8  # of a digit; counting must not take longer than the values themselves
LONG_DIGITS_FROM = 6000  # values, from which the digits are the long ones
LEADING = 3  # digits before the insertion sort
SIGN = np.uint64(1 << 63)  # the bit of a float64
MOVES_PER_VALUE = 2  # moves of the insertion sort, per value, before it gives up


@kernel
def key(bits):
    """The whole number with the order of the float that has these bits."""
    return ~bits if bits & SIGN else bits | SIGN


@kernel
def unkey(number):
    """The inverse of :func:`key`."""
    return number ^ SIGN if number & SIGN else ~number


@kernel
def varying_bits(keys):
    """How many of the low bits are not the same in all keys."""
    differing = np.uint64(0)
    for k in keys:
        differing |= k ^ keys[0]
    count = 0
    while differing:
        differing >>= np.uint64(1)
        count += 1
    return count


@kernel
def starts(keys, shift, mask):
    """Where the keys with each digit begin."""
    counts = np.zeros(np.int64(mask) + 1, np.int64)
    for k in keys:
        counts[(k >> shift) & mask] += 1
    at = 0
    for digit in range(counts.size):
        at, counts[digit] = at + counts[digit], at
    return counts


@kernel
def scatter(keys, masses, shift, mask, new_keys, new_masses):
    """Copy keys, and masses if there are any, in the order of one digit, stably."""
    at = starts(keys, shift, mask)
    for i in range(keys.size):
        digit = (keys[i] >> shift) & mask
        to = at[digit]
        at[digit] = to + 1
        new_keys[to] = keys[i]
        if masses.size:
            new_masses[to] = masses[i]


@kernel
def inserted(keys, masses):
    """Insertion sort in place; False, with the keys in any order, if that is too much work."""
    budget = MOVES_PER_VALUE * keys.size
    for i in range(1, keys.size):
        if keys[i - 1] <= keys[i]:
            continue
        k, mass, to = keys[i], masses[i] if masses.size else 0.0, i
        while to > 0 and keys[to - 1] > k:
            keys[to] = keys[to - 1]
            if masses.size:
                masses[to] = masses[to - 1]
            to -= 1
        keys[to] = k
        if masses.size:
            masses[to] = mass
        budget -= i - to
        if budget < 0:
            return False
    return True


@kernel
def sort_digits(keys, masses, low, high, bits):
    """Sort by the bits from ``low`` up to ``high``, ``bits`` at a time; returns the arrays that hold the outcome."""
    new_keys, new_masses = np.empty_like(keys), np.empty_like(masses)
    mask = np.uint64((1 << bits) - 1)
    for at in range(low, high, bits):
        scatter(keys, masses, np.uint64(at), mask, new_keys, new_masses)
        keys, new_keys = new_keys, keys
        masses, new_masses = new_masses, masses
    return keys, masses


@kernel
def sort_keys(keys, masses):
    """Sort keys and masses; the arguments are used as working space."""
    high = varying_bits(keys)
    bits = BITS if keys.size >= LONG_DIGITS_FROM else FEW_BITS
    low = max(0, high - LEADING * bits)
    keys, masses = sort_digits(keys, masses, low, high, bits)
    if low > 0 and not inserted(keys, masses):
        keys, masses = sort_digits(keys, masses, 0, high, bits)
    return keys, masses


@kernel
def sorted_keys(values, masses):
    """Keys of values from the least to the greatest, and the masses in that order; no masses if there are none."""
    bits = values.view(np.uint64)
    keys = np.empty(values.size, np.uint64)
    for i in range(values.size):
        keys[i] = key(bits[i])
    return sort_keys(keys, masses.copy())


@kernel
def sorted_with_masses(values, masses):
    """Values from the least to the greatest, and the masses in that order, as the two rows of one array.

    One array, since every one that a kernel hands to Python costs as much as sorting a dozen values.
    """
    keys, masses = sorted_keys(values, masses)
    out = np.empty((2, values.size))
    bits = out[0].view(np.uint64)
    for i in range(keys.size):
        bits[i] = unkey(keys[i])
        out[1, i] = masses[i]
    return out


@kernel
def sorted_values(values):
    """Values from the least to the greatest, NaN at the ends."""
    keys, _ = sorted_keys(values, np.empty(0))
    for i in range(keys.size):
        keys[i] = unkey(keys[i])
    return keys.view(np.float64)


@kernel
def sorted_rows(values):
    """:func:`sorted_values` of each row, (k, n)."""
    out = np.empty(values.shape)
    for k in range(values.shape[0]):
        out[k] = sorted_values(values[k])
    return out


@kernel
def sorted_rows_with_masses(values, masses):
    """:func:`sorted_with_masses` of each row of values and masses, (k, n) both."""
    out, out_masses = np.empty(values.shape), np.empty(values.shape)
    for k in range(values.shape[0]):
        both = sorted_with_masses(values[k], masses[k])
        out[k], out_masses[k] = both[0], both[1]
    return out, out_masses
