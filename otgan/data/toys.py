"""Toy distributions in the plane, to sample from.

The two Gaussian mixtures and the Swiss roll are those of Gulrajani et al., "Improved Training of Wasserstein
GANs" (2017), figure 1; the lines are Example 1 of Arjovsky, Chintala and Bottou, "Wasserstein GAN" (2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otgan import inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["gaussians8", "gaussians25", "modes", "swiss_roll", "two_lines"]


def _mixture(
    n: int, rng: np.random.Generator, centers: NDArray[np.float64], sd: float, scale: float
) -> NDArray[np.float64]:
    """Points of the equal mixture of round Gaussians at ``centers``, divided by ``scale``."""
    n = inputs.count(n, "n")
    chosen = centers[rng.integers(len(centers), size=n)]
    return (chosen + sd * rng.standard_normal((n, 2))) / scale


def _circle() -> NDArray[np.float64]:
    angle = np.arange(8) * (np.pi / 4)
    return 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _grid() -> NDArray[np.float64]:
    ticks = np.arange(-4.0, 5.0, 2.0)
    return np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)


def modes(name: str) -> tuple[NDArray[np.float64], float] | None:
    """The centres and the standard deviation of a mixture, as it is drawn.

    Parameters
    ----------
    name : str
        Of a built-in set.

    Returns
    -------
    centers, sd : (k, 2) ndarray, float
        Or None for a set that is no mixture of Gaussians.

    Examples
    --------
    >>> centers, sd = modes("gaussians25")
    >>> len(centers), round(sd, 4)
    (25, 0.0177)
    """
    if name == "gaussians8":
        return _circle() / 1.414, 0.02 / 1.414
    if name == "gaussians25":
        return _grid() / 2.828, 0.05 / 2.828
    return None


def gaussians8(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw from 8 Gaussians on a circle: radius 2, standard deviation 0.02, all divided by 1.414.

    Parameters
    ----------
    n : int
        How many points, at least 1.
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Independent points.

    Raises
    ------
    InvalidInput
        If n is not a whole number of at least 1.

    Examples
    --------
    >>> x = gaussians8(1000, np.random.default_rng(0))
    >>> x.shape, bool(abs(np.linalg.norm(x, axis=1) - 2 / 1.414).max() < 0.1)
    ((1000, 2), True)
    """
    return _mixture(n, rng, _circle(), sd=0.02, scale=1.414)


def gaussians25(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw from 25 Gaussians on the grid {-4, -2, 0, 2, 4}²: standard deviation 0.05, all divided by 2.828.

    Parameters
    ----------
    n : int
        How many points, at least 1.
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Independent points.

    Raises
    ------
    InvalidInput
        If n is not a whole number of at least 1.

    Examples
    --------
    >>> x = gaussians25(1000, np.random.default_rng(0))
    >>> len(np.unique(np.round(x * 2.828 / 2), axis=0))
    25
    """
    return _mixture(n, rng, _grid(), sd=0.05, scale=2.828)


def swiss_roll(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw from the Swiss roll seen from its end: noise 0.25, all divided by 7.5.

    The law is that of coordinates 0 and 2 of ``sklearn.datasets.make_swiss_roll(noise=0.25)``: the spiral
    (t cos t, t sin t) with t uniform on [1.5π, 4.5π], plus Gaussian noise.

    Parameters
    ----------
    n : int
        How many points, at least 1.
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Independent points.

    Raises
    ------
    InvalidInput
        If n is not a whole number of at least 1.

    Examples
    --------
    >>> x = swiss_roll(1000, np.random.default_rng(0))
    >>> x.shape, bool(np.abs(x).max() < 2.1)
    ((1000, 2), True)
    """
    # Written out, not imported: scikit-learn takes no Generator, and this sampler is called at every step of training.
    n = inputs.count(n, "n")
    t = rng.uniform(1.5 * np.pi, 4.5 * np.pi, size=n)
    spiral = np.stack([t * np.cos(t), t * np.sin(t)], axis=1)
    return (spiral + 0.25 * rng.standard_normal((n, 2))) / 7.5


def two_lines(n: int, rng: np.random.Generator, theta: float = 0.0) -> NDArray[np.float64]:
    """Draw from the vertical segment {theta} x [0, 1], uniformly.

    The distance W_p between the segments at theta and at 0 is abs(theta) for every p, while the Jensen-Shannon
    divergence is log 2 for every theta but 0.

    Parameters
    ----------
    n : int
        How many points, at least 1.
    rng : numpy.random.Generator
        Where the randomness comes from.
    theta : float, default 0
        Where the segment stands.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Independent points (theta, u) with u uniform on [0, 1).

    Raises
    ------
    InvalidInput
        If n is not a whole number of at least 1, or theta is not finite.

    Examples
    --------
    >>> x = two_lines(3, np.random.default_rng(0), theta=-0.5)
    >>> x[:, 0].tolist()
    [-0.5, -0.5, -0.5]
    """
    n = inputs.count(n, "n")
    theta = inputs.real(theta, "theta", low=-inputs.LARGEST, high=inputs.LARGEST)
    return np.stack([np.full(n, theta), rng.random(n)], axis=1)
