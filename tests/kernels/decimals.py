"""Exact numbers written out."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

__all__ = ["digits"]


def digits(number: Fraction) -> Decimal:
    """To the precision of the context."""
    return Decimal(number.numerator) / Decimal(number.denominator)
