"""Fréchet distance, precision and recall, class score and modes, from features of samples; each callable alone.

The formulas are those of torch-fidelity, written out for arrays: the package itself imports torchvision, which must be
built for the version of torch that is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

__all__ = [
    "class_score",
    "classes_covered",
    "frechet_distance",
    "mixture_modes",
    "near",
    "precision_recall",
    "share_outside",
]

MANY_FEATURES = 128  # of more features than samples, covariances are not made
NEIGHBOURS = 3  # Kynkaanniemi et al. 2019
LEAST_CLASS_SHARE = 0.02  # of the samples, for a class to be covered: more than a classifier's mistakes
MODE_RADIUS_SDS = 3  # standard deviations around a centre that count as its mode
SUM_TOLERANCE = 1e-3  # of a row of probabilities in half precision


def frechet_distance(x: Any, y: Any) -> float:
    """The Fréchet distance: squared W2 between Gaussians fitted to two samples (Dowson & Landau 1982).

    ``|m - n|^2 + tr S + tr T - 2 tr (S^1/2 T S^1/2)^1/2``; called FID where the features are those of Inception.

    Parameters
    ----------
    x : (n, d) array_like
    y : (m, d) array_like
        Features, at least two of each.

    Raises
    ------
    InvalidInput
        If one side has a single row, and for features of different width or that are not finite.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(frechet_distance(x, x + [3.0, 4.0, 0.0]), 6)
    25.0
    """
    x, y = _features(x, "x"), _features(y, "y")
    _same_width(x, y, ("x", "y"))
    if min(len(x), len(y)) < 2:
        raise InvalidInput(f"a covariance needs at least 2 samples, but {len(x)} and {len(y)} came. Pass more.")
    # With x = A S_x, roots of both covariances, the last trace is the sum of the singular values of their product.
    roots = _wide_roots(x, y) if x.shape[1] > max(len(x), len(y), MANY_FEATURES) else _roots(x, y)
    shared = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    spread = sum(np.square(root).sum() for root in roots)
    return float(max(np.square(x.mean(axis=0) - y.mean(axis=0)).sum() + spread - 2 * shared, 0.0))


def _roots(*sides: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The symmetric square roots of both covariance matrices."""
    found = []
    for side in sides:
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(side, rowvar=False)))
        found.append((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
    return found


def _wide_roots(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """R_x and the transpose of R_y, ``R^T R`` the covariance: the centred samples, scaled, as many rows as there are.

    Each R is a rotation of the symmetric root, which no singular value of their product knows of. For 2048 features of
    500 samples this is a hundred times as quick.
    """
    first, second = ((side - side.mean(axis=0)) / np.sqrt(len(side) - 1) for side in (x, y))
    return [first, second.T]


def precision_recall(real: Any, generated: Any) -> tuple[float, float]:
    """Precision and recall: shares of generated samples near real ones, and of real samples near generated ones.

    Near is within the distance to the third neighbour of some sample of the other side (Kynkaanniemi et al. 2019).

    Parameters
    ----------
    real : (n, d) array_like
    generated : (m, d) array_like
        Features, at least four of each.

    Returns
    -------
    precision, recall : float

    Raises
    ------
    InvalidInput
        For fewer, and for features of different width or that are not finite.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> precision_recall(x, x), precision_recall(x, x + 100), precision_recall(x, np.tile(x[:1], (50, 1)))
    ((1.0, 1.0), (0.0, 0.0), (1.0, 0.02))
    """
    generated_near, real_near = near(real, generated)
    return float(generated_near.mean()), float(real_near.mean())


def near(real: Any, generated: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which generated samples (m,) are near real ones, and which real ones (n,) near generated ones.

    Their means are precision and recall; parameters and errors are those of :func:`precision_recall`.
    """
    real, generated = _features(real, "real"), _features(generated, "generated")
    _same_width(real, generated, ("real", "generated"))
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


def class_score(probabilities: Any) -> float:
    """The class score ``exp E KL(p(class | sample) || p(class))``, high for clear and varied classes.

    Known as the inception score where the classifier is Inception (Salimans et al. 2016).

    Parameters
    ----------
    probabilities : (n, k) array_like
        Of each class, one sample a row.

    Returns
    -------
    float
        From 1 to k.

    Raises
    ------
    InvalidInput
        For anything but probabilities, such as a classifier's logits.

    Examples
    --------
    >>> round(class_score(np.eye(4)), 6), class_score(np.full((4, 4), 0.25))
    (4.0, 1.0)
    """
    from scipy.special import rel_entr

    probabilities = _probabilities(probabilities)
    return float(np.exp(rel_entr(probabilities, probabilities.mean(axis=0)).sum(axis=1).mean()))


def classes_covered(probabilities: Any, classes: Sequence[int] | None = None) -> int:
    """The number of classes that a fiftieth of the samples or more is classified as.

    Parameters
    ----------
    probabilities : (n, k) array_like
        Of each class, one sample a row.
    classes : sequence of int, optional
        Those that count, which the data have; all by default.

    Raises
    ------
    InvalidInput
        As of :func:`class_score`.

    Examples
    --------
    >>> samples = np.eye(10)[[3, 3, 3, 7]]
    >>> classes_covered(samples), classes_covered(samples, [3])
    (2, 1)
    """
    probabilities = _probabilities(probabilities)
    chosen = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    covered = chosen >= LEAST_CLASS_SHARE * len(probabilities)
    return int(covered.sum() if classes is None else covered[list(classes)].sum())


def share_outside(probabilities: Any, classes: Sequence[int]) -> float:
    """The share of samples that are classified as other classes than the data have.

    Parameters
    ----------
    probabilities : (n, k) array_like
        Of each class, one sample a row.
    classes : sequence of int
        Those of the data.

    Raises
    ------
    InvalidInput
        As of :func:`class_score`.

    Examples
    --------
    >>> share_outside(np.eye(10)[[3, 3, 3, 7]], [3])
    0.25
    """
    chosen = _probabilities(probabilities).argmax(axis=1)
    return float((~np.isin(chosen, list(classes))).mean())


def mixture_modes(points: Any, centers: Any, sd: float) -> tuple[int, float]:
    """The number of modes of a mixture that some sample lies in, and the share of samples that lie in any.

    Within three standard deviations of its centre, as Srivastava et al. 2017 count on 8 and 25 Gaussians.

    Parameters
    ----------
    points : (n, d) array_like
    centers : (k, d) array_like
    sd : float
        Above 0.

    Returns
    -------
    modes : int
    share : float

    Raises
    ------
    InvalidInput
        For points and centres of different width or that are not finite, and for another sd.

    Examples
    --------
    >>> mixture_modes(np.array([[0.0, 0.1], [5.0, 0.0], [9.0, 9.0], [0.1, 0.0]]), np.array([[0.0, 0], [5, 0]]), 0.1)
    (2, 0.75)
    """
    points, centers = _features(points, "points"), _features(centers, "centers")
    _same_width(points, centers, ("points", "centers"))
    sd = inputs.real(sd, "sd", low=0.0, high=inputs.LARGEST, open_low=True)
    apart = cdist(points, centers)
    nearest = apart.argmin(axis=1)
    inside = apart.min(axis=1) <= MODE_RADIUS_SDS * sd
    return len(np.unique(nearest[inside])), float(inside.mean())


def _features(given: Any, name: str) -> NDArray[np.float64]:
    """Features whose squares fit into float64, one sample a row."""
    clean = inputs.points(given, name)
    largest = float(np.abs(clean).max())
    if largest > inputs.LARGEST:
        raise InvalidInput(f"{name} goes up to {largest:.3g}, and squares of that leave float64; rescale the features.")
    return clean


def _same_width(one: NDArray[np.float64], other: NDArray[np.float64], names: tuple[str, str]) -> None:
    if one.shape[1] != other.shape[1]:
        raise InvalidInput(
            f"{names[0]} and {names[1]} must have the same number of columns, but have {one.shape[1]} and "
            f"{other.shape[1]}. Pass features of one kind, one sample a row."
        )


def _probabilities(given: Any) -> NDArray[np.float64]:
    """Rows of probabilities, one sample each."""
    clean = inputs.points(given, "probabilities")
    sums = clean.sum(axis=1)
    if clean.min() < 0 or np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise InvalidInput(
            f"probabilities must be non-negative and add to 1 in each row, but go down to {clean.min():.3g} and rows "
            f"add to between {sums.min():.6g} and {sums.max():.6g}. Apply a softmax to logits first."
        )
    return clean
