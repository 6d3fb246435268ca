"""Memory limits for files: whether the contents that a file declares would fit, before any of it is decoded.

A header of a few bytes may declare terabytes, and a compressed file of a few kilobytes may really hold them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from otgan.errors import InvalidInput
from otgan.runtime import memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["check_room"]

BYTES_A_VALUE = 16  # float64, and once more for what it is made from or copied to


def check_room(path: Path, shape: Sequence[int], advice: str = "Save fewer samples, or smaller ones.") -> None:
    """Refuse values of a shape for which there is no room as float64.

    Raises
    ------
    InvalidInput
        That names the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> check_room(Path("x.npy"), (10**9, 10**9))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    otgan.errors.InvalidInput: x.npy says that it holds values of shape ...
    """
    size = BYTES_A_VALUE * math.prod(shape)
    if not memory.fits(size):
        raise InvalidInput(
            f"{path} says that it holds values of shape {tuple(shape)}, which as float64 take {memory.gib(size)}, and "
            f"{memory.gib(memory.available())} are to be had here. {advice}"
        )
