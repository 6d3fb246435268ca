"""Sample sets from files and folders; the suffix of a name selects the format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otgan.data.arrays import read_numpy, read_torch
from otgan.data.builtin import names
from otgan.data.drawing import choose, stream
from otgan.data.idx import is_idx, read_idx
from otgan.data.images import common_mode, image_files, read_images
from otgan.data.sampleset import SampleSet
from otgan.data.tables import is_table, read_table
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["known", "load_file"]

SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".pt")
WITH_KEYS = (".npz", ".pt")
ENDS = f"{', '.join(SUFFIXES)} or -idx3-ubyte"


def load_file(
    spec: str,
    n: int | None,
    seed: int,
    columns: tuple[str, ...] | None = None,
    drop: tuple[str, ...] = (),
    weights: str | None = None,
) -> SampleSet:
    """Load the samples in a file or a folder, all of them or n drawn without replacement.

    Of a table, ``columns`` are the coordinates, or all but those in ``drop``, and ``weights`` is a column of masses.

    Raises
    ------
    InvalidInput
        If there is no such file, it cannot be read, or it does not hold finite numbers in a shape of samples.
    OTError
        If a package that the format needs is not installed.

    Examples
    --------
    >>> import tempfile, numpy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "images.npy")
    ...     numpy.save(path, numpy.zeros((5, 3, 2)))
    ...     samples = load_file(path, None, seed=0)
    >>> samples.points.shape, samples.shape
    ((5, 6), (3, 2))
    """
    path, key = _find(spec)
    named = columns is not None or drop or weights is not None
    if named and not (path.is_file() and is_table(path)):
        raise InvalidInput(f"columns have names in tables alone (.csv, .tsv, .parquet), but {spec} is none.")
    try:
        if is_table(path) and path.is_file():
            return _from_table(path, spec, n, seed, (columns, drop, weights))
        return _from_folder(path, spec, n, seed) if path.is_dir() else _from_file(path, key, spec, n, seed)
    except OSError as error:
        raise InvalidInput(
            f"{path} must be readable, but is not: {error.strerror or error}. Check its permissions."
        ) from error


def _find(spec: str) -> tuple[Path, str | None]:
    """The path that ``spec`` means, and the key behind it, if any."""
    whole = os.path.expanduser(spec)
    if os.path.exists(whole):
        if not (os.path.isfile(whole) or os.path.isdir(whole)):  # a pipe would be waited for, a device never ends
            raise InvalidInput(f"{whole} must be a file or a folder, but is a pipe, a socket or a device. Save a file.")
        return Path(whole), None
    file, colon, key = whole.rpartition(":")
    if colon and os.path.isfile(file) and Path(file).suffix.lower() in WITH_KEYS:
        return Path(file), key
    path = Path(file if file.lower().endswith(WITH_KEYS) else whole)
    if path.suffix or len(path.parts) > 1:
        raise InvalidInput(
            f"spec must be a built-in name or the path of a file or folder, but there is no {path}. Check the path; "
            "otgan.data.names() lists the built-in sets."
        )
    raise InvalidInput(f"spec must be a built-in name or the path of a file, but {spec!r} is neither. {known()}")


def known() -> str:
    """What could have been asked for, as the end of messages about unknown names."""
    return f"The built-in sets are {', '.join(names())}; files end in {ENDS}."


def _from_folder(folder: Path, spec: str, n: int | None, seed: int) -> SampleSet:
    """The images of a folder."""
    files = image_files(folder)
    mode = common_mode(files)
    if n is not None:
        # Chosen before their pixels are read: a folder may hold far more images than memory does.
        files = [files[i] for i in choose(n, len(files), stream(seed, spec), spec)]
    return SampleSet.of(read_images(files, mode), spec, f"images in {folder}")


def _from_file(path: Path, key: str | None, spec: str, n: int | None, seed: int) -> SampleSet:
    """The array of a file."""
    whole = SampleSet.of(_read(path, key), spec, f"file {path}")
    return whole if n is None else whole.take(n, stream(seed, spec))


def _from_table(path: Path, spec: str, n: int | None, seed: int, chosen: tuple[Any, Any, Any]) -> SampleSet:
    """The rows of a table, with the names of its columns."""
    table = read_table(path, *chosen)
    if n is not None and table.weights is not None:
        raise InvalidInput(f"n cannot go with weights, as every row of {spec} stands for its weight. Leave n out.")
    shape = (table.values.shape[1],)
    whole = SampleSet(spec, table.values, shape, f"file {path}", table.columns, table.weights, table.notes)
    return whole if n is None else whole.take(n, stream(seed, spec))


def _read(path: Path, key: str | None) -> NDArray[Any]:
    """The array in a file, by the end of its name."""
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        return read_numpy(path, key)
    if suffix == ".pt":
        return read_torch(path, key)
    if is_idx(path):
        return read_idx(path)
    raise InvalidInput(f"a file must end in {ENDS}, but {path} came. Convert it to one of these.")
