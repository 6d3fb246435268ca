"""Where images have their channels: otgan keeps them last, as (h, w, c); torch has them first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.data.sampleset import SampleSet

__all__ = ["CHANNELS", "are_first", "channels_last", "check_channels", "moved_last"]

CHANNELS = (1, 3, 4)  # of an image: grey, RGB, RGBA
CLEAR = (1, 3)  # at either end: images of four pixels are more common than RGBA


def channels_last(samples: SampleSet, channels: str | None = None) -> SampleSet:
    """Images (c, h, w) as (h, w, c), or (h, w) for one channel; other samples as they are.

    Parameters
    ----------
    samples : SampleSet
    channels : {"first", "last"}, optional
        Where the channels are. By default as :func:`are_first` says.

    Raises
    ------
    InvalidInput
        If the samples are no images with channels there.

    Examples
    --------
    >>> from otgan.data import SampleSet
    >>> shapes = [(3, 8, 6), (8, 6, 3), (3, 6, 3), (1, 8, 8), (8, 8)]
    >>> [channels_last(SampleSet.of(np.zeros((5, *shape)), "images", "here")).shape for shape in shapes]
    [(8, 6, 3), (8, 6, 3), (3, 6, 3), (8, 8), (8, 8)]
    """
    shape = samples.shape
    first = are_first(shape) if channels is None else check_channels(channels, shape, samples.name) == "first"
    if not first:
        return samples
    images = moved_last(samples.points.reshape(-1, *shape))
    return replace(samples, points=images.reshape(len(images), -1), shape=images.shape[1:])


def are_first(shape: tuple[int, ...]) -> bool:
    """Whether a sample of a shape clearly has its channels first: 1 or 3 entries there, and neither 1 nor 3 at the end.

    Examples
    --------
    >>> [are_first(shape) for shape in [(3, 8, 6), (1, 4, 4), (8, 6, 3), (3, 6, 3), (4, 6, 3), (4, 6, 5), (8, 8)]]
    [True, True, False, False, False, False, False]
    """
    return len(shape) == 3 and shape[0] in CLEAR and shape[2] not in CLEAR


def check_channels(channels: str, shape: tuple[int, ...], name: str) -> str:
    """Where the channels of images are said to be, if they can be there."""
    inputs.choice(channels, "channels", ("first", "last"))
    if len(shape) != 3 or shape[0 if channels == "first" else 2] not in CHANNELS:
        raise InvalidInput(
            f"channels={channels!r} needs images with 1, 3 or 4 channels {channels}, but {name} has samples of shape "
            f"{shape}. Leave channels out, or say where they are."
        )
    return channels


def moved_last(images: NDArray[Any]) -> NDArray[Any]:
    """Images (n, c, h, w) as (n, h, w, c), or (n, h, w) for one channel."""
    return images[:, 0] if images.shape[1] == 1 else np.moveaxis(images, 1, 3)
