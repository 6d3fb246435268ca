"""Costs by other metrics than the three that solvers know: scipy's, by name, and functions of two points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.costs import MatrixCost, blocks
from otgan.errors import InvalidInput
from otgan.metric import METRICS
from otgan.runtime import memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SCIPYS", "is_other", "metric_cost"]

# Of scipy.spatial.distance.cdist, but for those with parameters of their own.
SCIPYS = (
    *("braycurtis", "canberra", "correlation", "cosine", "dice", "hamming", "jaccard", "jensenshannon", "mahalanobis"),
    *("rogerstanimoto", "russellrao", "seuclidean", "sokalsneath", "yule"),
)


def is_other(metric: Any) -> bool:
    """Whether a metric is none that solvers know, and can be computed all the same."""
    return callable(metric) or (isinstance(metric, str) and metric in SCIPYS)


def metric_cost(x: Any, y: Any, metric: Any, p: float) -> MatrixCost:
    """``metric(x_i, y_j) ** p`` between all points, as a matrix.

    Parameters
    ----------
    x : (n, d) array_like
    y : (m, d) array_like
    metric : str or callable
        A name of scipy's, or a function of two points (d,) that gives a distance.
    p : float

    Raises
    ------
    InvalidInput
        For points that make no sense, distances that are negative or not finite, or more than fit into memory.

    Examples
    --------
    >>> metric_cost([[1.0, 0.0]], [[0.0, 1.0], [2.0, 0.0]], "cosine", 1.0).matrix.tolist()
    [[1.0, 0.0]]
    """
    from scipy.spatial.distance import cdist

    left, right = inputs.points(x, "x"), inputs.points(y, "y")
    inputs.same_columns(left, right, ("x", "y"))
    n, m = len(left), len(right)
    if not memory.fits(8 * n * m):
        raise InvalidInput(
            f"metric={_name(metric)} needs all {n} x {m} costs at once, which take {memory.gib(8 * n * m)}. Use fewer "
            f"points, or one of {', '.join(map(repr, METRICS))}."
        )
    C = np.empty((n, m))
    options = _spread(left, right, metric)
    try:
        for rows, cols in blocks(n, m):
            C[rows, cols] = cdist(left[rows], right[cols], metric, **options)
    except Exception as error:  # whatever a function of the user's stumbles over
        raise InvalidInput(
            f"metric={_name(metric)} must give the distance of two points (d,), but raised "
            f"{type(error).__name__}: {error}."
        ) from error
    if not np.isfinite(C).all() or C.min() < 0:
        raise InvalidInput(
            f"metric={_name(metric)} must give distances that are finite and not negative, but gave "
            f"{_worst(C)!r} for some pair. Choose one that is defined for these points."
        )
    with np.errstate(over="ignore"):
        return MatrixCost.of(C**p, f"{_name(metric)} to the power {p:g}")


def _spread(x: NDArray[np.float64], y: NDArray[np.float64], metric: Any) -> dict[str, Any]:
    """What scipy would estimate from the points it is given, from all points."""
    both = np.vstack([x, y])
    if metric == "seuclidean":
        return {"V": np.var(both, axis=0, ddof=1)}
    if metric == "mahalanobis":
        try:
            return {"VI": np.linalg.inv(np.atleast_2d(np.cov(both.T)))}
        except np.linalg.LinAlgError:
            raise InvalidInput(
                "metric='mahalanobis' needs points that spread in every direction, but their covariance cannot be "
                "inverted. Drop columns that depend on others."
            ) from None
    return {}


def _name(metric: Any) -> str:
    return getattr(metric, "__name__", type(metric).__name__) if callable(metric) else repr(metric)


def _worst(C: NDArray[np.float64]) -> float:
    wrong = C[~np.isfinite(C)]
    return float(wrong[0] if len(wrong) else C.min())
