"""The permutation test of whether two samples come from one distribution, with W_p as its statistic."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import frames, inputs
from otgan.costs import PointCost, dense
from otgan.exact import small
from otgan.line import wasserstein_1d
from otgan.runtime.cores import cores
from otgan.solve import wasserstein

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PermutationTestResult", "permutation_test"]

SPLITS_A_PART = 32  # that a thread solves before it takes the next
RTOL = 1e-9  # largest relative gap between the bounds on a cost
TIES = 1e-12  # relative: distances this close are equal but for rounding


@dataclass(frozen=True)
class PermutationTestResult:
    """What :func:`permutation_test` found.

    Attributes
    ----------
    statistic : float
        W_p between the samples.
    pvalue : float
        The share of splits, with the observed one among them, whose distance is at least the statistic.
    null_distribution : (n_resamples,) ndarray of float64
        The distances of random splits of the pooled sample.
    """

    statistic: float
    pvalue: float
    null_distribution: NDArray[np.float64]

    def __repr__(self) -> str:
        return (
            f"PermutationTestResult(statistic={self.statistic:.6g}, pvalue={self.pvalue:.4g}, "
            f"n_resamples={len(self.null_distribution)})"
        )


def permutation_test(
    x: Any, y: Any, p: float = 1, *, n_resamples: int = 999, rng: Any = None, metric: str = "euclidean"
) -> PermutationTestResult:
    """Test whether x and y come from one distribution: a large W_p against those of random splits of both together.

    Parameters
    ----------
    x : (n, d) or (n,) array_like
    y : (m, d) or (m,) array_like
        The samples.
    p : float, default 1
        Power of the distance, 1 <= p < inf.
    n_resamples : int, default 999
        Random splits of the n + m points into n and m. The p-value is at least ``1 / (n_resamples + 1)``.
    rng : numpy.random.Generator or int, optional
        A generator or its seed; None for other splits each time.
    metric : {"euclidean", "cityblock", "chebyshev"}

    Returns
    -------
    PermutationTestResult
        ``statistic``, ``pvalue`` and ``null_distribution``, as SciPy's results have.

    Raises
    ------
    InvalidInput, NotConverged
        As for :func:`otgan.wasserstein`.

    References
    ----------
    Phipson & Smyth, Permutation p-values should never be zero (2010), equation 2.

    Examples
    --------
    >>> import numpy as np
    >>> import otgan
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(30, 2)), rng.normal(size=(40, 2))
    >>> otgan.permutation_test(x, y + [1.5, 0.0], rng=0).pvalue
    0.001
    >>> otgan.permutation_test(x, y, rng=0).pvalue > 0.05
    True
    """
    p, metric = inputs.exponent(p), inputs.metric_name(metric)
    y = frames.aligned(x, y)
    x, y = inputs.points(x, "x"), inputs.points(y, "y")
    statistic = wasserstein(x, y, p, metric=metric)
    pooled, n = np.concatenate([x, y]), len(x)
    generator = inputs.generator(rng)
    size = (inputs.count(n_resamples, "n_resamples"), len(pooled))
    orders = generator.permuted(np.broadcast_to(np.arange(len(pooled)), size), axis=1)
    null = _distances(pooled, orders, n, p, metric)
    as_far = int(np.count_nonzero(null >= statistic * (1 - TIES)))
    return PermutationTestResult(statistic, (as_far + 1) / (len(null) + 1), null)


def _distances(
    pooled: NDArray[np.float64], orders: NDArray[np.intp], n: int, p: float, metric: str
) -> NDArray[np.float64]:
    """W_p between the first n and the other points of each order."""
    if pooled.shape[1] == 1:
        return wasserstein_1d(pooled[orders[:, :n], 0], pooled[orders[:, n:], 0], p)
    costs = np.full(len(orders), np.nan)
    if n * (len(pooled) - n) <= small.FEW_PAIRS:
        _small_ones(pooled, orders, n, p, metric, costs)
    distances = costs if p == 1 else costs ** (1 / p)
    for t in np.flatnonzero(np.isnan(costs)):
        distances[t] = wasserstein(pooled[orders[t, :n]], pooled[orders[t, n:]], p, metric=metric)
    return distances


def _small_ones(
    pooled: NDArray[np.float64], orders: NDArray[np.intp], n: int, p: float, metric: str, costs: NDArray[np.float64]
) -> None:
    """The costs of all splits from one matrix, in threads; NaN where they are not proven."""
    from otgan.kernels.small import values_of_splits

    C = dense(PointCost(pooled, pooled, p, metric))
    relative = small.rounding(metric, pooled.shape[1], p)[0]
    parts = range(0, len(orders), SPLITS_A_PART)
    with ThreadPoolExecutor(cores(), thread_name_prefix="otgan-permutations") as pool:
        list(
            pool.map(
                lambda start: values_of_splits(
                    C, orders[start : start + SPLITS_A_PART], n, relative, RTOL, costs[start : start + SPLITS_A_PART]
                ),
                parts,
            )
        )
