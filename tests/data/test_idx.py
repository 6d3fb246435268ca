"""IDX files: what was written is read, and what is broken is refused."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from otgan.data import load
from otgan.data.idx import DTYPES, read_idx
from otgan.errors import InvalidInput


def idx(array: np.ndarray, code: int) -> bytes:
    return (
        struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.astype(DTYPES[code]).tobytes()
    )


@pytest.mark.parametrize("code", DTYPES)
@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 3, 2)])
@pytest.mark.parametrize("packed", [False, True])
def test_values_survive(tmp_path: Path, code: int, shape: tuple[int, ...], packed: bool) -> None:
    array = np.random.default_rng(0).integers(0, 127, size=shape)
    data = idx(array, code)
    path = tmp_path / ("x-idx.gz" if packed else "x.idx")
    path.write_bytes(gzip.compress(data) if packed else data)
    scaled = code == 0x08 and len(shape) == 3
    np.testing.assert_allclose(read_idx(path), array / 255 if scaled else array)
    assert load(str(path)).shape == (shape[1:] or (1,))


def test_published_names_are_known(tmp_path: Path) -> None:
    for name in ("train-images-idx3-ubyte", "t10k-images.idx3-ubyte", "a-images-idx3-ubyte.gz"):
        data = idx(np.full((4, 28, 28), 255), 0x08)
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        images = load(tmp_path / name)
        assert images.shape == (28, 28)
        assert images.points.max() == images.points.min() == 1


WHOLE = idx(np.arange(24).reshape(4, 3, 2), 0x08)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "must be an IDX file"),
        (b"\x93NUMPY....", "must be an IDX file"),
        (b"\0\0\x07\x03" + WHOLE[4:], "must be an IDX file"),
        (b"\0\0\x08\x00", "must be an IDX file"),
        (WHOLE[:9], "ends in its header"),
        (WHOLE[:-1], "holds only 23"),
        (WHOLE + b"\0", "holds more"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "holds only 0"),
        (b"\0\0\x08\x03" + b"\0" * 4 + b"\xff" * 8, "must hold values"),
        (gzip.compress(WHOLE, mtime=0)[:-9], "cut or damaged"),
        (gzip.compress(WHOLE, mtime=0)[:8] + b"\0" * 20, "cut or damaged"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "x-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match=message):
        load(str(path))
