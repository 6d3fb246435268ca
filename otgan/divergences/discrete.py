"""Divergences between distributions on finitely many atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otgan import frames, inputs
from otgan.divergences.stable import LOG2, relative_entropy
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "CommonSupport",
    "common_support",
    "gan_value",
    "jensen_shannon",
    "kullback_leibler",
    "optimal_discriminator",
    "probabilities",
    "total_variation",
]


class CommonSupport(NamedTuple):
    """Two distributions written over the same atoms.

    Attributes
    ----------
    atoms : ndarray of shape (k, d)
        The distinct points of both supports, in lexicographic order.
    p, q : ndarray of shape (k,)
        The probability of each atom; zero where a distribution does not reach.
    """

    atoms: NDArray[np.float64]
    p: NDArray[np.float64]
    q: NDArray[np.float64]


def common_support(x: ArrayLike, y: ArrayLike, p: ArrayLike | None = None, q: ArrayLike | None = None) -> CommonSupport:
    """Write two weighted point sets as distributions over their union.

    Points are the same atom exactly if all their coordinates are equal.

    Parameters
    ----------
    x : array_like of shape (n, d) or (n,)
        The support of the first distribution; repeated points add up.
    y : array_like of shape (m, d) or (m,)
        The support of the second.
    p : array_like of shape (n,), optional
        Masses of ``x``; 1/n each by default.
    q : array_like of shape (m,), optional
        Masses of ``y``, of the same total; 1/m each by default.

    Returns
    -------
    CommonSupport
        ``atoms``, ``p`` and ``q``, in the order that the other functions use when given ``x=`` and ``y=``.

    Raises
    ------
    InvalidInput
        If the points or masses make no sense, or the totals differ.

    Examples
    --------
    >>> from otgan.divergences import common_support
    >>> atoms, p, q = common_support([0, 0, 1], [1, 2])
    >>> atoms.ravel(), p, q
    (array([0., 1., 2.]), array([0.66666667, 0.33333333, 0.        ]), array([0. , 0.5, 0.5]))
    """
    x_clean, y_clean = inputs.points(x, "x"), inputs.points(frames.aligned(x, y), "y")
    inputs.same_dimension(x_clean, y_clean)
    n = len(x_clean)
    p_clean, q_clean = _normalised(
        inputs.weights(p, n, "p", "the points x"),
        inputs.weights(q, len(y_clean), "q", "the points y"),
        inputs.mass_tolerance(p, q),
    )
    rows = np.concatenate([x_clean, y_clean]) + 0.0  # -0.0 and 0.0 are one coordinate
    atoms, index = np.unique(rows, axis=0, return_inverse=True)
    index = index.ravel()
    p_total, q_total = np.zeros(len(atoms)), np.zeros(len(atoms))
    np.add.at(p_total, index[:n], p_clean)
    np.add.at(q_total, index[n:], q_clean)
    return CommonSupport(atoms, p_total, q_total)


def probabilities(
    p: ArrayLike | None, q: ArrayLike | None, x: ArrayLike | None, y: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both distributions as probabilities over the same atoms."""
    if x is not None and y is not None:
        return common_support(x, y, p, q)[1:]
    if x is not None or y is not None:
        missing = "y" if y is None else "x"
        raise InvalidInput(
            f"{missing} must be given with the other support, but is None. Pass both x= and y=, or neither when "
            "p and q are over the same atoms."
        )
    p_clean, q_clean = inputs.real_array(p, "p"), inputs.real_array(q, "q")
    return _normalised(
        inputs.weights(p_clean, p_clean.size, "p", "the atoms"),
        inputs.weights(q_clean, p_clean.size, "q", "the atoms of p (for other atoms pass x= and y=)"),
        inputs.mass_tolerance(p, q),
    )


def _normalised(
    p: NDArray[np.float64], q: NDArray[np.float64], rtol: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    inputs.equal_mass(p, q, rtol, names=("p", "q"))
    return p / p.sum(), q / q.sum()


def total_variation(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Half the sum of ``abs(p - q)``."""
    return min(0.5 * float(np.abs(p - q).sum()), 1.0)


def kullback_leibler(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """The sum of ``p log(p / q) - p + q``, whose terms are never negative."""
    return float(relative_entropy(p, q).sum())


def jensen_shannon(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """The mean of KL(p || m) and KL(q || m), m = (p + q) / 2; doubled inside, so that m cannot underflow."""
    doubled = relative_entropy(2 * p, p + q) + relative_entropy(2 * q, p + q)
    return min(0.25 * float(doubled.sum()), LOG2)


def optimal_discriminator(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """``p / (p + q)``, and one half where both are zero."""
    total = p + q
    return np.divide(p, total, out=np.full_like(p, 0.5), where=total > 0)


def gan_value(p: NDArray[np.float64], q: NDArray[np.float64], discriminator: Any) -> float:
    """``sum p log D + sum q log(1 - D)``, at ``p / (p + q)`` by default."""
    real, fake = p > 0, q > 0
    p, q, total = p[real], q[fake], p + q
    with np.errstate(divide="ignore"):  # log 0 = -inf is the right value of a discriminator that is surely wrong
        if discriminator is None:  # in logarithms: D rounds to 1 where q is far below p
            log_d, log_1_minus_d = np.log(p) - np.log(total[real]), np.log(q) - np.log(total[fake])
        else:
            d = _acceptance(discriminator, len(total))
            log_d, log_1_minus_d = np.log(d[real]), np.log1p(-d[fake])
    return float((p * log_d).sum() + (q * log_1_minus_d).sum())


def _acceptance(discriminator: Any, size: int) -> NDArray[np.float64]:
    """The discriminator's probability of "real" at each atom."""
    d = inputs.real_array(discriminator, "discriminator")
    if d.shape != (size,):
        raise InvalidInput(
            f"discriminator must have one value for each atom, shape ({size},), but has shape {d.shape}. "
            "With x= and y=, the atoms are those of common_support(x, y)."
        )
    if d.min() < 0 or d.max() > 1:
        raise InvalidInput(
            f"discriminator must lie in [0, 1], but its values span [{d.min():.6g}, {d.max():.6g}]. "
            "Pass probabilities: the sigmoid of the logits."
        )
    return d
