"""Products of whole numbers of several digits, against Python's."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as hst

from otgan.kernels.multiples import multiples, shifted
from otgan.masses import digits, whole_masses

BITS = 62


def numbers(rows: np.ndarray) -> list[int]:
    """What rows of digits stand for."""
    found = []
    for row in rows.tolist():
        assert all(0 <= digit < 2**BITS for digit in row)
        found.append(sum(digit << BITS * place for place, digit in enumerate(reversed(row))))
    return found


@given(
    hst.lists(hst.integers(0, 2**200), min_size=1, max_size=5),
    hst.one_of(hst.integers(1, 2**150), hst.just(2**124 - 1)),
)
def test_multiples(whole: list[int], factor: int) -> None:
    k = -(-(max(whole) * factor).bit_length() // BITS) + 1
    product = multiples(digits(whole, 4), digits([factor], -(-factor.bit_length() // BITS))[0], k)
    assert numbers(product) == [number * factor for number in whole]


@given(hst.lists(hst.tuples(hst.integers(0, 2**53), hst.integers(0, 300)), min_size=1))
def test_shifted(pairs: list[tuple[int, int]]) -> None:
    mantissas, shifts = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    k = -(-(53 + int(shifts.max()) + 1) // BITS)
    assert numbers(shifted(mantissas, shifts, k)) == [mantissa << shift for mantissa, shift in pairs]


POSITIVE = hst.one_of(hst.floats(1e-300, 1), hst.sampled_from([5e-324, 0.1, 0.5, 1.0, 3.0]))


@given(hst.data())
def test_whole_masses_are_the_weights(data: Any) -> None:
    """Exactly in proportion, of one total, with a unit that leads back to the weights."""
    a, b = (np.array([*data.draw(hst.lists(POSITIVE, min_size=1, max_size=6)), 0.0, 1.0]) for _ in range(2))
    masses = whole_masses(a, b)
    for found, side in ((numbers(masses.a), a), (numbers(masses.b), b)):
        total = sum(map(Fraction, side.tolist()))
        assert [Fraction(number, sum(found)) for number in found] == [Fraction(w) / total for w in side.tolist()]
    assert sum(numbers(masses.a)) == sum(numbers(masses.b))
    first = Fraction(sum(numbers(masses.a)), 2 ** (BITS * (masses.a.shape[1] - 1)))
    total = sum(map(Fraction, a.tolist()))
    assert abs(first * Fraction(masses.unit) / total - 1) < Fraction(1, 2**52)
