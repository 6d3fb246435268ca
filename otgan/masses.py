"""Masses as whole numbers, in which every solver and every proof computes.

A weight means exactly the value of its float, and equal weights are exactly 1/n. Both sides are normalised in exact
arithmetic, to ``a / sum(a)`` and ``b / sum(b)``, times ``sum(a)``. So where two totals differ by rounding nothing is
rounded a second time, and no mass is lost, however small. The normalised weights are fractions with a common
denominator, the least common multiple of both sides' totals. Their numerators are whole numbers of one total
(:mod:`otgan.kernels.wide`), and sums and differences of those have no rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WholeMasses", "as_ints", "digits", "partial_masses", "whole_masses"]

BITS = 62  # of a digit, as in otgan.kernels.wide
HALF = BITS // 2  # sums of so many bits fit into an int64
MANTISSA = 53  # bits of a float64


@dataclass(frozen=True, eq=False)
class WholeMasses:
    """The masses of both sides as whole numbers of one total.

    Attributes
    ----------
    a : (n, k) ndarray of int64
    b : (m, k) ndarray of int64
        k digits in base 2^62, the most significant first.
    unit : float
        What 1 in the first digit stands for, in units of the weights; off by half an ulp, or exact where it is a power
        of two.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    unit: float


def whole_masses(a: NDArray[np.float64] | int, b: NDArray[np.float64] | int) -> WholeMasses:
    """Both sides as parts of the whole, exactly.

    Parameters
    ----------
    a : (n,) ndarray of float64, or int
    b : (m,) ndarray of float64, or int
        Non-negative weights with a positive total; a number n is n equal weights of total 1.

    Examples
    --------
    >>> masses = whole_masses(np.array([0.5, 0.5]), 3)
    >>> masses.a.ravel().tolist(), masses.b.ravel().tolist()
    ([3, 3], [2, 2, 2])
    >>> 6 * masses.unit
    1.0
    """
    if isinstance(a, int) and isinstance(b, int) and a * b < 2**BITS:  # as most problems are
        whole = math.lcm(a, b)
        return WholeMasses(np.full((a, 1), whole // a), np.full((b, 1), whole // b), 1.0 / whole)
    parts_a, scale = _parts(a)
    parts_b, _ = _parts(b)
    total_a, total_b = _total(parts_a), _total(parts_b)
    whole = math.lcm(total_a, total_b)
    k = max(1, -(-whole.bit_length() // BITS))
    unit = float(Fraction(total_a) * scale * Fraction(2 ** (BITS * (k - 1)), whole))
    return WholeMasses(_times(parts_a, whole // total_a, k), _times(parts_b, whole // total_b, k), unit)


def partial_masses(a: NDArray[np.float64], b: NDArray[np.float64], moved: float) -> WholeMasses:
    """Both sides with one more point each, exactly: for what of b and of a is left where only ``moved`` moves.

    Parameters
    ----------
    a : (n,) ndarray of float64
    b : (m,) ndarray of float64
        Non-negative weights, whose totals may differ.
    moved : float
        Positive; at most either total, up to rounding.

    Examples
    --------
    >>> masses = partial_masses(np.array([0.5, 0.5]), np.array([2.0]), 0.75)
    >>> (masses.a[:, 0] * masses.unit).tolist(), (masses.b[:, 0] * masses.unit).tolist()
    ([0.5, 0.5, 1.25], [2.0, 0.25])
    """
    parts, scale = _parts(np.concatenate([[moved], a, b]))
    if isinstance(parts, int):  # all are equal
        parts = np.ones((parts, 1), np.int64)
    numbers = as_ints(parts)
    left, right = numbers[1 : 1 + len(a)], numbers[1 + len(a) :]
    least = min(numbers[0], sum(left), sum(right))
    left, right = [*left, sum(right) - least], [*right, sum(left) - least]
    common = math.gcd(*left, *right)
    left, right = ([number // common for number in side] for side in (left, right))
    k = max(1, -(-sum(left).bit_length() // BITS))
    return WholeMasses(digits(left, k), digits(right, k), float(common * scale * 2 ** (BITS * (k - 1))))


def _parts(weights: NDArray[np.float64] | int) -> tuple[NDArray[np.int64] | int, Fraction]:
    """Whole numbers (n, k) in the proportions of the weights, and what 1 stands for; n for n equal weights."""
    from otgan.kernels.multiples import shifted

    if isinstance(weights, int):
        return weights, Fraction(1, weights)
    if weights[0] > 0 and (weights == weights[0]).all():
        return len(weights), Fraction(float(weights[0]))
    mantissa, exponent = np.frexp(weights)
    numbers = (mantissa * 2.0**MANTISSA).astype(np.int64)
    zeros = np.frexp((numbers & -numbers).astype(np.float64))[1] - 1  # at the end of each number
    numbers, exponent = numbers >> np.maximum(zeros, 0), exponent.astype(np.int64) + zeros
    lowest = int(exponent[weights > 0].min())
    shifts = np.where(weights > 0, exponent - lowest, 0)
    bits = MANTISSA + int(shifts.max())
    unit = Fraction(2) ** (lowest - MANTISSA)
    if bits > BITS:  # numbers of so different sizes have nothing else in common
        return shifted(numbers, shifts, -(-bits // BITS)), unit
    numbers <<= shifts
    factor = np.gcd.reduce(numbers)
    return (numbers // factor)[:, None], int(factor) * unit


def _total(parts: NDArray[np.int64] | int) -> int:
    if isinstance(parts, int):
        return parts
    total = 0
    for d in range(parts.shape[1]):
        upper, lower = parts[:, d] >> HALF, parts[:, d] & (2**HALF - 1)
        total = (total << BITS) + (int(upper.sum()) << HALF) + int(lower.sum())
    return total


def _times(parts: NDArray[np.int64] | int, factor: int, k: int) -> NDArray[np.int64]:
    from otgan.kernels.multiples import multiples

    if isinstance(parts, int):
        return np.tile(digits([factor], k), (parts, 1))
    if factor == 1 and k == parts.shape[1]:
        return parts
    return multiples(parts, digits([factor], -(-factor.bit_length() // BITS))[0], k)


def as_ints(masses: NDArray[np.int64]) -> list[int]:
    """Rows of digits (n, k) as whole numbers of any size: what :func:`digits` takes apart.

    Examples
    --------
    >>> as_ints(digits([3 * 2**70 + 1, 5], 2)) == [3 * 2**70 + 1, 5]
    True
    """
    return [sum(int(digit) << BITS * d for d, digit in enumerate(row[::-1])) for row in masses.tolist()]


def digits(numbers: list[int], k: int) -> NDArray[np.int64]:
    """Whole numbers of at most 62 k bits as rows of k digits, (n, k)."""
    if k == 1:
        return np.array(numbers, np.int64)[:, None]
    mask = 2**BITS - 1
    columns = [[number >> shift & mask for number in numbers] for shift in range(BITS * (k - 1), -1, -BITS)]
    return np.array(columns, np.int64).T.copy()
