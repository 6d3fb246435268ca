"""One contract for all solvers: the same cases, the same promises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import otgan
from otgan.errors import InvalidInput
from otgan.exact import METHODS, solver
from otgan.exact.auto import choose
from otgan.problem import Problem
from otgan.testing import assert_optimal

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Case:
    """A problem, and its value where that is known."""

    x: Any
    y: Any
    p: float = 1
    a: Any = None
    b: Any = None
    metric: str = "euclidean"
    value: float | None = None

    def problem(self) -> Problem:
        return Problem.from_points(self.x, self.y, self.p, a=self.a, b=self.b, metric=self.metric)

    def solve(self, **options: Any) -> otgan.Solution:
        return otgan.solve(self.x, self.y, self.p, a=self.a, b=self.b, metric=self.metric, **options)


def gaussian(n: int, dim: int, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(n, dim))


def masses(n: int, seed: int) -> NDArray[np.float64]:
    a = np.random.default_rng(seed).random(n)
    return a / a.sum()


SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
CASES = {
    "one pair": Case([[1.0, 2.0]], [[4.0, 6.0]], value=5.0),
    "one pair on the line": Case([1.0], [4.0], 2, value=9.0),
    "one point twice": Case([[1.0, 2.0]], [[1.0, 2.0]], value=0.0),
    "all in one place": Case(np.ones((5, 2)), np.ones((5, 2)), 2, value=0.0),
    "all in one place on the line": Case(np.ones(5), np.ones(3), value=0.0),
    "one against many": Case(SQUARE, [[0.5, 0.5]], 2, value=0.5),
    "square against itself": Case(SQUARE, SQUARE[::-1], 2, value=0.0),
    "square against itself twice": Case(SQUARE, np.repeat(SQUARE, 2, axis=0), value=0.0),
    "square moved": Case(SQUARE, SQUARE + 1, 2, metric="chebyshev", value=1.0),
    "square moved, cityblock": Case(SQUARE, SQUARE + 1, 3, metric="cityblock", value=8.0),
    "ties everywhere": Case(SQUARE, SQUARE + np.array([1.0, 0.0]), 1, value=1.0),
    "plane": Case(gaussian(40, 2, 0), gaussian(40, 2, 1)),
    "plane, squared": Case(gaussian(40, 2, 0), gaussian(40, 2, 1), 2),
    "plane, p = 1.5": Case(gaussian(15, 2, 0), gaussian(20, 2, 1), 1.5),
    "plane, p = 7": Case(gaussian(15, 2, 0), gaussian(20, 2, 1), 7, metric="chebyshev"),
    "more rows": Case(gaussian(40, 3, 0), gaussian(25, 3, 1), metric="cityblock"),
    "more columns": Case(gaussian(25, 3, 0), gaussian(40, 3, 1), 2),
    "weights": Case(gaussian(30, 2, 0), gaussian(20, 2, 1), a=masses(30, 2), b=masses(20, 3)),
    "weights without a sum of one": Case(gaussian(9, 2, 0), gaussian(7, 2, 1), a=np.full(9, 7.0), b=np.full(7, 9.0)),
    "points without mass": Case(SQUARE, SQUARE * 2, a=[0, 0.5, 0.5, 0], b=[0, 0, 0.5, 0.5]),
    "far points without mass": Case(
        np.vstack([SQUARE, [[1e6, 0]]]),
        np.vstack([SQUARE + np.array([0.0, 3.0]), [[0, 1e6]]]),
        1,
        a=[1, 1, 1, 1, 0],
        b=[1, 1, 1, 1, 0],
        value=12.0,
    ),
    "line": Case(gaussian(40, 1, 0), gaussian(40, 1, 1)),
    "line, squared, unequal sizes": Case(gaussian(40, 1, 0)[:, 0], gaussian(30, 1, 1)[:, 0], 2),
    "line, weights": Case(gaussian(40, 1, 0), gaussian(30, 1, 1), 3, a=masses(40, 2), b=masses(30, 3)),
    "line, p = 1.5": Case(gaussian(20, 1, 0), gaussian(30, 1, 1), 1.5),
    "many dimensions": Case(gaussian(20, 64, 0), gaussian(20, 64, 1), 2),
    "duplicates": Case(np.repeat(SQUARE, 5, axis=0), np.repeat(SQUARE + 0.5, 5, axis=0), 2),
    "scale 1e-8": Case(1e-8 * gaussian(20, 2, 0), 1e-8 * gaussian(20, 2, 1), 2),
    "scale 1e8": Case(1e8 * gaussian(20, 2, 0), 1e8 * gaussian(20, 2, 1), 2),
    "scale 1e-60": Case(1e-60 * gaussian(20, 2, 0), 1e-60 * gaussian(20, 2, 1), 2),
    "scale 1e60": Case(1e60 * gaussian(20, 2, 0), 1e60 * gaussian(20, 2, 1), 2),
    "offset 1e8": Case(1e8 + gaussian(20, 2, 0), 1e8 + gaussian(20, 2, 1), 2),
    "integers": Case(np.arange(10).reshape(5, 2), np.arange(4).reshape(2, 2)),
    "float32": Case(gaussian(9, 2, 0).astype(np.float32), gaussian(9, 2, 1).astype(np.float32)),
    "booleans": Case(np.array([[True, False]]), np.array([[False, False]]), value=1.0),
    "column order": Case(np.asfortranarray(gaussian(9, 2, 0)), gaussian(18, 2, 1)[::2]),
    "lists": Case([[0, 0], [1, 0]], [[0, 3], [1, 4]], value=3.5),
}
MATRIX = [method for method in METHODS if method not in ("line", "sparse")]
PAIRS = [pytest.param(method, case, id=f"{method}-{name}") for method in METHODS for name, case in CASES.items()]


@pytest.mark.parametrize(("method", "case"), PAIRS)
def test_contract(method: str, case: Case) -> None:
    problem = case.problem()
    reason = solver(method).accepts(problem)
    if reason is not None:
        with pytest.raises(InvalidInput) as refusal:
            case.solve(method=method)
        assert reason in str(refusal.value)
        assert choose(problem) in str(refusal.value)
        return

    solution = case.solve(method=method)
    assert_optimal(solution)
    assert solution.status is otgan.Status.OPTIMAL
    assert solution.method == method
    assert solution.stats["seconds"] >= 0
    n, m = problem.shape
    assert solution.plan.shape == (n, m)
    assert solution.plan.nnz <= n * m
    assert (solution.plan.data > 0).all()
    assert isinstance(solution.value, float)
    assert isinstance(solution.distance, float)
    assert 0 <= solution.gap <= 1e-9
    assert solution.certificate.is_optimal(1e-9)
    assert solution.certificate.marginal_error <= 1e-14
    if case.value is not None:
        assert solution.value == pytest.approx(case.value, rel=1e-14, abs=0)
    reference = case.solve(method="linprog")
    assert abs(solution.value - reference.value) <= 1e-9 * reference.value


@pytest.mark.parametrize(("method", "case"), PAIRS)
def test_sides_can_be_exchanged(method: str, case: Case) -> None:
    if solver(method).accepts(case.problem()) is not None:
        return
    other = replace(case, x=case.y, y=case.x, a=case.b, b=case.a)
    value = case.solve(method=method).value
    assert abs(other.solve(method=method).value - value) <= 1e-9 * value


@pytest.mark.parametrize("method", METHODS)
def test_answers_repeat(method: str) -> None:
    case = CASES["line"]
    one, other = case.solve(method=method), case.solve(method=method)
    np.testing.assert_array_equal(one.plan.toarray(), other.plan.toarray())
    np.testing.assert_array_equal(one.f, other.f)
    np.testing.assert_array_equal(one.g, other.g)


@pytest.mark.parametrize("method", METHODS)
def test_inputs_are_left_alone(method: str) -> None:
    x, y = gaussian(9, 1, 0), gaussian(9, 1, 1)
    a, b = np.full(9, 1 / 9), np.full(9, 1 / 9)
    for array in (x, y, a, b):
        array.flags.writeable = False
    before = [array.copy() for array in (x, y, a, b)]
    solution = otgan.solve(x, y, 2, a=a, b=b, method=method)
    for array in (solution.f, solution.g, solution.plan.data):
        array += 1.0
    for array, old in zip((x, y, a, b), before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("method", MATRIX)
def test_cost_matrices(method: str) -> None:
    case = CASES["plane, squared"]
    C = case.problem().cost.block(slice(None), slice(None))
    solution = otgan.solve_cost(C, method=method)
    assert_optimal(solution)
    assert abs(solution.value - case.solve().value) <= 1e-9 * solution.value
    assert solution.distance == solution.value


@pytest.mark.parametrize("method", MATRIX)
def test_row_and_column_offsets_of_the_costs(method: str) -> None:
    rng = np.random.default_rng(0)
    C, u, v = rng.random((12, 12)), 5 * rng.normal(size=12), 5 * rng.normal(size=12)
    plain, moved = otgan.solve_cost(C, method=method), otgan.solve_cost(C + u[:, None] + v, method=method)
    assert_optimal(moved)
    assert moved.value == pytest.approx(plain.value + u.mean() + v.mean(), rel=1e-9, abs=0)
    negative = otgan.solve_cost(C - 10.0, method=method)
    assert_optimal(negative)
    assert negative.value == pytest.approx(plain.value - 10.0, rel=1e-9, abs=0)


@pytest.mark.parametrize("method", [*METHODS, "auto"])
def test_too_much_memory_is_refused_before_anything_is_allocated(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otgan.runtime.memory.BLINK", 0)
    monkeypatch.setattr("otgan.runtime.memory.available", lambda: 2**20)
    x, y = gaussian(2000, 1, 0), gaussian(2000, 1, 1)
    if method in ("line", "auto"):
        assert otgan.solve(x, y, method=method).method == "line"
        return
    problem = Problem.from_points(x, y)
    assert solver(method).memory(*problem.shape) > 2**20
    with pytest.raises(InvalidInput, match=r"GiB.*'line'"):
        otgan.solve(x, y, method=method)
