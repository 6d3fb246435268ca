"""Which points of a set are used, and which are held out."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from otgan import frames, inputs
from otgan.data import SampleSet, load, names
from otgan.data.builtin import DIGITS
from otgan.data.datasets import read_dataset
from otgan.data.drawing import stream
from otgan.data.pairing import comparable
from otgan.errors import InvalidInput

__all__ = ["alike", "draw"]

LARGEST_DEFAULT = 1000  # points of each set where n is not given
SHARE = 0.8  # of a finite set where n is not given: something must be left to hold out


def draw(a: Any, b: Any, n: int | None, seed: int) -> tuple[SampleSet, SampleSet, tuple[SampleSet, SampleSet] | None]:
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
    a, b : SampleSet
        n points of each.
    held_out : (SampleSet, SampleSet) or None
        Others; None if one of the sets has none left.

    Raises
    ------
    InvalidInput
        If a set cannot be loaded, holds fewer than n points or has weights.

    Examples
    --------
    >>> a, b, held_out = draw("digits:3", "digits:8", None, seed=0)
    >>> len(a), len(b), len(held_out[0]), len(held_out[1])
    (139, 139, 44, 35)
    """
    shuffled = _shuffled(a, "a", n, seed), _shuffled(b, "b", n, seed)
    if n is None:
        sizes = (max(1, int(SHARE * len(side))) for side in shuffled if side is not None)
        n = min([LARGEST_DEFAULT, *sizes])
    (first, rest_a), (second, rest_b) = (
        _fresh(spec, n, seed) if side is None else _cut(side, n) for side, spec in zip(shuffled, (a, b), strict=True)
    )
    return first, second, (rest_a, rest_b) if rest_a is not None and rest_b is not None else None


def alike(
    a: SampleSet, b: SampleSet, held_out: tuple[SampleSet, SampleSet] | None
) -> tuple[SampleSet, SampleSet, tuple[SampleSet, SampleSet] | None]:
    """What :func:`draw` gave, with columns and shapes of b as those of a; b notes what was done.

    Raises
    ------
    InvalidInput
        If they differ otherwise.
    """
    a, b, notes = comparable(a, b)
    return a, replace(b, notes=(*b.notes, *notes)), None if held_out is None else comparable(*held_out)[:2]


def _shuffled(source: Any, name: str, n: int | None, seed: int) -> SampleSet | None:
    """The points of a finite set in random order, twice as many as needed where there are; None for a distribution."""
    if not isinstance(source, str | os.PathLike):
        whole = source if isinstance(source, SampleSet) else _array(source, name)
        if whole.weights is not None:
            raise InvalidInput(f"every point counts alike here, but {whole.name} has weights. Leave them out.")
        return whole.take(len(whole), stream(seed, whole.name))
    spec = os.fspath(source)
    if _is_distribution(spec):
        return None
    try:
        # Not the whole of it: a folder may hold far more images than memory does.
        return load(spec, n=2 * (n or LARGEST_DEFAULT), seed=seed)
    except InvalidInput:
        whole = load(spec, seed=seed)  # whatever else is wrong is said here
        return whole.take(len(whole), stream(seed, spec))


def _array(source: Any, name: str) -> SampleSet:
    if inputs.is_dataset(source):
        return SampleSet.of(read_dataset(source, name), name, "a dataset")
    columns = tuple(map(str, source.columns)) if frames.is_frame(source) else None
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
