"""Weights: equal, with zeros, very unequal, with rounded totals, and smaller than the rounding of the total."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from otgan.testing.strategies.clouds import integer_arrays, one_of_these, sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hypothesis.strategies import DrawFn, SearchStrategy
    from numpy.typing import NDArray

__all__ = ["EXACT_MASSES", "HARD_MASSES", "KNOWN_MASSES", "MASSES", "UNITS", "cut", "mass_of_kind", "weights"]

PARTS = 2**10  # of a total, at whose ends it may be cut
UNITS = 2**53  # of which masses with a total of exactly one are made
ULPS = 8  # units, at most, away from that or from equal masses
POWERS = (0, 1, 9, 15, 16, 17, 30, 300)  # of a tenth: rounding loses 1e-16 of the total


def _equal(draw: DrawFn, n: int) -> NDArray[np.float64]:
    return np.full(n, 1.0 / n)


def _cuts(draw: DrawFn, n: int) -> NDArray[np.float64]:
    """The unit interval cut at n - 1 multiples of 2**-10: zeros where two cuts coincide."""
    cuts = np.sort(draw(integer_arrays(n - 1, 0, PARTS)))
    return np.diff(np.concatenate([[0], cuts, [PARTS]])) / PARTS


def _unequal(draw: DrawFn, n: int) -> NDArray[np.float64]:
    """Powers of two between about 1/n and 2**-40, and what they leave for the last point."""
    small = 2.0 ** -(draw(integer_arrays(n - 1, 0, 36)) + n.bit_length())
    return np.append(small, 1.0 - small.sum()).astype(np.float64)


def _ratios(draw: DrawFn, n: int) -> NDArray[np.float64]:
    """Small counts over their sum, which float64 rounds."""
    counts = draw(integer_arrays(n, 0, 9))
    counts[0] += 1
    return counts / counts.sum()


def _nearly_equal(draw: DrawFn, n: int) -> NDArray[np.float64]:
    """1/n each, up to a few units of 2**-53; what the others leave goes to the last."""
    parts = UNITS // n + draw(integer_arrays(n - 1, -ULPS, ULPS))
    return np.append(parts, UNITS - parts.sum()) / UNITS


def _ulps(draw: DrawFn, n: int) -> NDArray[np.float64]:
    """The unit interval cut at n - 1 multiples of 2**-53."""
    return np.asarray(cut(draw, UNITS, n)) / UNITS


def cut(draw: DrawFn, whole: int, n: int) -> list[int]:
    """A whole number as the sum of n others, some of them of a few units: cut at round shares of it, or near them."""
    shares = draw(integer_arrays(n - 1, 0, PARTS)).tolist()
    steps = draw(integer_arrays(n - 1, -ULPS, ULPS)).tolist()
    places = [whole * share // PARTS + step for share, step in zip(shares, steps, strict=True)]
    places = sorted(min(max(place, 0), whole) for place in places)
    return [high - low for low, high in zip([0, *places], [*places, whole], strict=True)]


def _tiny(draw: DrawFn, n: int) -> NDArray[np.float64]:
    """Powers of ten from 1 down to 1e-300 over their sum, one of them 1."""
    powers = draw(st.lists(st.sampled_from(POWERS), min_size=n, max_size=n))
    powers[0] = 0
    masses = 10.0 ** -np.asarray(draw(st.permutations(powers)), dtype=np.float64)
    return masses / masses.sum()


_KINDS: dict[str, Callable[[DrawFn, int], NDArray[np.float64]]] = {
    "equal": _equal,
    "cuts": _cuts,
    "unequal": _unequal,
    "ratios": _ratios,
}
_HARD_KINDS: dict[str, Callable[[DrawFn, int], NDArray[np.float64]]] = {
    "nearly-equal": _nearly_equal,
    "ulps": _ulps,
    "tiny": _tiny,
}
MASSES = tuple(_KINDS)
HARD_MASSES = tuple(_HARD_KINDS)
KNOWN_MASSES = (*MASSES, *HARD_MASSES)
EXACT_MASSES = ("cuts", "unequal", "nearly-equal", "ulps")  # these sum to one without any rounding, in any order


def mass_of_kind(draw: DrawFn, kind: str, n: int) -> NDArray[np.float64]:
    """One array of n weights."""
    return (_KINDS | _HARD_KINDS)[kind](draw, n)


def weights(n: int | SearchStrategy[int], *, kinds: Collection[str] = MASSES) -> SearchStrategy[NDArray[np.float64]]:
    """Non-negative weights with total 1.

    Parameters
    ----------
    n : int or strategy of int
        Number of weights.
    kinds : collection of str, optional
        Some of :data:`MASSES` and :data:`HARD_MASSES`; all of the former if not given:

        - ``"equal"``: 1/n each;
        - ``"cuts"``: multiples of 2**-10, zeros among them, with total exactly 1;
        - ``"unequal"``: powers of two down to about 1e-12, with total exactly 1;
        - ``"ratios"``: counts over their sum, zeros among them, with total 1 up to rounding;

        and the hard ones, whose digits matter where points are far apart:

        - ``"nearly-equal"``: 1/n each up to a few times 2**-53, with total exactly 1;
        - ``"ulps"``: multiples of 2**-53, with total exactly 1;
        - ``"tiny"``: some of them down to 1e-300, as a softmax makes them, with total 1 up to rounding.

    Returns
    -------
    SearchStrategy
        Of (n,) ndarrays of float64.

    Raises
    ------
    InvalidInput
        If a kind is unknown or n is not positive.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(weights(4))
    ... def check(a):
    ...     assert a.min() >= 0
    ...     assert abs(a.sum() - 1) <= 1e-15
    >>> check()
    >>> from fractions import Fraction
    >>> @given(weights(3, kinds=["nearly-equal", "ulps"]))
    ... def check_that_nothing_is_lost(a):
    ...     assert sum(map(Fraction, a.tolist())) == 1
    >>> check_that_nothing_is_lost()
    """
    numbers = sizes(n, "n")
    names = one_of_these(kinds, KNOWN_MASSES, "kinds")

    @st.composite
    def masses(draw: DrawFn) -> NDArray[np.float64]:
        return mass_of_kind(draw, draw(st.sampled_from(names)), draw(numbers))

    return masses()
