"""Random draws that can be repeated: a generator for each name, and choices without replacement."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["choose", "stream"]


def stream(seed: int, name: str) -> np.random.Generator:
    """Make the generator that belongs to a seed and a name, so that two sets with one seed are independent draws.

    Examples
    --------
    >>> bool(stream(0, "a").random() == stream(0, "b").random())
    False
    >>> bool(stream(0, "a").random() == stream(0, "a").random())
    True
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, dtype="<u4").tolist()])


def choose(n: int, total: int, rng: np.random.Generator, name: str) -> NDArray[np.intp]:
    """Draw n of ``total`` indices without replacement, in random order.

    Raises
    ------
    InvalidInput
        If n is not a whole number between 1 and ``total``.

    Examples
    --------
    >>> sorted(choose(3, 3, np.random.default_rng(0), "three points").tolist())
    [0, 1, 2]
    """
    n = inputs.count(n, "n")
    if n > total:
        raise InvalidInput(
            f"n must be at most {total}, the number of samples in {name}, but {n} came. Ask for fewer; samples are "
            "drawn without replacement."
        )
    return rng.permutation(total)[:n]
