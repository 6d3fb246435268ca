"""Laws that distances obey whatever the data: metamorphic tests of ``solve``, and tests of its options."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst

import otgan
from otgan.errors import InvalidInput
from otgan.exact.auto import choose
from otgan.metric import METRICS
from otgan.problem import Problem
from otgan.testing import assert_metric, assert_optimal
from otgan.testing import strategies as st

RTOL = 2e-9  # two proven values, each to 1e-9
TAME = [kind for kind in st.CLOUDS if kind != "clusters"]
EXACT = ["cuts", "unequal"]


def value(problem: st.TransportProblem, **changed: Any) -> float:
    """The optimal cost, after changing fields of the problem."""
    other = replace(problem, **changed)
    return otgan.solve(other.x, other.y, other.p, a=other.a, b=other.b, metric=other.metric).value


def distance(problem: st.TransportProblem, **changed: Any) -> float:
    other = replace(problem, **changed)
    return otgan.wasserstein(other.x, other.y, other.p, a=other.a, b=other.b, metric=other.metric)


def close(found: float, expected: float) -> bool:
    return abs(found - expected) <= RTOL * abs(expected)


@given(st.problems(kinds=TAME))
def test_solution_is_optimal(problem: st.TransportProblem) -> None:
    assert_optimal(otgan.solve(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric))


@given(st.problems(kinds=TAME))
def test_symmetry(problem: st.TransportProblem) -> None:
    assert close(value(problem, x=problem.y, y=problem.x, a=problem.b, b=problem.a), value(problem))


@given(st.problems(kinds=TAME), hst.integers(-20, 20), hst.sampled_from([1.0, 3.0, 0.1]))
def test_scaling(problem: st.TransportProblem, exponent: int, factor: float) -> None:
    scale = factor * 2.0**exponent
    x, y = scale * problem.x, scale * problem.y
    moved = x.shape[1] * np.spacing(max(np.abs(x).max(), np.abs(y).max()))  # what rounding may move two points apart
    mass = max(1.0, float(problem.a.sum()))
    assert math.isclose(
        distance(problem, x=x, y=y), scale * distance(problem), rel_tol=RTOL, abs_tol=moved * mass if factor != 1 else 0
    )


@given(st.problems(kinds=["lattice", "gaussian", "duplicates", "collinear"]), hst.integers(-(10**8), 10**8))
def test_translation(problem: st.TransportProblem, shift: int) -> None:
    assert close(value(problem, x=problem.x + shift, y=problem.y + shift), value(problem))


@given(st.problems(kinds=["lattice", "gaussian", "huge"], p=2, metric="euclidean", masses=EXACT), hst.integers(-9, 9))
def test_translation_of_one_side_adds_the_square_of_the_means(problem: st.TransportProblem, shift: int) -> None:
    """For p = 2, W^2(x + t, y) = W^2(x, y) + 2 t.(mean x - mean y) + |t|^2."""
    t = np.full(problem.x.shape[1], shift * max(1.0, np.abs(problem.x).max() / 4))
    means = problem.a @ problem.x - problem.b @ problem.y
    expected = value(problem) + 2 * t @ means + t @ t
    scale = max(value(problem), float(t @ t), 1e-300)
    assert abs(value(problem, x=problem.x + t) - expected) <= RTOL * scale


@given(st.problems(kinds=TAME), hst.data())
def test_order_of_points(problem: st.TransportProblem, data: hst.DataObject) -> None:
    rows = data.draw(hst.permutations(range(len(problem.x))))
    cols = data.draw(hst.permutations(range(len(problem.y))))
    shuffled = value(problem, x=problem.x[rows], a=problem.a[rows], y=problem.y[cols], b=problem.b[cols])
    assert close(shuffled, value(problem))


@given(st.problems(kinds=TAME), hst.data())
def test_order_and_signs_of_coordinates(problem: st.TransportProblem, data: hst.DataObject) -> None:
    order = data.draw(hst.permutations(range(problem.x.shape[1])))
    signs = np.array(data.draw(hst.lists(hst.sampled_from([1.0, -1.0]), min_size=len(order), max_size=len(order))))
    assert close(value(problem, x=problem.x[:, order] * signs, y=problem.y[:, order] * signs), value(problem))


@given(st.problems(kinds=TAME, masses=EXACT), hst.integers(1, 3))
def test_splitting_mass(problem: st.TransportProblem, halvings: int) -> None:
    x, y, a, b = problem.x, problem.y, problem.a, problem.b
    for _ in range(halvings):
        x, a = np.vstack([x, x[::-1]]), np.concatenate([a, a[::-1]]) / 2
    assert close(value(problem, x=x, a=a), value(problem))
    assert close(value(problem, y=np.repeat(y, 2, axis=0), b=np.repeat(b, 2) / 2), value(problem))


@given(st.point_clouds(kinds=TAME), hst.integers(1, 4), hst.sampled_from([1, 2]))
def test_a_cloud_taken_several_times_is_the_same_measure(x: np.ndarray, times: int, p: float) -> None:
    assert otgan.wasserstein(x, np.repeat(x, times, axis=0), p) == 0.0
    assert otgan.wasserstein(np.tile(x, (times, 1)), x, p) == 0.0


@given(st.problems(kinds=TAME), hst.sampled_from([1e-6, 0.5, 3.0, 1e6]))
def test_total_mass(problem: st.TransportProblem, factor: float) -> None:
    assert close(value(problem, a=factor * problem.a, b=factor * problem.b), factor * value(problem))


@given(st.problems(kinds=TAME))
def test_points_without_mass(problem: st.TransportProblem) -> None:
    x, y = np.vstack([problem.x, problem.y]), np.vstack([problem.y[:1], problem.y])
    a, b = np.append(problem.a, np.zeros(len(problem.y))), np.append(0.0, problem.b)
    assert close(value(problem, x=x, a=a, y=y, b=b), value(problem))


@given(st.problems(kinds=TAME, p=1, masses=EXACT), hst.data())
def test_common_mass_stays_where_it_is(problem: st.TransportProblem, data: hst.DataObject) -> None:
    """For p = 1 and a metric cost, adding the same mass to both sides changes nothing."""
    common = data.draw(st.weights(len(problem.y), kinds=EXACT))
    x, a = np.vstack([problem.x, problem.y]), np.concatenate([problem.a, common])
    b = problem.b + common
    scale = float(problem.costs().max())
    assert abs(value(problem, x=x, a=a, b=b) - value(problem)) <= 1e-9 * value(problem) + 1e-14 * scale


@given(st.problems(kinds=TAME))
def test_distances_increase_with_the_order(problem: st.TransportProblem) -> None:
    distances = [distance(problem, p=p) for p in (1, 1.5, 2, 3)]
    for low, high in pairwise(distances):
        assert low <= high * (1 + RTOL) + 1e-300


@given(st.problems(kinds=TAME))
def test_metrics_are_ordered(problem: st.TransportProblem) -> None:
    chebyshev, euclidean, cityblock = (distance(problem, metric=m) for m in ("chebyshev", "euclidean", "cityblock"))
    slack = 1 + RTOL
    assert chebyshev <= euclidean * slack
    assert euclidean <= cityblock * slack
    assert cityblock <= problem.x.shape[1] * chebyshev * slack


@given(st.problems(kinds=TAME))
def test_lower_bound_by_the_means_and_upper_bound_by_the_product(problem: st.TransportProblem) -> None:
    product = problem.a @ problem.costs() @ problem.b
    assert value(problem) <= product * (1 + RTOL)
    means = problem.a @ problem.x - problem.b @ problem.y
    order = {"euclidean": 2, "cityblock": 1, "chebyshev": np.inf}[problem.metric]
    rounding = 1e-14 * (np.abs(problem.x).max() + np.abs(problem.y).max())
    assert np.linalg.norm(means, ord=order) <= distance(problem) * (1 + RTOL) + len(means) * rounding


@given(st.problems(kinds=TAME))
def test_one_coordinate_costs_no_more_than_all(problem: st.TransportProblem) -> None:
    for k in range(problem.x.shape[1]):
        on_the_line = otgan.wasserstein_1d(problem.x[:, k], problem.y[:, k], problem.p, a=problem.a, b=problem.b)
        assert on_the_line <= distance(problem) * (1 + RTOL) + 1e-300


@given(st.problems(kinds=TAME))
def test_cost_matrices_are_the_same_problem(problem: st.TransportProblem) -> None:
    by_matrix = otgan.solve_cost(problem.costs(), problem.a, problem.b)
    assert_optimal(by_matrix)
    assert close(by_matrix.value, value(problem))
    transposed = otgan.solve_cost(problem.costs().T, problem.b, problem.a)
    assert close(transposed.value, by_matrix.value)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1, 2, 3])
def test_is_a_metric(p: float, metric: str) -> None:
    @given(
        hst.integers(1, 3).flatmap(
            lambda dim: hst.tuples(*[st.point_clouds(n=hst.integers(1, 6), dim=dim, kinds=TAME)] * 3)
        )
    )
    def check(clouds: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        assert_metric(lambda x, y: otgan.wasserstein(x, y, p, metric=metric), clouds)

    check()


@given(st.problems(kinds=TAME), hst.data())
def test_triangle_inequality_of_weighted_clouds(problem: st.TransportProblem, data: hst.DataObject) -> None:
    middle = data.draw(st.point_clouds(dim=problem.x.shape[1], kinds=TAME))
    mass = data.draw(st.weights(len(middle)))
    detour = distance(problem, y=middle, b=mass) + distance(problem, x=middle, a=mass)
    assert distance(problem) <= detour * (1 + RTOL) + 1e-300


@given(st.problems(kinds=TAME, p=[1, 2]))
def test_distance_is_the_root_of_the_value(problem: st.TransportProblem) -> None:
    assert math.isclose(distance(problem) ** problem.p, value(problem), rel_tol=1e-14)


@pytest.mark.parametrize(
    ("problem", "method"),
    [
        (Problem.from_points([0.0], [1.0]), "line"),
        (Problem.from_points(np.zeros((3, 1)), np.zeros((2, 1)), 2), "line"),
        (Problem.from_points(np.zeros((3, 2)), np.zeros((2, 2))), "network-simplex"),
        (Problem.from_points(np.zeros((3, 9)), np.zeros((3, 9))), "assignment"),
        (Problem.from_points(np.zeros((3, 9)), np.zeros((3, 9)), a=[0.5, 0.25, 0.25]), "network-simplex"),
        (Problem.from_points(np.zeros((1000, 2)), np.zeros((1000, 2))), "assignment"),
        (Problem.from_points(np.zeros((2000, 2)), np.zeros((1000, 2))), "sparse"),
        (Problem.from_points(np.zeros((3, 200)), np.zeros((3, 200))), "assignment"),
        (Problem.from_points(np.zeros((3, 200)), np.zeros((2, 200))), "network-simplex"),
        (Problem.from_matrix(np.zeros((3, 3))), "assignment"),
        (Problem.from_matrix(np.zeros((3, 2))), "network-simplex"),
    ],
)
def test_rule_of_auto(problem: Problem, method: str) -> None:
    assert choose(problem) == method


def test_what_a_solution_carries() -> None:
    solution = otgan.solve([[0.0, 0.0], [1.0, 0.0]], [[0.0, 3.0], [1.0, 4.0]], 2)
    assert solution.value == 12.5
    assert solution.distance == math.sqrt(12.5)
    assert solution.lower <= 12.5 <= solution.upper
    assert solution.gap <= 1e-14
    np.testing.assert_array_equal(solution.plan.toarray(), [[0.5, 0.0], [0.0, 0.5]])
    assert solution.status is otgan.Status.OPTIMAL
    assert "optimal" in solution.status.message
    assert repr(solution) == (
        f"Solution(value=12.5, gap={solution.gap:.1e}, status=OPTIMAL, method='assignment', n=2, m=2)"
    )
    assert solution.problem.shape == (2, 2)
    assert solution.problem.mass == 1.0


def test_solutions_can_be_pickled() -> None:
    solution = otgan.solve([[0.0, 0.0], [1.0, 0.0]], [[0.0, 3.0], [1.0, 4.0]], 2)
    again = pickle.loads(pickle.dumps(solution))
    assert again.value == solution.value
    assert_optimal(again)
    error = pickle.loads(pickle.dumps(InvalidInput("message")))
    assert str(error) == "message"


def test_errors_with_solutions_can_be_pickled() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(otgan.NotConverged) as caught:
        otgan.solve(rng.normal(size=(9, 2)), rng.normal(size=(9, 2)), rtol=1e-17)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.solution.value == caught.value.solution.value


def test_progress_prints_nothing_into_pipes(capfd: pytest.CaptureFixture[str]) -> None:
    otgan.solve([[0.0, 0.0]], [[0.0, 3.0]], progress=True)
    otgan.solve_cost([[1.0]], progress=True)
    assert capfd.readouterr() == ("", "")


def test_infinite_order_on_the_line() -> None:
    assert otgan.wasserstein([0.0, 1.0], [0.5, 4.0], math.inf) == 3.0
    assert otgan.wasserstein([[0.0], [1.0]], [[0.5], [4.0]], math.inf, a=[1, 0], b=[1, 0]) == 0.5


def test_a_cost_of_zero_is_proven_where_others_are_negative() -> None:
    """Whole-number costs and masses have whole-number potentials: nothing is rounded, and zero has no relative gap."""
    zeros = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        costs = 10.0 ** rng.choice([0, 8]) * rng.integers(-3, 4, (3, 4))
        a, b = np.eye(3)[rng.integers(3)] * 2, rng.multinomial(2, [0.25] * 4)
        solution = otgan.solve_cost(costs, a, b)
        if solution.value == 0 and solution.certificate.magnitude == 0:
            zeros += 1
            assert solution.lower == solution.upper == 0
    assert zeros > 20
