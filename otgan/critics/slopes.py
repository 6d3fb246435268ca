"""A certified lower bound on the Lipschitz constant of a network, from pairs of points.

The slope between two points is a lower bound on the Lipschitz constant only if the difference of values and the
distance are exact enough. In single precision they are not: values are off by 1e-7 of their size, and over a distance
of 1e-9 that alone makes a slope of 100. So the network is evaluated in double precision, at the points as they are.
Twice the error of a value is subtracted from the difference, which is then divided by the distance, rounded up. Pairs
too close to distinguish have nothing left, and do not count.

The error of a value cannot be bounded for an arbitrary network, but it can be estimated. Single precision makes the
same roundings, 2**29 times larger, and the difference of both precisions at the same points shows those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from otgan.costs import PointCost, blocks
from otgan.critics.networks import copied, values

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    Array = NDArray[np.float64]

__all__ = ["largest_slope"]

SINGLE, DOUBLE = 2.0**-24, 2.0**-53  # unit roundoffs
SAFETY = 16  # times the largest rounding seen: what other points may have
STEP = 2.0**-14  # length along gradients, where points reach about 1
CLOSEST = 1e-140  # squares of shorter runs underflow


def largest_slope(network: nn.Module, z: Array, device: torch.device) -> float:
    """A lower bound on the Lipschitz constant: the largest slope between two of the points, or along a gradient.

    Parameters
    ----------
    network : torch.nn.Module
        From (k, d) to (1, k), in evaluation mode; left as it is.
    z : (n, d) ndarray
        Points as the network sees them, those of a step along the gradient at each beside them.
    device : torch.device
        Of the network.
    """
    points = torch.as_tensor(z, dtype=torch.float64, device=device)
    at = points.float()
    single = values(network, at)[0]
    twin = in_double(network)
    try:
        seen, slopes = _with_slopes(twin, points)
        rounding = float((values(twin, at.double())[0] - single).abs().max()) * DOUBLE / SINGLE
        exactness = DOUBLE
    except (RuntimeError, TypeError):  # a module of the user's that makes tensors in single precision
        twin, points = network, at
        seen, slopes = _with_slopes(twin, points)
        rounding, exactness = 0.0, SINGLE
    steepest = float(slopes.norm(dim=1).max())
    size = float(seen.abs().max()) + steepest * float(points.norm(dim=1).max())
    wrong = SAFETY * (rounding + exactness * size)
    found = _between_all(points.double().cpu().numpy(), seen.cpu().numpy(), wrong)
    return max(found, _along(twin, points, slopes, wrong))


def in_double(network: nn.Module) -> nn.Module:
    """A copy of a network in double precision that multiplies by the same numbers.

    What layers hold, they made from their weights in single precision, and would make it again with other digits.
    """
    twin = copied(network).double()
    for layer, double in zip(network.modules(), twin.modules(), strict=True):
        held = getattr(layer, "cached", None)
        if isinstance(held, torch.Tensor):
            double.cached = held.detach().double()  # type: ignore[assignment]
    return twin


def _with_slopes(network: nn.Module, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values (n,) and gradients (n, d)."""
    at = points.detach().clone().requires_grad_()
    (slopes,) = torch.autograd.grad(network(at).sum(), at)
    return values(network, points)[0], slopes.double()


def _along(network: nn.Module, points: torch.Tensor, slopes: torch.Tensor, wrong: float) -> float:
    """The largest slope between two points a step from each, one up and one down its gradient."""
    size = slopes.norm(dim=1, keepdim=True)
    reach = STEP * points.abs().amax().clamp(min=1.0)
    step = (reach * torch.where(size > 0, slopes / size, 0.0)).to(points.dtype)
    up, down = points + step, points - step
    rise = (values(network, up)[0] - values(network, down)[0]).abs() - 2 * wrong
    run = (up.double() - down.double()).norm(dim=1)
    return float(_slopes(rise.cpu().numpy(), run.cpu().numpy(), points.shape[1]).max())


def _between_all(points: Array, seen: Array, wrong: float) -> float:
    """The largest slope over all pairs of points."""
    distance = PointCost(points, points)
    largest = 0.0
    for rows, cols in blocks(*distance.shape):
        rise = np.abs(seen[rows, None] - seen[cols])
        rise -= 2 * wrong
        largest = max(largest, float(_slopes(rise, distance.block(rows, cols), points.shape[1]).max()))
    return largest


def _slopes(rise: Array, run: Array, dimension: int) -> Array:
    """``rise / run``, rounded down; zero where there is no rise, or where the run is none that squares hold."""
    longest = run * (1 + (dimension + 8) * 2 * DOUBLE)
    return np.divide(rise, longest, out=np.zeros_like(rise), where=(rise > 0) & (run > CLOSEST))
