"""Samples as arrays of points, and as the batches of tensors that networks see: read from whatever holds them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch.utils.data import DataLoader, Subset, default_collate

from otgan import inputs
from otgan.data import SampleSet
from otgan.data.channels import are_first
from otgan.data.datasets import CHANNELS, read_dataset
from otgan.data.drawing import choose
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Layout", "drawn_from", "read_samples"]


@dataclass(frozen=True)
class Layout:
    """The shape of one sample, for networks and for people.

    Attributes
    ----------
    network_shape : tuple of int
        One sample as networks see it: (d,), (c, h, w), or whatever was asked for.
    shape : tuple of int
        The same as the rest of otgan has it, flattened into points in this order: (d,), (h, w) or (h, w, c).
    """

    network_shape: tuple[int, ...]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, given: Any, name: str, shape: Sequence[int] | None = None) -> tuple[Self, NDArray[np.float64]]:
        """The layout of samples, and the samples as points (n, d).

        Parameters
        ----------
        given, name
            As for :func:`read_samples`.
        shape : sequence of int, optional
            One sample as networks see it, where it does not come so.

        Raises
        ------
        InvalidInput
            If the samples are none, or ``shape`` holds another number of values than one of them.

        Examples
        --------
        >>> layout, points = Layout.of(np.zeros((5, 784)), "x", (1, 28, 28))
        >>> layout, points.shape
        (Layout(network_shape=(1, 28, 28), shape=(28, 28)), (5, 784))
        """
        network = None if shape is None else _checked(shape)
        samples = read_samples(given, name, network)
        came = samples.shape[1:]
        if network is not None and math.prod(network) != math.prod(came):
            raise InvalidInput(
                f"shape must hold the {math.prod(came)} values of a sample of {name}, but {network} holds "
                f"{math.prod(network)}. Pass that of one sample as the networks see it, such as (1, 28, 28)."
            )
        layout = cls(network or came, _for_people(came if len(came) == 3 or network is None else network))
        return layout, layout._points(samples)

    @property
    def is_image(self) -> bool:
        """Whether a sample is an image."""
        return len(self.shape) > 1

    def read(self, given: Any, name: str) -> NDArray[np.float64]:
        """Samples as points (n, d), from any of the shapes that they may have.

        Raises
        ------
        InvalidInput
            If the samples are none, or have another shape.

        Examples
        --------
        >>> layout, _ = Layout.of(np.zeros((5, 28, 28)), "x")
        >>> [layout.read(np.zeros((2, *shape)), "y").shape for shape in [(784,), (28, 28), (1, 28, 28)]]
        [(2, 784), (2, 784), (2, 784)]
        """
        samples = read_samples(given, name, self.network_shape)
        if samples.shape[1:] not in (self.network_shape, (math.prod(self.shape),), self._channels_first):
            raise InvalidInput(
                f"{name} must have samples of shape {self.network_shape}, as those held out, but has "
                f"{samples.shape[1:]}. Pass them as the networks make them."
            )
        return self._points(samples)

    @property
    def _channels_first(self) -> tuple[int, ...]:
        return (*(self.shape[2:] or (1,)), *self.shape[:2]) if self.is_image else self.shape

    def _points(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Samples in the order in which networks see them, flattened in the order of ``shape``."""
        if len(self.shape) == 3:
            samples = np.moveaxis(samples.reshape(-1, *self._channels_first), 1, 3)
        return np.ascontiguousarray(samples.reshape(len(samples), -1))

    def flat(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, d), flattened in the order of ``network_shape``."""
        return self.batch(points).flatten(1).numpy()

    def batch(self, points: NDArray[np.float64]) -> torch.Tensor:
        """Points (n, d) as networks see them, float64 (n, *network_shape)."""
        samples = points.reshape(-1, *self.shape)
        if len(self.shape) == 3:
            samples = np.moveaxis(samples, 3, 1)
        return torch.from_numpy(np.ascontiguousarray(samples).reshape(-1, *self.network_shape))


def read_samples(given: Any, name: str, shape: Sequence[int] | None = None) -> NDArray[np.float64]:
    """Samples in the order in which networks see them: points (n, d), or images (n, c, h, w).

    Parameters
    ----------
    given : array_like, tensor, torch Dataset or DataLoader, SampleSet
        Points (n,) or (n, d); images (n, h, w), (n, c, h, w) or (n, h, w, c). Of four axes the channels are the last
        where that holds 1, 3 or 4 of them, unless they are clearly first (:func:`otgan.data.channels.are_first`).
    name : str
        For messages.
    shape : sequence of int, optional
        One sample as networks see it: what has this shape is not turned around.

    Raises
    ------
    InvalidInput
        If they are no samples, are not finite, or have weights.

    Examples
    --------
    >>> read_samples(np.zeros((5, 8, 6, 3)), "x").shape, read_samples(np.zeros((5, 8, 6)), "x").shape
    ((5, 3, 8, 6), (5, 1, 8, 6))
    """
    if isinstance(given, SampleSet):
        if given.weights is not None:
            raise InvalidInput(f"every sample counts alike here, but {given.name} has weights. Leave them out.")
        return _channels_first(given.points.reshape(-1, *given.shape), last=given.shape[-1] in CHANNELS)
    if inputs.is_dataset(given):
        array = read_dataset(given, name)
        return _channels_first(array, last=array.shape[-1] in CHANNELS)
    array = inputs.real_array(given, name)
    if array.ndim == 0:
        raise InvalidInput(f"{name} must hold samples, but a single number came. Pass one sample a row.")
    if array.ndim == 1:
        array = array[:, None]
    if shape is not None and array.shape[1:] == tuple(shape):
        return array
    if array.ndim > 4:
        raise InvalidInput(
            f"{name} must have shape (n,), (n, d), (n, h, w), (n, c, h, w) or (n, h, w, c), but has shape "
            f"{array.shape}. Pass shape={array.shape[1:]} if that is what the networks see."
        )
    return _channels_first(array, last=array.shape[-1] in CHANNELS and not are_first(array.shape[1:]))


def drawn_from(given: Any, n: int, rng: np.random.Generator, name: str) -> Any:
    """Choose n samples of an array, a tensor or a torch dataset that holds more: no others are read or converted.

    So is a loader's dataset, where it is torch that puts its samples together. Anything else is left as it is.

    Examples
    --------
    >>> whole = torch.utils.data.TensorDataset(torch.arange(100.0))
    >>> len(drawn_from(whole, 5, np.random.default_rng(0), "x"))
    5
    """
    if isinstance(given, DataLoader) and given.collate_fn is default_collate and given.batch_sampler is not None:
        return drawn_from(given.dataset, n, rng, name)
    items: Any = given
    if not _is_indexed(items) or len(items) <= n:
        return given
    chosen = choose(n, len(items), rng, name)
    return Subset(items, chosen.tolist()) if inputs.is_dataset(items) else items[chosen]


def _is_indexed(given: Any) -> bool:
    """Whether several samples can be taken out of what came by their numbers."""
    if isinstance(given, np.ndarray | torch.Tensor):
        return given.ndim > 0 and getattr(given, "layout", torch.strided) == torch.strided
    return inputs.is_dataset(given) and hasattr(given, "__getitem__") and hasattr(given, "__len__")


def _channels_first(array: NDArray[np.float64], last: bool) -> NDArray[np.float64]:
    """Images (n, h, w), or of four axes with their channels ``last`` or first, as (n, c, h, w)."""
    if array.ndim == 3:
        return array[:, None]
    return np.moveaxis(array, 3, 1) if array.ndim == 4 and last else array


def _for_people(network: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an image with its channels last, one channel left out; of anything else, its number of values."""
    if len(network) == 2:
        return network
    if len(network) != 3:
        return (math.prod(network),)
    channels, height, width = network
    return (height, width) if channels == 1 else (height, width, channels)


def _checked(shape: Any) -> tuple[int, ...]:
    sides = shape if isinstance(shape, list | tuple | torch.Size) else (shape,)
    if not sides:
        raise InvalidInput("shape must be that of one sample, such as (1, 28, 28), but () came.")
    return tuple(inputs.count(side, "a side of shape") for side in sides)
