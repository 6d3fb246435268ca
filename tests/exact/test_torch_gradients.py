"""Torch tensors in, a torch scalar out, with the gradients of the envelope theorem."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import otgan
from otgan.errors import InvalidInput
from otgan.inputs import METRICS

ORDERS = [1, 2, 1.5, 3]
STEP = 1e-6


def cloud(n: int, dim: int, seed: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, dim, dtype=torch.float64, generator=generator).to(dtype).requires_grad_()


def along(tensor: torch.Tensor, direction: torch.Tensor, step: float) -> torch.Tensor:
    return tensor.detach() + step * direction


def assert_slope(slope: float, high: float, low: float) -> None:
    assert slope == pytest.approx((high - low) / (2 * STEP), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_gradient_to_the_points(p: float, metric: str, dim: int) -> None:
    x, y = cloud(5, dim, 0), cloud(7, dim, 1)
    distance = otgan.wasserstein(x, y, p, metric=metric)
    assert isinstance(distance, torch.Tensor)
    assert distance.shape == ()
    assert distance.dtype == torch.float64
    assert distance.item() == pytest.approx(
        otgan.wasserstein(x.detach().numpy(), y.detach().numpy(), p, metric=metric), rel=1e-14
    )
    distance.backward()
    for moved, other in ((x, y), (y, x)):
        direction = torch.randn(moved.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
        high, low = (
            otgan.wasserstein(along(moved, direction, step), other.detach(), p, metric=metric).item()
            for step in (STEP, -STEP)
        )
        assert moved.grad is not None
        assert_slope(float((moved.grad * direction).sum()), high, low)


@pytest.mark.parametrize("p", ORDERS)
def test_gradient_to_the_weights(p: float) -> None:
    """No partial sums of a and b coincide, so that the potentials are unique up to a constant."""
    x, y = cloud(5, 2, 0).detach(), cloud(4, 2, 1).detach()
    a = torch.tensor([0.11, 0.31, 0.17, 0.16, 0.25], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([0.37, 0.13, 0.22, 0.28], dtype=torch.float64, requires_grad=True)
    otgan.wasserstein(x, y, p, a=a, b=b).backward()
    for weight, shift in ((a, [1.0, -1.0, 0.5, -0.5, 0.0]), (b, [0.0, 1.0, -1.0, 0.0])):
        direction = torch.tensor(shift, dtype=torch.float64)
        moved: dict[str, Any] = {"a": a.detach(), "b": b.detach()}
        high, low = (
            otgan.wasserstein(x, y, p, **{**moved, "a" if weight is a else "b": along(weight, direction, step)}).item()
            for step in (STEP, -STEP)
        )
        assert weight.grad is not None
        assert_slope(float((weight.grad * direction).sum()), high, low)


@pytest.mark.parametrize("p", [1, 2])
def test_gradient_to_the_total_mass(p: float) -> None:
    """Both sides heavier by the same factor: the cost is proportional to it."""
    x, y = cloud(5, 2, 0).detach(), cloud(4, 2, 1).detach()
    factor = torch.ones((), dtype=torch.float64, requires_grad=True)
    distance = otgan.wasserstein(
        x, y, p, a=factor * torch.full_like(x[:, 0], 0.2), b=factor * torch.full_like(y[:, 0], 0.25)
    )
    (slope,) = torch.autograd.grad(distance, factor)
    assert slope.item() == pytest.approx(distance.item() / p, rel=1e-6, abs=0)


def test_gradients_of_softmax_weights() -> None:
    x, y = cloud(4, 2, 0).detach(), cloud(4, 2, 1).detach()
    logits = torch.tensor([0.1, -0.2, 0.5, 0.0], dtype=torch.float64, requires_grad=True)

    def loss(values: torch.Tensor) -> torch.Tensor:
        return otgan.wasserstein(x, y, 2, a=values.softmax(0))

    (slope,) = torch.autograd.grad(loss(logits), logits)
    for k in range(4):
        unit = torch.eye(4, dtype=torch.float64)[k]
        assert_slope(slope[k].item(), loss(along(logits, unit, STEP)).item(), loss(along(logits, unit, -STEP)).item())


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_coinciding_points_have_finite_gradients(p: float, metric: str, dtype: torch.dtype) -> None:
    x = cloud(4, 2, 0, dtype)
    y = torch.cat([x.detach()[:2], x.detach()[2:] + 1.0])
    for other in (y, x.detach()):
        (slope,) = torch.autograd.grad(otgan.wasserstein(x, other, p, metric=metric), x)
        assert torch.isfinite(slope).all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_dtypes_come_back(dtype: torch.dtype) -> None:
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=dtype)
    y = torch.tensor([[0.0, 2.0], [1.0, 3.0]], dtype=dtype)
    distance = otgan.wasserstein(x, y)
    assert distance.dtype == dtype
    assert distance.item() == 2.5


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_whole_numbers_do_not_truncate_the_distance(dtype: torch.dtype) -> None:
    x, y = torch.tensor([0, 1], dtype=dtype), torch.tensor([0, 2], dtype=dtype)
    assert float(otgan.wasserstein(x, y)) == 0.5
    assert float(otgan.wasserstein_1d(x, y)) == 0.5
    assert float(otgan.wasserstein(x[:, None], y[:, None], 2)) == pytest.approx(math.sqrt(0.5))


def test_booleans() -> None:
    assert float(otgan.wasserstein(torch.tensor([False, True]), torch.tensor([False, False]))) == 0.5


def test_one_tensor_is_enough() -> None:
    x = torch.tensor([[0.0], [1.0]], dtype=torch.float64, requires_grad=True)
    distance = otgan.wasserstein(x, np.array([[2.0], [3.0]]))
    assert isinstance(distance, torch.Tensor)
    (slope,) = torch.autograd.grad(distance, x)
    np.testing.assert_allclose(slope.numpy(), [[-0.5], [-0.5]])
    other = otgan.wasserstein(np.array([0.0, 1.0]), [2.0, 3.0], a=torch.tensor([0.5, 0.5]))
    assert isinstance(other, torch.Tensor)


def test_infinite_order_on_the_line_gives_a_tensor() -> None:
    x, y = torch.tensor([0.0, 1.0]), torch.tensor([0.5, 4.0])
    distance = otgan.wasserstein(x, y, math.inf)
    assert isinstance(distance, torch.Tensor)
    assert distance.item() == 3.0


def test_solve_and_the_line_take_tensors() -> None:
    x, y = cloud(5, 1, 0), cloud(5, 1, 1)
    solution = otgan.solve(x, y)
    assert isinstance(solution.value, float)
    assert isinstance(solution.f, np.ndarray)
    line = otgan.wasserstein_1d(x[:, 0], y[:, 0])
    assert isinstance(line, torch.Tensor)
    assert line.item() == pytest.approx(solution.value, rel=1e-14, abs=0)
    batch = otgan.wasserstein_1d(cloud(3, 8, 0), cloud(3, 8, 1), axis=0)
    assert batch.shape == (8,)


def test_a_step_of_descent_shortens_the_distance() -> None:
    x, y = cloud(20, 2, 0), cloud(20, 2, 1).detach()
    before = otgan.wasserstein(x, y, 2)
    (slope,) = torch.autograd.grad(before, x)
    after = otgan.wasserstein(x.detach() - 0.05 * slope * len(x), y, 2)
    assert after < before


@pytest.mark.parametrize(
    "bad",
    [
        torch.tensor([0.0, math.nan]),
        torch.tensor([0.0, math.inf]),
        torch.tensor([0.0, 1.0], dtype=torch.complex64),
        torch.tensor([0.0, 1.0], dtype=torch.complex64).conj(),
        torch.tensor([0.0, 1.0]).to_sparse(),
        torch.empty(0),
        torch.zeros(2, 2, 2),
    ],
    ids=["nan", "inf", "complex", "conjugate", "sparse", "empty", "3-D"],
)
def test_bad_tensors_are_refused(bad: torch.Tensor) -> None:
    with pytest.raises(InvalidInput, match="x"):
        otgan.wasserstein(bad, torch.tensor([0.0, 1.0]))
