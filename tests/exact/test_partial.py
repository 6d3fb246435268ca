"""Partial transport: a given mass moves, whichever is cheapest, with the same proof as any problem."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import otgan
from otgan.errors import InvalidInput, NotConverged, OTError
from otgan.exact.partial import PartialSolution


def drawn(seed: int, kind: str = "points") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Costs, and weights of two totals."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 8, size=2)
    if kind == "signs":
        C = rng.integers(-3, 4, size=(n, m)).astype(float)
    else:
        C = np.linalg.norm(rng.normal(size=(n, 1, 2)) - rng.normal(size=(m, 2)), axis=2)
    return C, rng.integers(1, 5, size=n).astype(float), rng.integers(1, 5, size=m).astype(float)


def by_linprog(C: np.ndarray, a: np.ndarray, b: np.ndarray, mass: float) -> float:
    n, m = C.shape
    rows, cols = np.kron(np.eye(n), np.ones((1, m))), np.kron(np.ones((1, n)), np.eye(m))
    found = linprog(C.ravel(), np.vstack([rows, cols]), np.r_[a, b], np.ones((1, n * m)), [mass])
    return found.fun


@given(st.integers(0, 10_000), st.sampled_from(["points", "signs"]), st.floats(0.01, 1.0))
def test_it_is_the_least_cost_and_proven(seed: int, kind: str, share: float) -> None:
    C, a, b = drawn(seed, kind)
    mass = share * min(a.sum(), b.sum())
    solution = otgan.solve_cost(C, a, b, mass=mass)
    assert isinstance(solution, PartialSolution)
    assert solution.status is otgan.Status.OPTIMAL
    assert solution.value == pytest.approx(by_linprog(C, a, b, mass), rel=1e-7, abs=1e-7)
    assert solution.lower <= solution.value <= solution.upper
    plan = solution.plan.toarray()
    assert plan.shape == C.shape
    assert (plan >= 0).all()
    assert (plan.sum(axis=1) <= a * (1 + 1e-12)).all()
    assert (plan.sum(axis=0) <= b * (1 + 1e-12)).all()
    assert plan.sum() == pytest.approx(mass, rel=1e-12)
    assert (plan * C).sum() == pytest.approx(solution.value, rel=1e-9, abs=1e-12)
    # The potentials: feasible, at most 0, 0 where mass stays, and of the same value.
    room = 1e-9 * (1 + np.abs(C).max())
    assert (solution.f[:, None] + solution.g + solution.level <= C + room).all()
    assert max(solution.f.max(), solution.g.max()) <= room
    assert np.abs(solution.f[plan.sum(axis=1) < a * (1 - 1e-9)]).max(initial=0.0) <= room
    dual = a @ solution.f + b @ solution.g + solution.level * mass
    assert dual == pytest.approx(solution.value, rel=1e-9, abs=room * (a.sum() + b.sum()))


@given(st.integers(0, 10_000), st.sampled_from([1, 2]))
def test_all_of_the_mass_is_the_problem_without_it(seed: int, p: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(5, 2)) + 1
    whole, part = otgan.solve(x, y, p), otgan.solve(x, y, p, mass=1.0)
    assert part.value == pytest.approx(whole.value, rel=1e-9)
    assert part.distance == pytest.approx(whole.distance, rel=1e-9)
    # The least cost is convex in the mass, and grows with it.
    values = [otgan.solve(x, y, p, mass=share).value for share in (0.2, 0.4, 0.6)]
    assert 0 < values[0] < values[1] < values[2] < whole.value
    assert values[1] <= (values[0] + values[2]) / 2 * (1 + 1e-12)
    tiny = otgan.solve(x, y, p, mass=1e-9)
    assert tiny.value == pytest.approx(1e-9 * np.linalg.norm(x[:, None] - y, axis=2).min() ** p, rel=1e-9)


def test_masses_are_moved_exactly() -> None:
    x, y = np.zeros((3, 2)), np.ones((2, 2))
    a, b, mass = np.array([0.1, 0.2, 1e-20]), np.array([1e10, 0.3]), 0.1 + 1e-17
    solution = otgan.solve(x, y, a=a, b=b, mass=mass)
    assert isinstance(solution, PartialSolution)
    masses = solution.whole.problem.masses
    exact = [sum(int(d) << 62 * k for k, d in enumerate(row[::-1])) for row in masses.a.tolist()]
    total = sum(Fraction(w) for w in b.tolist())
    assert Fraction(exact[-1], sum(exact)) == (total - Fraction(mass)) / (
        sum(map(Fraction, a.tolist())) + total - Fraction(mass)
    )
    assert solution.plan.data.sum() == pytest.approx(mass, rel=1e-15)
    assert solution.moves.floats.sum() * masses.unit == pytest.approx(mass)


@pytest.mark.parametrize("method", ["network-simplex", "linprog"])
def test_what_rounding_leaves_of_the_totals_stays(method: str) -> None:
    """Both totals are 1 as floats, and less than an ulp apart: what stays is a point with mass, however little."""
    C = np.array([[0.0, -1.0, 3.0], [0.0, 0.0, 1.0]])
    a, b = np.array([1 / 3, 2 / 3]), np.array([1 - 2.0**-40, 2.0**-40 - 2.0**-92, 2.0**-92])
    assert math.fsum(a) == math.fsum(b) == 1.0
    solution = otgan.solve_cost(C, a, b, mass=1.0, method=method)
    assert isinstance(solution, PartialSolution)
    whole = solution.whole.problem
    for weights, masses in ((whole.a, whole.masses.a), (whole.b, whole.masses.b)):
        assert ((weights > 0) == masses.any(axis=1)).all()
    assert solution.value == pytest.approx(-(b[1] - 3 * b[2]), rel=1e-9, abs=0)


def test_a_bound_is_not_zero_where_two_floats_of_each_mass_cancel() -> None:
    """What stays is 1 - 1e-40, which no two floats hold: the potentials cancel but for what these leave out."""
    solution = otgan.solve_cost([[1.0], [0.0], [-1e76]], np.full(3, 1 / 3), [1.0], mass=1e-40, throw=False)
    assert solution.lower <= -1e36 * (1 - 1e-15)
    assert solution.lower <= solution.value <= solution.upper
    assert solution.value == pytest.approx(-1e36)


def test_a_part_has_no_assignment_and_no_functions() -> None:
    solution = otgan.solve([[0.0, 0.0], [9.0, 9.0]], [[0.0, 1.0], [5.0, 5.0]], mass=0.5)
    assert solution.value == 0.5
    assert repr(solution).startswith("PartialSolution(value=0.5, ")
    for name in ("assignment", "potentials"):
        with pytest.raises(OTError, match=r"part|all mass"):
            getattr(solution, name)
    assert solution.sample(3, rng=0)[0].tolist() == [0, 0, 0]
    moved = solution.barycentric_projection()
    assert moved[0].tolist() == [0.0, 1.0]
    assert np.isnan(moved[1]).all()


def test_whole_numbers_of_equal_points() -> None:
    solution = otgan.solve_cost(np.ones((3, 3)), np.ones(3), np.ones(3), mass=1)
    assert solution.value == 1.0
    assert solution.plan.toarray().sum() == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mass": 0.0}, "mass must"),
        ({"mass": -1.0}, "mass must"),
        ({"mass": math.nan}, "mass must"),
        ({"mass": math.inf}, "mass must"),
        ({"mass": "all"}, "mass must"),
        ({"mass": 2.5}, "at most that of either side"),
        ({"mass": 1.0, "method": "sparse"}, "method"),
        ({"mass": 1.0, "method": "assignment"}, "method"),
        ({"mass": 1.0, "a": [-1.0, 2.0]}, "non-negative"),
        ({"mass": 1.0, "x": [[np.nan, 0.0], [0.0, 0.0]]}, "finite"),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "x": [[0.0, 0.0], [1.0, 0.0]],
        "y": [[0.0, 1.0], [3.0, 3.0]],
        "a": [1.0, 1.0],
        "b": [1.0, 2.0],
    }
    with pytest.raises(InvalidInput, match=message):
        otgan.solve(**{**given, **change})


def test_too_few_steps_leave_a_valid_interval() -> None:
    rng = np.random.default_rng(0)
    C = rng.random((60, 50))
    with pytest.raises(NotConverged) as caught:
        otgan.solve_cost(C, mass=0.5, max_steps=1)
    interval = caught.value.solution
    exact = otgan.solve_cost(C, mass=0.5)
    assert isinstance(interval, PartialSolution)
    assert interval.lower <= exact.value <= interval.upper
