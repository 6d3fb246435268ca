"""Gradients on the circle: against differences, the line, the dual problem, and one-sided derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from circle_truth import circle_problem, circle_truth
from drawn_tensors import tensors

import otgan
from otgan import OTError
from otgan.kernels.circle_plan import circle_plan
from otgan.line.circle import around
from otgan.masses import whole_masses

ORDERS = [1, 1.5, 2, 3]


@pytest.mark.parametrize("p", [*ORDERS, 10, math.inf])
@pytest.mark.parametrize(("n", "m"), [(5, 5), (4, 7), (1, 3)])
def test_points_against_differences(p: float, n: int, m: int) -> None:
    x, y = tensors((2, 3, n), (2, 3, m))
    assert torch.autograd.gradcheck(lambda x, y: otgan.wasserstein_circle(x, y, p), (x, y))
    assert torch.autograd.gradcheck(
        lambda x: otgan.wasserstein_circle(x.T, y[0].detach().T, p, axis=0), (x[0].detach().requires_grad_(),)
    )


@pytest.mark.parametrize("p", [*ORDERS, math.inf])
def test_weights_against_differences(p: float) -> None:
    """Weights must keep their total, so they go through a softmax."""
    x, y, s, t = tensors((3, 4), (3, 6), (3, 4), (6,))

    def distance(x: Any, y: Any, s: Any, t: Any) -> Any:
        return otgan.wasserstein_circle(x, y, p, a=s.softmax(-1), b=2.5 * t.softmax(-1) / 2.5, period=3.0)

    assert torch.autograd.gradcheck(distance, (x, y, s, t))


def test_broadcast_points_against_differences() -> None:
    x, y = tensors((3, 1, 4), (2, 5))
    assert torch.autograd.gradcheck(lambda x, y: otgan.wasserstein_circle(x, y, 2), (x, y))


def test_second_derivatives_against_differences() -> None:
    x, y = tensors((2, 4), (2, 5))
    assert torch.autograd.gradgradcheck(lambda x, y: otgan.wasserstein_circle(x, y, 2, period=5.0), (x, y))


def test_second_derivatives_that_mix_points_and_weights_are_refused() -> None:
    x, y, s = tensors((4,), (4,), (4,))
    (slope,) = torch.autograd.grad(otgan.wasserstein_circle(x, y, 2, a=s.softmax(0)), [x], create_graph=True)
    with pytest.raises(OTError, match="mix points and weights"):
        torch.autograd.grad(slope.sum(), [s])


@pytest.mark.parametrize("p", [*ORDERS, math.inf])
@pytest.mark.parametrize("weighted", [False, True])
def test_inside_half_the_circle_they_are_those_of_the_line(p: float, weighted: bool) -> None:
    x, y, s, t = tensors((5,), (7,), (5,), (7,), seed=1)
    a, b = (s.softmax(0), t.softmax(0)) if weighted else (None, None)
    wanted = [x, y, s, t] if weighted and p < math.inf else [x, y]
    line, circle = (
        otgan.wasserstein_1d(x, y, p, a=a, b=b),
        otgan.wasserstein_circle(x - 7, y + 33, p, a=a, b=b, period=40),
    )
    for found, expected in zip(
        torch.autograd.grad(circle, wanted, retain_graph=True), torch.autograd.grad(line, wanted), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_masses_go_the_shorter_way_round() -> None:
    x = torch.tensor([0.05, 7.4], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.95, 0.45], dtype=torch.float64, requires_grad=True)
    distance = otgan.wasserstein_circle(x, y)
    assert distance.item() == pytest.approx(0.075, rel=1e-14)
    slope_x, slope_y = torch.autograd.grad(distance, [x, y])
    assert slope_x.tolist() == pytest.approx([0.5, -0.5], rel=1e-14)
    assert slope_y.tolist() == pytest.approx([-0.5, 0.5], rel=1e-14)


@pytest.mark.parametrize("seed", range(60))
def test_potentials_prove_the_distance(seed: int) -> None:
    """f_i + g_j <= d^p where one of both points has mass, and what they earn is what the plan costs."""
    problem = circle_problem(np.random.default_rng(seed))
    u, v = (np.sort(around(np.array(side), problem.period)) for side in (problem.u, problem.v))
    weights = [len(x) if w is None else np.array(w) for x, w in ((u, problem.a), (v, problem.b))]
    a, b = (np.full(w, 1 / w) if isinstance(w, int) else w / math.fsum(w.tolist()) for w in weights)
    p, period = min(problem.p, 7.0), problem.period
    masses = whole_masses(*weights)
    i, j, away, mass, scale, f, g = circle_plan(u, masses.a, v, masses.b, p, period)
    if scale == 0:
        assert circle_truth(u, v, p, problem.a, problem.b, period) == 0
        return
    assert (mass * np.abs(away / scale) ** p).sum() == pytest.approx(1, rel=1e-13)
    along = np.abs(np.subtract.outer(u, v))
    cost = (np.minimum(along, period - along) / scale) ** p
    size = np.abs(f).max() + np.abs(g).max() + cost.max()
    paid = (a[:, None] > 0) | (b > 0)
    assert (cost - f[:, None] - g)[paid].min() >= -1e-13 * size
    total = 1.0 if problem.a is None else math.fsum(problem.a)
    earned = (circle_truth(u, v, p, problem.a, problem.b, period) / scale) ** p / total
    assert a @ f + b @ g == pytest.approx(earned, rel=1e-12, abs=1e-13 * size)
    assert (f[:, None] + g - cost)[i, j] == pytest.approx(0, abs=1e-13 * size)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_points_without_mass_have_the_potentials_of_points_about_to_get_some(p: float) -> None:
    u, v = np.array([0.0, 0.9, 0.3, 0.31]), np.array([0.05, 0.35])
    a = torch.tensor([0.5, 0.0, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(otgan.wasserstein_circle(u, v, p, a=a), [a])
    still, step = otgan.wasserstein_circle(u, v, p, a=a.detach().numpy()), 1e-7
    for k, source in ((1, 0), (3, 2)):
        moved = a.detach().numpy().copy()
        moved[[source, k]] += -step, step
        change = (otgan.wasserstein_circle(u, v, p, a=moved) - still) / step
        assert float(slope[k] - slope[source]) == pytest.approx(change, rel=1e-4)


@pytest.mark.parametrize("p", [1, 1.5, 2, math.inf])
def test_equal_samples_have_gradient_zero(p: float) -> None:
    x, s = tensors((2, 4), (4,))
    a = s.softmax(0)
    distance = otgan.wasserstein_circle(x, x.detach().flip(-1), p, a=a, b=a.detach().flip(-1))
    assert torch.equal(distance, torch.zeros(2, dtype=torch.float64))
    for slope in torch.autograd.grad(distance.sum(), [x, s]):
        assert torch.equal(slope, torch.zeros_like(slope))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_values_are_the_exact_ones_in_the_type_of_the_tensor(dtype: torch.dtype) -> None:
    x, y = (t.detach().to(dtype).requires_grad_() for t in tensors((3, 10), (3, 8)))
    found = otgan.wasserstein_circle(x, y, 2)
    assert found.dtype == dtype
    exact = otgan.wasserstein_circle(x.detach().double().numpy(), y.detach().double().numpy(), 2)
    assert torch.equal(found.detach(), torch.tensor(exact).to(dtype))
    slopes = torch.autograd.grad(found.sum(), [x, y])
    reference = [t.detach().double().requires_grad_() for t in (x, y)]
    expected = torch.autograd.grad(otgan.wasserstein_circle(reference[0], reference[1], 2).sum(), reference)
    for slope, truth in zip(slopes, expected, strict=True):
        assert torch.equal(slope, truth.to(dtype))


def test_orders_far_apart_do_not_overflow() -> None:
    x = torch.tensor([0.0, 1e-3], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(otgan.wasserstein_circle(x, np.array([0.0, 2e-3]), 900), [x])
    assert slope[1] == pytest.approx(-(0.5 ** (1 / 900)), rel=1e-12)


def test_tensors_that_want_no_gradient_get_none() -> None:
    x = torch.zeros(3)
    assert not otgan.wasserstein_circle(x, x + 0.25).requires_grad
