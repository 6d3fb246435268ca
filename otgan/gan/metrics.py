"""How good and how varied generated samples are, from features of them; each number callable alone.

The formulas are those of torch-fidelity, written out for arrays: the package itself imports torchvision, which must be
built for the very torch that is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist

from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["class_score", "classes_covered", "frechet_distance", "mixture_modes", "near", "precision_recall"]

NEIGHBOURS = 3  # Kynkaanniemi et al. 2019
LEAST_SHARE = 0.02  # of the samples, that a class must have to be covered: more than a classifier's mistakes
REACH = 3  # standard deviations around a centre that count as its mode


def frechet_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The squared W2 between the Gaussians with the means and covariances of two samples (Dowson & Landau 1982).

    ``|m - n|^2 + tr S + tr T - 2 tr (S^1/2 T S^1/2)^1/2``; called FID where the features are those of Inception.

    Parameters
    ----------
    x : (n, d) ndarray
    y : (m, d) ndarray
        Features, at least two of each.

    Raises
    ------
    InvalidInput
        If one side has a single row.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(frechet_distance(x, x + [3.0, 4.0, 0.0]), 6)
    25.0
    """
    if min(len(x), len(y)) < 2:
        raise InvalidInput(f"a covariance needs at least 2 samples, but {len(x)} and {len(y)} came. Pass more.")
    # With x = A S_x, roots of both covariances, the last trace is the sum of the singular values of their product.
    roots = [_root(np.atleast_2d(np.cov(side, rowvar=False))) for side in (x, y)]
    shared = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    spread = sum(np.square(root).sum() for root in roots)
    return float(max(np.square(x.mean(axis=0) - y.mean(axis=0)).sum() + spread - 2 * shared, 0.0))


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric square root of a covariance matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def precision_recall(real: NDArray[np.float64], generated: NDArray[np.float64]) -> tuple[float, float]:
    """Shares of generated samples near real ones, and of real samples near generated ones.

    Near is within the distance to the third neighbour of some sample of the other side (Kynkaanniemi et al. 2019).

    Parameters
    ----------
    real : (n, d) ndarray
    generated : (m, d) ndarray
        Features, at least four of each.

    Returns
    -------
    precision, recall : float

    Raises
    ------
    InvalidInput
        For fewer.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> precision_recall(x, x), precision_recall(x, x + 100), precision_recall(x, np.tile(x[:1], (50, 1)))
    ((1.0, 1.0), (0.0, 0.0), (1.0, 0.02))
    """
    generated_near, real_near = near(real, generated)
    return float(generated_near.mean()), float(real_near.mean())


def near(real: NDArray[np.float64], generated: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which generated samples (m,) are near real ones, and which real ones (n,) near generated ones.

    Their means are precision and recall; parameters and errors are those of :func:`precision_recall`.
    """
    if min(len(real), len(generated)) <= NEIGHBOURS:
        raise InvalidInput(
            f"neighbours need at least {NEIGHBOURS + 1} samples, but {len(real)} and {len(generated)} came. Pass more."
        )
    apart = cdist(real, generated)
    reach_real, reach_generated = _reach(real), _reach(generated)
    return np.logical_or.reduce(apart <= reach_real[:, None], axis=0), np.logical_or.reduce(apart <= reach_generated, 1)


def _reach(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distance from each point to its third neighbour."""
    return np.asarray(np.partition(cdist(points, points), NEIGHBOURS, axis=1)[:, NEIGHBOURS], dtype=np.float64)


def class_score(probabilities: NDArray[np.float64]) -> float:
    """``exp E KL(p(class | sample) || p(class))``: high for samples of clear and varied classes (Salimans et al. 2016).

    Parameters
    ----------
    probabilities : (n, k) ndarray
        Of each class, one sample a row.

    Returns
    -------
    float
        From 1 to k; the inception score where the classifier is Inception.

    Examples
    --------
    >>> round(class_score(np.eye(4)), 6), class_score(np.full((4, 4), 0.25))
    (4.0, 1.0)
    """
    from scipy.special import rel_entr

    return float(np.exp(rel_entr(probabilities, probabilities.mean(axis=0)).sum(axis=1).mean()))


def classes_covered(probabilities: NDArray[np.float64]) -> int:
    """How many classes at least one sample in fifty is put into.

    Examples
    --------
    >>> classes_covered(np.eye(10)[[3, 3, 3, 7]])
    2
    """
    chosen = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    return int((chosen >= LEAST_SHARE * len(probabilities)).sum())


def mixture_modes(points: NDArray[np.float64], centers: NDArray[np.float64], sd: float) -> tuple[int, float]:
    """How many modes of a mixture some sample lies in, and the share of samples that lie in any.

    Within three standard deviations of its centre, as Srivastava et al. 2017 count on 8 and 25 Gaussians.

    Parameters
    ----------
    points : (n, d) ndarray
    centers : (k, d) ndarray
    sd : float

    Returns
    -------
    modes : int
    share : float

    Examples
    --------
    >>> mixture_modes(np.array([[0.0, 0.1], [5.0, 0.0], [9.0, 9.0], [0.1, 0.0]]), np.array([[0.0, 0], [5, 0]]), 0.1)
    (2, 0.75)
    """
    apart = cdist(points, centers)
    nearest = apart.argmin(axis=1)
    inside = apart.min(axis=1) <= REACH * sd
    return len(np.unique(nearest[inside])), float(inside.mean())
