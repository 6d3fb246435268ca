"""W_inf in any dimension: the least distance such that all mass can move no further, with a plan and a cut."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow
from scipy.spatial.distance import cdist

import otgan
from otgan.errors import InvalidInput
from otgan.exact.bottleneck import solve_bottleneck
from otgan.exact.feasible import largest_matching
from otgan.problem import Problem


def by_flow(C: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """The least entry of C such that a flow along entries up to it carries all masses, whole numbers."""
    n, m = C.shape
    for t in np.unique(C):
        capacity = np.zeros((n + m + 2, n + m + 2), dtype=np.int32)
        capacity[0, 1 : n + 1], capacity[n + 1 : -1, -1] = a, b
        capacity[1 : n + 1, n + 1 : -1] = np.where(t >= C, a.sum(), 0)
        if maximum_flow(csr_array(capacity), 0, n + m + 1).flow_value == a.sum():
            return float(t)
    raise AssertionError("there is always a plan")


@given(
    st.integers(0, 100_000),
    st.sampled_from(["euclidean", "cityblock", "chebyshev"]),
    st.sampled_from(["equal", "weighted", "lattice"]),
)
def test_it_is_what_flows_say_and_proven_from_both_sides(seed: int, metric: Any, kind: str) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 8, size=2)
    m = n if kind == "equal" else m
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + rng.normal(size=2)
    if kind == "lattice":
        x, y = np.round(x), np.round(y)
    a, b = np.ones(n, int), np.ones(m, int)
    if kind != "equal":
        a, b = rng.integers(0, 4, size=n), rng.integers(0, 4, size=m)
        a[0], b[0] = a[0] + 1, b[0] + 1
        a, b = a * b.sum(), b * a.sum()
    C = cdist(x, y, metric)
    exact = by_flow(C, a, b)
    assert otgan.wasserstein(x, y, math.inf, a=a, b=b, metric=metric) == pytest.approx(exact, rel=1e-12)
    found = solve_bottleneck(Problem.from_points(x, y, 1, a=a, b=b, metric=metric))
    assert found.distance == pytest.approx(exact, rel=1e-12)
    assert C[found.pair] == pytest.approx(exact, rel=1e-12)
    assert (C[found.rows, found.cols] <= exact * (1 + 1e-12)).all()
    if found.cut is not None:
        rows, cols = found.cut
        near = C[rows] < exact * (1 - 1e-12)
        assert set(np.flatnonzero(near.any(axis=0) & (b > 0))) <= set(cols)
        assert a[rows].sum() > b[cols].sum()
    for p in (1, 4):
        assert otgan.wasserstein(x, y, p, a=a / a.sum(), b=b / b.sum(), metric=metric) <= exact * (1 + 1e-9)


def test_it_is_the_limit_and_a_matching() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    C = cdist(x, y)
    best = min(max(C[i, j] for i, j in enumerate(order)) for order in permutations(range(6)))
    assert otgan.wasserstein(x, y, math.inf) == pytest.approx(best, rel=1e-12)
    assert otgan.wasserstein(x, y, 60) == pytest.approx(best, rel=0.05)
    shift = np.array([3.0, 4.0, 0.0])
    assert otgan.wasserstein(x, x + shift, math.inf) == pytest.approx(5.0)
    assert otgan.wasserstein(x, x, math.inf) == 0.0
    assert otgan.wasserstein(1e-8 * x, 1e-8 * y, math.inf) == pytest.approx(1e-8 * best, rel=1e-9)


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "chebyshev"])
def test_gradients_are_those_of_the_pair_that_decides(metric: str) -> None:
    rng = np.random.default_rng(1)
    x, y = (torch.tensor(rng.normal(size=(5, 2)), requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda x, y: otgan.wasserstein(x, y, math.inf, metric=metric), (x, y))
    gradient = torch.autograd.grad(otgan.wasserstein(x, y, math.inf, metric=metric), x)[0]
    assert int((gradient != 0).any(dim=1).sum()) == 1
    a = torch.full((5,), 0.2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.grad(otgan.wasserstein(x, y, math.inf, a=a), a)[0].tolist() == [0.0] * 5
    assert otgan.wasserstein(x.detach().float(), y.detach().float(), math.inf).dtype == torch.float32


def test_the_largest_matching_is_found_where_paths_are_many() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        n, m = rng.integers(1, 12, size=2)
        rows, cols = np.nonzero(rng.random((n, m)) < rng.random())
        matched = largest_matching(rows, cols, (n, m))
        assert len(set(matched[0])) == len(set(matched[1])) == len(matched[0])
        assert set(zip(*matched, strict=True)) <= set(zip(rows, cols, strict=True))
        capacity = np.zeros((n + m + 2, n + m + 2), dtype=np.int32)
        capacity[0, 1 : n + 1] = capacity[n + 1 : -1, -1] = 1
        capacity[rows + 1, cols + n + 1] = 1
        assert len(matched[0]) == maximum_flow(csr_array(capacity), 0, n + m + 1).flow_value


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "sparse"}, "method"),
        ({"method": "line"}, "method"),
        ({"metric": "cosine"}, "metric"),
        ({"x": [[np.nan, 0.0]]}, "finite"),
        ({"a": [0.5], "b": [0.2, 0.2]}, "total"),
    ],
)
def test_bad_input_is_refused(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"x": [[1.0, 0.0]], "y": [[0.0, 1.0], [3.0, 3.0]], **options}
    with pytest.raises(InvalidInput, match=message):
        otgan.wasserstein(**given, p=math.inf)
