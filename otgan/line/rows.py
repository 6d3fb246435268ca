"""Batches of samples on the line or the circle as rows, (batch, n) each, whatever axis they came along."""

from __future__ import annotations

import numbers
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Rows = NDArray[np.float64]
    Weighted = tuple[Rows, Rows]  # values and masses, (batch, n) both

__all__ = [
    "aligned",
    "by_digits",
    "in_two_threads",
    "sorted_in_place",
    "sorted_rows",
    "sorted_values",
    "sorted_with_masses",
    "weighted",
]

TWO_THREADS_FROM = 100_000  # values; below, starting a thread costs more than it saves
RADIX_FROM = 600  # values; below, NumPy's sort is as fast as counting digits
TRIAL, ROUNDS = 4000, 5  # values that both sorts are tried on, and on how many such rows
CLEARLY = 2.0  # times as fast, for counting digits to be chosen: larger than noise, and than what a wrong choice costs

_one_trial = Lock()  # two threads would both try, and slow each other down


def in_two_threads(function: Callable[[Any], Any], x: Any, y: Any) -> tuple[Any, Any]:
    """``function`` of both, at the same time where they are large; sorting does not hold the GIL."""
    if _size(x) + _size(y) < TWO_THREADS_FROM:
        return function(x), function(y)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(function, y)
        return function(x), other.result()


def _size(side: Any) -> int:
    """How many values there are, and masses if any."""
    return sum(part.size for part in side) if isinstance(side, tuple) else side.size


def aligned(x: Rows, y: Rows, axis: Any, names: tuple[str, str] = ("x", "y")) -> tuple[Rows, Rows, tuple[int, ...]]:
    """Both sides as rows of samples, (batch, n) and (batch, m), and the shape of the batch."""
    left, right = names
    if x.ndim == 0 or y.ndim == 0:
        raise InvalidInput(
            f"{left} and {right} must hold samples along an axis, but a single number came. Pass a list."
        )
    if (
        isinstance(axis, bool)
        or not isinstance(axis, numbers.Integral)
        or not -min(x.ndim, y.ndim) <= int(axis) < min(x.ndim, y.ndim)
    ):
        raise InvalidInput(
            f"axis = {axis!r} is not an axis of {left} (shape {x.shape}) and of {right} (shape {y.shape})."
        )
    x, y = np.moveaxis(x, int(axis), -1), np.moveaxis(y, int(axis), -1)
    try:
        shape = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    except ValueError:
        raise InvalidInput(
            f"the axes of {left} and {right} other than the samples' must match or broadcast, but are "
            f"{x.shape[:-1]} and {y.shape[:-1]}."
        ) from None
    return batched(x, shape), batched(y, shape), shape


def batched(values: Rows, shape: tuple[int, ...]) -> Rows:
    """``values`` (..., n) for each of a batch of this shape, as rows."""
    full = np.broadcast_to(values, (*shape, values.shape[-1]))
    return full.reshape(-1, values.shape[-1])


def weighted(
    given: tuple[Any, Any], rows: tuple[Rows, Rows], shape: tuple[int, ...], axis: int
) -> tuple[Weighted, Weighted]:
    """Both sides with their masses, of one total up to rounding; 1/n and 1/m where None was given."""
    (a, b), (x, y) = given, rows
    mass_x, mass_y = mass_rows(a, x, "a", shape, axis), mass_rows(b, y, "b", shape, axis)
    tolerance = inputs.mass_tolerance(a, b)
    for row_x, row_y in zip(mass_x, mass_y, strict=True):
        inputs.equal_mass(row_x, row_y, tolerance)
    return (x, mass_x), (y, mass_y)


def mass_rows(given: Any, rows: Rows, name: str, shape: tuple[int, ...], axis: int) -> Rows:
    """Weights for each row of samples, (batch, n)."""
    n = rows.shape[1]
    if given is None:
        return np.broadcast_to(np.full(n, 1.0 / n), rows.shape)
    array = inputs.real_array(given, name)
    if array.ndim > 1:
        array = np.moveaxis(array, int(axis), -1)
    if array.shape[-1:] != (n,) or array.shape[:-1] not in ((), shape):
        raise InvalidInput(f"{name} must have shape ({n},) or the shape of its samples, but has shape {array.shape}.")
    full = batched(array, shape)
    for row in full if array.ndim > 1 else full[:1]:
        inputs.weights(row, n, name)
    return full


@cache
def radix_is_faster() -> bool:
    """Whether our radix sort beats NumPy's sort on this machine: tried once, in about a millisecond.

    What NumPy says of the processor does not tell. Its sort is as fast as ours or faster with AVX2, four times slower
    with the AVX-512 of AMD's Zen 4 (which stores compressed vectors slowly), and eight times slower without either.
    """
    from otgan.kernels.sort import sorted_values

    trials = np.random.default_rng(0).random((ROUNDS, TRIAL))  # not one row, which processors would learn by heart
    for sort in (sorted_values, np.sort):
        sort(trials[0])  # compiled, or loaded
    return CLEARLY * _least_seconds(sorted_values, trials) < _least_seconds(np.sort, trials)


def _least_seconds(sort: Callable[[Rows], Rows], trials: Rows) -> float:
    times = []
    for values in trials:
        start = time.perf_counter()
        sort(values)
        times.append(time.perf_counter() - start)
    return min(times)


def by_digits(n: int) -> bool:
    """Whether rows of n values are to be sorted by our radix sort, or else by NumPy; the outcome is the same."""
    if n < RADIX_FROM:
        return False
    with _one_trial:
        return radix_is_faster()


def sorted_values(values: Rows) -> Rows:
    """One row from left to right; NaN at the ends."""
    if not by_digits(len(values)):
        return np.sort(values)
    from otgan.kernels.sort import sorted_values

    return sorted_values(np.ascontiguousarray(values))


def sorted_in_place(values: Rows) -> Rows:
    """The same for a row that nobody else holds, without a copy where it is short."""
    if by_digits(len(values)):
        return sorted_values(values)
    values.sort()
    return values


def sorted_rows(values: Rows) -> Rows:
    """Each row from left to right."""
    if not by_digits(values.shape[1]):
        return np.sort(values, axis=1)
    if len(values) == 1:  # nothing to copy
        return sorted_values(values[0])[None]
    from otgan.kernels.sort import sorted_rows

    return sorted_rows(np.ascontiguousarray(values))


def sorted_with_masses(side: Weighted) -> Weighted:
    """Each row from left to right, with its masses in that order."""
    from otgan.kernels.sort import sorted_rows_with_masses, sorted_with_masses

    values, masses = map(np.ascontiguousarray, side)
    if len(values) > 1:
        return sorted_rows_with_masses(values, masses)
    x, a = sorted_with_masses(values[0], masses[0])
    return x[None], a[None]
