"""Multi-digit integers, wider than 62 bits, so that masses add up exactly whatever they are.

A number is a row of k digits in base 2^62, the most significant first, each in an int64. The first digit has the sign;
the others lie in [0, 2^62). Numbers that fit into 62 bits have one digit, and then these are plain integers.
"""

from __future__ import annotations

import numpy as np

from otgan.kernels.jit import kernel

__all__ = [
    "BITS",
    "add",
    "add_at",
    "as_float",
    "as_floats",
    "compare",
    "in_two_floats",
    "is_less",
    "is_positive",
    "is_zero",
    "subtract",
    "subtract_at",
    "sums",
    "take_lesser",
]

BITS = 62  # of a digit: the sum of two still fits into an int64
BASE = np.int64(1) << np.int64(BITS)
HALF = np.int64(31)  # bits: so many are exact as a float
DIGIT = 2.0**-BITS  # of a digit, as a share of the one above it


@kernel
def add(x, y):
    """``x += y``, both (k,)."""
    carry = np.int64(0)
    for d in range(x.size - 1, 0, -1):
        digit = x[d] + y[d] + carry
        carry = np.int64(digit >= BASE)
        x[d] = digit - BASE if carry else digit
    x[0] += y[0] + carry


@kernel
def subtract(x, y):
    """``x -= y``, both (k,)."""
    borrow = np.int64(0)
    for d in range(x.size - 1, 0, -1):
        digit = x[d] - y[d] - borrow
        borrow = np.int64(digit < 0)
        x[d] = digit + BASE if borrow else digit
    x[0] -= y[0] + borrow


@kernel
def add_at(x, i, y):
    """``x[i] += y`` for x (n, k) and y (k,), without a view of the row."""
    carry = np.int64(0)
    for d in range(x.shape[1] - 1, 0, -1):
        digit = x[i, d] + y[d] + carry
        carry = np.int64(digit >= BASE)
        x[i, d] = digit - BASE if carry else digit
    x[i, 0] += y[0] + carry


@kernel
def subtract_at(x, i, y):
    """``x[i] -= y`` for x (n, k) and y (k,), without a view of the row."""
    borrow = np.int64(0)
    for d in range(x.shape[1] - 1, 0, -1):
        digit = x[i, d] - y[d] - borrow
        borrow = np.int64(digit < 0)
        x[i, d] = digit + BASE if borrow else digit
    x[i, 0] -= y[0] + borrow


@kernel
def is_less(x, y):
    """Whether ``x < y``, both (k,)."""
    for d in range(x.size):
        if x[d] != y[d]:
            return x[d] < y[d]
    return False


@kernel
def compare(x, y):
    """-1, 0 or 1 as x is less than, equal to or greater than y, both (k,)."""
    for d in range(x.size):
        if x[d] != y[d]:
            return -1 if x[d] < y[d] else 1
    return 0


@kernel
def is_zero(x):
    """Whether ``x == 0``."""
    for d in range(x.size):  # noqa: SIM110 (compiled)
        if x[d] != 0:
            return False
    return True


@kernel
def is_positive(x):
    """Whether ``x > 0``."""
    return x[0] > 0 or (x[0] == 0 and not is_zero(x))


@kernel
def take_lesser(x, y, out):
    """The lesser of x and y, copied to ``out``."""
    less = is_less(y, x)
    for d in range(x.size):
        out[d] = y[d] if less else x[d]


@kernel
def as_float(x):
    """A number that is not negative as a float, in units of its first digit; off by less than an ulp."""
    value = 0.0
    for d in range(x.size - 1, -1, -1):
        value = value * DIGIT + x[d]
    return value


@kernel
def as_floats(x):
    """:func:`as_float` of each row of x (n, k)."""
    values = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        value = 0.0
        for d in range(x.shape[1] - 1, -1, -1):
            value = value * DIGIT + x[i, d]
        values[i] = value
    return values


@kernel
def in_two_floats(x):
    """Each row of x (n, k), not negative, as the sum of two floats in units of the first digit, right to 2^-100."""
    high, low = np.empty(x.shape[0]), np.empty(x.shape[0])
    for i in range(x.shape[0]):
        total, error, scale = 0.0, 0.0, 1.0
        for d in range(x.shape[1]):
            upper = x[i, d] >> HALF
            for part in (float(upper << HALF), float(x[i, d] - (upper << HALF))):  # exact: 31 bits each
                s = total + part * scale
                t = s - total
                error += (total - (s - t)) + (part * scale - t)
                total = s
            scale *= DIGIT
        high[i] = total + error
        low[i] = (total - high[i]) + error
    return high, low


@kernel
def sums(index, x, size):
    """Sums of the rows of x (n, k) with each index, (size, k)."""
    total = np.zeros((size, x.shape[1]), np.int64)
    for i in range(x.shape[0]):
        add_at(total, index[i], x[i])
    return total
