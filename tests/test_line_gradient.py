"""Gradients of distances on the line: against differences, and against the certified solver."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import otgan

ORDERS = [1, 1.5, 2, 3]


def tensors(*shapes: tuple[int, ...], seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]


@pytest.mark.parametrize("p", [*ORDERS, 10, math.inf])
@pytest.mark.parametrize(("n", "m"), [(5, 5), (4, 7), (1, 3)])
def test_points_against_differences(p: float, n: int, m: int) -> None:
    x, y = tensors((2, 3, n), (2, 3, m))
    assert torch.autograd.gradcheck(lambda x, y: otgan.wasserstein_1d(x, y, p), (x, y))
    assert torch.autograd.gradcheck(lambda x, y: otgan.wasserstein_1d(x.T, y.T, p, axis=0), (x[0].detach(), y[0]))


@pytest.mark.parametrize("p", [*ORDERS, math.inf])
def test_broadcast_points_against_differences(p: float) -> None:
    x, y = tensors((3, 1, 4), (2, 5))
    assert torch.autograd.gradcheck(lambda x, y: otgan.wasserstein_1d(x, y, p), (x, y))


@pytest.mark.parametrize("p", ORDERS)
def test_weights_against_differences(p: float) -> None:
    """Weights must keep their total, so they go through a softmax."""
    x, y, s, t = tensors((3, 4), (3, 6), (3, 4), (6,))

    def distance(x: Any, y: Any, s: Any, t: Any) -> Any:
        return otgan.wasserstein_1d(x, y, p, a=s.softmax(-1), b=t.softmax(-1))

    assert torch.autograd.gradcheck(distance, (x, y, s, t))


def test_second_derivatives_against_differences() -> None:
    x, y = tensors((2, 4), (2, 5))
    assert torch.autograd.gradgradcheck(lambda x, y: otgan.wasserstein_1d(x, y, 2), (x, y))


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_those_of_the_certified_solver(p: float, weighted: bool) -> None:
    x, y, s, t = tensors((5,), (7,), (5,), (7,), seed=1)
    a, b = (s.softmax(0), t.softmax(0)) if weighted else (None, None)
    wanted = [x, y, s, t] if weighted else [x, y]
    on_line, certified = otgan.wasserstein_1d(x, y, p, a=a, b=b), otgan.wasserstein(x, y, p, a=a, b=b)
    for found, expected in zip(
        torch.autograd.grad(on_line, wanted, retain_graph=True), torch.autograd.grad(certified, wanted), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_points_without_mass_have_the_potentials_of_points_about_to_get_some() -> None:
    x, y = np.array([0.0, 5.0, 1.0]), np.array([2.0, 3.0])
    a = torch.tensor([0.5, 0.0, 0.5], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(otgan.wasserstein_1d(x, y, a=a), [a])
    step = 1e-6
    moved = otgan.wasserstein_1d(x, y, a=[0.5 - step, step, 0.5])
    still = otgan.wasserstein_1d(x, y, a=[0.5, 0.0, 0.5])
    assert slope[1] - slope[0] == pytest.approx((moved - still) / step, rel=1e-6)


@pytest.mark.parametrize("p", [1, 1.5, 2, math.inf])
def test_equal_samples_have_gradient_zero(p: float) -> None:
    (x,) = tensors((2, 4))
    distance = otgan.wasserstein_1d(x, x.detach().flip(-1), p)
    assert torch.equal(distance, torch.zeros(2, dtype=torch.float64))
    (slope,) = torch.autograd.grad(distance.sum(), [x])
    assert torch.equal(slope, torch.zeros_like(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_are_the_exact_ones_in_the_type_of_the_tensor(dtype: torch.dtype) -> None:
    x, y = (t.detach().to(dtype).requires_grad_() for t in tensors((3, 10), (3, 8)))
    found = otgan.wasserstein_1d(x, y, 2)
    assert found.dtype == dtype
    assert found.shape == (3,)
    np.testing.assert_array_equal(
        found.detach().numpy(), otgan.wasserstein_1d(x.detach().numpy(), y.detach().numpy(), 2).astype(str(dtype)[6:])
    )


def test_orders_far_apart_do_not_overflow() -> None:
    x = torch.tensor([0.0, 1e-3], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(otgan.wasserstein_1d(x, np.array([0.0, 2e-3]), 90), [x])
    assert slope[1] == pytest.approx(-(0.5 ** (1 / 90)), rel=1e-12)


def test_tensors_that_want_no_gradient_get_none() -> None:
    x = torch.zeros(3)
    assert not otgan.wasserstein_1d(x, x + 1).requires_grad
