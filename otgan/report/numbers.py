"""How numbers are written on pages: one way of writing per cents, small and large numbers, and minus signs."""

from __future__ import annotations

import math
import re

__all__ = ["NOTHING", "percent", "significant", "typeset"]

NOTHING = "–"
LARGEST, SMALLEST = 1e6, 1e-4  # numbers beyond these have a power of ten
APART = 1e3  # so do numbers that are so many times as large as each other
HIGH = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(share: float | None, *, signed: bool = False) -> str:
    """A share in per cent, with one decimal; a dash for None and NaN.

    Examples
    --------
    >>> percent(0.0164), percent(-0.1, signed=True), percent(12.3), percent(1e6), percent(None)
    ('1.6 %', '-10.0 %', '1230 %', '1e+08 %', '–')
    """
    if share is None or math.isnan(share):
        return NOTHING
    value = 100.0 * share
    form = ".1f" if abs(value) < 1000 else ".0f" if abs(value) < LARGEST else ".0e"
    if float(format(value, form)) == 0:
        return "0.0 %"  # neither -0.0 nor +0.0
    return f"{format(value, f'+{form}' if signed else form)} %"


def significant(*values: float) -> list[str]:
    """Numbers that stand together, all with the decimals that give the least of them three digits.

    Whole numbers below a million stay whole; numbers of very different size get a power of ten each.

    Examples
    --------
    >>> significant(0.2963, 1.0021), significant(3.0, 8.0), significant(1.11e-16), significant(2.5, 1e7)
    (['0.296', '1.002'], ['3', '8'], ['1.11e-16'], ['2.50e+00', '1.00e+07'])
    """
    finite = [abs(value) for value in values if math.isfinite(value)]
    least, most = min((value for value in finite if value), default=1.0), max(finite, default=0.0)
    if all(value == round(value) for value in finite) and most < LARGEST:
        return [f"{value:.0f}" for value in values]
    if most >= LARGEST or least < SMALLEST or most / least > APART:
        return [f"{value:.2e}" if value else "0" for value in values]
    decimals = max(0, 2 - math.floor(math.log10(least)))
    return [f"{value:.{decimals}f}" for value in values]


def typeset(text: str) -> str:
    r"""Numbers in a text as they are printed: a true minus sign, powers of ten, and no line break before "%".

    For texts of this package: names from outside may hold hyphens that are none.

    Examples
    --------
    >>> typeset("-0.5 to 3e-14, well-known"), typeset("2 JS - 2 log 2"), typeset("inf").replace("\u00a0", "_")
    ('−0.5 to 3\xa0×\xa010⁻¹⁴, well-known', '2 JS − 2 log 2', '∞')
    >>> typeset("1.6 %") == "1.6\u00a0%" == typeset("1.6%")
    True
    """
    text = re.sub(r"(?<![\w.])(\d+\.?\d*)e([+-]?\d+)\b", _power, text)
    text = re.sub(r"(?<=\d) ?%", "\u00a0%", text)
    text = re.sub(r"(?<![\w-])-(?=[\w(.])", "−", text).replace(" - ", " − ")
    return re.sub(r"\binf\b", "∞", text)


def _power(number: re.Match[str]) -> str:
    """A power of ten, as it is printed."""
    return f"{number[1]}\u00a0×\u00a010{str(int(number[2])).translate(HIGH)}"
