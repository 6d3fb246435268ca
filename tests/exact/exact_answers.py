"""What the tests of the exact solvers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import otgan
from otgan.exact import METHODS, solver
from otgan.problem import Problem
from otgan.testing import assert_optimal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otgan.solution import Solution
    from otgan.testing.strategies import TransportProblem

ROUNDING = 1e-12  # relative: of a theorem's answer, and of the masses of the problem


def solutions(problem: TransportProblem) -> Iterator[Solution]:
    """The answer of every solver that takes the problem, proven or not."""
    x, y, p, a, b, metric = problem.x, problem.y, problem.p, problem.a, problem.b, problem.metric
    stated = Problem.from_points(x, y, p, a=a, b=b, metric=metric)
    for method in METHODS:
        if solver(method).accepts(stated) is None:
            yield otgan.solve(x, y, p, a=a, b=b, metric=metric, method=method, throw=False)


def assert_bounded(solution: Solution, truth: float, rtol: float = ROUNDING) -> None:
    """The interval holds the truth, which is known to ``rtol``."""
    slack = rtol * abs(truth)
    assert solution.lower - slack <= truth <= solution.upper + slack, f"{truth!r} is outside {solution}"


def assert_right(solution: Solution, truth: float, rtol: float = 1e-9) -> None:
    """The solution is proven, and right."""
    assert solution.status is otgan.Status.OPTIMAL, f"{solution}, where the truth is {truth!r}"
    assert_optimal(solution, rtol=rtol)
    assert_bounded(solution, truth)
    assert abs(solution.value - truth) <= rtol * abs(truth), f"{solution}, where the truth is {truth!r}"


def assert_right_or_bounded(solution: Solution, truth: float) -> None:
    """A proven solution is right; one that is not proven says so, and its interval holds the truth."""
    if solution.status is otgan.Status.OPTIMAL:
        assert_right(solution, truth)
    else:
        assert solution.gap > 1e-9
        assert_bounded(solution, truth)
