"""The function ``load``, which makes a sample set from a name or a path."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from otgan import inputs
from otgan.data.builtin import load_built_in, names
from otgan.data.files import known, load_file
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otgan.data.sampleset import SampleSet

__all__ = ["load"]


def load(
    spec: str | os.PathLike[str],
    *,
    n: int | None = None,
    seed: int = 0,
    columns: str | Sequence[str] | None = None,
    drop: str | Sequence[str] = (),
    weights: str | None = None,
) -> SampleSet:
    """Load a sample set by its built-in name, or from a file or folder.

    Files are read as data only: nothing in them is run. A built-in name goes before a file of the same name;
    write ``./digits`` for the file.

    Parameters
    ----------
    spec : str or path
        A name from :func:`names`, such as ``digits:3``, ``mnist`` or ``two_lines:0.5``; or a path to

        - a .npy file, or a .npz file that holds one array (else ``file.npz:key``),
        - a .pt file that holds a tensor or a dict with one (else ``file.pt:key``),
        - a .csv or .tsv file of numbers, with or without a header line, also compressed (.csv.gz); a first line 0, 1, 2
          ... is a header, and a first column without a name holds row numbers and is left out,
        - a .parquet file of numbers (needs pyarrow),
        - an IDX file such as ``train-images-idx3-ubyte.gz``, whose images of bytes are scaled to [0, 1],
        - a folder of images of one size, read in the order of their names and scaled to [0, 1]; or a folder of such
          folders, one a class.

        Arrays have shape (n,), (n, d), (n, h, w) or (n, h, w, c), and keep their values as they are.
    n : int, optional
        How many samples, drawn without replacement from what there is. By default all of them, in their order,
        and 1000 from the toy distributions.
    seed : int, default 0
        Non-negative. The same spec, n and seed give the same samples; different specs give independent draws.
    columns : str or sequence of str, optional
        Of a table, the columns that are coordinates, in this order; by default all.
    drop : str or sequence of str
        Of a table, columns to leave out.
    weights : str, optional
        Of a table, the column that holds the weight of each row.

    Returns
    -------
    SampleSet
        Flattened float64 points, with the shape of one sample; of a table, with the names of its columns, its weights,
        and notes on how it was read.

    Raises
    ------
    InvalidInput
        If the name or the file is unknown, the file is broken or holds anything but finite numbers, or n is larger
        than what there is.
    OTError
        If a package that the set needs is not installed; the message says how to.

    Examples
    --------
    >>> threes = load("digits:3", n=50)
    >>> threes.points.shape, threes.shape
    ((50, 64), (8, 8))
    >>> load("two_lines:0.5").name
    'two_lines:0.5'
    """
    seed = inputs.seed(seed)
    n = None if n is None else inputs.count(n, "n")
    if not isinstance(spec, str | os.PathLike) or not os.fspath(spec):
        raise InvalidInput(f"spec must be a built-in name or a path, but {spec!r} came. {known()}")
    chosen = None if columns is None else _names(columns, "columns"), _names(drop, "drop"), weights
    if weights is not None:
        _names(weights, "weights")
    if isinstance(spec, str) and spec.partition(":")[0] in names():
        if chosen != (None, (), None):
            raise InvalidInput(f"columns have names in tables alone (.csv, .tsv, .parquet), but {spec} is none.")
        return load_built_in(spec, n, seed)
    return load_file(os.fspath(spec), n, seed, *chosen)


def _names(given: Any, name: str) -> tuple[str, ...]:
    """One name, or several, of columns."""
    names: tuple[Any, ...] = (given,) if not isinstance(given, list | tuple) else tuple(given)
    if not all(isinstance(each, str) for each in names):
        raise InvalidInput(f"{name} must be the name of a column, or a list of them, but {given!r} came.")
    if len(set(names)) < len(names):
        raise InvalidInput(f"{name} must name each column once, but {given!r} came.")
    return names
