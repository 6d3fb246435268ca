"""Samples from torch datasets and loaders, whose images have their channels first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.data.channels import CHANNELS, check_channels, moved_last
from otgan.errors import InvalidInput
from otgan.runtime import memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["read_dataset"]


def read_dataset(given: Any, name: str, channels: str | None = None) -> NDArray[np.float64]:
    """All samples of a torch dataset or loader, once, with the channels of images last.

    Parameters
    ----------
    given : torch.utils.data.Dataset or DataLoader
        Whose items are samples, or tuples, lists or dicts that start with the sample, such as (image, label). A loader
        gives batches of samples.
    name : str
        For messages.
    channels : {"first", "last"}, optional
        Where images have their channels, which else is found out.

    Returns
    -------
    ndarray of float64, shape (n,), (n, d), (n, h, w) or (n, h, w, c)
        Samples of three axes are images (c, h, w) if their first axis has 1, 3 or 4 channels; one channel is dropped.
        Pictures of Pillow have their channels last.

    Raises
    ------
    InvalidInput
        If there is nothing in it, samples differ in shape, are no numbers, or do not fit into memory.

    Examples
    --------
    >>> import torch
    >>> images = torch.utils.data.TensorDataset(torch.zeros(5, 3, 8, 6), torch.arange(5))
    >>> read_dataset(images, "data").shape
    (5, 8, 6, 3)
    """
    batched = hasattr(given, "dataset") and hasattr(given, "batch_size") and given.batch_size is not None
    parts: list[NDArray[np.float64]] = []
    last = False  # whether pictures that are no tensors came, which have their channels last
    size = 0
    for item in _items(given):
        sample, pictures = _sample(item)
        array = inputs.real_array(sample, name) if batched else inputs.real_array(sample, name)[None]
        if parts and (array.shape[1:] != parts[0].shape[1:] or pictures != last):
            raise InvalidInput(
                f"the samples of {name} must have one shape, but {parts[0].shape[1:]} and {array.shape[1:]} came. "
                "Resize them, as with a transform."
            )
        last, size = pictures, size + array.nbytes
        if not memory.fits(2 * size):  # once more when they are put together
            raise InvalidInput(
                f"{name} must fit into memory as float64, but its first {sum(map(len, parts))} samples fill it. Pass "
                "fewer, as with torch.utils.data.Subset."
            )
        parts.append(array)
    if not parts:
        raise InvalidInput(f"{name} must hold at least one sample, but it is empty.")
    whole = np.concatenate(parts)
    if channels is not None:
        last = check_channels(channels, whole.shape[1:], name) == "last"
    return moved_last(whole) if not last and whole.ndim == 4 and whole.shape[1] in CHANNELS else whole


def _items(given: Any) -> Iterator[Any]:
    """Every item once: a dataset with a length may go on for ever if it is just iterated over."""
    if hasattr(given, "__getitem__") and hasattr(given, "__len__"):
        return (given[k] for k in range(len(given)))
    return iter(given)


def _sample(item: Any) -> tuple[Any, bool]:
    """The sample in an item, and whether it is a picture of Pillow, as an array of bytes."""
    if isinstance(item, dict):
        item = next(iter(item.values()), None)
    if isinstance(item, tuple | list):
        item = item[0] if item else None
    if hasattr(item, "getbands") and hasattr(item, "convert"):
        return np.asarray(item), True
    return item, False
