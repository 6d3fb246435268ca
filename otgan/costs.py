"""Cost matrices, read block by block so that n * m numbers are never needed at once.

Differences are always taken coordinate by coordinate. The shortcut ``|x|^2 + |y|^2 - 2 x.y`` loses every digit for
data far from the origin, and subtracting a common centre first would round small coordinates away; the direct
difference of two floats is off by half an ulp of itself, whatever the offset and the scale.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.metric import METRICS
from otgan.pricing import Index, MatrixPricing, Pricing, cost_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Cost", "MatrixCost", "PointCost"]

INTACT = 2.0**-900  # squares and powers above this lose no digit that counts to underflow
BLOCK = 2**20  # entries: 8 MiB
MANY_DIFFERENCES = 2**22  # of coordinates, from where on threads and SIMD lanes pay for the import of Numba
FEW_PAIRS = 2**20  # up to which NumPy is done before Numba is imported (0.5 s); the values are the same


class Cost(ABC):
    """What solvers and the certificate need to know of a cost."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Numbers of rows n and columns m."""

    @property
    @abstractmethod
    def rounding(self) -> float:
        """Relative error of a computed entry against the real number that it stands for."""

    @property
    @abstractmethod
    def floor(self) -> float:
        """No entry is below this."""

    @property
    @abstractmethod
    def ceiling(self) -> float:
        """No entry is above this in magnitude."""

    @property
    @abstractmethod
    def T(self) -> Cost:
        """The same cost with the two sides exchanged."""

    @property
    @abstractmethod
    def pricing(self) -> Pricing | MatrixPricing:
        """Violated pairs, which a column-generation solver asks for."""

    @abstractmethod
    def block(self, rows: slice, cols: slice) -> NDArray[np.float64]:
        """Entries of a block, shape (len(rows), len(cols))."""

    @abstractmethod
    def entries(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.float64]:
        """Entries along arcs, shape (k,)."""

    def underflow(
        self, rows: NDArray[np.intp], cols: NDArray[np.intp], entries: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """How far below the truth these entries may be because they are too small for float64, (k,)."""
        return np.zeros(len(rows))

    @property
    def lost_to_underflow(self) -> float:
        """How far above the truth any entry may be because it is too small for float64."""
        return 0.0

    def column_minima(self, f: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64] | float]:
        """``min_i C_ij - f_i`` for every column, over all rows, and how far below that the truth may lie."""
        values = np.full(self.shape[1], np.inf)
        for rows, cols in blocks(*self.shape):
            block = self.block(rows, cols) - f[rows, None]
            np.minimum(values[cols], block.min(axis=0), out=values[cols])
        return values, 0.0


def numba_is_loaded() -> bool:
    """Whether compiled code is at hand without its import, which takes half a second."""
    return "otgan.kernels.jit" in sys.modules


def dense(cost: Cost) -> NDArray[np.float64]:
    """All entries of ``cost``, shape (n, m), C-contiguous."""
    return np.ascontiguousarray(cost.block(slice(None), slice(None)))


def blocks(n: int, m: int) -> Iterator[tuple[slice, slice]]:
    """Blocks that cover an (n, m) matrix, column block by column block."""
    height = min(n, max(1, BLOCK // min(m, 1024)))
    width = max(1, BLOCK // height)
    for col in range(0, m, width):
        for row in range(0, n, height):
            yield slice(row, row + height), slice(col, col + width)


@dataclass(frozen=True, eq=False)
class MatrixCost(Cost):
    """A cost given as a matrix.

    Attributes
    ----------
    matrix : (n, m) ndarray of float64
        The costs; any sign.
    """

    matrix: NDArray[np.float64]

    @property
    def rounding(self) -> float:  # noqa: D102
        return 0.0

    @property
    def shape(self) -> tuple[int, int]:  # noqa: D102
        return self.matrix.shape[0], self.matrix.shape[1]

    @cached_property
    def extent(self) -> tuple[float, float]:
        """The least entry and the greatest."""
        return float(self.matrix.min()), float(self.matrix.max())

    @property
    def floor(self) -> float:  # noqa: D102
        return self.extent[0]

    @property
    def ceiling(self) -> float:  # noqa: D102
        return max(-self.extent[0], self.extent[1])

    @property
    def T(self) -> MatrixCost:  # noqa: D102
        return MatrixCost.within(self.matrix.T, self.extent)

    @classmethod
    def of(cls, C: Any, name: str = "C") -> MatrixCost:
        """The cost of a matrix that is yet to be checked."""
        matrix, least, greatest = inputs.cost_matrix(C, name)
        return cls.within(matrix, (least, greatest))

    @classmethod
    def within(cls, matrix: NDArray[np.float64], extent: tuple[float, float]) -> MatrixCost:
        """The cost of a matrix whose least and greatest entry are known."""
        cost = cls(matrix)
        vars(cost)["extent"] = extent
        return cost

    @property
    def pricing(self) -> MatrixPricing:
        """Violated pairs, as for points."""
        return MatrixPricing(self.matrix)

    def block(self, rows: slice, cols: slice) -> NDArray[np.float64]:  # noqa: D102
        return self.matrix[rows, cols]

    def entries(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.float64]:  # noqa: D102
        return self.matrix[rows, cols]


@dataclass(frozen=True, eq=False)
class PointCost(Cost):
    """``metric(x_i, y_j) ** p`` between points.

    Attributes
    ----------
    x : (n, d) ndarray of float64
    y : (m, d) ndarray of float64
    p : float
        At least 1.
    metric : {"euclidean", "cityblock", "chebyshev"}
    device : str
        Where all pairs are priced, see :class:`otgan.pricing.Pricing`. Blocks and entries are the CPU's.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    p: float = 1.0
    metric: str = "euclidean"
    device: str = "cpu"

    def __post_init__(self) -> None:
        vars(self)["reach"] = inputs.same_dimension(self.x, self.y, self.p, self.metric)

    @cached_property
    def reach(self) -> float:
        """No distance is larger than this."""
        return inputs.reach(self.x, self.y, self.metric)

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return self.x.shape[1]

    @property
    def shape(self) -> tuple[int, int]:  # noqa: D102
        return len(self.x), len(self.y)

    @property
    def floor(self) -> float:  # noqa: D102
        return 0.0

    @property
    def ceiling(self) -> float:  # noqa: D102
        return self.reach**self.p * (1 + 2 * self.rounding)

    @property
    def rounding(self) -> float:  # noqa: D102
        return METRICS[self.metric].rounding(self.dimension, self.p)

    @property
    def T(self) -> PointCost:  # noqa: D102
        return self._turned

    def between(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> PointCost:
        """The same cost between other points, (n, d) and (m, d), that lie among those of this one."""
        other = object.__new__(PointCost)  # what was checked once need not be checked again
        vars(other).update(x=x, y=y, p=self.p, metric=self.metric, device=self.device)
        return other

    @cached_property
    def _turned(self) -> PointCost:
        """The sides exchanged. The two costs know each other, so that each side's tree is built once."""
        turned = self.between(self.y, self.x)
        vars(turned)["_turned"] = self
        return turned

    @cached_property
    def _index(self) -> Index:
        """The points x with their tree."""
        return Index(np.ascontiguousarray(self.x))

    @property
    def pricing(self) -> Pricing:
        """Least reduced costs with their rows, and the violated pairs: what a column-generation solver asks for."""
        return self._pricing

    @cached_property
    def _pricing(self) -> Pricing:
        return Pricing(self._index, self.T._index, self.p, self.metric, device=self.device)

    def block(self, rows: slice, cols: slice) -> NDArray[np.float64]:  # noqa: D102
        x, y = self.x[rows], self.y[cols]
        quick = numba_is_loaded() and self.p in (1, 2)  # other powers may differ in their last bit from NumPy's
        if quick or len(x) * len(y) * self.dimension > MANY_DIFFERENCES:
            return cost_matrix(x, y, self.p, self.metric)
        block = METRICS[self.metric].between(x, y, self.p)
        return cost_matrix(x, y, self.p, self.metric) if block is None else block

    def entries(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.float64]:  # noqa: D102
        return METRICS[self.metric].costs(self.x[rows] - self.y[cols], self.p)

    def underflow(  # noqa: D102
        self, rows: NDArray[np.intp], cols: NDArray[np.intp], entries: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        bound = np.zeros(len(rows))
        if self.lost_to_underflow:
            power = self.p / max(2.0, METRICS[self.metric].root)
            small = np.flatnonzero(entries < max(INTACT, INTACT**power))
            apart = (self.x[rows[small]] != self.y[cols[small]]).any(axis=1)
            bound[small[apart]] = self.lost_to_underflow
        return bound

    @property
    def lost_to_underflow(self) -> float:  # noqa: D102
        return METRICS[self.metric].lost_to_underflow(self.dimension, self.p)

    def column_minima(  # noqa: D102
        self, f: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | float]:
        if self.dimension == 1:
            return self._column_minima_on_the_line(f)
        n, m = self.shape
        if n * m <= FEW_PAIRS and not numba_is_loaded():
            return super().column_minima(f)
        return self.pricing.minima(f)[0], 0.0

    def _column_minima_on_the_line(self, f: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same in O((n + m) log m), through the order of the points and the convexity of the cost."""
        from otgan.kernels.monge import column_minima

        order = np.flatnonzero(f > -np.inf)
        order = order[np.argsort(self.x[order, 0])]
        x = self.x[order, 0]
        first = np.flatnonzero(np.append(len(x) > 0, x[1:] != x[:-1]))  # of rows in one place only the largest f counts
        y, place = np.unique(self.y[:, 0], return_inverse=True)
        values, errors = column_minima(x[first], np.maximum.reduceat(f[order], first), y, self.p)
        return values[place], errors[place]
