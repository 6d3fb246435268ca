"""Solutions on the line whose value order proves: against rational arithmetic, and the parts that are made later."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import otgan
from otgan.errors import InvalidInput
from otgan.exact import line
from otgan.exact.ordered import LATER, OrderedSolution
from otgan.problem import Problem
from otgan.testing import assert_optimal

RNG = np.random.default_rng(0)


def weights_of(a: np.ndarray | None, n: int) -> list[Fraction]:
    """Shares of the total, exactly."""
    exact = [Fraction(1, n)] * n if a is None else [Fraction(float(mass)) for mass in a]
    return [mass / sum(exact) for mass in exact]


def truth(x: np.ndarray, y: np.ndarray, p: int, a: np.ndarray | None, b: np.ndarray | None) -> Fraction:
    """The optimal cost of the floats themselves, by exact quantiles; masses have the total of a."""
    total = Fraction(1) if a is None else sum(Fraction(float(mass)) for mass in a)
    left = sorted(zip(map(Fraction, x.tolist()), weights_of(a, len(x)), strict=True))
    right = sorted(zip(map(Fraction, y.tolist()), weights_of(b, len(y)), strict=True))
    cost, i, j, (u, free_u), (v, free_v) = Fraction(0), 0, 0, left[0], right[0]
    while True:
        mass = min(free_u, free_v)
        cost += mass * abs(u - v) ** p
        free_u, free_v = free_u - mass, free_v - mass
        if free_u == 0:
            i += 1
            if i == len(left):
                return total * cost
            u, free_u = left[i]
        if free_v == 0:
            j += 1
            if j == len(right):
                return total * cost
            v, free_v = right[j]


def points(kind: str, n: int) -> np.ndarray:
    if kind == "wide":
        return RNG.normal(size=n) * 10.0 ** RNG.integers(-9, 9, size=n)
    if kind == "offset":
        return 1e9 + RNG.normal(size=n)
    if kind == "ties":
        return RNG.integers(0, 4, size=n) / 3
    return RNG.normal(size=n)


def masses(kind: str, n: int) -> np.ndarray | None:
    if kind == "equal":
        return None
    if kind == "tiny":
        return 2.0 ** -RNG.integers(0, 60, size=n) / n
    return np.append(RNG.random(n - 1) * (RNG.random(n - 1) < 0.7), 0.5)  # a few without mass


def weighted(kind: str, n: int, m: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    a, b = masses(kind, n), masses(kind, m)
    return a, b if a is None or b is None else b * (a.sum() / b.sum())


@pytest.mark.parametrize("p", [1, 2, 3, 7])
@pytest.mark.parametrize("mass", ["equal", "tiny", "random"])
@pytest.mark.parametrize("kind", ["normal", "wide", "offset", "ties"])
def test_bounds_hold_in_rational_arithmetic(kind: str, mass: str, p: int) -> None:
    by_order = 0
    for n, m in [(1, 1), (1, 4), (2, 3), (5, 5), (8, 8), (9, 7), (40, 40), (60, 35)]:
        x, y, (a, b) = points(kind, n), points(kind, m), weighted(mass, n, m)
        solution = otgan.solve(x, y, p, a=a, b=b, throw=False)
        exact = truth(x, y, p, a, b)
        assert Fraction(solution.lower) <= exact <= Fraction(solution.upper)
        assert solution.lower <= solution.value <= solution.upper
        if isinstance(solution, OrderedSolution):
            by_order += 1
            assert solution.gap <= 1e-14 * (p + 6)
            assert solution.gap == pytest.approx((solution.upper - solution.lower) / solution.upper)
            assert solution.distance == pytest.approx(float(exact) ** (1 / p))
    assert by_order >= 6


def test_powers_that_are_no_whole_numbers() -> None:
    roots = RNG.integers(1, 1000, size=(2, 200)).astype(float)
    shift = roots[0] ** 2  # y_i - x_i are squares, so that powers of 1.5 are cubes; x_i lie far enough apart
    x = 1e9 * np.arange(200.0)
    solution = otgan.solve(x, x + shift, 1.5)
    assert isinstance(solution, OrderedSolution)
    exact = sum(Fraction(int(root)) ** 3 for root in roots[0]) / 200
    assert Fraction(solution.lower) <= exact <= Fraction(solution.upper)


def case(weighted: bool = True) -> tuple[Any, dict[str, Any]]:
    x, y = RNG.normal(size=30), RNG.normal(size=20)
    weights = {"a": RNG.dirichlet(np.ones(30)), "b": None} if weighted else {}
    return (x, y, 2), weights


@pytest.mark.parametrize("weighted", [True, False])
def test_all_else_is_what_the_solver_finds(weighted: bool) -> None:
    (x, y, p), weights = case(weighted)
    solution = otgan.solve(x, y, p, **weights)
    eager = line.solve(Problem.from_points(x, y, p, **weights), rtol=1e-9)
    assert isinstance(solution, OrderedSolution)
    assert solution.certificate == eager.certificate
    assert not isinstance(eager, OrderedSolution)
    for name in ("f", "g"):
        np.testing.assert_array_equal(getattr(solution, name), getattr(eager, name))
    np.testing.assert_array_equal(solution.plan.toarray(), eager.plan.toarray())
    np.testing.assert_array_equal(solution.barycentric_projection(), eager.barycentric_projection())
    assert solution.problem.shape == (30, 20)
    assert solution.problem.uniform == eager.problem.uniform
    assert (solution.status, solution.method) == (eager.status, eager.method)
    assert solution.stats["arcs"] == eager.stats["arcs"]
    assert solution.stats["seconds"] > solution.stats["certificate_seconds"] > 0
    assert repr(solution).startswith(f"Solution(value={eager.value:.10g}, gap=")
    assert solution.value == pytest.approx(eager.value)
    assert_optimal(solution)


def test_value_and_bounds_need_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("the plan was made")

    monkeypatch.setattr(line, "solve", never)
    monkeypatch.setattr(Problem, "from_points", never)
    solution = otgan.solve([0.0, 1.0], [5.0, 6.0], 2)
    assert solution.value == 25
    assert solution.lower <= 25 <= solution.upper
    assert solution.gap <= 1e-14
    assert solution.distance == 5
    assert (solution.status, solution.method) == (otgan.Status.OPTIMAL, "line")
    assert not set(LATER) & set(vars(solution))
    with pytest.raises(AssertionError, match="the plan was made"):
        _ = solution.plan


def test_points_that_change_afterwards() -> None:
    x, y, a = np.array([0.0, 1.0]), np.array([[3.0], [5.0]]), np.array([0.25, 0.75])
    solution = otgan.solve(x, y, a=a, b=a)
    x[:], y[:], a[:] = 7, 7, 0.5
    np.testing.assert_array_equal(solution.plan.toarray(), [[0.25, 0], [0, 0.75]])
    assert_optimal(solution)
    assert solution.value == 3.75


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_copies(again: Any, asked: bool) -> None:
    (x, y, p), weights = case()
    solution = otgan.solve(x, y, p, **weights)
    if asked:
        _ = solution.plan
    other = again(solution)
    assert (other.value, other.lower, other.upper) == (solution.value, solution.lower, solution.upper)
    np.testing.assert_array_equal(other.f, solution.f)
    assert_optimal(other)


def test_a_field_that_is_replaced() -> None:
    (x, y, p), weights = case()
    solution = otgan.solve(x, y, p, **weights)
    other = replace(solution, stats={"arcs": 1})
    assert other.stats == {"arcs": 1}
    assert other.certificate == solution.certificate
    assert (other.lower, other.upper) == (solution.certificate.lower, solution.certificate.upper)
    assert (other.distance, other.value) == (solution.distance, solution.value)
    assert_optimal(other)


def test_names_that_are_no_fields() -> None:
    solution = otgan.solve([0.0], [1.0])
    assert not hasattr(solution, "matrix")
    with pytest.raises(AttributeError, match="'OrderedSolution' object has no attribute 'matrix'"):
        _ = solution.matrix  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("x", "y", "options", "cost"),
    [
        ([0.0, 1.0], [1.0, 0.0], {}, 0.0),
        ([0.0, 1.0], [5.0, 6.0], {"rtol": 1e-14}, 5.0),
        ([0.0], [1.0], {"p": 101}, 1.0),
        ([0.0], [2.0**-340], {"p": 2}, 2.0**-680),
        ([[0.0]], [[1.0]], {}, 1.0),
        ([0.0], [1.0], {"method": "sparse"}, 1.0),
    ],
)
def test_where_plan_and_potentials_have_to_be_the_proof(x: Any, y: Any, options: Any, cost: float) -> None:
    solution = otgan.solve(x, y, **options)
    assert not isinstance(solution, OrderedSolution)
    assert solution.value == pytest.approx(cost)
    assert solution.lower <= cost <= solution.upper


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("place", ["x", "y", "a", "b"])
def test_bad_input_is_refused_at_once(bad: float, place: str) -> None:
    given: dict[str, Any] = {name: np.array([0.5, 0.5]) for name in "xyab"}
    given[place][1] = bad
    with pytest.raises(InvalidInput, match=f"{place} must be finite, .* the first at index 1"):
        otgan.solve(**given)
    with pytest.raises(InvalidInput, match="metric must be one of"):
        otgan.solve([0.0], [1.0], metric="manhattan")
    with pytest.raises(InvalidInput, match="p must"):
        otgan.solve([0.0], [1.0], 0.5)
    with pytest.raises(InvalidInput, match="rtol must"):
        otgan.solve([0.0], [1.0], rtol=2.0)
    with pytest.raises(InvalidInput, match="the data span"):
        otgan.solve([0.0], [1e150])
    with pytest.raises(InvalidInput, match="max_steps has no meaning"):
        otgan.solve([0.0], [1.0], method="line", max_steps=3)
    with pytest.raises(InvalidInput, match="leave float64"):
        otgan.solve([0.0], [1e100], 2, a=[1e100], b=[1e100])
