"""Divergences of the first GANs: total variation, Kullback-Leibler, Jensen-Shannon, and the value of the GAN's game.

Every function takes two distributions in one of three forms. Logarithms are natural (nats):

- masses over the same atoms: ``total_variation(p, q)`` with ``p`` and ``q`` of shape (k,);
- masses over atoms of their own: ``total_variation(p, q, x=x, y=y)``, where points with equal coordinates are one atom
  (``None`` for ``p`` or ``q`` stands for equal masses);
- two :class:`Gaussian`.

Masses are normalised to probabilities. NaN, negative or empty masses, wrong shapes and unequal totals raise
:class:`~otgan.errors.InvalidInput`.

Unlike the Wasserstein distances, none of these depends on how far apart two distributions are once they no longer
overlap.

Examples
--------
Parallel lines (Arjovsky, Chintala and Bottou 2017, Example 1): P on the line x = 0, Q on the line x = theta.

>>> import numpy as np
>>> from otgan import divergences
>>> height = np.linspace(0, 1, 50)
>>> P = np.column_stack([np.zeros(50), height])
>>> for theta in (0.0, 0.1, 1.0):
...     Q = P + [theta, 0]
...     tv = divergences.total_variation(None, None, x=P, y=Q)
...     kl = divergences.kullback_leibler(None, None, x=P, y=Q)
...     js = divergences.jensen_shannon(None, None, x=P, y=Q)
...     print(f"theta = {theta}: TV = {tv:.4f}, KL = {kl:.4f}, JS = {js:.4f}")
theta = 0.0: TV = 0.0000, KL = 0.0000, JS = 0.0000
theta = 0.1: TV = 1.0000, KL = inf, JS = 0.6931
theta = 1.0: TV = 1.0000, KL = inf, JS = 0.6931
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from otgan.divergences import discrete, gaussian
from otgan.divergences.discrete import CommonSupport, common_support
from otgan.divergences.gaussian import Gaussian, GaussianDiscriminator
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import ArrayLike, NDArray

    Distribution: TypeAlias = ArrayLike | Gaussian | None

__all__ = [
    "CommonSupport",
    "Gaussian",
    "GaussianDiscriminator",
    "common_support",
    "gan_value",
    "jensen_shannon",
    "kullback_leibler",
    "optimal_discriminator",
    "total_variation",
]


def total_variation(
    p: Distribution, q: Distribution, *, x: ArrayLike | None = None, y: ArrayLike | None = None
) -> float:
    """Total variation distance: the largest difference of the two probabilities of one event.

    Parameters
    ----------
    p, q : array_like of shape (k,), or Gaussian
        Masses over the same atoms; with ``x`` and ``y``, masses of shape (n,) and (m,) over those points. Gaussians
        must live on the line or have equal covariances (within 1e-12).
    x, y : array_like of shape (n, d) and (m, d), optional
        The two supports, if they differ.

    Returns
    -------
    float
        A number in [0, 1], without a unit.

    Raises
    ------
    InvalidInput
        If the input makes no sense, or Gaussians in more dimensions have different covariances.

    Notes
    -----
    Half the sum of ``abs(p - q)``. For Gaussians the integral is taken in closed form between the points where the
    densities cross; with equal covariances it is 2 Phi(m / 2) - 1, m the Mahalanobis distance of the means.

    Examples
    --------
    >>> from otgan.divergences import Gaussian, total_variation
    >>> total_variation([0.5, 0.5, 0.0], [0.25, 0.25, 0.5])
    0.5
    >>> round(total_variation(Gaussian(0.0, 1.0), Gaussian(2.0, 1.0)), 6)
    0.682689
    """
    if isinstance(p, Gaussian) or isinstance(q, Gaussian):
        return gaussian.total_variation(*_both_gaussian(p, q, x, y))
    return discrete.total_variation(*discrete.probabilities(p, q, x, y))


def kullback_leibler(
    p: Distribution, q: Distribution, *, x: ArrayLike | None = None, y: ArrayLike | None = None
) -> float:
    """Kullback-Leibler divergence KL(p || q), the relative entropy of p with respect to q.

    Parameters
    ----------
    p, q : array_like of shape (k,), or Gaussian
        Masses over the same atoms; with ``x`` and ``y``, masses of shape (n,) and (m,) over those points. Gaussians
        may have any dimension and covariances.
    x, y : array_like of shape (n, d) and (m, d), optional
        The two supports, if they differ.

    Returns
    -------
    float
        In nats; never negative, and inf where q has no mass but p has.

    Raises
    ------
    InvalidInput
        If the input makes no sense.

    Notes
    -----
    The sum of ``p log(p / q) - p + q``, whose terms are never negative, so that nothing cancels when p and q nearly
    agree (Kullback and Leibler 1951). For Gaussians the closed form, from Cholesky factors, again as a sum of such
    terms.

    Examples
    --------
    >>> from otgan.divergences import Gaussian, kullback_leibler
    >>> kullback_leibler([0.5, 0.5], [1.0, 0.0]), round(kullback_leibler([1.0, 0.0], [0.5, 0.5]), 6)
    (inf, 0.693147)
    >>> kullback_leibler(Gaussian([30.0, 40.0], 1.0), Gaussian([0.0, 0.0], 1.0))
    1250.0
    """
    if isinstance(p, Gaussian) or isinstance(q, Gaussian):
        return gaussian.kullback_leibler(*_both_gaussian(p, q, x, y))
    return discrete.kullback_leibler(*discrete.probabilities(p, q, x, y))


def jensen_shannon(
    p: Distribution, q: Distribution, *, x: ArrayLike | None = None, y: ArrayLike | None = None
) -> float:
    """Jensen-Shannon divergence: the mean of KL(p || m) and KL(q || m), m = (p + q) / 2.

    Parameters
    ----------
    p, q : array_like of shape (k,), or Gaussian
        Masses over the same atoms; with ``x`` and ``y``, masses of shape (n,) and (m,) over those points. Gaussians
        must live on the line or have equal covariances (within 1e-12).
    x, y : array_like of shape (n, d) and (m, d), optional
        The two supports, if they differ.

    Returns
    -------
    float
        In nats, in [0, log 2]; log 2 when p and q do not overlap. It is the divergence, not its square root.

    Raises
    ------
    InvalidInput
        If the input makes no sense, or Gaussians in more dimensions have different covariances.

    Notes
    -----
    Between Gaussians there is no closed form: adaptive quadrature of a function of the log-ratio that is never
    negative, to a relative error below 1e-10. The divergence is that of Lin 1991.

    Examples
    --------
    >>> from otgan.divergences import Gaussian, jensen_shannon
    >>> round(jensen_shannon([1.0, 0.0], [0.0, 1.0]), 6)
    0.693147
    >>> for mu in (0, 1, 5, 30, 35):
    ...     print(mu, round(jensen_shannon(Gaussian(mu, 1.0), Gaussian(0, 1.0)), 6))
    0 0.0
    1 0.111421
    5 0.675943
    30 0.693147
    35 0.693147
    """
    if isinstance(p, Gaussian) or isinstance(q, Gaussian):
        return gaussian.jensen_shannon(*_both_gaussian(p, q, x, y))
    return discrete.jensen_shannon(*discrete.probabilities(p, q, x, y))


@overload
def optimal_discriminator(p: Gaussian, q: Gaussian) -> GaussianDiscriminator: ...
@overload
def optimal_discriminator(
    p: ArrayLike | None, q: ArrayLike | None, *, x: ArrayLike | None = None, y: ArrayLike | None = None
) -> NDArray: ...
def optimal_discriminator(
    p: Distribution, q: Distribution, *, x: ArrayLike | None = None, y: ArrayLike | None = None
) -> NDArray | GaussianDiscriminator:
    """The discriminator D* = p / (p + q) that no other one beats in the GAN's game.

    Parameters
    ----------
    p : array_like of shape (k,), or Gaussian
        The real distribution.
    q : array_like of shape (k,), or Gaussian
        The generated distribution.
    x, y : array_like of shape (n, d) and (m, d), optional
        The two supports, if they differ.

    Returns
    -------
    ndarray of shape (k,), or GaussianDiscriminator
        D* at each atom, one half where neither distribution has mass; with ``x`` and ``y``, at each of the ``atoms``
        of :func:`common_support`. For Gaussians of any dimension a function of points (n, d), whose method ``logit``
        stays finite where D* rounds to 0 or 1.

    Raises
    ------
    InvalidInput
        If the input makes no sense.

    Notes
    -----
    Goodfellow et al. 2014, "Generative adversarial nets", Proposition 1.

    Examples
    --------
    >>> from otgan.divergences import Gaussian, optimal_discriminator
    >>> optimal_discriminator([0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0])
    array([1. , 0.5, 0. , 0.5])
    >>> D = optimal_discriminator(Gaussian(0.0, 1.0), Gaussian(30.0, 1.0))
    >>> D([0.0, 15.0, 30.0])
    array([1.00000000e+000, 5.00000000e-001, 3.69388307e-196])
    >>> D.logit([0.0, 15.0, 30.0])
    array([ 450.,    0., -450.])
    """
    if isinstance(p, Gaussian) or isinstance(q, Gaussian):
        return GaussianDiscriminator(*_both_gaussian(p, q, x, y))
    return discrete.optimal_discriminator(*discrete.probabilities(p, q, x, y))


def gan_value(
    p: Distribution,
    q: Distribution,
    discriminator: ArrayLike | Callable[..., ArrayLike] | None = None,
    *,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
) -> float:
    """The value of the GAN's game: the mean of log D under p plus that of log(1 - D) under q.

    Parameters
    ----------
    p : array_like of shape (k,), or Gaussian
        The real distribution.
    q : array_like of shape (k,), or Gaussian
        The generated distribution.
    discriminator : array_like of shape (k,), or callable, optional
        D at each atom, in [0, 1]; with ``x`` and ``y``, at each of the ``atoms`` of :func:`common_support`. For
        Gaussians on the line a function of one point, shape (1, 1), to one value. By default D*, the best one, which
        then never rounds to 0 or 1.
    x, y : array_like of shape (n, d) and (m, d), optional
        The two supports, if they differ.

    Returns
    -------
    float
        In nats, at most ``2 * jensen_shannon(p, q) - 2 * log(2)``, which D* attains; -inf where D is 0 on mass of p,
        or 1 on mass of q.

    Raises
    ------
    InvalidInput
        If the input makes no sense; for Gaussians in more dimensions, if a discriminator is given or the covariances
        differ.

    Notes
    -----
    Goodfellow et al. 2014, "Generative adversarial nets", Equation 1 and Theorem 1. Between Gaussians by adaptive
    quadrature: at D* the relative error is below 1e-10; at a discriminator of your own it is as good as that one is
    smooth.

    Examples
    --------
    >>> import math
    >>> from otgan.divergences import gan_value, jensen_shannon
    >>> p, q = [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]
    >>> round(gan_value(p, q), 6), round(2 * jensen_shannon(p, q) - 2 * math.log(2), 6)
    (-0.693147, -0.693147)
    >>> round(gan_value(p, q, [0.9, 0.5, 0.1]), 6)
    -0.798508
    """
    if isinstance(p, Gaussian) or isinstance(q, Gaussian):
        return gaussian.gan_value(*_both_gaussian(p, q, x, y), discriminator)
    return discrete.gan_value(*discrete.probabilities(p, q, x, y), discriminator)


def _both_gaussian(p: object, q: object, x: object, y: object) -> tuple[Gaussian, Gaussian]:
    """Both distributions, once it is clear that they are Gaussians of one dimension."""
    if not isinstance(p, Gaussian) or not isinstance(q, Gaussian):
        other = q if isinstance(p, Gaussian) else p
        raise InvalidInput(
            f"p and q must both be Gaussian or both be masses, but a Gaussian and a {type(other).__name__} came. "
            "Discretise the Gaussian, or fit one to the masses."
        )
    if x is not None or y is not None:
        raise InvalidInput("x and y must be left out with Gaussians: they are the supports of masses.")
    if len(p.mean) != len(q.mean):
        raise InvalidInput(
            f"p and q must have the same dimension, but p has d = {len(p.mean)} and q has d = {len(q.mean)}. "
            "Pass Gaussians of one space."
        )
    return p, q
