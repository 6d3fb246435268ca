"""Sliced Wasserstein distances: the exact distance on the line, along many directions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import frames, inputs
from otgan.autodiff.tensors import cast, double
from otgan.errors import InvalidInput
from otgan.line import wasserstein_1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["MaxSlicedDistance", "SlicedDistance", "max_sliced_wasserstein", "random_directions", "sliced_wasserstein"]

STARTS = 8  # of the search for the largest distance
LEAST_STEP = 1e-8  # radians that a direction is turned by, below which the search ends


@dataclass(frozen=True, eq=False)
class SlicedDistance:
    """A sliced distance, and the distances along the directions that it is a mean of.

    Attributes
    ----------
    distance : float, or array or tensor of the batch's shape
        ``(mean_k W_p(k) ** p) ** (1 / p)``, at most W_p, up to the rounding of projections.
    stderr : float or array of the batch's shape
        Its standard error over directions, if these are drawn uniformly; NaN for one direction.
    along : (..., k) array or tensor
        W_p along each direction.
    directions : (k, d) ndarray
        Unit vectors.
    """

    distance: Any
    stderr: Any
    along: Any
    directions: Array


@dataclass(frozen=True, eq=False)
class MaxSlicedDistance:
    """The largest distance along a direction that was found.

    Attributes
    ----------
    distance : float, or array or tensor of the batch's shape
        W_p along it: never above W_p, nor above the largest of all directions, which the search may miss.
    direction : (..., d) ndarray
        A unit vector for each pair of the batch.
    """

    distance: Any
    direction: Array


def sliced_wasserstein(
    x: Any,
    y: Any,
    p: float = 1,
    *,
    a: Any = None,
    b: Any = None,
    n_directions: int = 100,
    directions: Any = None,
    rng: Any = None,
) -> SlicedDistance:
    """The sliced Wasserstein distance: the mean over directions of the exact distances between projections.

    No projection takes two points further from each other, so no plan costs more: W_p along each direction, and the
    mean, are lower bounds on W_p for the Euclidean distance. Where x and y are apart in one direction of d, the mean is
    about ``sqrt(d)`` times smaller than W_p; :func:`max_sliced_wasserstein` looks for that direction.

    Parameters
    ----------
    x : (n, d) or (..., n, d) array_like or tensor
        Points, or a batch of sets of points.
    y : (m, d) or (..., m, d) array_like or tensor
        Others; the other axes match those of x, or broadcast.
    p : float, default 1
        1 <= p < inf.
    a : (n,) array_like, optional
    b : (m,) array_like, optional
        Non-negative weights of one total; 1/n and 1/m each if None.
    n_directions : int, default 100
        How many are drawn uniformly from the sphere.
    directions : (k, d) array_like, optional
        Others than these; they are brought to length 1.
    rng : numpy.random.Generator or int, optional
        A generator or its seed.

    Returns
    -------
    SlicedDistance
        ``distance``, ``stderr``, ``along``, ``directions``. Tensors give tensors, which can be differentiated with
        respect to x, y, a and b.

    Raises
    ------
    InvalidInput
        For NaN, inf, empty data, shapes that do not match, weights of different totals, or p < 1.

    References
    ----------
    Rabin et al., Wasserstein barycenter and its application to texture mixing (2012); Bonneel et al. (2015).

    Examples
    --------
    >>> import numpy as np, otgan
    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> sliced = otgan.sliced_wasserstein(x, x + [2.0, 0.0, 0.0], n_directions=2000, rng=0)
    >>> abs(sliced.distance - 1.0) < 3 * sliced.stderr   # half of the shift: the mean of |cos| on the sphere
    True
    """
    p = inputs.exponent(p)
    sides = _sides(x, y)
    d = int(sides[0].shape[-1])
    unit = random_directions(d, n_directions, rng) if directions is None else _unit(directions, d)
    along = _along(sides, unit, p, a, b)
    cost = along**p if p > 1 else along
    distance = cost.mean(-1) ** (1 / p) if p > 1 else cost.mean(-1)
    tensor = next((side for side in (x, y) if inputs.is_tensor(side)), None)
    if tensor is not None:
        distance, along = cast(distance, tensor), cast(along, tensor)
        cost = cost.detach().numpy()
    stderr = _stderr(cost, p)
    return SlicedDistance(_plain(distance), _plain(stderr), along, unit)


def max_sliced_wasserstein(
    x: Any,
    y: Any,
    p: float = 1,
    *,
    a: Any = None,
    b: Any = None,
    n_directions: int = 100,
    max_steps: int = 100,
    rng: Any = None,
) -> MaxSlicedDistance:
    """The largest distance between projections onto a direction, by a search from the best of some.

    The best of random directions, of the one between the means and of the principal axes of both sides are turned
    uphill: with the plan along a direction held fixed, the gradient is ``sum_ij P_ij p |t_ij|^(p-1) sign(t_ij) (x_i -
    y_j)``, t the projected difference. The distance is a lower bound on W_p whichever direction is found.

    Parameters
    ----------
    x, y, p, a, b
        As for :func:`sliced_wasserstein`.
    n_directions : int, default 100
        Random ones that the search may start from.
    max_steps : int, default 100
        Of the search from each of eight starts.
    rng : numpy.random.Generator or int, optional
        A generator or its seed.

    Returns
    -------
    MaxSlicedDistance
        ``distance`` and ``direction``. Tensors give a tensor that can be differentiated with respect to x, y, a and b
        (envelope theorem: the direction is held fixed, as is the plan along it, of which there may be two where few
        points are ordered anew at the largest distance; then it is a gradient for one of them).

    Raises
    ------
    InvalidInput
        As for :func:`sliced_wasserstein`.

    References
    ----------
    Deshpande et al., Max-sliced Wasserstein distance and its use for GANs (2019), arXiv:1904.05877.

    Examples
    --------
    >>> import numpy as np, otgan
    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> found = otgan.max_sliced_wasserstein(x, x + [2.0, 0.0, 0.0], rng=0)
    >>> round(found.distance, 9), np.abs(found.direction).round(6).tolist()
    (2.0, [1.0, 0.0, 0.0])
    """
    p, max_steps = inputs.exponent(p), inputs.count(max_steps, "max_steps", low=0)
    sides = _sides(x, y)
    drawn = random_directions(int(sides[0].shape[-1]), n_directions, rng)
    left, right = (side.detach().numpy() if inputs.is_tensor(side) else side for side in sides)
    shape = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left, right = (np.broadcast_to(side, (*shape, *side.shape[-2:])) for side in (left, right))
    mass_a, mass_b = (None if w is None else inputs.real_array(w, name) for w, name in ((a, "a"), (b, "b")))
    direction = np.empty((*shape, left.shape[-1]))
    for place in np.ndindex(*shape):
        direction[place] = _uphill(left[place], right[place], p, mass_a, mass_b, drawn, max_steps)
    distance = _along(sides, direction[..., None, :], p, a, b)[..., 0]
    tensor = next((side for side in (x, y) if inputs.is_tensor(side)), None)
    return MaxSlicedDistance(_plain(distance if tensor is None else cast(distance, tensor)), direction)


def random_directions(dimension: int, n: int, rng: Any = None) -> Array:
    """Unit vectors drawn uniformly from the sphere, (n, dimension).

    Examples
    --------
    >>> np.linalg.norm(random_directions(3, 2, rng=0), axis=1).round(12).tolist()
    [1.0, 1.0]
    """
    drawn = inputs.generator(rng).normal(size=(inputs.count(n, "n_directions"), dimension))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def _sides(x: Any, y: Any) -> tuple[Any, Any]:
    """Both sides in float64 (..., n, d), about one centre; as tensors if one is a tensor."""
    y = frames.aligned(x, y)
    left, right = _points(x, "x"), _points(y, "y")
    flat = [side.reshape(-1, side.shape[-1]) for side in (left, right)]
    inputs.same_dimension(flat[0], flat[1])
    center = flat[0].mean(axis=0)  # subtracted from both, so that products of large numbers do not cancel
    tensor = next((double(side) for side in (x, y) if inputs.is_tensor(side)), None)
    if tensor is None:
        return left - center, right - center
    moved = [
        (double(given).reshape(values.shape) if inputs.is_tensor(given) else inputs.like(tensor, values))
        - inputs.like(tensor, center)
        for given, values in ((x, left), (y, right))
    ]
    return moved[0], moved[1]


def _points(given: Any, name: str) -> Array:
    """Checked points (n, d) or (..., n, d); a vector is points on the line."""
    dimensions = len(given.shape) if hasattr(given, "shape") else np.ndim(given)
    if dimensions <= 2:
        return inputs.points(given, name)
    return inputs.real_array(given, name)


def _unit(directions: Any, dimension: int) -> Array:
    given = inputs.points(directions, "directions")
    largest = np.abs(given).max(axis=1, keepdims=True)
    if given.shape[1] != dimension or not (largest > 0).all():
        raise InvalidInput(f"directions must be (k, {dimension}) and none zero, but {given.shape} came.")
    given = np.ldexp(given, -np.frexp(largest)[1])  # about 1, whose squares neither overflow nor vanish
    return given / np.linalg.norm(given, axis=1, keepdims=True)


def _along(sides: tuple[Any, Any], directions: Array, p: float, a: Any, b: Any) -> Any:
    """W_p along each direction, (..., k), for directions (k, d) or (..., k, d)."""
    turned: Any = np.swapaxes(directions, -1, -2)
    if inputs.is_tensor(sides[0]):
        turned = inputs.like(sides[0], turned)
    x, y = sides
    return wasserstein_1d(x @ turned, y @ turned, p, a=a, b=b, axis=-2)


def _stderr(cost: Array, p: float) -> Array:
    """The standard error of ``mean(cost) ** (1 / p)`` over the last axis, by the delta method."""
    k, mean = cost.shape[-1], cost.mean(axis=-1)
    spread = cost.std(axis=-1, ddof=1) / math.sqrt(k) if k > 1 else np.full(mean.shape, np.nan)
    return spread * np.where(mean > 0, mean, 1.0) ** (1 / p - 1) / p


def _plain(value: Any) -> Any:
    """A float in place of an array without axes."""
    return value if inputs.is_tensor(value) or np.ndim(value) else float(value)


def _uphill(x: Array, y: Array, p: float, a: Array | None, b: Array | None, drawn: Array, max_steps: int) -> Array:
    """The best direction that is found from several starts, for points (n, d) and (m, d)."""
    between = y.mean(axis=0) - x.mean(axis=0)
    axes = [np.linalg.svd(side - side.mean(axis=0), full_matrices=False)[2] for side in (x, y)]
    starts = np.vstack([drawn, *axes, *([between / np.linalg.norm(between)] if between.any() else [])])
    values = np.atleast_1d(_along((x, y), starts, p, a, b))
    best, highest = starts[values.argmax()], float(values.max())
    for k in np.argsort(-values)[:STARTS]:
        direction, value, step = starts[k], float(values[k]), 1.0
        for _ in range(max_steps):
            gradient = _gradient(x, y, direction, p, a, b)
            gradient -= (gradient @ direction) * direction  # what only makes it longer
            size = np.linalg.norm(gradient)
            while step > LEAST_STEP and size > 0:
                turned = direction + step * gradient / size
                turned /= np.linalg.norm(turned)
                if (raised := float(_along((x, y), turned[None], p, a, b)[0])) > value:
                    direction, value, step = turned, raised, 2 * step
                    break
                step /= 4
            else:
                break
        if value > highest:
            best, highest = direction, value
    return best


def _gradient(x: Array, y: Array, direction: Array, p: float, a: Array | None, b: Array | None) -> Array:
    """The gradient of ``W_p ** p`` in the direction, up to a positive factor, for the plan that keeps the order."""
    s, t = x @ direction, y @ direction
    rows, cols = np.argsort(s), np.argsort(t)
    ends_x, ends_y = (
        np.arange(1, len(order) + 1) / len(order) if mass is None else np.cumsum(mass[order]) / mass.sum()
        for order, mass in ((rows, a), (cols, b))
    )
    ends = np.unique(np.concatenate([ends_x, ends_y]))
    mass, middle = np.diff(ends, prepend=0.0), ends - np.diff(ends, prepend=0.0) / 2
    i = rows[np.minimum(np.searchsorted(ends_x, middle), len(rows) - 1)]
    j = cols[np.minimum(np.searchsorted(ends_y, middle), len(cols) - 1)]
    apart = s[i] - t[j]
    scale = float(np.abs(apart).max()) or 1.0
    pull = mass * np.sign(apart) * (np.abs(apart) / scale) ** (p - 1)
    return pull @ (x[i] - y[j])
