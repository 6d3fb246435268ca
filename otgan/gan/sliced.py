"""Lower bounds on W1 from projections onto lines, where the distance is exact and costs a sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otgan.line import wasserstein_1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["directions", "sliced_distances"]

DIRECTIONS = 64


def directions(dimension: int, rng: np.random.Generator, n: int = DIRECTIONS) -> NDArray[np.float64]:
    """Directions drawn uniformly, (n, dimension), each of length 1.

    Examples
    --------
    >>> np.linalg.norm(directions(3, np.random.default_rng(0), 2), axis=1).round(12).tolist()
    [1.0, 1.0]
    """
    drawn = rng.normal(size=(n, dimension))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def sliced_distances(x: NDArray[np.float64], y: NDArray[np.float64], along: NDArray[np.float64]) -> tuple[float, float]:
    """The mean and the largest W1 between two samples projected onto lines.

    Both are lower bounds on W1: a projection takes no two points further from each other, so it takes no plan further
    either. The mean is the sliced distance (Rabin et al. 2012). The largest is over the same lines and the one through
    both means, and so at least the distance between these.

    Parameters
    ----------
    x : (n, d) ndarray
    y : (m, d) ndarray
    along : (k, d) ndarray
        Directions of length 1.

    Returns
    -------
    mean, largest : float

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> mean, largest = sliced_distances(x, x + [3.0, 4.0], directions(2, np.random.default_rng(1)))
    >>> mean < largest, round(largest, 9)
    (True, 5.0)
    """
    center = x.mean(axis=0)  # subtracted from both: W1 stays what it is, and products of large numbers do not cancel
    x, y = x - center, y - center
    between = y.mean(axis=0)
    length = float(np.linalg.norm(between))
    lines = np.vstack([along, between / length]) if length > 0 else along
    found = np.atleast_1d(wasserstein_1d(lines @ x.T, lines @ y.T))
    return float(found[: len(along)].mean()), float(found.max())
