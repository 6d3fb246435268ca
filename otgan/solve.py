"""Public functions: from arrays to a certified Solution, or to its distance alone."""

from __future__ import annotations

import math
import numbers
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import frames, inputs
from otgan.certified import Options, certified, returned
from otgan.errors import InvalidInput
from otgan.exact import METHODS, small
from otgan.exact.listed import ListedCost
from otgan.exact.metrics import is_other, metric_cost
from otgan.exact.ordered import OrderedSolution, PointsOnTheLine
from otgan.line import distance as line
from otgan.line.rows import in_two_threads
from otgan.metric import METRICS
from otgan.pricing import check_device
from otgan.problem import Problem
from otgan.runtime.interrupts import Interrupts
from otgan.solution import Solution
from otgan.special import cost_of, infinite_order, solve_allowed, solve_part

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["solve", "solve_cost", "wasserstein"]

ON_THE_LINE, LARGEST_POWER = 1e-12, 100  # a relative gap that rounding stays below on the line, for p up to this


def solve(
    x: Any,
    y: Any,
    p: float = 1,
    *,
    a: Any = None,
    b: Any = None,
    metric: str | Callable[[Any, Any], float] = "euclidean",
    method: str = "auto",
    rtol: float = 1e-9,
    throw: bool = True,
    progress: bool = False,
    device: Any = "cpu",
    normalize: bool = False,
    max_steps: int | None = None,
    mass: float | None = None,
) -> Solution:
    """Solve optimal transport between two weighted point sets exactly, with a proof.

    The cost is ``metric(x_i, y_j) ** p``. Potentials made feasible over all n * m pairs bound the optimal cost from
    below, the plan bounds it from above, and the solution counts as optimal if the two meet within ``rtol``.

    Parameters
    ----------
    x : (n, d) or (n,) array_like
        Points; a 1-D array is n points on the line. Of two data frames, columns are compared by their names, whatever
        their order.
    y : (m, d) or (m,) array_like
        Points of the same space.
    p : float, default 1
        Power of the distance, 1 <= p < inf.
    a : (n,) array_like, optional
    b : (m,) array_like, optional
        Non-negative weights of one total; 1/n and 1/m each if None. Totals that differ by rounding are made equal.
    metric : {"euclidean", "cityblock", "chebyshev"}, another name of scipy's, or callable
        With others than these three, such as "cosine" or a function of two points, all n * m costs are computed and
        held at once, and there are no potentials as functions.
    method : {"auto", "line", "network-simplex", "linprog", "assignment", "sparse"}
        The solver; the rule of "auto" is in :mod:`otgan.exact.auto`. "sparse" needs memory that grows with n + m,
        the others but "line" need all n * m costs at once.
    rtol : float, default 1e-9
        Largest relative gap between the proven bounds.
    throw : bool, default True
        Raise NotConverged where the bounds do not meet; otherwise return the solution with its interval.
    progress : bool, default False
        Show progress on a terminal.
    device : str or torch.device, default "cpu"
        Where "sparse" prices all pairs: "cpu", or a torch device with float64 such as "cuda" or "cuda:1", which pays
        for many points in many dimensions. "auto" is "sparse" there, except on the line. Solving on the arcs that were
        found stays on the CPU. "torch:cpu" runs the code of the devices on the CPU, for tests and the curious.
    normalize : bool, default False
        Divide a and b by their sums first, as for counts.
    max_steps : int, optional
        Limit on the pivots of the simplex methods, or on the rounds of "sparse"; None is no limit. "assignment" and
        "line" have no steps to count, and need no limit where "auto" chooses them.
    mass : float, optional
        Move only so much mass, in units of the weights, whichever is cheapest to move (partial transport). The
        totals of a and b may differ. All n * m costs are needed at once.

    Returns
    -------
    Solution
        A :class:`~otgan.exact.partial.PartialSolution` with ``mass``.
        ``value``, ``distance``, ``lower``, ``upper``, ``plan``, ``f``, ``g``, ``certificate``, ``potentials``. On the
        line the order of the points proves the value, and from ``plan`` on all is made when it is first asked for.

    Raises
    ------
    InvalidInput
        For NaN, inf, empty, ragged or complex data, wrong shapes, negative weights, unequal mass, an option out of
        range, a device that is not there, or a cost matrix that would not fit into memory.
    NotConverged
        If the bounds do not meet within ``rtol``; ``error.solution`` holds the valid interval.
    Interrupted
        After Ctrl-C, whatever ``throw`` says: a KeyboardInterrupt whose ``solution`` holds what is proven by then.
        "sparse" and "assignment" stop within a second or two, the others when they are done. A second Ctrl-C ends it
        as soon as the compiled code that runs returns, without a solution, and so does an error after the first one.

    References
    ----------
    Santambrogio, Optimal Transport for Applied Mathematicians (2015), theorem 1.39 (duality).

    Examples
    --------
    >>> import otgan
    >>> solution = otgan.solve([[0.0, 0.0], [1.0, 0.0]], [[0.0, 3.0], [1.0, 4.0]])
    >>> solution.value
    3.5
    >>> solution.gap <= 1e-9
    True
    >>> solution.plan.toarray()
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    device = _check_device(device, method)
    options = Options(method, rtol, throw, progress, max_steps)
    a, b = inputs.masses(a, b, normalize)
    if is_other(metric):
        power = inputs.exponent(p)
        cost = metric_cost(x, frames.aligned(x, y), metric, power)
        if mass is not None:
            return solve_part(cost, power, a, b, mass, options)
        return _proven(Problem.of_cost(cost, a, b, power), options)
    if mass is not None:
        problem = Problem.from_points(x, y, p, metric=metric)
        return solve_part(problem.cost, problem.p, a, b, mass, options)
    if device == "cpu" and type(method) is str and method in ("auto", "line") and max_steps is None:
        with Interrupts() as interrupts:
            solution = _quick_solution(x, y, p, a, b, metric, rtol)
        if solution is not None:
            return returned(solution, interrupts.asked, options)
        if interrupts.asked:
            raise KeyboardInterrupt
    return _proven(Problem.from_points(x, y, p, a=a, b=b, metric=metric, device=device), options)


def solve_cost(
    C: Any,
    a: Any = None,
    b: Any = None,
    *,
    method: str = "auto",
    rtol: float = 1e-9,
    throw: bool = True,
    progress: bool = False,
    normalize: bool = False,
    max_steps: int | None = None,
    mass: float | None = None,
) -> Solution:
    """Solve optimal transport for a cost matrix exactly, with a proof.

    Parameters
    ----------
    C : (n, m) array_like or scipy.sparse array
        Costs of any sign. Pairs of infinite cost are forbidden, as are those that a sparse array does not list (zeros
        that it lists are costs).
    a : (n,) array_like, optional
    b : (m,) array_like, optional
        Non-negative weights of one total; 1/n and 1/m each if None.
    method : {"auto", "network-simplex", "linprog", "assignment"}
    rtol, throw, progress, normalize, max_steps, mass
        As for :func:`solve`.

    Returns
    -------
    Solution
        A :class:`~otgan.exact.partial.PartialSolution` with ``mass``.
        With ``p = 1``: ``distance`` is ``value``.

    Raises
    ------
    InvalidInput, NotConverged, Interrupted
        As for :func:`solve`.
    Infeasible
        An InvalidInput, where no plan avoids the forbidden pairs: its ``rows`` have more mass than all columns that
        they may send to.

    Examples
    --------
    >>> import otgan
    >>> otgan.solve_cost([[0.0, 2.0], [1.0, 0.0]], [0.5, 0.5], [0.25, 0.75]).value
    0.5
    """
    a, b = inputs.masses(a, b, normalize)
    options = Options(method, rtol, throw, progress, max_steps)
    cost = cost_of(C)
    if isinstance(cost, ListedCost):
        return solve_allowed(cost, a, b, mass, options)
    if mass is not None:
        return solve_part(cost, 1.0, a, b, mass, options)
    return _proven(Problem.of_cost(cost, a, b), options)


def wasserstein(
    x: Any,
    y: Any,
    p: float = 1,
    *,
    a: Any = None,
    b: Any = None,
    metric: str | Callable[[Any, Any], float] = "euclidean",
    method: str = "auto",
    rtol: float = 1e-9,
    device: Any = "cpu",
    normalize: bool = False,
) -> Any:
    """The Wasserstein distance W_p between two weighted point sets, proven to ``rtol``.

    Parameters
    ----------
    x, y, p, a, b, metric, method, rtol, device, normalize
        As for :func:`solve`, and p may be inf: the longest way that mass has to go. Torch tensors give a torch scalar
        that can be differentiated with respect to x, y, a and b (envelope theorem: the plan and the potentials are held
        fixed). Value and gradients are computed in float64 whatever the tensors' types and devices, and cast once: the
        value to those of the first tensor (float64 for whole numbers), each gradient to those of its tensor. Gradients
        to weights are up to a constant, as totals must stay equal. Where matched points coincide, zero is the
        subgradient that is taken. For p = inf only the pair whose distance it is has a gradient.

    Returns
    -------
    float
        ``(min <P, C>) ** (1 / p)``, in units of the data where the weights sum to 1.

    Raises
    ------
    InvalidInput, NotConverged, Interrupted
        As for :func:`solve`. InvalidInput also where gradients to weights leave float64. For p = inf Ctrl-C raises a
        KeyboardInterrupt without a solution, whose message has the bounds.
    OTError
        Where a second derivative that mixes points and weights is asked for. Those to points twice, or to weights
        twice, are right wherever the plan and the potentials are unique.

    Examples
    --------
    >>> import otgan
    >>> otgan.wasserstein([0.0, 1.0], [5.0, 6.0], p=2)
    5.0
    """
    plain = method == "auto" and device == "cpu" and normalize is False
    if plain and (distance := _quick_distance(x, y, p, a, b, metric, rtol)) is not None:
        return distance
    a, b = inputs.masses(a, b, normalize)
    if isinstance(p, numbers.Real) and p == math.inf:
        _check_device(device, method)
        return infinite_order(x, y, a, b, metric, method, rtol)
    solution = solve(x, y, p, a=a, b=b, metric=metric, method=method, rtol=rtol, device=device)
    if is_other(metric):
        if any(map(inputs.wants_gradient, (x, y, a, b))):
            raise InvalidInput(
                f"gradients are for the metrics {', '.join(map(repr, METRICS))}. For others compute the costs with "
                "torch, and pass them to otgan.transport_cost."
            )
        return solution.distance
    if any(map(inputs.is_tensor, (x, y, a, b))):
        from otgan.autodiff.distance import differentiable_distance

        return differentiable_distance(solution, x, y, a, b)
    return solution.distance


def _proven(problem: Problem, options: Options) -> Solution:
    return returned(*certified(problem, options), options)


def _quick_distance(x: Any, y: Any, p: Any, a: Any, b: Any, metric: Any, rtol: Any) -> float | None:
    """The distance where arrays can be taken as they are and no plan is needed; None elsewhere.

    On the line the plan that keeps the order is optimal for every p and every metric, so that nothing is left to be
    proven but the rounding of one sum.
    """
    if (sides := _vectors(x, y, p, a, b, metric, rtol)) is not None:
        return line.wasserstein_1d(*sides, p, a=a, b=b)
    value = small.value(x, y, p, a, b, metric, rtol)
    return value if value is None or p == 1 else value ** (1.0 / p)


def _vectors(x: Any, y: Any, p: Any, a: Any, b: Any, metric: Any, rtol: Any) -> tuple[Any, Any] | None:
    """Both sides as plain vectors, where order proves their distance on the line to ``rtol``; None elsewhere."""
    if not (type(p) in (int, float) and p <= LARGEST_POWER and type(rtol) is float and ON_THE_LINE <= rtol <= 1.0):
        return None
    if type(metric) is not str or metric not in METRICS or not _plain_weights(a, b):
        return None
    left, right = _on_the_line(x), _on_the_line(y)
    return None if left is None or right is None else (left, right)


def _on_the_line(x: Any) -> Any:
    """Plain points with one coordinate as a float64 vector; None for all else."""
    if type(x) is np.ndarray and x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    return inputs.vector(x)


def _quick_solution(x: Any, y: Any, p: Any, a: Any, b: Any, metric: Any, rtol: Any) -> Solution | None:
    """The solution between plain vectors on the line, where its value needs no plan; None elsewhere."""
    start = time.perf_counter()
    if (sides := _vectors(x, y, p, a, b, metric, rtol)) is None or not p >= 1:
        return None
    left, right = sides
    if (value := line.cost_on_the_line(left, right, float(p), a, b)) is None:
        return None
    a, b = (None if weights is None else weights.copy() for weights in (a, b))
    left, right = in_two_threads(np.ndarray.copy, left, right)
    given = PointsOnTheLine(left, right, float(p), a, b, metric, rtol)
    return OrderedSolution.of(given, value, time.perf_counter() - start)


def _plain_weights(a: Any, b: Any) -> bool:
    return all(weights is None or small.is_plain(weights, 1) for weights in (a, b))


def _check_device(device: Any, method: Any) -> str:
    """The name of the device, if it is there."""
    device = inputs.device_name(device)
    if not isinstance(device, str):
        raise InvalidInput(f"device must be 'cpu' or the name of a torch device, but {device!r} came.")
    if device != "cpu" and method in tuple(METHODS) and method != "sparse":
        raise InvalidInput(
            f"device={device!r} is for method='sparse' or 'auto', but method={method!r} came, which runs on the CPU."
        )
    check_device(device)
    return device
