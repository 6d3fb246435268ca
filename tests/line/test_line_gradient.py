"""Gradients of distances on the line: against differences, and against the certified solver."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from drawn_tensors import tensors

import otgan
from otgan.errors import InvalidInput

ORDERS = [1, 1.5, 2, 3]
ULPS = {torch.float64: 1e-13, torch.float32: 1.2e-7, torch.float16: 1e-3, torch.bfloat16: 8e-3}  # two half ulps


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


@pytest.mark.parametrize("dtype", ULPS)
def test_values_are_the_exact_ones_in_the_type_of_the_tensor(dtype: torch.dtype) -> None:
    x, y = (t.detach().to(dtype).requires_grad_() for t in tensors((3, 10), (3, 8)))
    found = otgan.wasserstein_1d(x, y, 2)
    assert found.dtype == dtype
    assert found.shape == (3,)
    exact = otgan.wasserstein_1d(x.detach().double().numpy(), y.detach().double().numpy(), 2)
    assert torch.equal(found.detach(), torch.tensor(exact).to(dtype))


@pytest.mark.parametrize(
    ("dtype", "p", "scale"),
    [
        (torch.float32, 10, 2.0**14),
        (torch.float32, 12, 2.0**-14),
        (torch.float32, 1, 2.0**-67),
        (torch.float32, 2, 2.0**-120),
        (torch.float16, 2, 2.0**-11),
        (torch.float16, 10, 2.0**11),
        (torch.bfloat16, 3, 2.0**-90),
        (torch.float64, 2, 2.0**-450),
        (torch.float64, 2, 2.0**450),
        (torch.float64, math.inf, 2.0**-450),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_scaling_scales_the_distances_and_leaves_the_gradients(
    dtype: torch.dtype, p: float, scale: float, weighted: bool
) -> None:
    """Scales are powers of two, so that the points are the same but for their exponents."""
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randint(-32, 32, (2, n), generator=generator).to(dtype) / 16 for n in (6, 6))
    s = torch.randint(1, 9, (6,), generator=generator).to(dtype) if weighted else None
    weights: dict[str, Any] = {} if s is None else {"a": s, "b": s.flip(0)}
    reference = x.double().requires_grad_()
    unscaled = otgan.wasserstein_1d(reference, y.double(), p, **{k: w.double() for k, w in weights.items()})
    (expected,) = torch.autograd.grad(unscaled.sum(), reference)
    scaled = (x * scale).requires_grad_()
    distance = otgan.wasserstein_1d(scaled, y * scale, p, **weights)
    (slope,) = torch.autograd.grad(distance.sum(), scaled)
    torch.testing.assert_close(distance.double() / scale, unscaled, rtol=ULPS[dtype], atol=0)
    torch.testing.assert_close(slope.double(), expected, rtol=ULPS[dtype], atol=1e-7 if ULPS[dtype] > 1e-6 else 1e-12)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_gradients_to_weights_do_not_change_with_an_offset(p: float) -> None:
    """Multiples of 2^-10 far from the origin are exact; so must be their differences."""
    x, y = np.array([0.0, 5.0, 9.0, 70.0]) / 1024, np.array([3.0, 11.0, 61.0]) / 1024
    slopes = []
    for offset in (0.0, 2.0**42):
        s, t = tensors((4,), (3,))
        distance = otgan.wasserstein_1d(x + offset, y + offset, p, a=s.softmax(0), b=t.softmax(0))
        slopes.append(torch.autograd.grad(distance, (s, t)))
    for here, there in zip(*slopes, strict=True):
        torch.testing.assert_close(there, here, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("p", [1, 2, 50, 900])
def test_a_far_point_without_weight_leaves_the_gradient(p: float) -> None:
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(otgan.wasserstein_1d(x, [-2.0, 1e-4], p, b=[0.0, 1.0]), x)
    assert slope.item() == pytest.approx(-1.0, rel=1e-12)


def test_gradients_to_weights_that_leave_float64_are_refused() -> None:
    b = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
    with pytest.raises(InvalidInput, match="leave float64"):
        otgan.wasserstein_1d([0.0], [-1e3, 1e-4], 50, b=b)


@pytest.mark.parametrize("p", [900, 1100, 30_000])
def test_gradients_to_weights_of_large_orders(p: float) -> None:
    """The first point moves by 3/4, the second by 1/8, which is nothing beside it: W^p = a_1 (3/4)^p."""
    s = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    a = s.softmax(0)
    distance = otgan.wasserstein_1d([-0.5, 0.375], [0.25, 0.5], p, a=a, b=a)
    (slope,) = torch.autograd.grad(distance, s)
    assert distance.item() == pytest.approx(0.75 * 0.5 ** (1 / p), rel=1e-12)
    # d log W = (1 / p) d log(a_1), and softmax has the slope a_1 (1 - a_1) = 1/4
    torch.testing.assert_close(slope, distance.detach() / p * slope.new_tensor([0.5, -0.5]), rtol=1e-9, atol=0)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_whole_numbers_beside_a_tensor_that_wants_gradients(dtype: torch.dtype) -> None:
    x = torch.tensor([0, 1]).to(dtype)
    y = torch.tensor([0.5, 3.0], dtype=torch.float32, requires_grad=True)
    for distance in (otgan.wasserstein_1d(x, y), otgan.wasserstein(x, y)):
        assert distance.dtype == torch.float64
        assert distance.item() == 1.25
        (slope,) = torch.autograd.grad(distance, y)
        assert torch.equal(slope, torch.tensor([0.5, 0.5]))


@pytest.mark.parametrize("p", [1, 1.5, 3, 4])
def test_second_derivatives_are_finite_where_points_coincide(p: float) -> None:
    (x,) = tensors((2, 4))
    y = torch.cat([x.detach()[:, :2], x.detach()[:, 2:] + 3], dim=1)
    (slope,) = torch.autograd.grad(otgan.wasserstein_1d(x, y, p).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.square().sum(), x)
    assert torch.isfinite(second).all()


def test_second_derivatives_to_weights_against_differences() -> None:
    s, t = tensors((2, 4), (2, 5))
    x, y = (points.detach() for points in tensors((2, 4), (2, 5), seed=1))
    assert torch.autograd.gradgradcheck(
        lambda s, t: otgan.wasserstein_1d(x, y, 2, a=s.softmax(-1), b=t.softmax(-1)), (s, t)
    )


def test_orders_far_apart_do_not_overflow() -> None:
    x = torch.tensor([0.0, 1e-3], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(otgan.wasserstein_1d(x, np.array([0.0, 2e-3]), 90), [x])
    assert slope[1] == pytest.approx(-(0.5 ** (1 / 90)), rel=1e-12)


def test_tensors_that_want_no_gradient_get_none() -> None:
    x = torch.zeros(3)
    assert not otgan.wasserstein_1d(x, x + 1).requires_grad
