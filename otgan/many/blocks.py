"""Blocks of pairs: tiles of a matrix of distances, each with the few clouds that it needs, solved on its own.

What a block says depends on nothing but itself: the same wherever it is solved, and in however many threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.errors import NotConverged
from otgan.exact import small
from otgan.many.sides import Side
from otgan.metric import METRICS
from otgan.solution import Status
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from otgan.kernels.small import Clouds
    from otgan.solution import Solution

__all__ = ["SIDE", "Block", "Proven", "is_proven", "prove", "raise_for", "roots", "tiles"]

RTOL = 1e-9  # largest relative gap between the bounds on a cost
SIDE = 8192  # points on each side of a block: one to four seconds of work, whatever the sizes of the clouds
POINTS_A_CLOUD = 8  # what a cloud costs as such, in points
COLUMNS = 64  # of points; so many more cost as much as all else of a pair of points
WORK_A_PART = 2**20  # pairs of points: a few hundredths of a second, for which Ctrl-C and the progress bar wait


@dataclass(frozen=True)
class Block:
    """Pairs of clouds to be solved together.

    Attributes
    ----------
    left, right : Side
        The clouds, no others than the pairs need.
    pairs : (2, k) ndarray of int64
        Positions among those of the left and of the right.
    p : float
    metric : str
    corner : (int, int)
        The places of the first clouds in the whole.
    """

    left: Side
    right: Side
    pairs: NDArray[np.int64]
    p: float
    metric: str
    corner: tuple[int, int] = (0, 0)

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows and the columns of the pairs in the whole."""
        return self.pairs[0] + self.corner[0], self.pairs[1] + self.corner[1]


@dataclass(frozen=True)
class Proven:
    """What was found for the pairs of a block.

    Attributes
    ----------
    found : (k, 3) ndarray of float64
        Costs, lower and upper bounds.
    failed : int
        How many pairs have bounds that do not meet.
    first : (int, int, Solution) or None
        The place of the first of them in the whole, and what there is of it.
    """

    found: NDArray[np.float64]
    failed: int = 0
    first: tuple[int, int, Solution] | None = None


def tiles(left: Side, right: Side | None, p: float, metric: str, size: float) -> list[Block]:
    """The matrix of all pairs in tiles of about ``size`` points a side; above the diagonal, where right is None.

    Of points with many columns, a tile has fewer. Tiles begin with the first cloud: clouds that are added at the end
    leave most tiles as they are.
    """
    size /= _cost(left) ** 0.5
    rows = _groups(left, size)
    if right is not None:
        return [
            _tile(left.part(i), right.part(j), p, metric, (i.start, j.start))
            for i in rows
            for j in _groups(right, size)
        ]
    blocks = []
    for k, i in enumerate(rows):
        one = left.part(i)
        within = np.array(np.triu_indices(len(one.clouds), 1))
        if within.size > 0:
            blocks.append(Block(one, one, within, p, metric, (i.start, i.start)))
        blocks += [_tile(one, left.part(j), p, metric, (i.start, j.start)) for j in rows[k + 1 :]]
    return blocks


def _cost(side: Side) -> float:
    """What a pair of points costs, in pairs with few columns."""
    return 1 + side.clouds[0].shape[1] / COLUMNS


def _tile(left: Side, right: Side, p: float, metric: str, corner: tuple[int, int]) -> Block:
    return Block(left, right, np.indices((len(left.clouds), len(right.clouds))).reshape(2, -1), p, metric, corner)


def _groups(side: Side, size: float) -> list[slice]:
    """Clouds one after the other, in groups of about ``size`` points, at least one a group."""
    starts, points = [0], 0.0
    for i, n in enumerate((side.sizes() + POINTS_A_CLOUD).tolist()):
        if points > 0 and points + n > size:
            starts.append(i)
            points = 0.0
        points += n
    return [slice(*ends) for ends in zip(starts, [*starts[1:], len(side.clouds)], strict=True)]


def is_proven(found: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Of which pairs the bounds meet, (k,); NaN never does."""
    return found[:, 2] - found[:, 1] <= RTOL * found[:, 2]


def prove(block: Block, workers: int = 1, done: Callable[[int], Any] = lambda pairs: None) -> Proven:
    """Solve the pairs of a block, small ones in threads; ``done`` hears how many pairs are."""
    found = np.full((block.pairs.shape[1], 3), np.nan)
    _small_ones(block, workers, done, found)
    failed, first = 0, None
    rows, columns = block.places()
    for t in np.flatnonzero(~is_proven(found)).tolist():
        i, j = block.pairs[:, t].tolist()
        x, y, a, b = block.left.clouds[i], block.right.clouds[j], block.left.weight(i), block.right.weight(j)
        solution = solve(x, y, block.p, a=a, b=b, metric=block.metric, rtol=RTOL, throw=False)
        found[t] = solution.value, solution.lower, solution.upper
        if solution.status is not Status.OPTIMAL:
            failed, first = failed + 1, first or (int(rows[t]), int(columns[t]), solution)
        done(1)
    return Proven(found, failed, first)


def _small_ones(block: Block, workers: int, done: Callable[[int], Any], found: NDArray[np.float64]) -> None:
    """The pairs that compiled code proves in one go, in threads; the rest stays NaN."""
    from otgan.kernels.certificate import Rounding
    from otgan.kernels.small import values_of_pairs

    work = block.left.sizes()[block.pairs[0]] * block.right.sizes()[block.pairs[1]]
    few = np.flatnonzero(work <= small.FEW_PAIRS)
    packed = _packed(block.left), _packed(block.right)
    errors = Rounding(*small.rounding(block.metric, block.left.clouds[0].shape[1], block.p))

    def part(chosen: NDArray[np.int64]) -> int:
        values = np.empty((len(chosen), 3))
        first, second = np.ascontiguousarray(block.pairs[:, chosen])
        values_of_pairs(*packed, first, second, METRICS[block.metric].code, block.p, errors, values)
        found[chosen] = values
        return int(is_proven(values).sum())

    for count in _in_threads(part, _parts(few, work[few] * _cost(block.left)), workers):
        done(count)


def _parts(chosen: NDArray[np.int64], work: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Pairs in parts of about one amount of work."""
    numbers = np.cumsum(work + POINTS_A_CLOUD**2) // WORK_A_PART
    return [part for part in np.split(chosen, np.flatnonzero(np.diff(numbers)) + 1) if len(part) > 0]


def _packed(side: Side) -> Clouds:
    from otgan.kernels.small import Clouds

    starts = np.cumsum([0, *map(len, side.clouds)])
    weights = small.EQUAL if side.weights is None else np.concatenate(side.weights)
    return Clouds(np.concatenate(side.clouds), weights, starts)


def _in_threads(function: Callable[[Any], int], parts: list[Any], workers: int) -> Iterator[int]:
    """``function`` of each part, as they end; after an error or Ctrl-C no part is begun."""
    if workers == 1 or len(parts) <= 1:
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="otgan-pairs") as pool:
        try:
            for done in as_completed([pool.submit(function, part) for part in parts]):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def raise_for(unproven: list[Proven]) -> None:
    """Raise NotConverged if the bounds of a pair do not meet; the first one is named."""
    firsts = [proven.first for proven in unproven if proven.first is not None]
    if not firsts:
        return
    i, j, solution = min(firsts, key=lambda first: first[:2])
    more = sum(proven.failed for proven in unproven) - 1
    others = f" and {more} other pairs" if more > 0 else ""
    raise NotConverged(
        f"the distance of the pair ({i}, {j}){others} could not be proven: its cost lies in "
        f"[{solution.lower:.15g}, {solution.upper:.15g}]. All other pairs were solved. {solution.status.message}",
        solution,
    )


def roots(costs: NDArray[np.float64], p: float, column: int) -> NDArray[np.float64]:
    """Distances from costs, rounded outwards where they are lower (column 1) or upper bounds (column 2)."""
    if p == 1:
        return costs
    distances = np.sqrt(costs) if p == 2 else costs ** (1 / p)
    for _ in range(2 * (column > 0)):  # two ulps: what a power may be off
        distances = np.nextafter(distances, 0.0 if column == 1 else np.inf)
    return distances
