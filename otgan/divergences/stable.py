"""Numerically stable formulas, elementwise, where the textbook ones cancel or overflow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.polynomial import polyval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LOG2", "log_quotient", "relative_entropy", "sharpness", "softplus"]

LOG2 = math.log(2.0)
# (artanh w - w) / w**3 = 1/3 + w**2/5 + w**4/7 + ...; ten terms reach rounding for abs(w) < 1/7.
ARTANH_TAIL = 1.0 / np.arange(3.0, 23.0, 2.0)
NEAR = 0.25  # relative change, up to which logarithms are not subtracted


def relative_entropy(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """``p log(p / q) - p + q`` for each entry: never negative, and summing to KL(p || q) for probabilities.

    The limits are exact: ``q`` where ``p = 0``, and inf where ``q = 0 < p``.
    """
    terms = np.where(p == 0, q, np.inf)
    both = (p > 0) & (q > 0)
    p, q = p[both], q[both]
    change = q - p
    direct = p * (np.log(p) - np.log(q)) + change
    near = np.abs(change) < NEAR * p
    direct[near] = p[near] * _x_minus_log1p(change[near] / p[near])
    terms[both] = direct
    return terms


def _x_minus_log1p(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """``x - log(1 + x)`` for small ``x``, without the cancellation, by ``log(1 + x) = 2 artanh(x / (2 + x))``."""
    w = x / (2 + x)
    return w * (x - 2 * w * w * polyval(w * w, ARTANH_TAIL))


def log_quotient(p: float, q: float) -> float:
    """``log(p / q)``, accurate also where the two nearly agree."""
    change = (p - q) / q
    return math.log1p(change) if abs(change) < NEAR else math.log(p) - math.log(q)


def softplus(t: float) -> float:
    """``log(1 + exp(t))``."""
    return max(t, 0.0) + math.log1p(math.exp(-abs(t)))


def sharpness(t: float) -> float:
    """``2 w artanh(w) + log(1 - w**2)`` for ``w = tanh(t / 2)``: 0 at ``t = 0``, rising to 2 log 2.

    With ``t`` the log-ratio of two densities, its mean under p plus its mean under q is four times JS(p, q).
    """
    t = abs(t)
    if t < 1:
        return t * math.tanh(t / 2) - 2 * math.log1p(2 * math.sinh(t / 4) ** 2)
    if t > 700:
        return 2 * LOG2
    return 2 * (LOG2 - t / (math.exp(t) + 1) - math.log1p(math.exp(-t)))
