"""Memory of a network: one that does not fit is refused before it is made."""

from __future__ import annotations

from otgan.errors import InvalidInput
from otgan.runtime import memory

__all__ = ["DEEPEST", "check_weights"]

DEEPEST = 1000  # hidden layers: of more, the modules alone would take minutes and gigabytes
COPIES = 4  # of each weight: itself, its gradient, and two moments of the optimiser


def check_weights(weights: float, what: str, advice: str) -> None:
    """Refuse a network of so many weights in float32, if there is no room for it and for what trains it.

    Raises
    ------
    InvalidInput
        With the words for ``what`` it is, and the advice.

    Examples
    --------
    >>> check_weights(10**18, "the critic", "Lower width.")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    otgan.errors.InvalidInput: the critic would have 1e+18 weights, ...
    """
    size = int(4 * COPIES * weights)
    if not memory.fits(size):
        raise InvalidInput(
            f"{what} would have {weights:.3g} weights, which take {memory.gib(size)} with what trains them, and "
            f"{memory.gib(memory.available())} are to be had here. {advice}"
        )
