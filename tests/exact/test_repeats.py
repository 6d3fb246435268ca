"""Equal points are merged before a solve, and the plan comes back on all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import otgan
from otgan.exact import repeats
from otgan.problem import Problem
from otgan.testing import assert_optimal


@pytest.fixture(autouse=True)
def _small_problems_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "FEW_PAIRS", 1)


def drawn(seed: int, n: int, m: int, places: int, kind: str) -> dict[str, Any]:
    """Two sides of points on few places, with equal weights or others."""
    rng = np.random.default_rng(seed)
    where = rng.normal(size=(places, 2)) if kind != "lattice" else rng.integers(0, 3, size=(places, 2)).astype(float)
    x, y = (where[rng.integers(0, places, size=k)] for k in (n, m))
    if kind == "equal":
        return {"x": x, "y": y}
    a, b = rng.integers(0, 4, size=n), rng.integers(0, 4, size=m)
    a[0], b[0] = 1 + a[0], 1 + b[0]
    return {"x": x, "y": y, "a": a * b.sum(), "b": b * a.sum()}


@given(
    st.integers(0, 10_000),
    st.integers(2, 14),
    st.integers(2, 14),
    st.integers(1, 6),
    st.sampled_from(["equal", "weighted", "lattice"]),
    st.sampled_from([1, 1.5, 2]),
    st.sampled_from(["auto", "network-simplex", "sparse"]),
)
def test_merged_and_unmerged_solutions_agree(
    seed: int, n: int, m: int, places: int, kind: str, p: float, method: str
) -> None:
    sides = drawn(seed, n, m, places, kind)
    merged = otgan.solve(**sides, p=p, method=method, max_steps=10**6)
    alone = otgan.solve_cost(
        np.linalg.norm(sides["x"][:, None] - sides["y"], axis=2) ** p, sides.get("a"), sides.get("b")
    )
    assert merged.lower <= alone.upper * (1 + 1e-14)
    assert alone.lower <= merged.upper * (1 + 1e-14)
    assert merged.value == pytest.approx(alone.value, rel=1e-9, abs=1e-12)
    assert merged.moves.marginal_error(merged.problem.masses) == 0
    assert_optimal(merged)


def test_masses_of_any_size_are_divided_exactly() -> None:
    x = np.repeat([[0.0, 0.0], [1.0, 0.0]], 3, axis=0)
    a = np.array([1e-300, 1.0, 1e-30, 1e-9, 0.3, 1e-20])
    solution = otgan.solve(x, x + np.array([0.0, 1.0]), a=a, b=a[::-1])
    assert solution.stats["distinct"] == (2, 2)
    assert solution.moves.marginal_error(solution.problem.masses) == 0
    assert solution.certificate.is_optimal()


def test_copies_are_matched_one_to_one() -> None:
    rng = np.random.default_rng(0)
    where = rng.normal(size=(7, 3))
    x, y = where[rng.integers(0, 7, 60)], where[rng.integers(0, 7, 60)] + 1
    solution = otgan.solve(x, y)
    assert solution.stats["distinct"] == (7, 7)
    assert sorted(solution.assignment.tolist()) == list(range(60))
    cost = np.linalg.norm(x - y[solution.assignment], axis=1).mean()
    assert cost == pytest.approx(solution.value, rel=1e-12)
    assert otgan.solve(x, y, method="assignment").value == pytest.approx(solution.value, rel=1e-12)
    assert solution.potentials.f(x) == pytest.approx(solution.f, abs=1e-9)


def test_few_repeats_and_other_problems_are_left_alone() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    assert repeats.merge(Problem.from_points(x, y)) is None
    x[:, 0] = np.round(x[:, 0])
    assert repeats.has_repeats(x)
    assert repeats.merge(Problem.from_points(x, y)) is None
    assert repeats.merge(Problem.from_matrix(np.zeros((9, 9)))) is None
    assert repeats.merge(Problem.from_points(np.zeros((9, 1)), np.zeros((9, 1)))) is None
    once = np.vstack([x, x[:3]])
    assert repeats.merge(Problem.from_points(once, once)) is None  # equal weights are solved faster as they are
    assert repeats.merge(Problem.from_points(np.vstack([x] * 2), y)) is not None


def test_zeros_of_both_signs_are_one_place() -> None:
    x = np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 1.0], [-0.0, 1.0]])
    solution = otgan.solve(x, x + 1)
    assert solution.stats["distinct"] == (1, 1)
    assert solution.value == pytest.approx(np.sqrt(2))
