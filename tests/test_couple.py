"""Couplings of minibatches, and what a solution gives to draw from: permutations, pairs, averages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst

import otgan
from otgan.errors import InvalidInput, OTError


@given(hst.integers(1, 20), hst.integers(0, 2**32 - 1))
def test_assignments_are_permutations_at_the_least_cost(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    for method in ("assignment", "network-simplex", "sparse", "linprog"):
        solution = otgan.solve(x, y, 2, method=method)
        columns = solution.assignment
        assert sorted(columns.tolist()) == list(range(n))
        assert ((x - y[columns]) ** 2).sum(-1).mean() == pytest.approx(solution.value, rel=1e-12)


def test_what_is_no_permutation_has_no_assignment() -> None:
    x = np.random.default_rng(0).normal(size=(4, 2))
    with pytest.raises(OTError, match="but there are 4 and 3"):
        _ = otgan.solve(x, x[:3]).assignment
    with pytest.raises(OTError, match="the weights differ"):
        _ = otgan.solve(x, x + 1, a=[0.1, 0.2, 0.3, 0.4]).assignment


def test_pairs_are_drawn_in_proportion_to_the_plan() -> None:
    x, y = np.array([[0.0, 0.0], [5.0, 0.0]]), np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    solution = otgan.solve(x, y, a=[0.25, 0.75], b=[0.5, 0.25, 0.25])
    rows, cols = solution.sample(100_000, rng=0)
    counts = np.zeros((2, 3))
    np.add.at(counts, (rows, cols), 1e-5)
    np.testing.assert_allclose(counts, solution.plan.toarray(), atol=0.01)
    again = solution.sample(100_000, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(again[0], rows)
    for k, rng in ((0, 0), (1, -1), (1, "seed"), (1, 0.5)):
        with pytest.raises(InvalidInput):
            solution.sample(k, rng=rng)


def test_the_barycentric_projection_is_the_plans_mean() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(9, 3))
    a = rng.dirichlet(np.ones(6))
    solution = otgan.solve(x, y, 2, a=a)
    expected = solution.plan.toarray() @ y / a[:, None]
    np.testing.assert_allclose(solution.barycentric_projection(), expected, rtol=1e-12)
    without = otgan.solve(x[:2], y, a=[1.0, 0.0]).barycentric_projection()
    assert np.isnan(without[1]).all()
    np.testing.assert_allclose(without[0], y.mean(0), rtol=1e-12)
    with pytest.raises(OTError, match="needs points"):
        otgan.solve_cost(np.eye(2)).barycentric_projection()


def test_couples_of_images_and_tensors() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x0, x1 = torch.randn(8, 1, 4, 4), torch.randn(8, 1, 4, 4, requires_grad=True)
    left, right = otgan.couple(x0, x1)
    assert left is x0
    assert right.requires_grad
    cost = ((left - right) ** 2).flatten(1).sum(1).mean()
    exact = otgan.solve(x0.flatten(1), x1.detach().flatten(1), 2).value
    assert cost.item() == pytest.approx(exact, rel=1e-5)
    drawn = otgan.couple(x0.numpy(), x1.detach().numpy()[:5], replace=True, rng=3)
    assert [side.shape for side in drawn] == [(8, 1, 4, 4)] * 2
    again = otgan.couple(x0.numpy(), x1.detach().numpy()[:5], replace=True, rng=3)
    np.testing.assert_array_equal(drawn[1], again[1])


def test_what_cannot_be_coupled_is_refused() -> None:
    x = np.zeros((3, 2))
    for arguments, message in (
        ((x, x[:2]), "Use replace=True"),
        ((x, np.zeros((3, 2, 1))), "samples of one shape"),
        (([[0.0]], x), "x0 must be an array"),
        ((np.float64(1.0), x), "x0 must be an array"),
        ((x, np.full((3, 2), np.nan)), "x1 must be finite"),
    ):
        with pytest.raises(InvalidInput, match=message):
            otgan.couple(*arguments)
    with pytest.raises(InvalidInput, match="rng must be"):
        otgan.couple(x, x, rng="seed")
