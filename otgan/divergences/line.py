"""Divergences between two Gaussians on the line: crossings of their densities, and integrals against them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otgan.divergences.stable import LOG2, log_quotient, sharpness, softplus

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TRUSTED", "WHOLE", "Normal", "gan_value", "jensen_shannon", "optimal_gan_value", "total_variation"]

NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(20)  # of [-1, 1]
# Beyond 38 standard deviations the density leaves float64. Probabilities are not trusted beyond 12, where a mass of
# 4e-33 lies and they may have rounded to 0 or 1. Means farther apart than 80 deviations do not overlap.
WHOLE, TRUSTED, FAR = 38.0, 12.0, 80.0
# Standard deviations from the mean where integrals are cut into pieces.
HALF_GRID = np.array([1.5, 3.0, 6.0, 12.0, 20.0, 28.0, 38.0])
GRID = np.concatenate([-HALF_GRID[::-1], [0.0], HALF_GRID])


class Normal(NamedTuple):
    """A Gaussian on the line."""

    mean: float
    variance: float

    @property
    def sigma(self) -> float:
        """The standard deviation."""
        return math.sqrt(self.variance)


def _widening(p: Normal, q: Normal) -> float:
    """``p.sigma / q.sigma - 1``, from the difference of the variances: roots round that of nearly equal ones away."""
    return (p.variance - q.variance) / (q.sigma * (p.sigma + q.sigma))


def log_ratio(p: Normal, q: Normal) -> Callable[[float], float]:
    """``log p - log q`` as a function of p's own standard coordinate ``u = (x - p.mean) / p.sigma``."""
    widening, shift = _widening(p, q), (q.mean - p.mean) / q.sigma
    log_scale = 0.5 * log_quotient(p.variance, q.variance)

    def at(u: float) -> float:
        move = widening * u - shift  # q's standard coordinate minus p's
        return 0.5 * move * (2 * u + move) - log_scale

    return at


def total_variation(p: Normal, q: Normal) -> float:
    """P(p > q) - Q(p > q), in closed form: the narrower density is the higher one between two crossings."""
    if p.variance > q.variance:
        p, q = q, p
    shift = min(abs(q.mean - p.mean) / q.sigma, FAR)
    if p.variance == q.variance:
        return math.erf(shift / math.sqrt(8))
    # With u and v = ratio u - shift the standard coordinates of p and q, the densities cross where
    # u**2 - v**2 = 2 log_scale: at u = -left and at u = right, both written without cancellation.
    ratio, narrowing = p.sigma / q.sigma, -_widening(p, q)
    log_scale = 0.5 * log_quotient(q.variance, p.variance)
    linear, constant = ratio * shift, shift * shift + 2 * log_scale
    quadratic = narrowing * (1 + ratio)
    reach = linear + math.sqrt(linear * linear + quadratic * constant)
    left, right = reach / quadratic, constant / reach
    # At each crossing the two distribution functions differ by the normal mass between u and v.
    below = _normal_mass(left, 2 * log_scale / ((1 + ratio) * left + shift))
    above = _normal_mass(right, narrowing * right + shift)
    return min(below + above, 1.0)


def _normal_mass(high: float, width: float) -> float:
    """The standard normal mass of [high - width, high], for positive ``high``, to relative accuracy."""
    low, root2 = high - width, math.sqrt(2)
    if width * max(1.0, high) < 1:
        u = high - width / 2 + width / 2 * NODES
        return float(NODE_WEIGHTS @ np.exp(-u * u / 2)) * width / 2 / math.sqrt(2 * math.pi)
    if low > 0:
        return 0.5 * (math.erfc(low / root2) - math.erfc(high / root2))
    return 0.5 * (math.erf(high / root2) - math.erf(low / root2))


def jensen_shannon(p: Normal, q: Normal) -> float:
    """A quarter of E_p + E_q of the log-ratio's :func:`sharpness`; no part is negative."""
    under_p, under_q = log_ratio(p, q), log_ratio(q, p)
    total = _mean(lambda u: sharpness(under_p(u)), p, q) + _mean(lambda u: sharpness(under_q(u)), q, p)
    return min(0.25 * total, LOG2)


def optimal_gan_value(p: Normal, q: Normal) -> float:
    """E_p log D* + E_q log(1 - D*), with D* the sigmoid of the log-ratio."""
    under_p, under_q = log_ratio(p, q), log_ratio(q, p)
    return -_mean(lambda u: softplus(-under_p(u)), p, q) - _mean(lambda u: softplus(-under_q(u)), q, p)


def gan_value(
    p: Normal,
    q: Normal,
    log_d: Callable[[float], float],
    log_1_minus_d: Callable[[float], float],
    reach: float,
) -> float:
    """E_p log D + E_q log(1 - D) for functions of the point on the line."""
    sigma_p, sigma_q = p.sigma, q.sigma
    real = _mean(lambda u: log_d(p.mean + sigma_p * u), p, q, reach)
    fake = _mean(lambda u: log_1_minus_d(q.mean + sigma_q * u), q, p, reach)
    return real + fake


def _mean(value: Callable[[float], float], p: Normal, q: Normal, reach: float = WHOLE) -> float:
    """The mean under p of ``value(u)``, u its standard coordinate, with breaks at the scales of p and of q."""
    from scipy.integrate import quad

    of_q = (q.mean - p.mean) / p.sigma + GRID * (q.sigma / p.sigma)
    breaks = np.unique(np.concatenate([GRID, of_q]))
    integral = quad(
        lambda u: value(u) * math.exp(-0.5 * u * u),
        -reach,
        reach,
        points=breaks[np.abs(breaks) < reach],
        epsabs=0.0,
        epsrel=1e-12,
        limit=500,
        full_output=1,  # rounding that stops it short of epsrel is no news: no warning
    )[0]
    return float(integral) / math.sqrt(2 * math.pi)
