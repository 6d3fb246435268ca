"""Weights: equal, with zeros, very unequal, and such as rounding leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from otgan.testing.strategies.clouds import integer_arrays, one_of_these, sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hypothesis.strategies import DrawFn, SearchStrategy
    from numpy.typing import NDArray

__all__ = ["EXACT_MASSES", "MASSES", "mass_of_kind", "weights"]

PARTS = 2**10


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


_KINDS: dict[str, Callable[[DrawFn, int], NDArray[np.float64]]] = {
    "equal": _equal,
    "cuts": _cuts,
    "unequal": _unequal,
    "ratios": _ratios,
}
MASSES = tuple(_KINDS)
EXACT_MASSES = ("cuts", "unequal")  # these sum to one without any rounding, in any order


def mass_of_kind(draw: DrawFn, kind: str, n: int) -> NDArray[np.float64]:
    """One array of n weights."""
    return _KINDS[kind](draw, n)


def weights(n: int | SearchStrategy[int], *, kinds: Collection[str] = MASSES) -> SearchStrategy[NDArray[np.float64]]:
    """Non-negative weights with total 1.

    Parameters
    ----------
    n : int or strategy of int
        Number of weights.
    kinds : collection of str, optional
        Some of :data:`MASSES`; all if not given:

        - ``"equal"``: 1/n each;
        - ``"cuts"``: multiples of 2**-10, zeros among them, with total exactly 1;
        - ``"unequal"``: powers of two down to about 1e-12, with total exactly 1;
        - ``"ratios"``: counts over their sum, zeros among them, with total 1 up to rounding.

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
    """
    numbers = sizes(n, "n")
    names = one_of_these(kinds, MASSES, "kinds")

    @st.composite
    def masses(draw: DrawFn) -> NDArray[np.float64]:
        return mass_of_kind(draw, draw(st.sampled_from(names)), draw(numbers))

    return masses()
