"""A certified lower bound on the Lipschitz constant of a network, from pairs of points, and a search for steeper ones.

The slope between two points is a lower bound on the Lipschitz constant only if the difference of values and the
distance are exact enough. In single precision they are not: values are off by 1e-7 of their size, and over a distance
of 1e-9 that alone makes a slope of 100. So the network is evaluated in double precision, at the points as they are.
Twice the error of a value is subtracted from the difference, which is then divided by the distance, rounded up. Pairs
too close to distinguish have nothing left, and do not count.

The error of a value cannot be bounded for an arbitrary network, but it can be estimated. Single precision makes the
same roundings, 2**29 times larger, and the difference of both precisions at the same points shows those.

The search stays within the box of the data. It halves the steepest pairs, since one half is never less steep than the
whole: that leads to jumps, and to the steepest places on the way. Around the points of the greatest gradients it draws
others, and goes on from the best: networks that are linear in pieces have no gradient of the gradient to follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import Parameter
from torch.nn.utils.parametrize import is_parametrized, type_before_parametrizations

from otgan.costs import PointCost, blocks
from otgan.critics.networks import copied, gradients, values
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    Array = NDArray[np.float64]

__all__ = ["largest_slope"]

SINGLE, DOUBLE = 2.0**-24, 2.0**-53  # unit roundoffs
SAFETY = 16  # times the largest rounding seen: what other points may have
STEP = 2.0**-14  # length along gradients, where points reach about 1
CLOSEST = 1e-140  # squares of shorter runs underflow
PAIRS, HALVINGS = 64, 24  # the steepest pairs that are halved, and how often
KEPT, DRAWN = 16, 16  # the steepest points that the search goes on from, and how many are drawn around each
RADII = (0.3, 0.1, 0.03, 0.01)  # of the box, that they are drawn within


def largest_slope(network: nn.Module, z: Array, device: torch.device) -> float:
    """A lower bound on the Lipschitz constant: the largest slope between two points, or along a gradient.

    Between all pairs of the points and along the gradient at each, and from there by a search within their box.

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
    except (RuntimeError, TypeError, InvalidInput):  # a module of the user's that makes tensors in single precision
        twin, points = network, at
        seen, slopes = _with_slopes(twin, points)
        rounding, exactness = 0.0, _unit_roundoff(network)
    steepest = float(slopes.norm(dim=1).max())
    size = float(seen.abs().max()) + steepest * float(points.norm(dim=1).max())
    wrong = SAFETY * (rounding + exactness * size)
    found, pairs = _between_all(points.double().cpu().numpy(), seen.cpu().numpy(), wrong)
    halved = _halved(twin, points[pairs[:, 0]], points[pairs[:, 1]], wrong)
    steepest_points, their_slopes = _drawn_around(twin, points, slopes)
    return max(found, halved, _along(twin, points, slopes, wrong), _along(twin, steepest_points, their_slopes, wrong))


def in_double(network: nn.Module) -> nn.Module:
    """A copy of a network in double precision that multiplies by the same numbers.

    What layers hold, they made from their weights in single precision, and would make it again with other digits.
    """
    network = copied(network)
    for layer in list(network.modules()):
        _fix_weights(layer)
    twin = copied(network).double()
    for layer, double in zip(network.modules(), twin.modules(), strict=True):
        held = getattr(layer, "cached", None)
        if isinstance(held, torch.Tensor):
            double.cached = held.detach().double()  # type: ignore[assignment]
    return twin


def _fix_weights(layer: nn.Module) -> None:
    """Let a layer hold the weights that its parametrizations make, instead of these."""
    if not is_parametrized(layer):
        return
    held: Any = layer.parametrizations
    made = {name: getattr(layer, name).detach().clone() for name in held}
    layer.__class__ = type_before_parametrizations(layer)  # torch's own remover changes the class, which copies share
    del layer.parametrizations
    for name, weight in made.items():
        layer.register_parameter(name, Parameter(weight))


def _unit_roundoff(network: nn.Module) -> float:
    """Of the coarsest numbers that a network has, single precision at least."""
    held = (tensor for tensors in (network.parameters(), network.buffers()) for tensor in tensors)
    return max([SINGLE, *(torch.finfo(tensor.dtype).eps / 2 for tensor in held if tensor.is_floating_point())])


def _with_slopes(network: nn.Module, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values (n,) and gradients (n, d)."""
    return values(network, points)[0], gradients(network, points).double()


def _along(network: nn.Module, points: torch.Tensor, slopes: torch.Tensor, wrong: float) -> float:
    """The largest slope between two points a step from each, one up and one down its gradient."""
    size = slopes.norm(dim=1, keepdim=True)
    reach = STEP * points.abs().amax().clamp(min=1.0)
    step = (reach * torch.where(size > 0, slopes / size, 0.0)).to(points.dtype)
    up, down = points + step, points - step
    rise = (values(network, up)[0] - values(network, down)[0]).abs() - 2 * wrong
    return float(_slopes(rise.cpu().numpy(), _apart(up, down), points.shape[1]).max())


def _between_all(points: Array, seen: Array, wrong: float) -> tuple[float, NDArray[np.intp]]:
    """The largest slope over all pairs of points, and the steepest pairs (k, 2), one for each point at most."""
    distance = PointCost(points, points)
    largest, other = np.zeros(len(points)), np.zeros(len(points), dtype=np.intp)
    for rows, cols in blocks(*distance.shape):
        rise = np.abs(seen[rows, None] - seen[cols])
        rise -= 2 * wrong
        slope = _slopes(rise, distance.block(rows, cols), points.shape[1])
        best = slope.argmax(axis=1)
        value = slope[np.arange(len(slope)), best]
        steeper = value > largest[rows]
        largest[rows] = np.where(steeper, value, largest[rows])
        other[rows] = np.where(steeper, best + cols.start, other[rows])
    steepest = np.argsort(-largest)[:PAIRS]
    return float(largest.max()), np.stack([steepest, other[steepest]], axis=1)


def _halved(network: nn.Module, one: torch.Tensor, other: torch.Tensor, wrong: float) -> float:
    """The largest slope where pairs of points (k, d) are halved again and again, the steeper half kept."""
    f_one, f_other = values(network, one)[0], values(network, other)[0]
    largest = 0.0
    for _ in range(HALVINGS):
        middle = one + (other - one) / 2
        f_middle = values(network, middle)[0]
        first = (f_middle - f_one).abs() >= (f_middle - f_other).abs()
        one, f_one = torch.where(first[:, None], one, middle), torch.where(first, f_one, f_middle)
        other, f_other = torch.where(first[:, None], middle, other), torch.where(first, f_middle, f_other)
        rise = (f_one - f_other).abs() - 2 * wrong
        largest = max(largest, float(_slopes(rise.cpu().numpy(), _apart(one, other), one.shape[1]).max()))
    return largest


def _drawn_around(network: nn.Module, points: torch.Tensor, slopes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The steepest points (k, d) of a search within the box of the data, and their gradients."""
    generator = torch.Generator(points.device).manual_seed(0)
    low, high = points.amin(dim=0), points.amax(dim=0)
    best, best_slopes = _steepest(points, slopes)
    for radius in RADII:
        shift = torch.rand(DRAWN, len(best), points.shape[1], generator=generator, device=points.device) * 2 - 1
        drawn = (best + radius * (high - low) * shift.to(points.dtype)).flatten(0, 1).clamp(low, high)
        found = gradients(network, drawn).double()
        best, best_slopes = _steepest(torch.cat([best, drawn]), torch.cat([best_slopes, found]))
    return best, best_slopes


def _steepest(points: torch.Tensor, slopes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    size = slopes.norm(dim=1).nan_to_num(nan=0.0)  # outside the data a critic may be undefined
    kept = size.topk(min(KEPT, len(size))).indices
    return points[kept], slopes[kept]


def _apart(one: torch.Tensor, other: torch.Tensor) -> Array:
    """Distances (k,) between the points of pairs."""
    return (one.double() - other.double()).norm(dim=1).cpu().numpy()


def _slopes(rise: Array, run: Array, dimension: int) -> Array:
    """``rise / run``, rounded down; zero where there is no rise, or where the run is none that squares hold."""
    longest = run * (1 + (dimension + 8) * 2 * DOUBLE)
    return np.divide(rise, longest, out=np.zeros_like(rise), where=(rise > 0) & (run > CLOSEST))
