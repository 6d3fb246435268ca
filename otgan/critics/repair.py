"""McShane repair: a certified lower bound on W1 from the values of any function at the data.

The values of any network on x can be completed to feasible potentials: ``g_j = min_i d_ij - f_i``, then
``f_i = min_j d_ij - g_j``. For p = 1 this is McShane's extension, so the repaired critic is exactly 1-Lipschitz. By
weak duality these potentials give a lower bound. A critic that is right up to a factor loses nothing by the factor: the
bound is concave in the scale of f, and the best scale is searched for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.certificate import dual_bound, make_feasible
from otgan.costs import MatrixCost, dense

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.problem import Problem

__all__ = ["constant_bound", "critic_share", "repaired_bound"]

SHARE = 1e-6  # of the largest useful scale, up to which the best one is found
ROUNDING = 1e-9  # of the distance: what bounds are proven to
HELD_IN_MEMORY = 2**25  # pairs, 256 MiB; above this, costs are computed again for every scale tried


def repaired_bound(problem: Problem, f: NDArray[np.float64], g: NDArray[np.float64]) -> float:
    """The best certified lower bound from a multiple of f, or of g, and its two c-transforms.

    Parameters
    ----------
    problem : Problem
        n rows, m columns.
    f : (n,) ndarray
    g : (m,) ndarray
        Any finite numbers, for a critic its values at x and their negatives at y.
    """
    n, m = problem.shape
    search = replace(problem, cost=MatrixCost(dense(problem.cost))) if n * m <= HELD_IN_MEMORY else problem
    from_f = _completed(search, f)
    from_g = _completed(search.transposed, g)[::-1]
    return max(dual_bound(problem, *from_f)[0], dual_bound(problem, *from_g)[0])


def constant_bound(problem: Problem) -> float:
    """The bound of a constant critic after repair: most of the distance, where all points are far from each other."""
    n, m = problem.shape
    return repaired_bound(problem, np.zeros(n), np.zeros(m))


def critic_share(bound: float | None, constant: float | None, exact: float) -> float | None:
    """The fraction that a bound proves of what a constant critic leaves unproven; None if that is zero, up to rounding.

    Examples
    --------
    >>> critic_share(9.5, 9.0, 10.0), critic_share(8.0, 9.0, 10.0), critic_share(10.0, 10.0, 10.0)
    (0.5, -1.0, None)
    """
    if bound is None or constant is None or not exact - constant > ROUNDING * exact:
        return None
    return (bound - constant) / (exact - constant)


def _completed(problem: Problem, f: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Feasible potentials from the best multiple of f."""
    return make_feasible(problem, _best_scale(problem, f) * f, np.zeros(problem.shape[1]))


def _best_scale(problem: Problem, f: NDArray[np.float64]) -> float:
    """The s >= 0 that maximises ``a . (s f) + b . c_transform(s f)``, a concave function of s."""
    from scipy.optimize import minimize_scalar

    spread = float(np.ptp(f))
    if spread == 0:
        return 0.0
    farthest = float(problem.cost.column_minima(np.zeros(len(f)))[0].max()) + _diameter(problem)
    largest = 2 * farthest / spread

    def loss(share: float) -> float:
        scale = share * largest
        g = problem.cost.column_minima(scale * f)[0]
        return -float(problem.a @ f * scale + problem.b @ g)

    # Of the largest, since the search knows absolute tolerances only, and f and the costs have any units.
    options = {"maxiter": 40, "xatol": SHARE}
    result: Any = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded", options=options)
    return largest * float(result.x)


def _diameter(problem: Problem) -> float:
    """The largest cost of a few rows: enough to bracket the scale of useful potentials."""
    rows = np.linspace(0, problem.shape[0] - 1, 8).astype(np.intp)
    return max(float(problem.cost.block(slice(i, i + 1), slice(None)).max()) for i in rows)
