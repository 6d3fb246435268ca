"""What a GAN is trained on: samples to draw batches from, and others that only the monitor sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from otgan import data, inputs
from otgan.critics.scaling import Scaling
from otgan.data import SampleSet
from otgan.data.builtin import DIGITS
from otgan.data.datasets import read_dataset
from otgan.data.drawing import stream
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.gan.config import Config

__all__ = ["Dataset", "Units", "dataset"]

DRAWN = 50_000  # points of a distribution: so many that training cannot tell them from fresh ones
HELD_OUT = 1000
CHANNELS = (1, 3, 4)
OWN = "an array"  # what samples are called that came as one


@dataclass(frozen=True)
class Units:
    """How samples as they came become samples that networks see, and back.

    Images have channels first and values in [-1, 1], which is where tanh ends. Points are centred and divided by a
    power of two, so that they reach between 0.95 and 1.9 (:class:`~otgan.critics.scaling.Scaling`).

    Attributes
    ----------
    shape : tuple of int
        One sample as it came: (d,), (h, w) or (h, w, c).
    scaling : Scaling
        ``center``, of each coordinate of points, one for all pixels; and ``unit``, for images half of their range.
    """

    shape: tuple[int, ...]
    scaling: Scaling

    @classmethod
    def within(cls, shape: tuple[int, ...], low: float, high: float) -> Self:
        """Images with values from ``low`` to ``high``."""
        return cls(shape, Scaling(np.array([low + (high - low) / 2]), (high - low) / 2))

    @property
    def is_image(self) -> bool:
        """Whether a sample is an image."""
        return len(self.shape) > 1

    @property
    def network_shape(self) -> tuple[int, ...]:
        """One sample as networks see it: (d,), or (c, h, w)."""
        height_width, channels = self.shape[:2], self.shape[2:] or (1,)
        return (*channels, *height_width) if self.is_image else self.shape

    @property
    def scale(self) -> float:
        """Distances as they came, for each unit of distance that networks see."""
        return self.scaling.unit

    @property
    def low(self) -> float:
        """The value of an image that -1 stands for."""
        return float(self.scaling.center[0]) - self.scale

    @property
    def high(self) -> float:
        """The value of an image that 1 stands for."""
        return float(self.scaling.center[0]) + self.scale

    def to_network(self, points: NDArray[np.float64]) -> torch.Tensor:
        """Flat samples (n, d) as float32 (n, *network_shape)."""
        samples = torch.as_tensor(self.scaling.inward(points), dtype=torch.float32).reshape(-1, *self.shape)
        if len(self.shape) == 3:
            samples = samples.movedim(3, 1)
        return samples.reshape(-1, *self.network_shape).contiguous()

    def from_network(self, samples: torch.Tensor) -> NDArray[np.float64]:
        """What a generator made, as flat float64 samples (n, d) in the data's own units."""
        if len(self.shape) == 3:
            samples = samples.movedim(1, 3)
        return self.scaling.outward(samples.detach().flatten(1).cpu().double().numpy())


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples on a device.

    Attributes
    ----------
    name, sha256 : str
        Of the whole set.
    units : Units
    train : (n, *network_shape) tensor
    train_points : (n, d) ndarray
        The same as they came.
    held_out : (m, d) ndarray
        Others.
    """

    name: str
    sha256: str
    units: Units
    train: torch.Tensor
    train_points: NDArray[np.float64]
    held_out: NDArray[np.float64]

    def batch(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Draw n samples with replacement."""
        index = torch.randint(len(self.train), (n,), generator=generator, device=self.train.device)
        return self.train[index]


def dataset(config: Config, device: torch.device, given: Any = None) -> Dataset:
    """Load the data of a run and hold some of them out.

    Parameters
    ----------
    config : Config
    device : torch.device
    given : array_like, SampleSet, torch Dataset or DataLoader, optional
        Samples to use instead of those that ``config.data`` names.

    Raises
    ------
    InvalidInput
        If they cannot be read, are no samples, or too few to hold some out.

    Examples
    --------
    >>> from otgan.gan import Config
    >>> digits = dataset(Config(data="digits:3"), torch.device("cpu"))
    >>> digits.train.shape, digits.held_out.shape
    (torch.Size([147, 1, 8, 8]), (36, 64))
    """
    whole = _load(config) if given is None else _as_set(given, config)
    with np.errstate(over="ignore"):
        inputs.extent_fits(float(np.ptp(whole.points, axis=0).max()))
    if len(whole) < 2:
        raise InvalidInput(f"{whole.name} must hold at least 2 samples, one to hold out, but holds {len(whole)}.")
    held_out = min(HELD_OUT, max(1, len(whole) // 5)) if config.held_out is None else config.held_out
    if held_out >= len(whole):
        raise InvalidInput(
            f"held_out must leave samples to train on, but {held_out} of {len(whole)} came. Hold fewer out."
        )
    rest, train = whole.split(held_out, stream(config.seed, "held out"))
    units = _units(whole)
    return Dataset(
        name=whole.name,
        sha256=whole.sha256,
        units=units,
        train=units.to_network(train.points).to(device),
        train_points=train.points,
        held_out=rest.points,
    )


def _load(config: Config) -> SampleSet:
    """The set that the configuration names."""
    if config.data == OWN:
        raise InvalidInput("the run was trained on an array, which must be passed again: train(..., data=array).")
    named = config.data.partition(":")[0]
    endless = named in data.names() and named not in DIGITS
    return data.load(config.data, n=DRAWN if endless and config.n is None else config.n, seed=config.seed)


def _as_set(given: Any, config: Config) -> SampleSet:
    """An array (n,), (n, d), (n, h, w) or (n, h, w, c), or a dataset of torch, as a set, or the set that it is."""
    if not isinstance(given, SampleSet):
        array = read_dataset(given, "data") if inputs.is_dataset(given) else inputs.real_array(given, "data")
        given = SampleSet.of(array, OWN, OWN)
    if given.weights is not None:
        raise InvalidInput(f"every sample counts alike here, but {given.name} has weights. Leave them out.")
    return given if config.n is None else given.take(config.n, stream(config.seed, given.name))


def _units(whole: SampleSet) -> Units:
    """Images by their shape; bytes keep their whole range whatever the images happen to hold."""
    shape = whole.shape
    if len(shape) == 1:
        return Units(shape, Scaling.of(whole.points))
    if len(shape) == 3 and shape[2] not in CHANNELS:
        remedy = (
            "Move the channels to the end: array.transpose(0, 2, 3, 1)."
            if shape[0] in CHANNELS
            else "Keep so many of them, or flatten the samples into points: array.reshape(len(array), -1)."
        )
        raise InvalidInput(
            f"images must have 1, 3 or 4 channels as their last axis, but {whole.name} has samples of shape {shape}. "
            + remedy
        )
    low, high = float(whole.points.min()), float(whole.points.max())
    if low >= 0 and high <= 1:
        return Units.within(shape, 0.0, 1.0)
    if low >= 0 and high <= 255:
        return Units.within(shape, 0.0, 255.0)
    return Units.within(shape, low, high) if high > low else Units.within(shape, low - 0.5, low + 0.5)
