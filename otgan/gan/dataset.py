"""The data set of a run: samples to train on, and held-out ones that only the monitor sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan import data, inputs
from otgan.data import SampleSet
from otgan.data.builtin import DIGITS
from otgan.data.channels import channels_last
from otgan.data.datasets import read_dataset
from otgan.data.drawing import stream
from otgan.errors import InvalidInput
from otgan.gan.scaling import SampleScaling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.gan.config import Config

__all__ = ["Dataset", "dataset"]

TOY_POINTS = 50_000  # points of a distribution: so many that training cannot tell them from fresh ones
MOST_HELD_OUT = 1000  # samples, by default
OWN = "an array"  # what samples are called that came as one


@dataclass(frozen=True, eq=False)
class Dataset:
    """The samples of a run: a training set on a device, and a held-out set.

    Attributes
    ----------
    name, sha256 : str
        Of the whole set.
    scaling : SampleScaling
    train : (n, *network_shape) tensor
    train_points : (n, d) ndarray
        The same as they came.
    held_out : (m, d) ndarray
        Others.
    """

    name: str
    sha256: str
    scaling: SampleScaling
    train: torch.Tensor
    train_points: NDArray[np.float64]
    held_out: NDArray[np.float64]

    def batch(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Draw n samples with replacement."""
        index = torch.randint(len(self.train), (n,), generator=generator, device=self.train.device)
        return self.train[index]

    def facts(self) -> dict[str, Any]:
        """Name, hash, shape and sizes, for the log."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "shape": self.scaling.shape,
            "trained_on": len(self.train_points),
            "held_out": len(self.held_out),
        }


def dataset(config: Config, device: torch.device, given: Any = None, channels: str | None = None) -> Dataset:
    """Load the data of a run, and split them into a training set and a held-out set.

    Parameters
    ----------
    config : Config
    device : torch.device
    given : array_like, SampleSet, torch Dataset or DataLoader, optional
        Samples to use instead of those that ``config.data`` names.
    channels : {"first", "last"}, optional
        Where images have their channels; by default where they clearly are, :func:`otgan.data.channels.channels_last`.

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
    whole = channels_last(_load(config), channels) if given is None else _as_set(given, config, channels)
    with np.errstate(over="ignore"):
        inputs.extent_fits(float(np.ptp(whole.points, axis=0).max()))
    if len(whole) < 2:
        raise InvalidInput(f"{whole.name} must hold at least 2 samples, one to hold out, but holds {len(whole)}.")
    held_out = min(MOST_HELD_OUT, max(1, len(whole) // 5)) if config.held_out is None else config.held_out
    if held_out >= len(whole):
        raise InvalidInput(
            f"held_out must leave samples to train on, but {held_out} of {len(whole)} came. Hold fewer out."
        )
    rest, train = whole.split(held_out, stream(config.seed, "held out"))
    scaling = SampleScaling.of(whole)
    return Dataset(
        name=whole.name,
        sha256=whole.sha256,
        scaling=scaling,
        train=scaling.to_network(train.points).to(device),
        train_points=train.points,
        held_out=rest.points,
    )


def _load(config: Config) -> SampleSet:
    """The set that the configuration names."""
    if config.data == OWN:
        raise InvalidInput("the run was trained on an array, which must be passed again: train(..., data=array).")
    named = config.data.partition(":")[0]
    endless = named in data.names() and named not in DIGITS
    return data.load(config.data, n=TOY_POINTS if endless and config.n is None else config.n, seed=config.seed)


def _as_set(given: Any, config: Config, channels: str | None) -> SampleSet:
    """An array of points or images, a torch dataset or a sample set, as a sample set with the channels last."""
    if inputs.is_dataset(given):
        given = SampleSet.of(read_dataset(given, "data", channels), OWN, OWN)
    else:
        whole = given if isinstance(given, SampleSet) else SampleSet.of(inputs.real_array(given, "data"), OWN, OWN)
        given = channels_last(whole, channels)
    if given.weights is not None:
        raise InvalidInput(f"every sample counts alike here, but {given.name} has weights. Leave them out.")
    return given if config.n is None else given.take(config.n, stream(config.seed, given.name))
