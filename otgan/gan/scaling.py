"""The scaling between samples in the data's own units and samples as networks see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from otgan.critics.scaling import Scaling
from otgan.data.channels import CHANNELS
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.data import SampleSet

__all__ = ["SampleScaling"]


@dataclass(frozen=True)
class SampleScaling:
    """The scaling between samples in the data's own units and samples as networks see them.

    Images have channels first and values in [-1, 1], which is where tanh ends. Points are centred and divided by a
    power of two, so that they reach between 0.95 and 1.9 (:class:`~otgan.critics.scaling.Scaling`).

    Attributes
    ----------
    shape : tuple of int
        One sample as it came: (d,), (h, w) or (h, w, c).
    affine : Scaling
        ``center``, of each coordinate of points, one for all pixels; and ``unit``, for images half of their range.
    """

    shape: tuple[int, ...]
    affine: Scaling

    @classmethod
    def of(cls, whole: SampleSet) -> Self:
        """The scaling of a sample set: images by their shape, bytes with their whole range whatever the images hold."""
        shape = whole.shape
        if len(shape) == 1:
            return cls(shape, Scaling.of(whole.points))
        if len(shape) == 3 and shape[2] not in CHANNELS:
            remedy = (
                "Pass channels='first' to train, or move them to the end: array.transpose(0, 2, 3, 1)."
                if shape[0] in CHANNELS
                else "Keep so many of them, or flatten the samples into points: array.reshape(len(array), -1)."
            )
            raise InvalidInput(
                f"images must have 1, 3 or 4 channels as their last axis, but {whole.name} has samples of shape "
                f"{shape}. {remedy}"
            )
        low, high = float(whole.points.min()), float(whole.points.max())
        if low >= 0 and high <= 1:
            return cls.within(shape, 0.0, 1.0)
        if low >= 0 and high <= 255:
            return cls.within(shape, 0.0, 255.0)
        return cls.within(shape, low, high) if high > low else cls.within(shape, low - 0.5, low + 0.5)

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
        """A distance in the data's units, divided by the same distance as networks see it."""
        return self.affine.unit

    @property
    def low(self) -> float:
        """The value of an image that -1 stands for."""
        return float(self.affine.center[0]) - self.scale

    @property
    def high(self) -> float:
        """The value of an image that 1 stands for."""
        return float(self.affine.center[0]) + self.scale

    def to_network(self, points: NDArray[np.float64]) -> torch.Tensor:
        """Flat samples (n, d) as float32 (n, *network_shape)."""
        samples = torch.as_tensor(self.affine.inward(points), dtype=torch.float32).reshape(-1, *self.shape)
        if len(self.shape) == 3:
            samples = samples.movedim(3, 1)
        return samples.reshape(-1, *self.network_shape).contiguous()

    def from_network(self, samples: torch.Tensor) -> NDArray[np.float64]:
        """Samples of a generator, as flat float64 samples (n, d) in the data's own units."""
        if len(self.shape) == 3:
            samples = samples.movedim(1, 3)
        return self.affine.outward(samples.detach().flatten(1).cpu().double().numpy())
