"""Twice the working precision, against numbers of a hundred digits."""

from __future__ import annotations

import decimal
from fractions import Fraction

import numpy as np
import pytest
from decimals import digits

from otgan.kernels import twofold


def test_sums_and_products_are_exact() -> None:
    rng = np.random.default_rng(0)
    for a, b in rng.normal(size=(200, 2)) * 10.0 ** rng.integers(-30, 30, (200, 2)):
        for found, truth in (
            (twofold.two_sum(a, b), Fraction(a) + Fraction(b)),
            (twofold.two_product(a, b), Fraction(a) * Fraction(b)),
        ):
            assert Fraction(found[0]) + Fraction(found[1]) == truth


@pytest.mark.parametrize("p", [1.0, 1.0 + 1e-12, 1.5, 2.0, 3.0, 7.0, 33.3, 1000.0, 1e9])
def test_powers_are_as_precise_as_they_say(p: float) -> None:
    rng = np.random.default_rng(1)
    reach = min(140.0, 289.0 / p)
    with decimal.localcontext() as context:
        context.prec = 100
        for exponent in np.concatenate([rng.uniform(-reach, reach, 300), [0.0, reach, -reach]]):
            x = float(10.0**exponent * rng.uniform(1.0, 1.0 + 1e-3 * min(1.0, reach)))
            rest = float(np.spacing(x) * rng.uniform(-0.5, 0.5))
            high, low = twofold.power(x, rest, p)
            truth = digits(Fraction(x) + Fraction(rest)) ** decimal.Decimal(p)
            assert abs(digits(Fraction(high) + Fraction(low)) - truth) <= decimal.Decimal(twofold.precision(p)) * truth


def test_powers_of_nothing_and_powers_that_vanish() -> None:
    assert twofold.power(0.0, 0.0, 1.5) == (0.0, 0.0)
    assert twofold.power(1e-140, 0.0, 7.0) == (0.0, 0.0)
    high, low = twofold.power(1e-100, 0.0, 3.15)
    assert abs(high + low - 1e-315) <= twofold.TINIEST
