"""Divergences between Gaussians, from the Cholesky factors of their covariances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.divergences import line
from otgan.divergences.line import Normal
from otgan.divergences.stable import relative_entropy, softplus
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Gaussian",
    "GaussianDiscriminator",
    "gan_value",
    "jensen_shannon",
    "kullback_leibler",
    "total_variation",
]

EQUAL_COVARIANCE = 1e-12  # relative difference along any axis, up to which two covariances count as equal


@dataclass(frozen=True, init=False, eq=False)
class Gaussian:
    """A Gaussian distribution N(mean, covariance) with a density.

    Parameters
    ----------
    mean : float or array_like of shape (d,)
        The center; a number lies on the line.
    covariance : float or array_like of shape (d, d)
        Symmetric and positive definite. A number c stands for c times the identity; on the line it is the
        *variance*.

    Attributes
    ----------
    mean : ndarray of shape (d,)
    covariance : ndarray of shape (d, d)
    factor : ndarray of shape (d, d)
        The lower Cholesky factor L: covariance = L L^T.

    Raises
    ------
    InvalidInput
        If the shapes do not match, or the covariance is not symmetric, or is singular to working precision.

    Examples
    --------
    >>> from otgan.divergences import Gaussian, kullback_leibler
    >>> kullback_leibler(Gaussian(3.0, 1.0), Gaussian(0.0, 1.0))
    4.5
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    factor: NDArray[np.float64]

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        center = np.atleast_1d(inputs.real_array(mean, "mean"))
        if center.ndim != 1:
            raise InvalidInput(f"mean must be a number or have shape (d,), but has shape {center.shape}.")
        spread = _covariance(covariance, len(center))
        if max(np.abs(center).max(), np.abs(spread).max()) > inputs.LARGEST:
            raise InvalidInput(f"mean and covariance must stay below {inputs.LARGEST:g}; rescale the space.")
        for name, array in (("mean", center), ("covariance", spread), ("factor", _cholesky(spread))):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        return f"Gaussian(mean={self.mean.tolist()}, covariance={self.covariance.tolist()})"


def _covariance(covariance: ArrayLike, d: int) -> NDArray[np.float64]:
    array = inputs.real_array(covariance, "covariance")
    if array.ndim == 0:
        array = array * np.eye(d)
    if array.shape != (d, d):
        raise InvalidInput(
            f"covariance must be a number or have shape ({d}, {d}) like the mean, but has shape {array.shape}."
        )
    if np.abs(array - array.T).max() > 1e-9 * np.abs(array).max():
        raise InvalidInput("covariance must be symmetric, but is not. Pass (covariance + covariance.T) / 2.")
    return (array + array.T) / 2


def _cholesky(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    advice = "Drop the directions without variance, or add a little to the diagonal."
    variances = np.diag(covariance)
    if variances.min() <= inputs.SMALLEST:
        raise InvalidInput(f"covariance must be positive definite, but has the variance {variances.min():g}. {advice}")
    try:
        factor = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise InvalidInput(f"covariance must be positive definite, but is not. {advice}") from None
    # A squared pivot is the variance left of one coordinate, given those before it.
    left = float((np.diag(factor) ** 2 / variances).min())
    if left < 16 * len(variances) * np.finfo(float).eps:
        raise InvalidInput(
            f"covariance must be positive definite, but is singular to working precision: {left:.3g} of one "
            f"coordinate's variance is left, given the others. {advice}"
        )
    return factor


def _seen_from(p: Gaussian, q: Gaussian) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How q's standard coordinates v differ from p's coordinates u: ``v = u + widening @ u - shift``.

    With ``x = p.mean + L_p u = q.mean + L_q v``, widening = L_q^-1 (L_p - L_q) and shift = L_q^-1 (q.mean - p.mean).
    Both vanish as q nears p, and no digits are lost on the way.
    """
    from scipy.linalg import solve_triangular

    widening = solve_triangular(q.factor, p.factor - q.factor, lower=True)
    shift = solve_triangular(q.factor, q.mean - p.mean, lower=True)
    return widening, shift


def kullback_leibler(p: Gaussian, q: Gaussian) -> float:
    """The closed form, as a sum of terms that are never negative.

    With A = L_q^-1 L_p = I + widening, the textbook trace(A A^T) - d - log det(A A^T) is the squared norm of the
    widening plus twice the sum of ``a - 1 - log a`` over A's diagonal.
    """
    widening, shift = _seen_from(p, q)
    scale_p, scale_q = np.diag(p.factor), np.diag(q.factor)
    with np.errstate(over="ignore"):  # beyond the largest float, inf is the right rounding
        squares = 0.5 * float((widening**2).sum() + (shift**2).sum())
        return squares + float((relative_entropy(scale_q, scale_p) / scale_q).sum())


@dataclass(frozen=True, eq=False)
class GaussianDiscriminator:
    """The optimal discriminator D* = p / (p + q) between two Gaussians, callable at points.

    Attributes
    ----------
    p, q : Gaussian
        The real and the generated distribution.
    """

    p: Gaussian
    q: Gaussian

    def logit(self, x: ArrayLike) -> NDArray[np.float64]:
        """``log p(x) - log q(x)``: finite where D* itself rounds to 0 or 1.

        Parameters
        ----------
        x : array_like of shape (n, d), or (n,) on the line

        Returns
        -------
        ndarray of shape (n,)
        """
        from scipy.linalg import solve_triangular

        points, d = inputs.points(x, "x"), len(self.p.mean)
        if points.shape[1] != d:
            raise InvalidInput(f"x must have shape (n, {d}), one point a row, but has shape {points.shape}.")
        widening, shift = _seen_from(self.p, self.q)
        u = solve_triangular(self.p.factor, (points - self.p.mean).T, lower=True).T
        move = u @ widening.T - shift
        log_scale = np.log(np.diag(self.p.factor)) - np.log(np.diag(self.q.factor))
        with np.errstate(over="ignore"):
            return 0.5 * (move * (2 * u + move)).sum(axis=1) - log_scale.sum()

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """D*(x), in [0, 1], for ``x`` of shape (n, d), or (n,) on the line."""
        from scipy.special import expit

        return expit(self.logit(x))


def _on_a_line(p: Gaussian, q: Gaussian, name: str, instead: str) -> tuple[Normal, Normal]:
    """Two Gaussians on the line with the same log-ratio; equal covariances leave only the distance of the means."""
    if len(p.mean) == 1:
        return Normal(p.mean.item(), p.covariance.item()), Normal(q.mean.item(), q.covariance.item())
    widening, shift = _seen_from(p, q)
    if np.abs(widening).max() > EQUAL_COVARIANCE:
        raise InvalidInput(
            f"{name} between Gaussians needs d = 1 or equal covariances, but d = {len(p.mean)} and the covariances "
            f"differ. Estimate it from samples: with logit = optimal_discriminator(p, q).logit, {instead}."
        )
    return Normal(0.0, 1.0), Normal(float(np.linalg.norm(shift)), 1.0)


def total_variation(p: Gaussian, q: Gaussian) -> float:
    """In closed form, on the line or for equal covariances."""
    return line.total_variation(
        *_on_a_line(p, q, "total_variation", "it is the mean of maximum(0, 1 - exp(-logit(x))) over x from p")
    )


def jensen_shannon(p: Gaussian, q: Gaussian) -> float:
    """By quadrature, on the line or for equal covariances."""
    instead = (
        "it is log 2 minus half of the means of logaddexp(0, -logit(x)) over x from p and "
        "logaddexp(0, logit(y)) over y from q"
    )
    return line.jensen_shannon(*_on_a_line(p, q, "jensen_shannon", instead))


def gan_value(p: Gaussian, q: Gaussian, discriminator: Any) -> float:
    """By quadrature; at a discriminator of one's own only on the line."""
    if discriminator is None:
        instead = (
            "it is minus the means of logaddexp(0, -logit(x)) over x from p and logaddexp(0, logit(y)) over y from q"
        )
        return line.optimal_gan_value(*_on_a_line(p, q, "gan_value", instead))
    if not callable(discriminator):
        raise InvalidInput(
            f"discriminator must be a function of x of shape (n, 1) here, but a {type(discriminator).__name__} came."
        )
    if len(p.mean) != 1:
        raise InvalidInput(
            f"gan_value at a given discriminator needs Gaussians on the line, but d = {len(p.mean)}. Estimate it "
            "from samples: the mean of log D(x) over x from p plus that of log(1 - D(y)) over y from q."
        )
    real, fake = _on_a_line(p, q, "gan_value", "")
    reach = line.WHOLE if isinstance(discriminator, GaussianDiscriminator) else line.TRUSTED
    value = line.gan_value(real, fake, *_logarithms(discriminator), reach)
    return -math.inf if math.isnan(value) else value  # only -inf inside the quadrature's sums makes NaN


def _logarithms(discriminator: Any) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """``log D`` and ``log(1 - D)`` at a point on the line, through the logits where there are some."""
    if isinstance(discriminator, GaussianDiscriminator):
        logit = discriminator.logit
        return lambda x: -softplus(-logit([x]).item()), lambda x: -softplus(logit([x]).item())

    def acceptance(x: float) -> float:
        d = inputs.real_array(discriminator(np.array([[x]])), "discriminator(x)")
        if d.size != 1:
            raise InvalidInput(f"discriminator(x) must give one value a point, but {d.size} came for one point.")
        return inputs.real(d.item(), "discriminator(x)", low=0.0, high=1.0)

    def log_d(x: float) -> float:
        d = acceptance(x)
        return math.log(d) if d > 0 else -math.inf

    def log_1_minus_d(x: float) -> float:
        d = acceptance(x)
        return math.log1p(-d) if d < 1 else -math.inf

    return log_d, log_1_minus_d
