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

__all__ = ["CHANNELS", "channels_last", "check_channels", "moved_last"]

CHANNELS = (1, 3, 4)  # of an image: grey, RGB, RGBA
CLEAR = (1, 3)  # as the first axis: images four pixels high are more common than RGBA with its channels first


def channels_last(samples: SampleSet, channels: str | None = None) -> SampleSet:
    """Images (c, h, w) as (h, w, c), or (h, w) for one channel; other samples as they are.

    Parameters
    ----------
    samples : SampleSet
    channels : {"first", "last"}, optional
        Where the channels are. By default first where the first axis has 1 or 3 entries and the last neither 1, 3 nor
        4, which no image with its channels last has.

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
    if channels is None:
        first = len(shape) == 3 and shape[0] in CLEAR and shape[2] not in CHANNELS
    else:
        first = check_channels(channels, shape, samples.name) == "first"
    if not first:
        return samples
    images = moved_last(samples.points.reshape(-1, *shape))
    return replace(samples, points=images.reshape(len(images), -1), shape=images.shape[1:])


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
