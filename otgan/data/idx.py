"""Arrays in the IDX format, in which MNIST and its relatives are published."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from otgan.data.limits import check_room
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["is_idx", "read_idx"]

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}  # by the third byte of a file
NAME = re.compile(r"[.-]idx\d?(-[a-z]+)?(\.gz)?$", re.IGNORECASE)
CHUNK = 2**20  # bytes read at a time: a header may promise more than there is


def is_idx(path: Path) -> bool:
    """Whether a file is in this format, by its name.

    Examples
    --------
    >>> from pathlib import Path
    >>> [is_idx(Path(name)) for name in ("train-images-idx3-ubyte.gz", "t10k-images.idx3-ubyte", "x.idx", "x.npy")]
    [True, True, True, False]
    """
    return NAME.search(path.name) is not None


def read_idx(path: Path) -> NDArray[Any]:
    """The array in an IDX file, which may be compressed by gzip.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray
        Images of bytes, which have three or more axes, come in [0, 1]; everything else as it was saved.

    Raises
    ------
    InvalidInput
        If the file is cut, damaged, or of another kind.
    OSError
        If the file cannot be opened.

    References
    ----------
    LeCun, Cortes & Burges, The MNIST database of handwritten digits: the file formats.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "images-idx3-ubyte")
    ...     _ = path.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255]))
    ...     read_idx(path).tolist()
    [[[0.0, 1.0]]]
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            array = _read(gzip.GzipFile(fileobj=raw) if packed else raw, path, packed)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InvalidInput(f"{path} must be a whole gzip file, but it is cut or damaged ({error}).") from None
    return array / 255.0 if array.dtype == np.uint8 and array.ndim >= 3 else array


def _read(file: Any, path: Path, packed: bool) -> NDArray[Any]:
    """The header, then exactly as many values as it promises."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or not 1 <= magic[3] <= 8:
        raise InvalidInput(f"{path} must be an IDX file, but starts with {magic!r}. Check where it comes from.")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InvalidInput(f"{path} must be a whole IDX file, but ends in its header. Fetch it again.")
    shape, dtype = struct.unpack(f">{magic[3]}I", sizes), np.dtype(DTYPES[magic[2]])
    expected = math.prod(shape) * dtype.itemsize
    if not expected:
        raise InvalidInput(f"{path} must hold values, but its header says shape {shape}. Check where it comes from.")
    if packed or expected <= path.stat().st_size:  # else it is cut, and says so below
        check_room(path, shape)
    data = _at_most(file, expected + 1)
    if len(data) != expected:
        came = f"only {len(data)}" if len(data) < expected else "more"
        raise InvalidInput(
            f"{path} must hold {expected} bytes of values, as its header says (shape {shape}), but holds {came}. "
            "Fetch it again."
        )
    return np.frombuffer(data, dtype).reshape(shape)


def _at_most(file: IO[bytes], n: int) -> bytes:
    """Up to n bytes, without making room for n before they are there."""
    parts, left = [], n
    while left and (part := file.read(min(left, CHUNK))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
