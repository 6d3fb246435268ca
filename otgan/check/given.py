"""Judge critics that are trained already on the samples of a check."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.critics import CriticReport
    from otgan.solution import Solution

__all__ = ["judged"]


def judged(
    critic: Any,
    name: str,
    truth: Solution,
    shape: tuple[int, ...],
    held_out: tuple[NDArray[Any], NDArray[Any]] | None,
    device: str,
) -> CriticReport:
    """A report on a critic of samples of a shape, (d,), (h, w) or (h, w, c).

    Images reach it with channels first, or flat where it takes no others.

    Raises
    ------
    InvalidInput
        If it takes neither, naming it.
    """
    from otgan.critics import judge

    where = None if device == "auto" else device
    ways: list[tuple[Any, tuple[int, ...]]] = [(critic, (math.prod(shape),))]
    if len(shape) == 2:
        ways.insert(0, (critic, (1, *shape)))
    elif len(shape) == 3:
        ways.insert(0, (_channels_first(critic), shape))
    refused: list[InvalidInput] = []
    for called, as_seen in ways:
        try:
            return replace(judge(called, truth, shape=as_seen, held_out=held_out, device=where), method=name)
        except InvalidInput as error:
            refused.append(error)
    why, advice, _ = str(refused[0]).partition(" Pass shape=")  # there is no such option here
    if advice:
        tried = " and ".join(str(("k", *as_seen)).replace("'", "") for _, as_seen in ways)
        why = f"{why} Samples reach it as {tried}; let it reshape them where it takes others."
    raise InvalidInput(f"{name}: {why}") from refused[0]


def _channels_first(critic: Any) -> Any:
    """The critic behind a module that moves the channels of images to the front."""
    from torch import nn

    from otgan.critics.networks import ChannelsFirst

    return ChannelsFirst(critic) if isinstance(critic, nn.Module) else lambda images: critic(images.movedim(-1, 1))
