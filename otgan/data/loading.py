"""``load``: one string in, one sample set out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from otgan import inputs
from otgan.data.builtin import load_built_in, names
from otgan.data.files import known, load_file
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from otgan.data.sampleset import SampleSet

__all__ = ["load"]


def load(spec: str | os.PathLike[str], *, n: int | None = None, seed: int = 0) -> SampleSet:
    """Load a sample set by its built-in name, or from a file or folder.

    Files are read as data only: nothing in them is run. A built-in name goes before a file of the same name;
    write ``./digits`` for the file.

    Parameters
    ----------
    spec : str or path
        A name from :func:`names`, such as ``digits:3``, ``mnist`` or ``two_lines:0.5``; or a path to

        - a .npy file, or a .npz file that holds one array (else ``file.npz:key``),
        - a .pt file that holds a tensor or a dict with one (else ``file.pt:key``),
        - a .csv file of numbers, with or without a header line,
        - an IDX file such as ``train-images-idx3-ubyte.gz``, whose images of bytes are scaled to [0, 1],
        - a folder of images of one size, read in the order of their names and scaled to [0, 1].

        Arrays have shape (n,), (n, d), (n, h, w) or (n, h, w, c), and keep their values as they are.
    n : int, optional
        How many samples, drawn without replacement from what there is. By default all of them, in their order,
        and 1000 from the toy distributions.
    seed : int, default 0
        Non-negative. The same spec, n and seed give the same samples; different specs give independent draws.

    Returns
    -------
    SampleSet
        Flattened float64 points, with the shape of one sample.

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
    if isinstance(spec, str) and spec.partition(":")[0] in names():
        return load_built_in(spec, n, seed)
    return load_file(os.fspath(spec), n, seed)
