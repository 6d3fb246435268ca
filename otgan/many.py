"""Wasserstein distances of many pairs of point clouds: matrices and batches, each distance proven like any other."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import frames, inputs
from otgan.errors import InvalidInput, NotConverged
from otgan.exact import small
from otgan.metric import METRICS
from otgan.runtime.cores import cores
from otgan.solve import solve, wasserstein

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from otgan.kernels.small import Clouds
    from otgan.solution import Solution

__all__ = ["pairwise", "wasserstein_batch"]

PAIRS_A_PART = 256  # a few hundredths of a second: how long Ctrl-C and the progress bar wait
RTOL = 1e-9  # largest relative gap between the bounds on a cost


@dataclass(frozen=True)
class _Side:
    """Checked clouds (n_i, d) and their weights (n_i,), None for equal ones."""

    clouds: list[NDArray[np.float64]]
    weights: list[NDArray[np.float64]] | None

    def weight(self, i: int) -> NDArray[np.float64] | None:
        return None if self.weights is None else self.weights[i]


def pairwise(
    X: Any,
    Y: Any = None,
    p: float = 1,
    *,
    a: Any = None,
    b: Any = None,
    metric: str = "euclidean",
    bounds: bool = False,
    n_jobs: int | None = None,
    progress: bool = False,
) -> Any:
    """The matrix of Wasserstein distances W_p between all clouds of X and Y, each proven to a relative gap of 1e-9.

    Parameters
    ----------
    X : list of (n_i, d) array_like, or (k, n, d) array_like
        k point clouds of one space, of any sizes. Of data frames, columns are compared by their names.
    Y : like X, optional
        l others; None for the distances among X.
    p : float, default 1
        Power of the distance, 1 <= p < inf.
    a : list of (n_i,) array_like, or (k, n) array_like, optional
    b : the same for Y, optional
        Non-negative weights, all of one total; equal weights of total 1 if None.
    metric : {"euclidean", "cityblock", "chebyshev"}
    bounds : bool, default False
        Return proven lower and upper bounds as well.
    n_jobs : int, optional
        Threads; None or -1 for all usable cores. The compiled code that they run holds no GIL.
    progress : bool, default False
        Show progress on a terminal.

    Returns
    -------
    distances : (k, l) ndarray of float64
        Where Y is None, (k, k), exactly symmetric with a zero diagonal.
    lower, upper : (k, l) ndarray of float64
        With ``bounds`` only.

    Raises
    ------
    InvalidInput
        As for :func:`otgan.solve`; the message names the cloud.
    NotConverged
        If the bounds of a pair do not meet; the message names it, the others are done by then.

    Notes
    -----
    The matrix goes into whatever takes distances: ``metric="precomputed"`` of scikit-learn, and through
    ``scipy.spatial.distance.squareform`` the clustering of SciPy.

    Examples
    --------
    >>> import numpy as np
    >>> import otgan
    >>> rng = np.random.default_rng(0)
    >>> clouds = [rng.normal(size=(n, 3)) + shift for n, shift in [(20, 0), (30, 0), (25, 5), (40, 5)]]
    >>> distances = otgan.pairwise(clouds)
    >>> distances.shape, bool((distances == distances.T).all())
    ((4, 4), True)
    >>> from scipy.cluster.hierarchy import fcluster, linkage
    >>> from scipy.spatial.distance import squareform
    >>> fcluster(linkage(squareform(distances)), 2, "maxclust").tolist()
    [1, 1, 2, 2]
    """
    p, metric = inputs.exponent(p), inputs.metric_name(metric)
    bounds, progress = inputs.flag(bounds, "bounds"), inputs.flag(progress, "progress")
    workers = cores() if n_jobs is None or n_jobs == -1 else inputs.count(n_jobs, "n_jobs")
    first = _listed(X, "X")[0]
    left = _side(X, a, "X", "a", first)
    if Y is None:
        if b is not None:
            raise InvalidInput("b are weights for Y, but Y is None. Pass weights for X as a.")
        right, pairs = left, np.array(np.triu_indices(len(left.clouds), 1))
    else:
        right = _side(Y, b, "Y", "b", first)
        pairs = np.indices((len(left.clouds), len(right.clouds))).reshape(2, -1)
    _check_together(left, right)
    found = _solved(left, right, pairs, p, metric, workers, progress)
    matrices = []
    for column, costs in enumerate(found.T):
        matrix = np.zeros((len(left.clouds), len(right.clouds)))
        matrix[tuple(pairs)] = _root(costs, p, column)
        matrices.append(matrix + matrix.T if Y is None else matrix)
    return tuple(matrices) if bounds else matrices[0]


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
    _check_together(*sides)
    given = (x, y, a, b)
    if any(map(inputs.wants_gradient, given)):
        parts = [wasserstein(x[k], y[k], p, a=_row(a, k), b=_row(b, k), metric=metric) for k in range(len(left))]
        return sys.modules["torch"].stack(parts)
    pairs = np.tile(np.arange(len(left)), (2, 1))
    distances = _root(_solved(*sides, pairs, p, metric, cores(), False)[:, 0], p, 0)
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


def _batch_side(clouds: NDArray[np.float64], weights: Any, name: str, weights_name: str) -> _Side:
    if weights is not None:
        weights = inputs.real_array(weights, weights_name)
        if weights.ndim == 1:
            weights = np.broadcast_to(weights, (len(clouds), len(weights)))
    return _side(clouds, weights, name, weights_name)


def _row(weights: Any, k: int) -> Any:
    """The weights of the k-th cloud: a row of them, or those of all."""
    return weights[k] if weights is not None and np.ndim(weights) == 2 else weights


def _root(costs: NDArray[np.float64], p: float, column: int) -> NDArray[np.float64]:
    """Distances from costs, rounded outwards where they are lower (column 1) or upper bounds (column 2)."""
    if p == 1:
        return costs
    roots = np.sqrt(costs) if p == 2 else costs ** (1 / p)
    for _ in range(2 * (column > 0)):  # two ulps: what a power may be off
        roots = np.nextafter(roots, 0.0 if column == 1 else np.inf)
    return roots


def _side(given: Any, weights: Any, name: str, weights_name: str, first: Any = None) -> _Side:
    """Clouds and weights as they came, checked; columns of data frames in the order of the ``first`` cloud's."""
    clouds = [
        inputs.points(frames.aligned(first, cloud, ("X[0]", f"{name}[{i}]")), f"{name}[{i}]")
        for i, cloud in enumerate(_listed(given, name))
    ]
    for i, cloud in enumerate(clouds):
        if cloud.shape[1] != clouds[0].shape[1]:
            raise InvalidInput(
                f"all clouds must have the same number of columns, but {name}[0] has {clouds[0].shape[1]} and "
                f"{name}[{i}] has {cloud.shape[1]}. Pass points of one space, one point a row."
            )
    if weights is None:
        return _Side(clouds, None)
    listed = _listed(weights, weights_name)
    if len(listed) != len(clouds):
        raise InvalidInput(
            f"{weights_name} must have weights for each cloud of {name}, {len(clouds)}, but has {len(listed)}."
        )
    checked = [
        inputs.weights(w, len(cloud), f"{weights_name}[{i}]", f"the points of {name}[{i}]")
        for i, (w, cloud) in enumerate(zip(listed, clouds, strict=True))
    ]
    return _Side(clouds, checked)


def _listed(given: Any, name: str) -> list[Any]:
    """The clouds, or their weights, one after the other."""
    one = frames.columns(given) is not None or frames.is_series(given) or isinstance(given, str | bytes | dict)
    sized = hasattr(given, "__getitem__") and hasattr(given, "__len__") and getattr(given, "shape", (1,)) != ()
    if one or not sized:
        raise InvalidInput(f"{name} must be a list of arrays, one a cloud, but a {type(given).__name__} came.")
    if len(given) == 0:
        raise InvalidInput(f"{name} must hold at least one cloud, but it is empty.")
    return [given[i] for i in range(len(given))]


def _check_together(left: _Side, right: _Side) -> None:
    """Both sides must live in one space, and all weights have one total."""
    d, others = left.clouds[0].shape[1], right.clouds[0].shape[1]
    if d != others:
        raise InvalidInput(
            f"X and Y must have the same number of columns, but X has {d} and Y has {others}. Pass points of one "
            "space, one point a row."
        )
    if left.weights is None and right.weights is None:
        return
    first = np.ones(1) if left.weights is None else left.weights[0]
    for side, name in ((left, "a"), (right, "b")):
        for i, weights in enumerate(side.weights or [np.ones(1)]):
            inputs.equal_mass(first, weights, inputs.mass_tolerance(weights), ("a[0]", f"{name}[{i}]"))


def _solved(
    left: _Side, right: _Side, pairs: NDArray[np.int64], p: float, metric: str, workers: int, progress: bool
) -> NDArray[np.float64]:
    """Cost, lower and upper bound of each pair, (pairs, 3)."""
    found = np.full((pairs.shape[1], 3), np.nan)
    _small_ones(left, right, pairs, p, metric, workers, progress, found)
    failed: list[tuple[int, int, Solution]] = []
    for t in np.flatnonzero(~(found[:, 2] - found[:, 1] <= RTOL * found[:, 2])):  # NaN too
        i, j = pairs[:, t].tolist()
        solution = solve(
            left.clouds[i], right.clouds[j], p, a=left.weight(i), b=right.weight(j), metric=metric, throw=False
        )
        found[t] = solution.value, solution.lower, solution.upper
        if not solution.certificate.is_optimal(RTOL):
            failed.append((i, j, solution))
    if failed:
        i, j, solution = failed[0]
        others = f" and {len(failed) - 1} other pairs" if len(failed) > 1 else ""
        raise NotConverged(
            f"the distance of the pair ({i}, {j}){others} could not be proven: its cost lies in "
            f"[{solution.lower:.15g}, {solution.upper:.15g}]. All other pairs were solved. {solution.status.message}",
            solution,
        )
    return found


def _small_ones(
    left: _Side,
    right: _Side,
    pairs: NDArray[np.int64],
    p: float,
    metric: str,
    workers: int,
    progress: bool,
    found: NDArray[np.float64],
) -> None:
    """The pairs that compiled code proves in one go, in threads; the rest stays NaN."""
    from otgan.kernels.certificate import Rounding
    from otgan.kernels.small import values_of_pairs

    sizes = [np.array([len(cloud) for cloud in side.clouds]) for side in (left, right)]
    few = np.flatnonzero(sizes[0][pairs[0]] * sizes[1][pairs[1]] <= small.FEW_PAIRS)
    packed = _packed(left), _packed(right)
    errors = Rounding(*small.rounding(metric, left.clouds[0].shape[1], p))

    def part(chosen: NDArray[np.int64]) -> int:
        values = np.empty((len(chosen), 3))
        first, second = np.ascontiguousarray(pairs[0, chosen]), np.ascontiguousarray(pairs[1, chosen])
        values_of_pairs(*packed, first, second, METRICS[metric].code, p, errors, values)
        found[chosen] = values
        return len(chosen)

    parts = [few[start : start + PAIRS_A_PART] for start in range(0, len(few), PAIRS_A_PART)]
    with _bar(len(few), progress) as bar:
        for count in _in_threads(part, parts, workers):
            bar.update(count)


def _packed(side: _Side) -> Clouds:
    from otgan.kernels.small import Clouds

    starts = np.cumsum([0, *map(len, side.clouds)])
    weights = small.EQUAL if side.weights is None else np.concatenate(side.weights)
    return Clouds(np.concatenate(side.clouds), weights, starts)


def _in_threads(function: Any, parts: list[Any], workers: int) -> Iterator[int]:
    """``function`` of each part, as they end; after an error or Ctrl-C no part is begun."""
    if workers == 1 or len(parts) <= 1:
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="otgan-pairs") as pool:
        try:
            for done in as_completed([pool.submit(function, part) for part in parts]):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _bar(total: int, shown: bool) -> Any:
    """A progress bar, which is shown on a terminal if asked, and where there is tqdm."""
    try:
        from tqdm import tqdm
    except ImportError:  # a bar is a convenience, and tqdm no dependency of the core
        return _NoBar()
    return tqdm(total=total, desc="pairwise", unit=" pairs", disable=None if shown else True)


class _NoBar:
    """What takes the place of a bar where there is none."""

    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, count: int) -> None:
        pass
