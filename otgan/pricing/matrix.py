"""Pricing of a cost matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MatrixPricing"]


@dataclass(frozen=True, eq=False)
class MatrixPricing:
    """Reduced costs ``C_ij - f_i`` of a matrix.

    Attributes
    ----------
    matrix : (n, m) ndarray of float64
    """

    matrix: NDArray[np.float64]

    def below(
        self, f: NDArray[np.float64], limit: NDArray[np.float64], k: int = 1
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """As :meth:`otgan.pricing.Pricing.below`."""
        reduced = self.matrix - f[:, None]
        k = min(k, len(f))
        rows = np.argpartition(reduced, k - 1, axis=0)[:k]
        values = np.take_along_axis(reduced, rows, axis=0)
        col, place = np.nonzero((values < limit).T)
        return rows[place, col], col, values[place, col]
