"""Solver of small problems: costs, network simplex and certificate in one compiled call.

It answers None where something is unusual (costs or masses of extreme size, points or weights that are no plain float64
arrays, bounds that do not meet). The caller then goes the usual way, which checks everything and says what is wrong.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otgan.certificate import Certificate, in_two_floats
from otgan.costs import INTACT, MatrixCost, PointCost, dense
from otgan.metric import METRICS
from otgan.plan import Plan
from otgan.pricing import cost_matrix
from otgan.solution import Solution, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.kernels.certificate import Masses, Rounding
    from otgan.kernels.small import Answer
    from otgan.problem import Problem

__all__ = ["FEW_PAIRS", "Given", "is_plain", "proven", "rounding", "solve", "taken", "value"]

FEW_PAIRS = 2**20  # up to which hardly anything is faster; a tenth of a second, for which Ctrl-C can wait
MANY_DIFFERENCES = 2**25  # of coordinates, from where on the costs are worth a call of their own, with several threads
MANY_COORDINATES, MANY_PRODUCTS = 64, 2**17  # from where on scalar products take less time than differences
MODERATE_EXPONENT = 900  # of two: numbers this large or small can be multiplied by a mass and lose nothing
LARGEST_ORDER = 64.0  # of p: beyond, costs hardly ever are of moderate size
EQUAL = np.empty(0)  # weights


class Given(NamedTuple):
    """What kernels need of a problem, see :mod:`otgan.kernels.small`; costs in units of ``2 ** exponent``."""

    C: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    whole: NDArray[np.int64]
    masses: Masses
    rounding: Rounding
    floor: float
    exponent: int


def solve(problem: Problem, method: str, rtol: float) -> Solution | None:
    """Solve ``problem`` if it is small; None where that does not prove it to ``rtol``.

    A ``method`` of "assignment" looks for a matching first, which n = m points with equal weights have.
    """
    if math.prod(problem.shape) > FEW_PAIRS or (given := taken(problem)) is None:
        return None
    from otgan.kernels.small import solve_matrix

    return proven(problem, given, solve_matrix(*given[:-1], True if method == "assignment" else None), method, rtol)


def taken(problem: Problem) -> Given | None:
    """What kernels need of ``problem``; None where costs or masses have extreme sizes."""
    from otgan.kernels.certificate import Masses
    from otgan.kernels.small import fits

    C, masses, n = dense(problem.cost), problem.masses, problem.shape[0]
    exponent, floor = 0, problem.cost.floor
    if not (_extent_fits(problem.cost) if isinstance(problem.cost, MatrixCost) else fits(C)):
        exponent = math.frexp(float(np.abs(C).max()))[1]
        C, floor = _in_units_of(C, exponent), math.ldexp(floor, -exponent)
    if C is None or not ((exponent == 0 or fits(C)) and 2.0**-64 < problem.mass < 2.0**64):
        return None
    x, y, errors = _points(problem, exponent)
    high, low = in_two_floats(masses.a, masses.b)
    whole = np.concatenate([masses.a, masses.b])
    sides = Masses(high, low, masses.unit, problem.mass, n)
    return Given(C, x, y, whole, sides, errors, floor, exponent)


def proven(problem: Problem, given: Given, answer: Answer, method: str, rtol: float) -> Solution | None:
    """The solution that kernels found, if it is proven to ``rtol``."""
    n = problem.shape[0]
    potential, proof = (_in_units_of(np.asarray(part), -given.exponent) for part in (answer.potential, answer.proof))
    if potential is None or proof is None:
        return None
    value, lower, upper, magnitude, slackness = proof.tolist()
    certificate = Certificate(
        lower=lower,
        upper=upper,
        magnitude=magnitude,
        marginal_error=0.0,
        dual_violation=0.0,
        slackness=slackness,
    )
    if not (answer.holds and certificate.is_optimal(rtol)):
        return None
    plan = Plan(answer.rows, answer.cols, answer.flow[answer.nodes])
    stats = {"pivots": answer.pivots}
    return Solution(problem, plan, potential[:n], potential[n:], value, certificate, Status.OPTIMAL, method, stats)


def _extent_fits(cost: MatrixCost) -> bool:
    """What :func:`otgan.kernels.small.fits` says, by the extent, which the checks of the input have found."""
    from otgan.kernels.small import LARGEST_COST, LEAST_COST

    return cost.ceiling == 0.0 or LEAST_COST < cost.ceiling < LARGEST_COST


def _in_units_of(numbers: NDArray[np.float64], exponent: int) -> NDArray[np.float64] | None:
    """The numbers over ``2 ** exponent``, if no digit of any is lost; None otherwise."""
    if exponent == 0:
        return numbers
    if abs(exponent) > MODERATE_EXPONENT:
        return None
    scaled = np.ldexp(numbers, -exponent)
    return None if ((np.abs(scaled) < INTACT) & (numbers != 0)).any() else scaled


def _points(problem: Problem, exponent: int) -> tuple[NDArray[np.float64], NDArray[np.float64], Rounding]:
    """The points, which a matrix has without coordinates, and what their costs may be off."""
    from otgan.kernels.certificate import Rounding

    cost = problem.cost
    if isinstance(cost, PointCost):
        relative, lost, intact = rounding(cost.metric, cost.dimension, cost.p)
        return cost.x, cost.y, Rounding(relative, math.ldexp(lost, -exponent), math.ldexp(intact, -exponent))
    n, m = problem.shape
    return np.empty((n, 0)), np.empty((m, 0)), Rounding(0.0, 0.0, 0.0)


@lru_cache
def rounding(metric: str, dimension: int, p: float) -> tuple[float, float, float]:
    """The numbers of :class:`otgan.kernels.certificate.Rounding`."""
    norm = METRICS[metric]
    power = p / max(2.0, norm.root)
    return norm.rounding(dimension, p), norm.lost_to_underflow(dimension, p), max(INTACT, INTACT**power)


def value(x: Any, y: Any, p: Any, a: Any, b: Any, metric: Any, rtol: Any) -> float | None:
    """The optimal cost between small plain arrays of points with plain weights, if it is proven to ``rtol``."""
    if not (is_plain(x, 2) and is_plain(y, 2) and type(p) in (int, float) and type(rtol) is float and rtol <= 1.0):
        return None
    (n, d), m = x.shape, len(y)
    if not (d == y.shape[1] > 1 and 0 < n * m <= FEW_PAIRS and 1 <= p <= LARGEST_ORDER and type(metric) is str):
        return None
    a, b = EQUAL if a is None else a, EQUAL if b is None else b
    if not (is_plain(a, 1) and is_plain(b, 1) and len(a) in (0, n) and len(b) in (0, m)):
        return None
    if metric not in METRICS:
        return None
    from otgan.kernels.small import value_of_costs, value_of_points, value_of_products

    if len(a) + len(b) == 0:
        a = b = None
    one_each = True if a is None and n == m else None
    p, errors, differences = float(p), rounding(metric, d, float(p)), n * m * d
    if d >= MANY_COORDINATES and differences >= MANY_PRODUCTS and metric == "euclidean" and p in (1.0, 2.0):
        with np.errstate(all="ignore"):  # what is too large, or not finite, comes out as NaN
            products = np.dot(x, y.T)
        found, lower, upper = value_of_products(products, x, y, a, b, one_each, p, *errors)
        if _is_proven(found, lower, upper, rtol):
            return found
    if differences <= MANY_DIFFERENCES:
        found, lower, upper = value_of_points(x, y, a, b, one_each, METRICS[metric].code, p, *errors)
    else:
        found, lower, upper = value_of_costs(cost_matrix(x, y, p, metric), x, y, a, b, one_each, *errors)
    return found if _is_proven(found, lower, upper, rtol) else None


def _is_proven(value: float, lower: float, upper: float, rtol: float) -> bool:
    """Whether the bounds agree to ``rtol``; NaN, of what is not proven, compares with nothing."""
    return value >= 0.0 and lower <= upper and upper - lower <= rtol * upper


def is_plain(x: Any, ndim: int) -> bool:
    """Whether ``x`` is a C-contiguous float64 array of NumPy itself with ``ndim`` axes, which can be taken as it is."""
    return type(x) is np.ndarray and x.ndim == ndim and x.dtype == np.float64 and x.flags.c_contiguous
