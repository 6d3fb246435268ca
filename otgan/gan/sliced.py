"""Lower bounds on W1 from projections onto lines, at the cost of a sort each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otgan.sliced import sliced_wasserstein

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["sliced_distances"]


def sliced_distances(
    x: NDArray[np.float64], y: NDArray[np.float64], directions: NDArray[np.float64]
) -> tuple[float, float]:
    """The mean and the largest W1 between two samples projected onto lines.

    Both are lower bounds on W1 (:func:`otgan.sliced_wasserstein`). The largest is over the same lines and the one
    through both means, and so at least the distance between these.

    Parameters
    ----------
    x : (n, d) ndarray
    y : (m, d) ndarray
    directions : (k, d) ndarray
        Of length 1.

    Returns
    -------
    mean, largest : float

    Examples
    --------
    >>> from otgan.sliced import random_directions
    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> mean, largest = sliced_distances(x, x + [3.0, 4.0], random_directions(2, 64, rng=1))
    >>> mean < largest, round(largest, 9)
    (True, 5.0)
    """
    between = y.mean(axis=0) - x.mean(axis=0)
    reach = np.abs(between).max()  # divided by, so that no square is zero
    lines = np.vstack([directions, between / reach]) if reach > 0 else directions
    along = sliced_wasserstein(x, y, directions=lines).along
    return float(along[: len(directions)].mean()), float(along.max())
