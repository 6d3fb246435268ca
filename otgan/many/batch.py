"""One distance for each pair of a batch of clouds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.many.blocks import Block, prove, raise_for, roots
from otgan.many.sides import check_together, side
from otgan.runtime.cores import cores
from otgan.solve import wasserstein

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.many.sides import Side

__all__ = ["wasserstein_batch"]


def wasserstein_batch(x: Any, y: Any, p: float = 1, *, a: Any = None, b: Any = None, metric: str = "euclidean") -> Any:
    """W_p between x[k] and y[k] for every k of a batch, each proven to a relative gap of 1e-9.

    Parameters
    ----------
    x : (B, n, d) array_like
        B point clouds.
    y : (B, m, d) array_like
        As many others in the same space.
    p : float, default 1
        Power of the distance, 1 <= p < inf.
    a : (n,) or (B, n) array_like, optional
    b : (m,) or (B, m) array_like, optional
        Non-negative weights of one total; 1/n and 1/m each if None.
    metric : {"euclidean", "cityblock", "chebyshev"}

    Returns
    -------
    (B,) ndarray of float64
        The distances. A tensor where any argument is one: it can be differentiated as :func:`otgan.wasserstein` can,
        and is solved on the CPU wherever it is.

    Raises
    ------
    InvalidInput
        As for :func:`otgan.solve`.
    NotConverged
        If the bounds of a pair do not meet; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> import otgan
    >>> x = np.random.default_rng(0).normal(size=(5, 20, 3))
    >>> otgan.wasserstein_batch(x, x + [2.0, 0.0, 0.0]).round(12).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0]
    """
    p, metric = inputs.exponent(p), inputs.metric_name(metric)
    left, right = _batch(x, "x"), _batch(y, "y")
    if len(left) != len(right):
        raise InvalidInput(f"x and y must hold as many clouds, but x has {len(left)} and y has {len(right)}.")
    sides = _batch_side(left, a, "x", "a"), _batch_side(right, b, "y", "b")
    check_together(*sides, ("x", "y"))
    given = (x, y, a, b)
    if any(map(inputs.wants_gradient, given)):
        parts = [wasserstein(x[k], y[k], p, a=_row(a, k), b=_row(b, k), metric=metric) for k in range(len(left))]
        return sys.modules["torch"].stack(parts)
    pairs = np.tile(np.arange(len(left)), (2, 1))
    proven = prove(Block(*sides, pairs, p, metric), cores())
    raise_for([proven])
    distances = roots(proven.found[:, 0], p, 0)
    tensor = next((t for t in given if inputs.is_tensor(t)), None)
    return distances if tensor is None else inputs.like(tensor, distances)


def _batch(given: Any, name: str) -> NDArray[np.float64]:
    """Clouds of one size, float64 of shape (B, n, d)."""
    array = inputs.real_array(given, name)
    if array.ndim != 3:
        hint = " For points on the line, use otgan.wasserstein_1d, which takes batches." if array.ndim == 2 else ""
        raise InvalidInput(
            f"{name} must have shape (B, n, d), B clouds of n points in d dimensions, but has shape {array.shape}."
            f"{hint}"
        )
    return np.ascontiguousarray(array)


def _batch_side(clouds: NDArray[np.float64], weights: Any, name: str, weights_name: str) -> Side:
    if weights is not None:
        weights = inputs.real_array(weights, weights_name)
        if weights.ndim == 1:
            weights = np.broadcast_to(weights, (len(clouds), len(weights)))
    return side(clouds, weights, name, weights_name)


def _row(weights: Any, k: int) -> Any:
    """The weights of the k-th cloud: a row of them, or those of all."""
    return weights[k] if weights is not None and np.ndim(weights) == 2 else weights
