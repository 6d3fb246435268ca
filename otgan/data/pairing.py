"""Two sets to be compared: columns in the same order, and samples of one shape."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otgan import frames
from otgan.data.builtin import names
from otgan.data.channels import channels_last
from otgan.data.loading import load
from otgan.data.tables import is_table
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from otgan.data.sampleset import SampleSet

__all__ = ["comparable", "is_table_spec", "load_pair"]


def is_table_spec(spec: str | os.PathLike[str]) -> bool:
    """Whether a set is named by a table's path.

    Examples
    --------
    >>> is_table_spec("a.csv"), is_table_spec("digits:3.csv")
    (True, False)
    """
    built_in = isinstance(spec, str) and spec.partition(":")[0] in names()
    return not built_in and is_table(Path(spec))


def load_pair(
    a: str, b: str, *, n: int | None = None, seed: int = 0, columns: Any = None, drop: Any = (), weights: Any = None
) -> tuple[SampleSet, SampleSet, tuple[str, ...]]:
    """Load two sets to compare; ``columns``, ``drop`` and ``weights`` are of those that are tables.

    Returns
    -------
    a, b : SampleSet
        Of one shape, with columns of one order.
    notes : tuple of str
        How each was read and what was done to compare them, for people.

    Raises
    ------
    InvalidInput
        As for :func:`otgan.data.load` and :func:`comparable`, or if columns are asked for and neither set is a table.

    Examples
    --------
    >>> a, b, notes = load_pair("digits:3", "digits:8")
    >>> len(a), len(b), notes
    (183, 174, ())
    """
    chosen = {"columns": columns, "drop": drop, "weights": weights}
    if chosen == {"columns": None, "drop": (), "weights": None}:
        chosen = {}
    if chosen and not (is_table_spec(a) or is_table_spec(b)):
        raise InvalidInput(f"columns have names in tables alone (.csv, .tsv, .parquet), but {a} and {b} are none.")
    sides = [load(spec, n=n, seed=seed, **(chosen if is_table_spec(spec) else {})) for spec in (a, b)]
    read = tuple(f"{side.name}: {'; '.join(side.notes)}" for side in sides if side.notes)
    first, second, notes = comparable(*sides)
    return first, second, (*dict.fromkeys(read), *notes)


def comparable(a: SampleSet, b: SampleSet) -> tuple[SampleSet, SampleSet, tuple[str, ...]]:
    """Both sets with the columns of b in the order of those of a, and samples of one shape.

    Columns are compared by name where both sides have names that are not just 0, 1, 2, ... Samples that differ only in
    axes of length 1 have one shape, flat samples take the shape of the others, and where one side clearly has the
    channels of its images first, as torch has, they are moved to the end.

    Returns
    -------
    a, b : SampleSet
    notes : tuple of str
        What was done, for people.

    Raises
    ------
    InvalidInput
        If names or shapes differ otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from otgan.data import SampleSet
    >>> a = SampleSet("a.csv", np.array([[1.0, 2.0]]), (2,), "an example", columns=("u", "v"))
    >>> b = SampleSet("b.csv", np.array([[2.0, 1.0]]), (2,), "an example", columns=("v", "u"))
    >>> _, turned, notes = comparable(a, b)
    >>> turned.points.tolist(), notes
    ([[1.0, 2.0]], ('the columns of b.csv are taken in the order of a.csv',))
    """
    b, moved = _in_order(a, b)
    if a.shape == b.shape:
        return a, b, moved
    if [k for k in a.shape if k != 1] == [k for k in b.shape if k != 1]:
        return a, replace(b, shape=a.shape), moved
    if math.prod(a.shape) == math.prod(b.shape) and 1 in (len(a.shape), len(b.shape)):
        flat, shaped = (a, b) if len(a.shape) == 1 else (b, a)
        note = f"the flat rows of {flat.name} are taken for samples of {_by(shaped.shape)} as in {shaped.name}"
        return replace(a, shape=shaped.shape), replace(b, shape=shaped.shape), (*moved, note)
    for first, second, turned in ((channels_last(a), b, a), (a, channels_last(b), b)):
        if first.shape == second.shape:
            return first, second, (*moved, f"the channels of {turned.name} are moved from the first axis to the last")
    raise InvalidInput(
        f"both sets must have samples of one shape, but those of {a.name} are {_by(a.shape)} and those of {b.name} are "
        f"{_by(b.shape)}. {_advice(a.shape, b.shape)}"
    )


def _in_order(a: SampleSet, b: SampleSet) -> tuple[SampleSet, tuple[str, ...]]:
    """The set b with its columns in the order of a, and what was done."""
    if a.columns is None or b.columns is None:
        return b, ()
    counted = any(side == tuple(map(str, range(len(side)))) for side in (a.columns, b.columns))
    if counted and set(a.columns) != set(b.columns):
        return b, (f"{a.name} and {b.name} are compared by the position of their columns, as not both have names",)
    order = frames.order(a.columns, b.columns, (a.name, b.name))
    if order is None:
        return b, ()
    turned = replace(b, points=b.points[:, order], columns=a.columns)
    return turned, (f"the columns of {b.name} are taken in the order of {a.name}",)


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) + ("" if len(shape) > 1 else " number" if shape == (1,) else " numbers")


def _advice(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    if len(a) == len(b) == 1:
        return "Keep the same columns of both, one point a row."
    if len(a) == len(b) == 3 and (a == (*b[1:], b[0]) or b == (*a[1:], a[0])):
        return "One has its channels first: move them to the end with numpy.moveaxis(array, 1, -1)."
    if len(a) == len(b) == 2 and a == b[::-1]:
        return "One may be transposed: turn it with array.transpose(0, 2, 1)."
    grey, colour = sorted((a, b), key=len)
    if len(grey) == 2 and len(colour) == 3 and grey == colour[:2]:
        return "One is grey and the other has channels: convert one of them."
    return "Resize or reshape one of them."
