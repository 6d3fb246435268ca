"""The matrix of distances between many clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.many.blocks import roots, tiles
from otgan.many.cache import Cache
from otgan.many.running import run, size_of_tiles, workers
from otgan.many.sides import check_together, listed, side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.many.blocks import Block
    from otgan.many.sides import Side

__all__ = ["pairwise"]


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
    cache: Any = None,
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
        Threads; None or -1 for all usable cores. The compiled code that they run holds no GIL. Where joblib is told how
        to run, its workers, and None for as many as it was told.
    progress : bool, default False
        Show progress on a terminal.
    cache : path, optional
        Folder for what is done, in blocks of a few seconds, so that a long job goes on where it was stopped. Made if
        it is not there.

    Returns
    -------
    distances : (k, l) ndarray of float64
        Where Y is None, (k, k), exactly symmetric with a zero diagonal.
    lower, upper : (k, l) ndarray of float64
        With ``bounds`` only.

    Raises
    ------
    InvalidInput
        As for :func:`otgan.solve`; the message names the cloud. Also for a ``cache`` that cannot be written to, before
        the work begins.
    NotConverged
        If the bounds of a pair do not meet; the message names it, the others are done by then.

    Notes
    -----
    The matrix goes into whatever takes distances: ``metric="precomputed"`` of scikit-learn, and through
    ``scipy.spatial.distance.squareform`` the clustering of SciPy.

    Inside of ``with joblib.parallel_config(backend="loky")``, ``"dask"`` or ``"ray"``, blocks of pairs are solved by
    the workers of that backend, which need otgan. Each block travels with the few clouds that it needs, and is solved
    again where its worker dies. The matrix is the same bit for bit, on processors of one kind.

    A file in ``cache`` is named by a hash of the clouds, the weights, ``p``, ``metric`` and the version of otgan, and
    holds arrays only. Damaged ones are replaced. Any number of processes may share a folder, and clouds that are added
    at the end cost only what is new. Ctrl-C loses the blocks under way.

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
    workers(n_jobs)
    left, right = _sides(X, Y, a, b)
    check_together(left, left if right is None else right, ("X", "Y"))
    kept = None if cache is None else Cache(cache)
    shape = len(left.clouds), len((right or left).clouds)
    points = int(max(left.sizes().sum(), (right or left).sizes().sum()))
    blocks = tiles(left, right, p, metric, size_of_tiles(points, n_jobs, kept is not None))
    found = run(blocks, n_jobs, kept, progress)
    matrices = [_matrix(blocks, found, column, shape, right is None) for column in range(3 if bounds else 1)]
    return tuple(matrices) if bounds else matrices[0]


def _sides(X: Any, Y: Any, a: Any, b: Any) -> tuple[Side, Side | None]:
    """Both sides, checked; None for the right one where the distances are those among X."""
    first = listed(X, "X")[0]
    left = side(X, a, "X", "a", first)
    if Y is not None:
        return left, side(Y, b, "Y", "b", first)
    if b is not None:
        raise InvalidInput("b are weights for Y, but Y is None. Pass weights for X as a.")
    return left, None


def _matrix(
    blocks: list[Block], found: list[NDArray[np.float64]], column: int, shape: tuple[int, int], symmetric: bool
) -> NDArray[np.float64]:
    """The distances (column 0), lower (1) or upper bounds (2) of all pairs."""
    matrix = np.zeros(shape)
    for block, values in zip(blocks, found, strict=True):
        matrix[block.places()] = roots(values[:, column], block.p, column)
    return matrix + matrix.T if symmetric else matrix
