"""A trained critic as a function of points: NumPy arrays in, NumPy arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from otgan import frames, inputs
from otgan.critics.modes import own_modes
from otgan.critics.networks import certify, gradients
from otgan.critics.scaling import Scaling
from otgan.critics.slopes import largest_slope
from otgan.errors import InvalidInput
from otgan.potentials import DualPotentials

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

__all__ = ["Critic", "Lipschitz", "prepare"]

TRAINED_ON = "the points trained on"  # what messages call them
BATCH = 4096  # points that are evaluated at a time
FARTHEST = 1e17  # of coordinates: squares, and sums of thousands of them, are float32


@dataclass(frozen=True)
class Lipschitz:
    """What is known about the slope of a critic.

    Attributes
    ----------
    observed : float
        Largest slope seen: between all pairs of the data, over a short step along the gradient at each, and in a search
        from there within the box of the data. The true constant is at least this: values are taken in double precision,
        and what rounding may have added is not counted (:mod:`otgan.critics.slopes`).
    certified : float or None
        A proven upper bound, where the network allows one; see :func:`certified_lipschitz`.
    unknown : str or None
        What nothing is known of where there is no such bound: a layer or an operation.
    """

    observed: float
    certified: float | None
    unknown: str | None = None


def prepare(
    points: NDArray[np.float64], scaling: Scaling, device: torch.device, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Points as float32 for a network, scaled in float64 first: float32 has no digits left far from the origin.

    Networks of the user's may have another ``dtype``.

    Raises
    ------
    InvalidInput
        If their squares, which gradients and distances are made of, leave float32 all the same.
    """
    inward = scaling.inward(points)
    reach = float(np.abs(inward).max())
    if not reach <= FARTHEST:
        raise InvalidInput(
            f"points must lie within {FARTHEST:g} units of the critic's data, beyond which float32 ends, but some are "
            f"{reach:.3g} units away (a unit is {scaling.unit:g} of the data's). Leave unit out, drop these points, or "
            "train on points as far apart."
        )
    return torch.as_tensor(inward, dtype=dtype, device=device)


@dataclass(frozen=True, eq=False)
class Critic:
    """A network N with the scaling of its inputs: ``f(x) = unit * N((x - center) / unit)``, of the same slopes as N.

    Attributes
    ----------
    network : torch.nn.Module
        An ensemble of one, from (k, d) to (1, k), in evaluation mode. A module of the user's is its ``members[0]``.
    scaling : Scaling
        ``center`` (d,) and ``unit``.
    columns : tuple, optional
        The names of the columns trained on, by which it reads data frames; None if these had none.
    dtype : torch.dtype, default float32
        Of the points that the network takes.
    """

    network: nn.Module
    scaling: Scaling
    columns: tuple[Hashable, ...] | None = None
    dtype: torch.dtype = torch.float32

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return len(self.scaling.center)

    @cached_property
    def device(self) -> torch.device:
        """Where the network lives."""
        tensors = (*self.network.parameters(), *self.network.buffers())
        return next((tensor.device for tensor in tensors), torch.device("cpu"))

    def __call__(self, x: Any) -> NDArray[np.float64]:
        """Values f(x), shape (k, d) -> (k,)."""
        return self._values(self._points(x))

    def gradient(self, x: Any) -> NDArray[np.float64]:
        """Gradients of f, shape (k, d) -> (k, d)."""
        return self._gradients(self._points(x))

    @property
    def potentials(self) -> DualPotentials:
        """Potentials f = critic and g = -critic; feasible for p = 1 only where the critic is 1-Lipschitz."""
        return DualPotentials(self.dimension, self._values, self._negatives, self._gradients, self.columns)

    @own_modes()
    def lipschitz(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Lipschitz:
        """The observed constant on the points of both sides, and the certified one."""
        points = self.scaling.inward(np.vstack([x, y]))
        bound, unknown = certify(self.network, (self.dimension,))
        return Lipschitz(largest_slope(self.network, points, self.device), bound, unknown)

    def prepared(self, points: NDArray[np.float64]) -> torch.Tensor:
        """Points (k, d) as the network takes them."""
        return prepare(points, self.scaling, self.device, self.dtype)

    def _points(self, x: Any) -> NDArray[np.float64]:
        points = inputs.points(frames.in_order(x, self.columns, (TRAINED_ON, "x")), "x")
        if points.shape[1] != self.dimension:
            raise InvalidInput(
                f"points must have {self.dimension} columns as the points trained on, but {points.shape[1]} came."
            )
        return points

    @own_modes()
    def _values(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = []
        with torch.no_grad():
            for k in range(0, len(points), BATCH):
                batch = self.prepared(points[k : k + BATCH])
                parts.append(self.network(batch).flatten().double().cpu().numpy())
        return self.scaling.unit * np.concatenate(parts)

    def _negatives(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return -self._values(points)

    @own_modes()
    def _gradients(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = []
        for k in range(0, len(points), BATCH):
            gradient = gradients(self.network, self.prepared(points[k : k + BATCH]))
            parts.append(gradient.double().cpu().numpy())
        return np.concatenate(parts)
