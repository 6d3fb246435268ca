"""A trained critic as a function of points: NumPy in, NumPy out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from otgan import inputs
from otgan.critics.networks import certified_lipschitz
from otgan.errors import InvalidInput
from otgan.potentials import DualPotentials

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Critic", "Lipschitz", "prepare"]

BATCH = 4096


@dataclass(frozen=True)
class Lipschitz:
    """What is known about the slope of a critic.

    Attributes
    ----------
    observed : float
        Largest slope seen: over all pairs of the data, and of the gradient at them. The true constant is at least this.
    certified : float or None
        A proven upper bound, where the network allows one.
    """

    observed: float
    certified: float | None


def prepare(points: NDArray[np.float64], center: NDArray[np.float64], device: torch.device) -> torch.Tensor:
    """Points as float32 for a network, centred in float64 first: float32 has no digits left far from the origin."""
    return torch.as_tensor(points - center, dtype=torch.float32, device=device)


@dataclass(frozen=True, eq=False)
class Critic:
    """A network f with the centre that its inputs are taken relative to.

    Attributes
    ----------
    network : torch.nn.Module
        A stack of one, from (k, d) to (1, k), in evaluation mode. A module of the user's is its ``members[0]``.
    center : (d,) ndarray
        Subtracted from every point; translations do not change W1.
    """

    network: nn.Module
    center: NDArray[np.float64]

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return len(self.center)

    @cached_property
    def device(self) -> torch.device:
        """Where the network lives."""
        return next((p.device for p in self.network.parameters()), torch.device("cpu"))

    def __call__(self, x: Any) -> NDArray[np.float64]:
        """Values f(x), shape (k, d) -> (k,)."""
        return self._values(self._points(x))

    def gradient(self, x: Any) -> NDArray[np.float64]:
        """Gradients of f, shape (k, d) -> (k, d)."""
        return self._gradients(self._points(x))

    @property
    def potentials(self) -> DualPotentials:
        """Potentials f = critic and g = -critic; feasible for p = 1 only where the critic is 1-Lipschitz."""
        return DualPotentials(self.dimension, self._values, lambda y: -self._values(y), self._gradients)

    def lipschitz(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Lipschitz:
        """The observed constant on the points of both sides, and the certified one."""
        points = np.vstack([x, y])
        steepest = float(np.linalg.norm(self._gradients(points), axis=1).max())
        observed = max(steepest, _largest_slope(points, self._values(points)))
        return Lipschitz(observed, certified_lipschitz(self.network))

    def _points(self, x: Any) -> NDArray[np.float64]:
        points = inputs.points(x, "x")
        if points.shape[1] != self.dimension:
            raise InvalidInput(
                f"points must have {self.dimension} columns as the points trained on, but {points.shape[1]} came."
            )
        return points

    def _values(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = []
        with torch.no_grad():
            for k in range(0, len(points), BATCH):
                batch = prepare(points[k : k + BATCH], self.center, self.device)
                parts.append(self.network(batch).flatten().double().cpu().numpy())
        return np.concatenate(parts)

    def _gradients(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = []
        for k in range(0, len(points), BATCH):
            batch = prepare(points[k : k + BATCH], self.center, self.device).requires_grad_()
            (gradient,) = torch.autograd.grad(self.network(batch).sum(), batch)
            parts.append(gradient.double().cpu().numpy())
        return np.concatenate(parts)


def _largest_slope(points: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """The largest |f_i - f_j| / |x_i - x_j| over all pairs of distinct points."""
    from otgan.costs import PointCost, blocks

    distance = PointCost(points, points)
    largest = 0.0
    for rows, cols in blocks(*distance.shape):
        apart = distance.block(rows, cols)
        rise = np.abs(values[rows, None] - values[cols])
        np.divide(rise, apart, out=rise, where=apart > 0)
        rise[apart == 0] = 0.0
        largest = max(largest, float(rise.max()))
    return largest
