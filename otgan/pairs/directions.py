"""Principal directions of a cloud of points, with signs that do not depend on the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["main_directions"]


def main_directions(points: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The first ``count`` principal directions of points (k, d), as rows (count, d).

    The largest entry of each is positive: a singular value decomposition leaves signs to rounding, which differs
    between processors, and a seed would give other pairs on each.

    Examples
    --------
    >>> main_directions(np.array([[0.0, 0.0], [-3.0, -4.0], [3.0, 4.0]]), 1).round(3)
    array([[0.6, 0.8]])
    """
    main = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][:count]
    return main * np.sign(np.take_along_axis(main, np.abs(main).argmax(axis=1)[:, None], axis=1))
