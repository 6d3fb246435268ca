"""Blocks of pairs kept in a folder, so that a long job goes on where it was stopped."""

from __future__ import annotations

import hashlib
import io
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.many.blocks import RTOL, is_proven
from otgan.runtime.files import check_folder, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from otgan.many.blocks import Block

__all__ = ["Cache"]


class Cache:
    """A folder with a file for each block that is done.

    The name of a file is a hash of all that decides what is in it, so that any number of processes and jobs can share
    a folder: who writes a file that is there replaces it by the same one.

    Parameters
    ----------
    folder : path
        Made if it is not there.

    Raises
    ------
    InvalidInput
        If files cannot be written into it.
    """

    def __init__(self, folder: Any) -> None:
        self.folder: Path = inputs.path(folder, "cache")
        try:
            check_folder(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                f"cache must be a folder into which files can be written, but {str(self.folder)!r} is none "
                f"({error.strerror}). Pass another one, or None to keep nothing."
            ) from error

    def read(self, block: Block) -> NDArray[np.float64] | None:
        """What was found for the pairs of a block; None if there is no whole file of it."""
        try:
            # A .npz file has checksums, which are compared on reading; NumPy would leave a damaged one open.
            data = io.BytesIO((self.folder / name(block)).read_bytes())
            found = np.load(data, allow_pickle=False)["found"]
        except Exception:  # whatever a damaged file leads to, the block is solved again
            return None
        whole = found.shape == (block.pairs.shape[1], 3) and found.dtype == np.float64
        return found if whole and is_proven(found).all() else None

    def write(self, block: Block, found: NDArray[np.float64]) -> None:
        """Keep what was found for the pairs of a block."""
        buffer = io.BytesIO()
        np.savez(buffer, found=found)
        write_files(self.folder, {name(block): buffer.getvalue()})


def name(block: Block) -> str:
    """The name of a block's file: a hash of its clouds, weights and pairs, the options and the version of otgan."""
    sides = (block.left, block.right)
    shapes = [[cloud.shape for cloud in side.clouds] for side in sides]
    weighted = [side.weights is not None for side in sides]
    options = (version("otgan"), RTOL, block.p, block.metric, shapes, weighted, block.pairs.shape)
    digest = hashlib.sha256(repr(options).encode())
    for side in sides:
        for array in (*side.clouds, *(side.weights or ())):
            digest.update(np.ascontiguousarray(array).data)
    digest.update(np.ascontiguousarray(block.pairs).data)
    return f"pairs-{digest.hexdigest()[:40]}.npz"
