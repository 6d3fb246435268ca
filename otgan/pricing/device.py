"""Pricing on a torch device, in blocks of float64: what :mod:`otgan.pricing.points` does with a ``device``.

Differences are taken coordinate by coordinate and added in their order, one operation at a time, so that nothing is
fused. For p = 1 and 2 every value is therefore, to the last bit, the one that the CPU computes. Other powers
are the device's, and may be an ulp or two off.

In more than a few dimensions that is slow on a device too, since every coordinate passes through memory. There the
Euclidean metric is screened by a matrix product in double precision, less a bound on its error. Only the pairs that it
cannot rule out are priced directly. Unlike in single precision, no device rounds such a product to fewer bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from otgan.errors import OTError
from otgan.metric import EPS, EUCLIDEAN, METRICS
from otgan.runtime.device import torch_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.metric import Metric

__all__ = ["place", "search"]

SCREEN_DIMENSION = 8  # from here on the passes of the screen over a block are far fewer than those over coordinates
DIRECT_PAIRS, SCREEN_PAIRS = 2**22, 2**26  # pairs of a block: near a cache for many short passes, large for a product
CPU_PAIRS = 2**18  # pairs of a block on the CPU
BYTES_PER_PAIR = 256  # of device memory, at most
MOST_ROWS = 2**16  # rows of a block
FEW_CANDIDATES = 4  # for each place in a list, up to which no limit is looked for
DEAR_PAIRS = 16  # one candidate in so many pairs, and direct pricing of the block costs less than gathering them


def place(points: NDArray[np.float64], name: str) -> Tensor:
    """Points (n, d) as a tensor (d, n) on the device, so that every coordinate is contiguous."""
    device = torch_device(name, float64=True)
    try:
        return torch.from_numpy(np.array(points.T, order="C")).to(device)
    except torch.OutOfMemoryError:
        raise OTError(
            f"{len(points)} points need {points.nbytes / 2**30:.3g} GiB on device {name!r}, which has not that much "
            "left. Free some, or use device='cpu'."
        ) from None


class Rule(NamedTuple):
    """The cost ``metric(x, y) ** p``."""

    metric: Metric
    p: float

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Costs between points (d, ...) whose trailing shapes are broadcast together."""
        total = x.new_zeros(torch.broadcast_shapes(x.shape[1:], y.shape[1:]))
        step = torch.empty_like(total)
        for from_x, from_y in zip(x, y, strict=True):
            torch.sub(from_x, from_y, out=step)
            self.metric.add_(total, step)
        return self.of_sums(total)

    def of_sums(self, total: Tensor) -> Tensor:
        """Costs from the metric's sums over coordinates, in place."""
        if self.p == self.metric.root:
            return total
        if self.metric.root != 1:
            _power(total, 1 / self.metric.root)
        if self.p == 1:
            return total
        return total.mul_(total) if self.p == 2 else _power(total, self.p)


def _power(total: Tensor, p: float) -> Tensor:
    """Powers in place. On the CPU torch's differ by an ulp from place to place, which would break ties; NumPy's not."""
    if total.device.type != "cpu":
        return total.sqrt_() if p == 0.5 else total.pow_(p)
    there = total.numpy()
    if p == 0.5:
        np.sqrt(there, out=there)
    else:
        np.power(there, p, out=there)
    return total


class Lists(NamedTuple):
    """The best rows of each target, sorted by value, then row.

    Attributes
    ----------
    values : (targets, k) Tensor of float64
    rows : (targets, k) Tensor of int64
    """

    values: Tensor
    rows: Tensor

    @property
    def last(self) -> Tensor:
        """What a newcomer must be below, (targets, 1)."""
        return self.values[:, -1:]

    def insert(self, targets: Tensor, rows: Tensor, values: Tensor) -> Lists:
        """With more pairs (c,), sorted by target, then row; no row may be lower than those of earlier calls."""
        size, k = self.values.shape
        every = torch.arange(size, device=rows.device)
        targets = torch.cat([every.repeat_interleave(k), targets])
        rows = torch.cat([self.rows.flatten(), rows])
        values = torch.cat([self.values.flatten(), values])
        order = values.argsort(stable=True)
        order = order[targets[order].argsort(stable=True)]
        first = torch.searchsorted(targets[order], every)
        best = order[first[:, None] + torch.arange(k, device=rows.device)]
        return Lists(values[best], rows[best])


class Block(NamedTuple):
    """Some rows and some targets.

    Attributes
    ----------
    x : (d, rows) Tensor
    y : (d, targets) Tensor
    f : (rows,) Tensor
    first : int
        Number of the first row.
    """

    x: Tensor
    y: Tensor
    f: Tensor
    first: int

    def values(self, rule: Rule) -> Tensor:
        """Reduced costs, (targets, rows)."""
        return rule(self.x[:, None, :], self.y[:, :, None]).sub_(self.f)

    def along(self, rule: Rule, targets: Tensor, rows: Tensor) -> Tensor:
        """Reduced costs of pairs (c,), never more at a time than there are numbers in the block."""
        step = max(1, len(self.f) * self.y.shape[1] // len(self.x))
        parts = zip(targets.split(step), rows.split(step), strict=True)
        return torch.cat([rule(self.x[:, row], self.y[:, target]).sub_(self.f[row]) for target, row in parts])


def search(
    x: Tensor,
    y: Tensor,
    f: NDArray[np.float64],
    p: float,
    metric: str,
    values: NDArray[np.float64],
    rows: NDArray[np.int64],
) -> None:
    """Put every row that fits into the lists of the targets, in place.

    Parameters
    ----------
    x, y : (d, n), (d, m) Tensor of float64
        Rows and targets, see :func:`place`.
    f : (n,) ndarray
        May hold -inf.
    p : float
    metric : {"euclidean", "cityblock", "chebyshev"}
    values : (m, k) ndarray of float64
        Limits to begin with; a row fits if it is below. A target whose limit is -inf takes no time.
    rows : (m, k) ndarray of int64
    """
    rule = Rule(METRICS[metric], p)
    screened = rule.metric is EUCLIDEAN and len(x) >= SCREEN_DIMENSION
    wanted = np.flatnonzero(values[:, -1] > -np.inf)
    height = min(x.shape[1], MOST_ROWS)
    width = max(1, _room(x.device, screened) // height)
    middle = x.mean(dim=1, keepdim=True)
    potentials = torch.from_numpy(f.copy()).to(x.device)  # f may be read-only, which torch warns of
    for start in range(0, len(wanted), width):
        part = wanted[start : start + width]
        targets = y[:, torch.from_numpy(part).to(y.device)]
        lists = Lists(*(torch.from_numpy(side[part]).to(y.device) for side in (values, rows)))
        for row in range(0, x.shape[1], height):
            block = Block(x[:, row : row + height], targets, potentials[row : row + height], row)
            lists = _screen(block, rule, lists, middle) if screened else _direct(block, rule, lists)
        values[part], rows[part] = lists.values.cpu().numpy(), lists.rows.cpu().numpy()


def _room(device: torch.device, screened: bool) -> int:
    """Pairs that a block may have."""
    if device.type == "cpu":
        return CPU_PAIRS
    most = SCREEN_PAIRS if screened else DIRECT_PAIRS
    if device.type != "cuda":
        return min(most, DIRECT_PAIRS)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return min(most, (torch.cuda.mem_get_info(device)[0] + unused) // BYTES_PER_PAIR)


def _direct(block: Block, rule: Rule, lists: Lists) -> Lists:
    """Price all pairs of the block."""
    values = block.values(rule)
    k = lists.values.shape[1]
    if k == 1:
        best, row = values.min(dim=1)  # of several, the first
        targets = torch.nonzero(best < lists.last[:, 0])[:, 0]
        return lists.insert(targets, block.first + row[targets], best[targets])
    fits = values < lists.last
    if _many(fits, k):
        fits &= values <= values.topk(k, dim=1, largest=False).values.amax(dim=1, keepdim=True)
    targets, row = torch.nonzero(fits, as_tuple=True)
    return lists.insert(targets, block.first + row, values[targets, row])


def _screen(block: Block, rule: Rule, lists: Lists, middle: Tensor) -> Lists:
    """Price the pairs that a matrix product cannot rule out."""
    least = _lower_bounds(block, rule, middle)
    k = lists.values.shape[1]
    fits = least < lists.last
    if _many(fits, k):  # what the k best by their bounds really cost is a limit that the k best keep
        row = least.topk(k, dim=1, largest=False).indices
        targets = torch.arange(len(row), device=row.device).repeat_interleave(k)
        limit = block.along(rule, targets, row.flatten()).reshape(row.shape).amax(dim=1, keepdim=True)
        fits &= least <= limit
    if int(fits.count_nonzero()) * DEAR_PAIRS > fits.numel():
        return _direct_in_parts(block, rule, lists)
    targets, row = torch.nonzero(fits, as_tuple=True)
    return lists.insert(targets, block.first + row, block.along(rule, targets, row))


def _many(fits: Tensor, k: int) -> bool:
    """Whether so many pairs fit that a limit is worth looking for."""
    return fits.shape[1] > k and int(fits.count_nonzero()) > FEW_CANDIDATES * k * len(fits)


def _direct_in_parts(block: Block, rule: Rule, lists: Lists) -> Lists:
    """As :func:`_direct`, for a block of the size of the screen."""
    step = max(1, DIRECT_PAIRS // len(block.f))
    parts = [
        _direct(block._replace(y=block.y[:, k : k + step]), rule, Lists(*(side[k : k + step] for side in lists)))
        for k in range(0, block.y.shape[1], step)
    ]
    return Lists(*map(torch.cat, zip(*parts, strict=True)))


def _lower_bounds(block: Block, rule: Rule, middle: Tensor) -> Tensor:
    """Numbers at most the reduced costs that direct pricing computes, (targets, rows), for the Euclidean metric.

    The square is ``|x|^2 + |y|^2 - 2 x.y`` of centred points. With u = 2^-53, and in units of ``u (|x|^2 + |y|^2)``, it
    is off by 4 from rounding what is centred; by d from the product, summed in any order or fused (Higham 2002, section
    3.1, twice ``|x| |y|``); by d + 1 from the norms; by 6 from adding three numbers; and the direct square is below the
    true one by at most 2 (d + 2). That is 4 d + 15, and 8 (d + 8) are charged. What underflows is below 1e-300 a
    coordinate. A root or a power is charged on top.
    """
    x, y = block.x - middle, block.y - middle
    keep, lost = 1 - 4 * (len(x) + 8) * EPS, 1e-300 * len(x)
    below_x, below_y = (side.square().sum(dim=0).mul_(keep).sub_(lost) for side in (x, y))
    square = torch.addmm(below_x[None, :], y.T, x, alpha=-2).add_(below_y[:, None]).clamp_(min=0)
    least = rule.of_sums(square)
    return (least if rule.p == 2 else least.mul_(1 - 16 * EPS)).sub_(block.f)
