"""The samples of a check: which points are used, which are held out, and all that there are."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from otgan import frames, inputs
from otgan.data import SampleSet, load, names
from otgan.data.builtin import DIGITS
from otgan.data.datasets import read_dataset
from otgan.data.drawing import stream
from otgan.data.pairing import comparable
from otgan.errors import InvalidInput

__all__ = ["Samples", "alike", "draw"]

LARGEST_DEFAULT = 1000  # points of each set where n is not given
LARGEST_WHOLE = 5000  # points of a set that is solved for as a whole: seconds, where the critics take minutes
SHARE = 0.8  # of a finite set where n is not given: something must be left to hold out

Sides = tuple[SampleSet, SampleSet]


class Samples(NamedTuple):
    """The points of a check.

    Attributes
    ----------
    used : (SampleSet, SampleSet)
        What critics are trained on, and judged by.
    held_out : (SampleSet, SampleSet) or None
        Others; None if one of the sets has none left.
    whole : (SampleSet, SampleSet) or None
        All points of both sets, where these are finite, no larger than 5,000 points, and more than was used.
    """

    used: Sides
    held_out: Sides | None
    whole: Sides | None


def draw(a: Any, b: Any, n: int | None, seed: int) -> Samples:
    """Draw n points of two sets without replacement, and hold out at most n more of each.

    Parameters
    ----------
    a, b : str, path, SampleSet or (k, d) array_like
        A set by anything that :func:`otgan.data.load` takes, or points.
    n : int, optional
        By default four fifths of the smaller set, and at most 1000.
    seed : int
        The points of a named set are those of ``load(spec, n=n, seed=seed)``.

    Returns
    -------
    Samples
        n points of each are used.

    Raises
    ------
    InvalidInput
        If a set cannot be loaded, holds fewer than n points or has weights.

    Examples
    --------
    >>> samples = draw("digits:3", "digits:8", None, seed=0)
    >>> [[len(side) for side in sides] for sides in samples]
    [[139, 139], [44, 35], [183, 174]]
    """
    found = _found(a, "a", n, seed), _found(b, "b", n, seed)
    if n is None:
        sizes = (max(1, int(SHARE * len(side.points))) for side in found if side is not None)
        n = min([LARGEST_DEFAULT, *sizes])
    (first, rest_a), (second, rest_b) = (
        _fresh(spec, n, seed) if side is None else _cut(side.points, n)
        for side, spec in zip(found, (a, b), strict=True)
    )
    held_out = (rest_a, rest_b) if rest_a is not None and rest_b is not None else None
    return Samples((first, second), held_out, _whole(*found, n))


def alike(samples: Samples) -> Samples:
    """What :func:`draw` gave, with columns and shapes of b as those of a; b notes what was done.

    Raises
    ------
    InvalidInput
        If they differ otherwise.
    """
    a, b, notes = comparable(*samples.used)
    held_out, whole = (sides and comparable(*sides)[:2] for sides in (samples.held_out, samples.whole))
    return Samples((a, replace(b, notes=(*b.notes, *notes))), held_out, whole)


class _Finite(NamedTuple):
    """A finite set in random order, and whether these are all of its points."""

    points: SampleSet
    complete: bool


def _found(source: Any, name: str, n: int | None, seed: int) -> _Finite | None:
    """The points of a finite set; None for a distribution."""
    if not isinstance(source, str | os.PathLike):
        whole = source if isinstance(source, SampleSet) else _array(source, name)
        if whole.weights is not None:
            raise InvalidInput(f"every point counts alike here, but {whole.name} has weights. Leave them out.")
        return _Finite(whole.take(len(whole), stream(seed, whole.name)), True)
    spec = os.fspath(source)
    if _is_distribution(spec):
        return None
    if os.path.isdir(os.path.expanduser(spec)):
        # Not the whole of it: a folder may hold far more images than memory does.
        with suppress(InvalidInput):  # it holds fewer; whatever else is wrong is said below
            return _Finite(load(spec, n=2 * (n or LARGEST_DEFAULT), seed=seed), False)
    whole = load(spec, seed=seed)
    return _Finite(whole.take(len(whole), stream(seed, spec)), True)


def _whole(a: _Finite | None, b: _Finite | None, n: int) -> Sides | None:
    """All points of both sets, where they are known, not too many, and not what is used anyway."""
    if a is None or b is None or not (a.complete and b.complete):
        return None
    largest = max(len(a.points), len(b.points))
    return (a.points, b.points) if n < largest <= LARGEST_WHOLE else None


def _array(source: Any, name: str) -> SampleSet:
    if inputs.is_dataset(source):
        return SampleSet.of(read_dataset(source, name), name, "a dataset")
    found = frames.columns(source)
    columns = None if found is None else tuple(map(str, found))
    return SampleSet(name, source, _shape(source), "an array", columns)


def _shape(points: Any) -> tuple[int, ...]:
    """The shape of one sample in an array of points."""
    return tuple(getattr(points, "shape", (0,))[1:]) or (1,)


def _is_distribution(spec: str) -> bool:
    """Whether a spec names a built-in set of which there is no end of points."""
    name = spec.partition(":")[0]
    return name in names() and name not in DIGITS


def _fresh(spec: str, n: int, seed: int) -> tuple[SampleSet, SampleSet]:
    """Draw n points of a distribution, and n others."""
    other_seed = int(stream(seed, "held out").integers(2**62))
    return load(spec, n=n, seed=seed), load(spec, n=n, seed=other_seed)


def _cut(side: SampleSet, n: int) -> tuple[SampleSet, SampleSet | None]:
    """The first n points, and at most n of the rest."""
    if n > len(side):
        raise InvalidInput(
            f"n must be at most {len(side)}, the number of samples in {side.name}, but {n} came. Ask for fewer."
        )
    return side.at(slice(n)), side.at(slice(n, 2 * n)) if len(side) > n else None
