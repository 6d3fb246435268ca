"""The cost of transport as a function of costs and weights, and other metrics than the three of the solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

import otgan
from otgan.errors import InvalidInput, OTError
from otgan.exact.metrics import SCIPYS


def problem(seed: int = 0, n: int = 5, m: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    a, b = rng.random(n), rng.random(m)
    return torch.tensor(rng.normal(size=(n, m))), torch.tensor(a / a.sum()), torch.tensor(b / b.sum())


@pytest.mark.parametrize("seed", range(3))
def test_gradients_of_the_cost_are_plan_and_potentials(seed: int) -> None:
    C, a, b = problem(seed)

    def cost(C: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return otgan.transport_cost(C, a / a.sum(), b / b.sum())

    inputs = tuple(tensor.requires_grad_() for tensor in (C, a, b))
    assert torch.autograd.gradcheck(cost, inputs)
    (gradient,) = torch.autograd.grad(otgan.transport_cost(C, a.detach(), b.detach()), C)
    solution = otgan.solve_cost(C.detach().numpy(), a.detach().numpy(), b.detach().numpy())
    assert gradient.numpy() == pytest.approx(solution.plan.toarray(), abs=1e-15)
    assert otgan.transport_cost(C.detach().numpy(), a.detach().numpy(), b.detach().numpy()) == solution.value


def test_forbidden_pairs_have_no_gradient_and_types_are_kept() -> None:
    C = torch.tensor([[1.0, torch.inf], [2.0, 3.0]], dtype=torch.float32, requires_grad=True)
    cost = otgan.transport_cost(C)
    cost.backward()
    assert cost.dtype == torch.float32
    assert cost.item() == 2.0
    assert C.grad is not None
    assert C.grad.tolist() == [[0.5, 0.0], [0.0, 0.5]]
    a = torch.tensor([0.25, 0.75], requires_grad=True)
    plain = otgan.transport_cost([[1.0, 5.0], [2.0, 3.0]], a)
    assert plain.item() == pytest.approx(0.25 + 0.25 * 2 + 0.5 * 3)
    (gradient,) = torch.autograd.grad(plain, a)
    assert float(gradient[1] - gradient[0]) == pytest.approx(1.0)  # as much as a unit more in the second row costs
    assert isinstance(otgan.transport_cost([[1.0]]), float)


def test_mixed_second_derivatives_are_refused() -> None:
    C, a, b = problem()
    C.requires_grad_()
    a.requires_grad_()
    (gradient,) = torch.autograd.grad(otgan.transport_cost(C, a, b), C, create_graph=True)
    with pytest.raises(OTError, match="second derivative"):
        gradient.sum().backward()


@pytest.mark.parametrize("metric", SCIPYS)
def test_metrics_of_scipy_are_what_scipy_says(metric: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random((9, 3)), rng.random((7, 3))
    if metric in ("dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath", "yule", "hamming"):
        x, y = np.round(x), np.round(y)
        x[:, 0] = y[:, 0] = 1.0
    options: Any = {}
    both = np.vstack([x, y])
    if metric == "seuclidean":
        options = {"V": both.var(axis=0, ddof=1)}
    elif metric == "mahalanobis":
        options = {"VI": np.linalg.inv(np.cov(both.T))}
    name: Any = metric
    C = cdist(x, y, name, **options)
    assert otgan.wasserstein(x, y, metric=metric) == pytest.approx(otgan.solve_cost(C).value, rel=1e-12, abs=1e-15)
    squared = otgan.solve(x, y, 2, metric=metric)
    assert squared.distance == pytest.approx(otgan.solve_cost(C**2).value ** 0.5, rel=1e-9, abs=1e-9)


def test_a_function_of_two_points_is_a_metric() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(15, 2))
    by_hand = otgan.solve(x, y, metric=lambda u, v: np.abs(u - v).sum())
    assert by_hand.value == pytest.approx(otgan.wasserstein(x, y, metric="cityblock"), rel=1e-12)
    with pytest.raises(OTError, match="potentials"):
        _ = by_hand.potentials
    part = otgan.solve(x, y, metric="cosine", mass=0.5)
    assert 0 <= part.value <= otgan.solve(x, y, metric="cosine").value


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "sqeuclidean"}, "p=2"),
        ({"metric": "manhattan"}, "metric must be one of"),
        ({"metric": "cosine", "x": np.zeros((2, 2))}, "finite and not negative"),
        ({"metric": lambda u, v: -1.0}, "not negative"),
        ({"metric": lambda u, v: float("nan")}, "finite"),
        ({"metric": lambda u: 0.0}, "TypeError"),
        ({"metric": "cosine", "p": 0.5}, "p must"),
        ({"metric": "cosine", "method": "sparse"}, "cost matrix"),
        ({"metric": "mahalanobis", "x": np.ones((2, 2)), "y": np.ones((2, 2))}, "spread in every direction"),
        ({"metric": "cosine", "x": torch.ones(2, 2, requires_grad=True)}, "transport_cost"),
    ],
)
def test_bad_metrics_are_refused(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"x": [[1.0, 0.0], [2.0, 1.0]], "y": [[0.0, 1.0], [3.0, 3.0]], **options}
    function = otgan.solve if "method" in options else otgan.wasserstein
    with pytest.raises(InvalidInput, match=message):
        function(**given)
