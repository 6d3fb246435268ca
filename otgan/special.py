"""Problems off the main road, each with the solution asked for: forbidden pairs, a part of the mass, p = inf."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from otgan import frames, inputs
from otgan.certified import Options, certified, returned, stoppable
from otgan.costs import MatrixCost
from otgan.errors import InvalidInput
from otgan.exact import listed, partial
from otgan.exact.bottleneck import solve_bottleneck
from otgan.line import distance as line
from otgan.problem import Problem

if TYPE_CHECKING:
    from otgan.costs import Cost
    from otgan.exact.listed import ListedCost
    from otgan.solution import Solution

__all__ = ["cost_of", "infinite_order", "solve_allowed", "solve_part"]


def cost_of(C: Any) -> MatrixCost | ListedCost:
    """The costs of a matrix, or of the pairs that one allows."""
    if listed.is_sparse(C):
        return listed.listed_cost(C)
    try:
        return MatrixCost.of(C)
    except InvalidInput:
        if not listed.forbids_pairs(C):
            raise
    return listed.listed_cost(C)


def solve_allowed(cost: ListedCost, a: Any, b: Any, mass: Any, options: Options) -> Solution:
    """Solve a cost that forbids pairs."""
    if mass is not None:
        raise InvalidInput("mass is for costs that allow all pairs. Leave it out, or give forbidden pairs a high cost.")
    options = options.checked(listed.METHODS)
    problem = Problem.of_cost(cost, a, b)

    def solve() -> Solution:
        return listed.solve_listed(problem, rtol=options.rtol, max_steps=options.max_steps, progress=options.progress)

    return returned(*stoppable(solve, time.perf_counter()), options)


def solve_part(cost: Cost, p: float, a: Any, b: Any, mass: Any, options: Options) -> Solution:
    """Move a part of the mass: one more point on each side takes the rest."""
    name = inputs.choice(options.method, "method", partial.METHODS)
    problem, moved = partial.with_dummies(cost, p, a, b, mass)
    options = options._replace(method="network-simplex" if name == "auto" else name)
    whole, asked = certified(problem, options)
    return returned(partial.PartialSolution.of(whole, moved), asked, options)


def infinite_order(x: Any, y: Any, a: Any, b: Any, metric: Any, method: str, rtol: float) -> Any:
    """W_inf, which has no cost <P, C>: on the line by order, where every metric is the same, elsewhere by bisection."""
    inputs.metric_name(metric)
    inputs.choice(method, "method", ("auto", "line"))
    inputs.tolerance(rtol)
    y = frames.aligned(x, y)
    sides = inputs.points(x, "x"), inputs.points(y, "y")
    tensor = next((t for t in (x, y, a, b) if inputs.is_tensor(t)), None)
    if any(points.shape[1] > 1 for points in sides):
        inputs.choice(method, "method", ("auto",))
        found = solve_bottleneck(Problem.from_points(*sides, 1, a=a, b=b, metric=metric))
        if tensor is None:
            return found.distance
        from otgan.autodiff.bottleneck import differentiable_bottleneck

        return differentiable_bottleneck(found.distance, found.pair, metric, x, y, a, b)
    left, right = (
        given.reshape(-1) if inputs.is_tensor(given) else side[:, 0] for given, side in zip((x, y), sides, strict=True)
    )
    distance = line.wasserstein_1d(left, right, math.inf, a=a, b=b)
    return distance if tensor is None or inputs.is_tensor(distance) else inputs.like(tensor, distance)
