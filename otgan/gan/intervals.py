"""Confidence intervals: of distances by the variance of the potentials, of other statistics by the bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from otgan.solution import Solution

__all__ = ["Interval", "bootstrap", "distance_interval"]

Interval = tuple[float, float]
CONFIDENCE = 0.95  # share of intervals that hold the truth
RESAMPLES = 200  # of all samples, drawn with replacement


def distance_interval(solution: Solution) -> Interval:
    """A 95 % confidence interval for the mean W1 between samples of these sizes, from one pair of them.

    To first order a sample changes the distance by the value of the potential there, so its variance is about
    ``Var f(x) / n + Var g(y) / m``. That is a theorem for p = 2 (del Barrio & Loubes 2019, theorem 4.1) and an
    approximation for p = 1, whose intervals held the mean as often as they should wherever it was tried. It is the
    linear part of a bootstrap. The bootstrap itself is biased: resamples repeat points, and lie further from each other
    than samples do.

    Parameters
    ----------
    solution : Solution
        Between two samples with equal weights, p = 1.

    Returns
    -------
    low, high : float
        Around the distance of the samples at hand. The mean over samples is not the distance of the distributions,
        which is less; and another pair's distance lies beyond more often, since it varies, too.

    Raises
    ------
    InvalidInput
        For other weights or another p, for which this variance is not that of the distance.

    Examples
    --------
    >>> import otgan
    >>> x, y = np.random.default_rng(0).normal(size=(2, 200, 2))
    >>> low, high = distance_interval(otgan.solve(x, y + [3, 0]))
    >>> low < 3 < high
    True
    """
    problem = solution.problem
    if problem.p != 1 or not problem.uniform:
        raise InvalidInput(
            "solution must be of two samples with equal weights and p = 1, but has "
            f"{'weights' if problem.p == 1 else f'p = {problem.p:g}'}. Solve the draws themselves, unweighted."
        )
    variance = solution.f.var() / len(solution.f) + solution.g.var() / len(solution.g)
    reach = stats.norm.ppf(0.5 + CONFIDENCE / 2) * np.sqrt(variance)
    return max(0.0, float(solution.distance - reach)), float(solution.distance + reach)


def bootstrap(
    statistic: Callable[..., float],
    samples: tuple[NDArray[Any], ...],
    rng: np.random.Generator,
    low: float = -np.inf,
    high: float = np.inf,
) -> Interval | None:
    """A 95 % bootstrap interval for the mean of a statistic over samples of these sizes.

    It lies around the estimate, not around the resamples, which repeat rows and so are biased; Frechet distances of
    resamples are further from zero, and spread up to twice as far as those of samples do.

    Parameters
    ----------
    statistic : callable
        From arrays like ``samples`` to a number.
    samples : tuple of (n, ...) ndarray
        Their rows are resampled, each array's on its own.
    rng : numpy.random.Generator
    low, high : float, optional
        What the statistic can be; the interval ends there.

    Returns
    -------
    low, high : float, or None
        None where no resample differs from another.

    Raises
    ------
    InvalidInput
        For samples that are empty or not finite, or a statistic of them that is not finite.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=400)
    >>> left, right = bootstrap(np.mean, (x,), np.random.default_rng(0))
    >>> left < 0 < right, 0.15 < right - left < 0.25
    (True, True)
    """
    for k, sample in enumerate(samples):
        inputs.real_array(sample, f"samples[{k}]")
    found = float(statistic(*samples))
    if not np.isfinite(found):
        raise InvalidInput(f"statistic must be finite on the samples, but is {found}. Check what it is given.")
    resampled = []
    for _ in range(RESAMPLES):
        rows = (rng.integers(len(sample), size=len(sample)) for sample in samples)
        resampled.append(statistic(*(sample[row] for sample, row in zip(samples, rows, strict=True))))
    if np.ptp(resampled) == 0:
        return None
    ends = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    reach = float(ends[1] - ends[0]) / 2
    return max(low, found - reach), min(high, found + reach)
