"""Certified column generation for any masses: the right value, proven, on problems that stall other solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otgan.exact import linprog, simplex
from otgan.exact.sparse import general, network
from otgan.exact.sparse.multiscale import coarse_to_fine, refine, spatial_order
from otgan.exact.sparse.progress import Progress
from otgan.kernels.spanning import merge_masses
from otgan.kernels.wide import sums
from otgan.metric import METRICS
from otgan.problem import Problem
from otgan.solution import Status


def solve(x, y, p=1, *, max_steps=None, **options):
    return general.solve(Problem.from_points(x, y, p, **options), Progress(1e-9, max_steps))


def weights(rng, n, kind) -> Any:
    if kind is None:
        return None
    w = {
        "random": lambda: rng.random(n),
        "few": lambda: rng.integers(1, 4, n).astype(float),
        "zeros": lambda: rng.integers(0, 2, n).astype(float),
        "wide": lambda: 10.0 ** rng.uniform(-15, 0, n),
    }[kind]()
    w[0] += w.sum() == 0
    return w / w.sum()


@st.composite
def problems(draw):
    n, m, d = draw(st.integers(1, 40)), draw(st.integers(1, 40)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["normal", "lattice", "equal", "heavy", "clusters"]))
    points = {
        "normal": lambda k: rng.normal(size=(k, d)),
        "lattice": lambda k: rng.integers(0, 4, (k, d)).astype(float),
        "equal": lambda k: np.ones((k, d)),
        "heavy": lambda k: rng.standard_cauchy((k, d)),
        "clusters": lambda k: rng.integers(0, 2, (k, 1)) * 100.0 + rng.normal(size=(k, d)),
    }[kind]
    kinds = st.sampled_from([None, "random", "few", "zeros", "wide"])
    a, b = weights(rng, n, draw(kinds)), weights(rng, m, draw(kinds))
    p, metric = draw(st.sampled_from([1, 1.5, 2, 3])), draw(st.sampled_from(tuple(METRICS)))
    return Problem.from_points(points(n), points(m), p, a=a, b=b, metric=metric)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_agrees_with_the_dense_solvers(problem):
    solution = general.solve(problem, Progress(1e-9))
    assert solution.status is Status.OPTIMAL
    for other in (simplex, linprog):
        reference = other.solve(problem, rtol=1e-9)
        scale = max(solution.upper, 1e-300)
        assert solution.lower <= reference.upper + 1e-9 * scale
        assert reference.lower <= solution.upper + 1e-9 * scale


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("kinds", [("random", "random"), (None, None), ("few", None), ("wide", "zeros")])
def test_several_levels_agree_with_the_network_simplex(p, kinds):
    rng = np.random.default_rng(1)
    n, m = 900, 700
    x, y = rng.random((n, 2)), rng.normal(size=(m, 2))
    options = {"a": weights(rng, n, kinds[0]), "b": weights(rng, m, kinds[1])}
    solution = solve(x, y, p, **options)
    reference = simplex.solve(Problem.from_points(x, y, p, **options), rtol=1e-9)
    assert solution.status is Status.OPTIMAL
    assert solution.stats["levels"] > 1
    assert solution.value == pytest.approx(reference.value, rel=1e-9)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("name", ["lattice", "duplicates", "equal", "clusters", "cauchy", "same", "line in the plane"])
def test_degenerate_clouds_are_solved(name, p):
    rng = np.random.default_rng(2)
    n, m = 1200, 900
    grid = np.stack(np.meshgrid(np.arange(30.0), np.arange(40.0)), -1).reshape(-1, 2)
    x, y = {
        "lattice": lambda: (grid, grid[:m] + 0.5),
        "duplicates": lambda: (np.repeat(rng.random((12, 2)), 100, axis=0), np.repeat(rng.random((9, 2)), 100, axis=0)),
        "equal": lambda: (np.ones((n, 2)), np.ones((m, 2))),
        "clusters": lambda: (rng.normal(size=(n, 2)) + 1e3 * rng.integers(0, 3, (n, 1)), rng.normal(size=(m, 2))),
        "cauchy": lambda: (rng.standard_cauchy((n, 2)), rng.standard_cauchy((m, 2))),
        "same": lambda: (grid, grid),
        "line in the plane": lambda: (rng.random((n, 1)) * [1, 2], rng.random((m, 1)) * [1, 2]),
    }[name]()
    solution = solve(x, y, p)
    assert solution.status is Status.OPTIMAL


def test_a_far_pair_of_equal_mass_costs_no_digits():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1000, 2)), rng.normal(size=(1000, 2))
    near = solve(x[1:], y[1:], 2)
    x[0], y[0] = (1e7, 0.0), (1e7, 1.0)
    solution = solve(x, y, 2)
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx((999 * near.value + 1) / 1000, rel=1e-9)


def test_a_far_point_that_has_to_move_is_solved():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(600, 2)), rng.normal(size=(500, 2))
    x[0] = (1e7, 0.0)
    assert solve(x, y, 2).status is Status.OPTIMAL
    a, b = weights(rng, 600, "wide"), weights(rng, 500, "wide")
    solution = solve(x, y, 2, a=a, b=b)  # the last bit of the masses, moved so far, costs more than all the rest
    reference = simplex.solve(Problem.from_points(x, y, 2, a=a, b=b), rtol=1e-9)
    assert solution.status in (Status.OPTIMAL, Status.GAP)
    assert max(solution.lower, reference.lower) <= min(solution.upper, reference.upper)


@pytest.mark.parametrize("p", [1, 2])
def test_high_dimension(p):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 40)), rng.normal(size=(400, 40))
    b = weights(rng, 400, "random")
    solution = solve(x, y, p, b=b)
    reference = simplex.solve(Problem.from_points(x, y, p, b=b), rtol=1e-9)
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(reference.value, rel=1e-9)


@pytest.mark.parametrize("max_steps", [1, 2])
def test_a_spent_budget_leaves_a_valid_interval(max_steps):
    rng = np.random.default_rng(0)
    x, y = rng.random((900, 2)), rng.random((800, 2)) ** 2 + 2
    value = solve(x, y, 1).value
    solution = solve(x, y, 1, max_steps=max_steps)
    assert solution.status is Status.MAX_STEPS
    assert solution.lower <= value <= solution.upper
    assert solution.certificate.marginal_error < 1e-11


def test_a_plan_handed_down_has_the_masses_of_the_children():
    rng = np.random.default_rng(0)
    n, m = 3000, 1700
    x, y = rng.random((n, 2)), rng.random((m, 2))
    problem = Problem.from_points(x[spatial_order(x)], y[spatial_order(y)], a=weights(rng, n, "few"))
    levels = coarse_to_fine(problem.cost, problem.masses.a, problem.masses.b)  # type: ignore[arg-type]
    assert len(levels) >= 3
    plan = merge_masses(levels[0].a, levels[0].b)
    for level in levels[1:]:
        order = np.lexsort((plan[1], plan[0]))
        plan = refine((plan[0][order], plan[1][order], plan[2][order]), level)
        np.testing.assert_array_equal(sums(plan[0], plan[2], len(level.a)), level.a)
        np.testing.assert_array_equal(sums(plan[1], plan[2], len(level.b)), level.b)
        assert len(plan[0]) < len(level.a) + len(level.b)


def test_arcs_that_are_found_in_parts_are_those_found_at_once(monkeypatch):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(500, 2)), rng.normal(size=(420, 2)) + 1.0
    whole = solve(x, y)
    monkeypatch.setattr(general, "POINTS_AT_ONCE", 37)
    monkeypatch.setattr(network, "ARCS_AT_ONCE", 101)
    parts = solve(x, y)
    assert (parts.lower, parts.upper) == (whole.lower, whole.upper)
    assert parts.stats["pivots"] == whole.stats["pivots"]
