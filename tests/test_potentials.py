"""Potentials as functions: Lipschitz, feasible everywhere, and with the gradient that they say."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst

import otgan
from otgan.errors import InvalidInput, OTError
from otgan.metric import METRICS
from otgan.testing import strategies as st

TAME = ["lattice", "gaussian", "duplicates", "collinear"]
DUAL_NORM = {"euclidean": 2, "cityblock": np.inf, "chebyshev": 1}


def solved(problem: st.TransportProblem) -> otgan.Solution:
    return otgan.solve(problem.x, problem.y, problem.p, a=problem.a, b=problem.b, metric=problem.metric)


def anywhere(dim: int, seed: int, n: int = 30) -> np.ndarray:
    return 5 * np.random.default_rng(seed).normal(size=(n, dim))


def costs(x: np.ndarray, y: np.ndarray, p: float, metric: str) -> np.ndarray:
    one = np.ones(1)
    return st.TransportProblem(x, y, one, one, p, metric).costs()


@given(st.problems(kinds=TAME, p=1), hst.integers(0, 100))
def test_of_order_one_are_1_lipschitz(problem: st.TransportProblem, seed: int) -> None:
    potentials = solved(problem).potentials
    new = np.vstack([problem.x, problem.y, anywhere(problem.x.shape[1], seed)])
    for values in (potentials.f(new), potentials.g(new)):
        slopes = np.abs(np.subtract.outer(values, values)) - costs(new, new, 1, problem.metric)
        assert slopes.max() <= 1e-12


@given(st.problems(kinds=TAME), hst.integers(0, 100))
def test_are_feasible_everywhere(problem: st.TransportProblem, seed: int) -> None:
    solution = solved(problem)
    new = anywhere(problem.x.shape[1], seed)
    high = np.add.outer(solution.potentials.f(new), solution.g) - costs(new, problem.y, problem.p, problem.metric)
    assert high.max() <= 1e-12 * costs(new, problem.y, problem.p, problem.metric).max()
    high = np.add.outer(solution.f, solution.potentials.g(new)) - costs(problem.x, new, problem.p, problem.metric)
    assert high.max() <= 1e-12 * costs(problem.x, new, problem.p, problem.metric).max()


@given(st.problems(kinds=TAME))
def test_extend_the_values_at_the_points(problem: st.TransportProblem) -> None:
    """f is the c-transform of g, so it is continued; g may be raised where nothing presses on it, never lowered."""
    solution = solved(problem)
    scale = max(1.0, np.abs(solution.f).max(), np.abs(solution.g).max())
    np.testing.assert_allclose(solution.potentials.f(problem.x), solution.f, atol=1e-13 * scale)
    raised = solution.potentials.g(problem.y)
    assert (raised >= solution.g - 1e-13 * scale).all()
    assert problem.a @ solution.potentials.f(problem.x) + problem.b @ raised == pytest.approx(
        solution.value, rel=1e-9, abs=1e-13 * scale
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1, 2, 1.5, 3])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_gradient_is_that_of_finite_differences(p: float, metric: str, dim: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, dim)), rng.normal(size=(9, dim))
    potentials = otgan.solve(x, y, p, metric=metric).potentials
    new = rng.normal(size=(50, dim)) * 2
    gradient, step = potentials.gradient(new), 1e-6
    assert gradient.shape == new.shape
    smooth = np.ones(len(new), dtype=bool)
    central = np.empty_like(new)
    for k in range(dim):
        shift = step * np.eye(dim)[k]
        high, middle, low = (potentials.f(new + t * shift) for t in (1, 0, -1))
        central[:, k] = (high - low) / (2 * step)
        smooth &= np.abs((high - middle) - (middle - low)) / step < 1e-4  # no kink between
    assert smooth.sum() >= 45
    np.testing.assert_allclose(gradient[smooth], central[smooth], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_gradient_of_order_one_has_unit_length(metric: str) -> None:
    rng = np.random.default_rng(0)
    potentials = otgan.solve(rng.normal(size=(12, 3)), rng.normal(size=(9, 3)), metric=metric).potentials
    gradient = potentials.gradient(rng.normal(size=(50, 3)) * 2)
    np.testing.assert_allclose(np.linalg.norm(gradient, ord=DUAL_NORM[metric], axis=1), 1.0, rtol=1e-12)


def test_gradient_points_away_from_where_the_mass_goes() -> None:
    """For p = 2 the optimal map is x - grad f / 2 (Brenier)."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    solution = otgan.solve(x, y, 2)
    target = y[solution.plan.toarray().argmax(axis=1)]
    cost = np.sum((x - target) ** 2, axis=1)
    landed = x - solution.potentials.gradient(x) / 2
    attained = np.sum((x - landed) ** 2, axis=1) - solution.potentials.g(landed)
    np.testing.assert_allclose(attained, cost - solution.g[solution.plan.toarray().argmax(axis=1)], atol=1e-9)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1, 2, 1.5])
def test_gradient_is_finite_on_the_points_themselves(p: float, metric: str) -> None:
    x = np.array([[0.0, 0.0], [1.0, 0.0]])
    gradient = otgan.solve(x, x, p, metric=metric).potentials.gradient(np.vstack([x, x + 1]))
    assert np.isfinite(gradient).all()


def test_points_on_the_line_may_be_given_flat() -> None:
    potentials = otgan.solve([0.0, 1.0], [3.0, 5.0]).potentials
    np.testing.assert_array_equal(potentials.f([0.0, 2.0]), potentials.f([[0.0], [2.0]]))
    assert potentials.gradient([0.0, 2.0]).shape == (2, 1)


def test_what_is_refused() -> None:
    potentials = otgan.solve([[0.0, 1.0]], [[3.0, 5.0]]).potentials
    for evaluate in (potentials.f, potentials.g, potentials.gradient):
        with pytest.raises(InvalidInput, match="2 columns"):
            evaluate([[0.0, 1.0, 2.0]])
        with pytest.raises(InvalidInput, match="NaN"):
            evaluate([[0.0, np.nan]])
        with pytest.raises(InvalidInput, match="shape"):
            evaluate(np.zeros((2, 2, 2)))
    with pytest.raises(OTError, match="solve_cost"):
        _ = otgan.solve_cost([[1.0]]).potentials


def test_many_new_points_are_taken_in_blocks() -> None:
    rng = np.random.default_rng(0)
    potentials = otgan.solve(rng.normal(size=(40, 2)), rng.normal(size=(1500, 2)), 2).potentials
    new = rng.normal(size=(2000, 2))
    whole = potentials.gradient(new)
    np.testing.assert_array_equal(whole[1000:], potentials.gradient(new[1000:]))


def slope(step: np.ndarray, p: float, metric: str) -> np.ndarray:
    """Gradient of ``norm(step) ** p`` for one step, written out."""
    order = {"euclidean": 2, "cityblock": 1, "chebyshev": np.inf}[metric]
    length = np.linalg.norm(step, ord=order)
    units = {
        "euclidean": step / length,
        "cityblock": np.sign(step),
        "chebyshev": np.sign(step) * (np.abs(step) == length),
    }
    return p * length ** (p - 1) * units[metric]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1, 2, 1.5])
@pytest.mark.parametrize("method", ["network-simplex", "assignment", "sparse"])
def test_gradient_at_the_points_is_that_of_their_arc(method: str, p: float, metric: str) -> None:
    """Columns tie at every point whose column is also another's second best."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 8)), rng.normal(size=(100, 8)) + 0.5
    solution = otgan.solve(x, y, p, metric=metric, method=method)
    target = y[solution.plan.toarray().argmax(axis=1)]
    expected = np.array([slope(step, p, metric) for step in x - target])
    np.testing.assert_allclose(solution.potentials.gradient(x), expected, rtol=1e-12, atol=1e-15)
    shuffled = rng.permutation(100)[:30]
    between = rng.normal(size=(50, 8))
    mixed = solution.potentials.gradient(np.vstack([between, x[shuffled]]))
    np.testing.assert_array_equal(mixed[50:], solution.potentials.gradient(x)[shuffled])
    np.testing.assert_array_equal(mixed[:50], solution.potentials.gradient(between))


def test_gradient_where_the_plan_parts_is_the_mean_by_mass() -> None:
    """A quarter of the first point's mass goes up by 4, three go right by 3; the second point is moved whole."""
    x, y = np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([[0.0, 4.0], [3.0, 0.0], [10.0, 1.0]])
    a, b = [0.5, 0.5], [0.125, 0.375, 0.5]
    gradient = otgan.solve(x, y, 1, a=a, b=b).potentials.gradient(x)
    np.testing.assert_allclose(gradient, [[-0.75, -0.25], [0.0, -1.0]], rtol=1e-12, atol=1e-15)
    gradient = otgan.solve(x, y, 2, a=a, b=b).potentials.gradient(x)  # 2 (x - barycentre)
    np.testing.assert_allclose(gradient, [[-4.5, -2.0], [0.0, -2.0]], rtol=1e-12, atol=1e-15)


def test_gradient_of_points_in_one_place_is_that_of_all_of_them() -> None:
    """The same measure, with its first point written as three, one of them without mass."""
    x = np.array([[0.0, 0.0], [-0.0, 0.0], [0.0, -0.0], [10.0, 0.0]])
    y, b = np.array([[0.0, 4.0], [3.0, 0.0], [10.0, 1.0]]), [0.125, 0.375, 0.5]
    potentials = otgan.solve(x, y, 2, a=[0.25, 0.25, 0.0, 0.5], b=b).potentials
    expected = [[-4.5, -2.0], [-4.5, -2.0], [-4.5, -2.0], [0.0, -2.0]]
    np.testing.assert_allclose(potentials.gradient(x), expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(potentials.gradient([[-0.0, -0.0]]), [[-4.5, -2.0]], rtol=1e-12)


def test_gradient_at_points_without_mass_is_that_of_the_extension() -> None:
    x, y = np.array([[0.0, 0.0], [2.0, 5.0], [10.0, 0.0]]), np.array([[0.0, 4.0], [10.0, 1.0]])
    solution = otgan.solve(x, y, 2, a=[0.5, 0.0, 0.5])
    reduced = ((x[1] - y) ** 2).sum(axis=1) - solution.g
    np.testing.assert_allclose(solution.potentials.gradient(x[1:2])[0], 2 * (x[1] - y[reduced.argmin()]), rtol=1e-12)


@given(st.problems(kinds=TAME, p=2, metric="euclidean"), hst.integers(0, 100))
def test_gradient_of_order_two_is_a_supergradient(problem: st.TransportProblem, seed: int) -> None:
    """``f(x) - |x|^2`` is concave, so that f lies below each of its paraboloids: at kinks and split points, too."""
    potentials = solved(problem).potentials
    new = anywhere(problem.x.shape[1], seed)
    step = new[None] - problem.x[:, None]
    above = potentials.f(problem.x)[:, None] + np.einsum("nkd,nd->nk", step, potentials.gradient(problem.x))
    above += np.square(step).sum(axis=-1)
    assert (potentials.f(new) - above).max() <= 1e-9 * max(1.0, np.abs(above).max())


@pytest.mark.parametrize("metric", METRICS)
def test_gradient_knows_the_direction_of_steps_whose_squares_vanish(metric: str) -> None:
    x, y = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[3e-200, 4e-200], [1.0, 2.0]])
    gradient = otgan.solve(x, y, 1, metric=metric).potentials.gradient(np.vstack([x, [[-3e-200, -4e-200]]]))
    unit = {"euclidean": [0.6, 0.8], "cityblock": [1.0, 1.0], "chebyshev": [0.0, 1.0]}[metric]
    np.testing.assert_allclose(gradient[[0, 2]], [np.negative(unit)] * 2, rtol=1e-12)


def test_whole_numbers_are_told_apart() -> None:
    """Pixels: every place is found, and no other."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 3, size=(300, 6)).astype(float), rng.integers(0, 256, size=(300, 6)).astype(float)
    solution = otgan.solve(x, y, 2)
    places, where = np.unique(x, axis=0, return_inverse=True)
    plan = np.zeros((len(places), 300))
    np.add.at(plan, (where[solution.plan.row], solution.plan.col), solution.plan.data)
    expected = 2 * (places - (plan @ y) / plan.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(solution.potentials.gradient(x), expected[where], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("p", [1, 2])
def test_they_can_be_pickled(p: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 2)), rng.normal(size=(6, 2))
    potentials = otgan.solve(x, y, p).potentials
    again = pickle.loads(pickle.dumps(potentials))
    for name, points in (("f", anywhere(2, 0)), ("g", y), ("gradient", np.vstack([x, y]))):
        np.testing.assert_array_equal(getattr(again, name)(points), getattr(potentials, name)(points))
