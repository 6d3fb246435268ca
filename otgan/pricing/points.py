"""Pricing: the least ``metric(x_i, y_j) ** p - f_i`` for every target y_j, over all rows, without n * m numbers.

That is the c-transform of f, so the certificate rests on it, and a column-generation solver spends its time in it. No
pair may be left out, but most can be ruled out by a proven bound. Each way below returns what going through all pairs
would return: the same float values, and on ties the lowest row. So a better guess, more threads or another order change
the time and nothing else.

===============================================  ========  ==================================================

dimension                                        way       why
===============================================  ========  ==================================================

up to 6                                          tree      bounds on boxes and on f leave a share of the pairs that
                                                           falls with n (:mod:`~otgan.kernels.search`)
from 128, Euclidean, p = 1 or 2                  screen    a matrix product in single precision with a proven error
                                                           rules out nearly all pairs (d = 784: half the time)
7 to 127, Euclidean, p = 1 or 2                  sift      all pairs in single precision with a proven error, and few
                                                           of them in double (:mod:`otgan.kernels.sieve`)
everything else                                  scan      all pairs in SIMD lanes (:mod:`otgan.kernels.scan`)
===============================================  ========  ==================================================


With ``device`` other than "cpu" all that is left to torch, on that device (:mod:`otgan.pricing.device`); powers other
than 1 and 2 may then be an ulp or two off. torch is loaded by name, so that nothing here needs it.

At d = 64 the product saves a third with BLAS on one thread, but takes 2.5 times as long as the scan where BLAS threads
wait for cores that other processes hold, so it is left out there. Work is split over the targets into threads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.errors import InvalidInput
from otgan.metric import EPS, EUCLIDEAN, METRICS
from otgan.pricing.threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Index", "Pricing", "check_device", "cost_matrix"]

LOW_DIMENSION = 6  # up to which trees leave most pairs out
SCREEN_DIMENSION = 128  # from where on matrix products in single precision go first
BLOCK_TARGETS, BLOCK_ROWS = 512, 4096  # of a matrix product: 8 MiB in single precision
WANTED_SHARE = 0.9  # of the targets, up to which those that ask for nothing are left out of a pass over all pairs
EPS32 = 2.0**-24  # relative rounding in single precision
MODERATE = 2.0**300  # size of data, and over it, whose squares are far from overflow and underflow
LARGEST_SINGLE = 1e30  # of potentials in units of the largest costs, up to which nothing overflows there


@dataclass(frozen=True, eq=False)
class Index:
    """Points, with the tree that is built over them when one is needed.

    Attributes
    ----------
    points : (n, d) ndarray of float64
        C-contiguous.
    """

    points: NDArray[np.float64]

    @cached_property
    def tree(self) -> Any:
        """The :class:`otgan.kernels.tree.Tree` over the points."""
        from otgan.kernels import tree

        return tree.build(self.points)

    def on(self, device: str) -> Any:
        """The points as a tensor (d, n) on a torch device, brought there once."""
        if device not in self._placed:
            self._placed[device] = _torch_ways(device).place(self.points, device)
        return self._placed[device]

    @cached_property
    def _placed(self) -> dict[str, Any]:
        return {}

    def __reduce__(self) -> tuple[type[Index], tuple[NDArray[np.float64]]]:
        return Index, (self.points,)  # a tree is soon built again, and a device may not be there where it is read


@dataclass(frozen=True, eq=False)
class Pricing:
    """Reduced costs ``metric(x_i, y_j) ** p - f_i`` between two sets of points.

    Attributes
    ----------
    x, y : Index
        Rows and targets, of one dimension.
    p : float
        At least 1.
    metric : {"euclidean", "cityblock", "chebyshev"}
    way : {"tree", "screen", "sift", "scan", "torch"} or None
        None follows the table above.
    device : str
        "cpu", or where the way "torch" computes: a torch device, or "torch:cpu".
    """

    x: Index
    y: Index
    p: float
    metric: str
    way: str | None = None
    device: str = "cpu"

    def minima(
        self, f: NDArray[np.float64], guess: NDArray[np.intp] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """``min_i C_ij - f_i`` for every target, and the lowest row that attains it.

        Parameters
        ----------
        f : (n,) ndarray
            May hold -inf: the row is left out.
        guess : (m,) ndarray of int, optional
            A row for each target that may be good, such as the last argmin. It saves time and changes nothing.

        Returns
        -------
        values : (m,) ndarray of float64
        rows : (m,) ndarray of int
        """
        values = np.empty((len(self.y.points), 1))
        rows = np.zeros(values.shape, np.int64)
        if guess is not None:
            rows[:, 0] = guess
        self._search(f, values, rows, seeded=True)
        return values[:, 0], rows[:, 0]

    def below(
        self, f: NDArray[np.float64], limit: NDArray[np.float64], k: int = 1
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """The pairs with ``C_ij - f_i < limit_j``, at most k for each target, the least of them.

        A target that gets no pair is proven to have ``min_i C_ij - f_i >= limit_j``.

        Parameters
        ----------
        f : (n,) ndarray
            May hold -inf: the row is left out.
        limit : (m,) ndarray
            inf asks for the k best of a target, -inf for none and takes no time.
        k : int
            At least 1.

        Returns
        -------
        rows, cols : (arcs,) ndarray of int
            Target by target, the best first.
        values : (arcs,) ndarray of float64
            ``C_ij - f_i``.
        """
        limit = np.asarray(limit, np.float64)
        wanted = np.flatnonzero(limit > -np.inf)
        if not len(wanted):
            return wanted, wanted, np.empty(0)
        if len(wanted) <= WANTED_SHARE * len(limit) and self._way != "tree":
            some = replace(self, y=Index(self.y.points[wanted]))
            rows, place, values = some.below(f, limit[wanted], k)
            return rows, wanted[place], values
        values = np.repeat(limit[:, None], k, axis=1)
        rows = np.full(values.shape, -1, np.int64)
        self._search(f, values, rows, seeded=False)
        found = rows >= 0
        return rows[found], np.nonzero(found)[0], values[found]

    def _search(
        self, f: NDArray[np.float64], values: NDArray[np.float64], rows: NDArray[np.int64], *, seeded: bool
    ) -> None:
        f = np.ascontiguousarray(f, np.float64)
        if not seeded and not np.isfinite(f).any():
            return
        ways = {
            "tree": self._descend,
            "screen": self._screen,
            "sift": self._sift,
            "scan": self._scan,
            "torch": self._leave_to_torch,
        }
        ways[self._way](f, values, rows, seeded)

    @property
    def _way(self) -> str:
        if self.way is not None:
            return self.way
        if self.device != "cpu":
            return "torch"
        dimension = self.x.points.shape[1]
        if dimension <= LOW_DIMENSION:
            return "tree"
        if METRICS[self.metric] is EUCLIDEAN and self.p in (1, 2):
            return "screen" if dimension >= SCREEN_DIMENSION else "sift"
        return "scan"

    @property
    def _code(self) -> int:
        return METRICS[self.metric].code

    def _descend(
        self, f: NDArray[np.float64], values: NDArray[np.float64], rows: NDArray[np.int64], seeded: bool
    ) -> None:
        from otgan.kernels.envelope import refit
        from otgan.kernels.metric import Lists
        from otgan.kernels.search import LANES, Targets, k_best

        x, y, p = self.x.points, self.y.points, float(self.p)
        envelope, lists, order = refit(self.x.tree, f, p), Lists(values, rows), self.y.tree.order
        targets = Targets(y, order if seeded else order[values[order, 0] > -np.inf])

        def part(start: int, stop: int) -> None:
            k_best(self.x.tree, envelope, x, targets, self._code, p, seeded, lists, start, stop)

        in_threads(part, len(targets.order), LANES)

    def _scan(self, f: NDArray[np.float64], values: NDArray[np.float64], rows: NDArray[np.int64], seeded: bool) -> None:
        from otgan.kernels.metric import Lists
        from otgan.kernels.scan import pack, scan, seed

        x, y, p, lists = self.x.points, self.y.points, float(self.p), Lists(values, rows)
        if seeded:
            seed(x, f, y, self._code, p, lists)
        tiles = pack(x, f)

        def part(start: int, stop: int) -> None:
            scan(tiles, y, self._code, p, lists, start, stop)

        in_threads(part, len(y), 64)

    def _sift(self, f: NDArray[np.float64], values: NDArray[np.float64], rows: NDArray[np.int64], seeded: bool) -> None:
        """Rule pairs out by costs in single precision; price the others in double.

        With both sides centred and scaled by a power of two to at most 1, a coordinate is rounded by u = 2^-24 of
        itself and a difference by u of itself, so each difference is off by little more than 4 u, and their vector D by
        ``4 u sqrt(d)``. A sum of d squares is off by ``(d + 1) u`` of itself, ``|D|`` is at most ``2 sqrt(d)``, and its
        root rounds once more. Together distances are off by ``(d + 8) sqrt(d) u``, squares by ``(4 d + 21) d u``, and
        what underflows is less than the next digit of that. The potential, the limit and their sum round by u of
        themselves, so by ``2 u (|f| + |limit|)``. Twice all that is charged, which also covers what double precision
        rounds. Where far points make this so much that a tenth of all pairs is left, all pairs are priced in double.
        """
        from otgan.kernels import sieve
        from otgan.kernels.metric import Lists
        from otgan.kernels.scan import pack, scan, seed

        x, y, p, lists = self.x.points, self.y.points, float(self.p), Lists(values, rows)
        single_x, single_y, scale = _in_single_precision(x, y)
        unit, d = scale**self.p, x.shape[1]
        finite = f[np.isfinite(f)]
        with np.errstate(over="ignore"):
            largest = float(np.max(np.abs(finite) / unit, initial=0.0))
        if not (len(finite) and 1 / MODERATE < scale < MODERATE and largest < LARGEST_SINGLE):
            self._scan(f, values, rows, seeded)
            return
        if seeded:
            seed(x, f, y, self._code, p, lists)
        off = (d + 8) * d**0.5 if p == 1 else (4 * d + 21) * d
        tiles, slots = sieve.pack(single_x, (f / unit).astype(np.float32))
        given = sieve.Sieve(tiles, slots, single_y, unit, 4 * EPS32, 2 * EPS32 * (off + 2 * largest))

        def part(start: int, stop: int) -> None:
            reached = sieve.sift(given, x, f, y, p, lists, (stop - start) * len(x) // 10, start, stop)
            if reached < stop:
                scan(pack(x, f), y, self._code, p, lists, reached, stop)

        in_threads(part, len(y), 64)

    def _leave_to_torch(
        self, f: NDArray[np.float64], values: NDArray[np.float64], rows: NDArray[np.int64], seeded: bool
    ) -> None:
        if seeded:
            values.fill(np.inf)  # one pass over a block finds its best rows without a guess
        x, y = self.x.on(self.device), self.y.on(self.device)
        _torch_ways(self.device).search(x, y, f, float(self.p), self.metric, values, rows)

    def _screen(
        self, f: NDArray[np.float64], values: NDArray[np.float64], rows: NDArray[np.int64], seeded: bool
    ) -> None:
        """Rule pairs out by ``|x|^2 + |y|^2 - 2 x.y`` in single precision; price the others directly.

        With both sides centred and scaled by a power of two to at most 1, a coordinate is rounded by u = 2^-24 of
        itself, so a distance moves by at most ``u (|x| + |y|)`` and its square by about ``2 u (|x| + |y|)^2 <=
        4 u (|x|^2 + |y|^2)``. An inner product, summed in any order or fused, is off by ``d u |x| |y| / (1 - d u)``
        (Higham 2002, section 3.1); that counts twice in the square, so ``d u (|x|^2 + |y|^2)``. Together the square is
        off by ``(d + 4) u (|x|^2 + |y|^2)``, and by what underflows, ``d 2^-126``. Twice ``d + 8`` is charged, which
        also covers what double precision rounds in norms, entries and centring.
        """
        from otgan.kernels.metric import Lists
        from otgan.kernels.scan import Screen, confirm, seed

        x, y, p, lists = self.x.points, self.y.points, float(self.p), Lists(values, rows)
        dimension = x.shape[1]
        if seeded:
            seed(x, f, y, self._code, p, lists)
        single_x, single_y, scale = _in_single_precision(x, y)
        keep = 1 - 2 * (dimension + 8) * EPS32
        lost = dimension * 2.0**-120
        below_x, below_y = (
            (np.einsum("ij,ij->i", side, side, dtype=np.float64) * keep - lost) * scale**2
            for side in (single_x, single_y)
        )
        noise = 16 * EPS
        f_and_more = np.where(np.isfinite(f), f + noise * np.abs(np.where(np.isfinite(f), f, 0.0)), f)
        screen = Screen(f_and_more, below_x, below_y, float(2 * scale**2), noise)
        for target in range(0, len(y), BLOCK_TARGETS):
            for row in range(0, len(x), BLOCK_ROWS):
                product = single_y[target : target + BLOCK_TARGETS] @ single_x[row : row + BLOCK_ROWS].T

                def part(start: int, stop: int, product: Any = product, row: int = row, target: int = target) -> None:
                    confirm(product[start:stop], x, f, y, screen, p, lists, row, target + start)

                in_threads(part, len(product), 64)


def _in_single_precision(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Both sides centred and divided by a power of two, so that no coordinate exceeds 1; and that power."""
    middle = x.mean(axis=0)
    extent = max(float(np.abs(x - middle).max()), float(np.abs(y - middle).max()))
    scale = 2.0 ** np.ceil(np.log2(extent)) if extent > 0 else 1.0
    return ((x - middle) / scale).astype(np.float32), ((y - middle) / scale).astype(np.float32), float(scale)


def cost_matrix(x: NDArray[np.float64], y: NDArray[np.float64], p: float, metric: str) -> NDArray[np.float64]:
    """All ``metric(x_i, y_j) ** p``, shape (n, m), in SIMD lanes and threads: scipy's ``cdist`` does neither."""
    from otgan.kernels.scan import fill, pack

    matrix = np.empty((len(x), len(y)))
    points, x, code = pack(y, np.zeros(len(y))).points, np.ascontiguousarray(x), METRICS[metric].code
    in_threads(lambda start, stop: fill(points, x, code, float(p), matrix, start, stop), len(x), 64)
    return matrix


def check_device(device: str) -> None:
    """Raise InvalidInput where nothing can be priced on ``device``."""
    if device != "cpu":
        _with_torch("otgan.runtime.device", device).torch_device(device, float64=True)


def _torch_ways(device: str) -> Any:
    """The module :mod:`otgan.pricing.device`."""
    return _with_torch("otgan.pricing.device", device)


def _with_torch(module: str, device: str) -> Any:
    """A module that imports torch."""
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise InvalidInput(
            f"device {device!r} needs torch, which is not installed. Run: pip install 'otgan[torch]', or use "
            "device='cpu'."
        ) from None
