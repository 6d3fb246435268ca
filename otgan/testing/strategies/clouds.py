"""Point clouds of the kinds that break transport solvers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import ndtri

from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy
    from numpy.typing import NDArray

    Drawing = Callable[[DrawFn, int, int], NDArray[np.float64]]

__all__ = ["CLOUDS", "cloud_of_kind", "integer_arrays", "one_of_these", "point_clouds", "sizes"]

FINE = 2.0**-10  # spacing of coordinates: all are multiples
SMALL, LARGE = 2.0**-27, 2.0**27  # about 1e-8 and 1e8; powers of two, so that scaling rounds nothing
OFFSET = 1e8  # of coordinates, whose size is about 1
LEVELS = 500  # quantiles on each side of the median
# Quantiles of the normal distribution in steps of FINE; index 0 is the median, so that draws shrink to the origin.
QUANTILES = np.round(ndtri((np.arange(-LEVELS, LEVELS + 1) + LEVELS + 0.5) / (2 * LEVELS + 1)) / FINE) * FINE


def integer_arrays(shape: int | tuple[int, ...], low: int, high: int) -> SearchStrategy[NDArray[np.int64]]:
    """Arrays of integers in [low, high], every entry drawn on its own."""
    return hnp.arrays(np.int64, shape, elements=st.integers(low, high), fill=st.nothing())


def _gaussian(draw: DrawFn, n: int, dim: int) -> NDArray[np.float64]:
    return QUANTILES[draw(integer_arrays((n, dim), -LEVELS, LEVELS)) + LEVELS]


def _lattice(draw: DrawFn, n: int, dim: int) -> NDArray[np.float64]:
    return draw(integer_arrays((n, dim), -3, 3)).astype(np.float64)


def _duplicates(draw: DrawFn, n: int, dim: int) -> NDArray[np.float64]:
    distinct = _lattice(draw, max(1, n // 2), dim)
    return distinct[draw(integer_arrays(n, 0, len(distinct) - 1))]


def _collinear(draw: DrawFn, n: int, dim: int) -> NDArray[np.float64]:
    origin, direction = draw(integer_arrays((2, dim), -4, 4))
    return (origin + np.multiply.outer(draw(integer_arrays(n, -20, 20)), direction)).astype(np.float64)


def _clusters(draw: DrawFn, n: int, dim: int) -> NDArray[np.float64]:
    near = draw(integer_arrays((n, dim), -16, 16)) / 8
    near[:, 0] += draw(integer_arrays(n, 0, 1)) * draw(st.sampled_from([2.0**10, 2.0**20, 2.0**30]))
    return near


class Kind(NamedTuple):
    """How a kind of cloud is drawn, and the unit of which all its coordinates are whole multiples."""

    draw: Drawing
    unit: float


_KINDS = {
    "lattice": Kind(_lattice, 1.0),
    "gaussian": Kind(_gaussian, FINE),
    "duplicates": Kind(_duplicates, 1.0),
    "collinear": Kind(_collinear, 1.0),
    "clusters": Kind(_clusters, 0.125),
    "tiny": Kind(lambda draw, n, dim: _gaussian(draw, n, dim) * SMALL, FINE * SMALL),
    "huge": Kind(lambda draw, n, dim: _gaussian(draw, n, dim) * LARGE, FINE * LARGE),
    "offset": Kind(lambda draw, n, dim: _gaussian(draw, n, dim) + OFFSET, FINE),
}
CLOUDS = tuple(_KINDS)


def cloud_of_kind(draw: DrawFn, kind: str, n: int, dim: int) -> tuple[NDArray[np.float64], float]:
    """One cloud, and the unit of its coordinates."""
    return _KINDS[kind].draw(draw, n, dim), _KINDS[kind].unit


def sizes(value: int | SearchStrategy[int], name: str) -> SearchStrategy[int]:
    """A size given as a number or as a strategy, as a strategy."""
    if isinstance(value, st.SearchStrategy):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInput(f"{name} must be a whole number of at least 1 or a strategy of such, but {value!r} came.")
    return st.just(value)


def one_of_these(given: Collection[str], known: Sequence[str], name: str) -> tuple[str, ...]:
    """The names given, checked and in the order in which examples shrink: the simplest first."""
    unknown = [each for each in given if each not in known]
    if isinstance(given, str) or unknown or not given:
        raise InvalidInput(f"{name} must be some of {', '.join(map(repr, known))}, but {given!r} came.")
    return tuple(each for each in known if each in given)


def point_clouds(
    n: int | SearchStrategy[int] | None = None,
    dim: int | SearchStrategy[int] | None = None,
    *,
    kinds: Collection[str] = CLOUDS,
) -> SearchStrategy[NDArray[np.float64]]:
    """Point clouds, float64 arrays of shape (n, dim).

    Parameters
    ----------
    n : int or strategy of int, optional
        Number of points; 1 to 12 if None.
    dim : int or strategy of int, optional
        Number of coordinates; 1 to 4 if None.
    kinds : collection of str, optional
        Some of :data:`CLOUDS`; all if not given:

        - ``"lattice"``: integers in [-3, 3], with many ties;
        - ``"gaussian"``: rounded normal quantiles;
        - ``"duplicates"``: at most n // 2 distinct points;
        - ``"collinear"``: on one line through the lattice (a single point if the direction is zero);
        - ``"clusters"``: two clusters, about 1e3, 1e6 or 1e9 apart;
        - ``"tiny"``, ``"huge"``: Gaussian, times 2**-27 or 2**27 (about 1e-8 and 1e8);
        - ``"offset"``: Gaussian, with 1e8 added.

    Returns
    -------
    SearchStrategy
        Of (n, dim) ndarrays of float64.

    Raises
    ------
    InvalidInput
        If a kind is unknown or a size is not positive.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(point_clouds(n=5, dim=2, kinds=["gaussian", "clusters"]))
    ... def check(x):
    ...     assert x.shape == (5, 2)
    >>> check()
    """
    numbers = st.integers(1, 12) if n is None else sizes(n, "n")
    dims = st.integers(1, 4) if dim is None else sizes(dim, "dim")
    names = one_of_these(kinds, CLOUDS, "kinds")

    @st.composite
    def clouds(draw: DrawFn) -> NDArray[np.float64]:
        return cloud_of_kind(draw, draw(st.sampled_from(names)), draw(numbers), draw(dims))[0]

    return clouds()
