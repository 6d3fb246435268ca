"""Torch tensors in, a torch scalar out, with the gradients of the envelope theorem."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import otgan
from otgan.errors import InvalidInput, OTError
from otgan.metric import METRICS

ORDERS = [1, 2, 1.5, 3]
STEP = 1e-6
HALVES = [torch.float16, torch.bfloat16]
DTYPES = [torch.float64, torch.float32, *HALVES]
FLAWS = {torch.float64: 1e-13, torch.float32: 1.2e-7, torch.float16: 1e-3, torch.bfloat16: 8e-3}  # two half ulps


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
@pytest.mark.parametrize("dtype", DTYPES)
def test_coinciding_points_have_finite_gradients(p: float, metric: str, dtype: torch.dtype) -> None:
    x = cloud(4, 2, 0, dtype)
    y = torch.cat([x.detach()[:2], x.detach()[2:] + 1.0])
    for other in (y, x.detach()):
        (slope,) = torch.autograd.grad(otgan.wasserstein(x, other, p, metric=metric), x)
        assert torch.isfinite(slope).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_come_back(dtype: torch.dtype) -> None:
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=dtype)
    y = torch.tensor([[0.0, 2.0], [1.0, 3.0]], dtype=dtype)
    distance = otgan.wasserstein(x, y)
    assert distance.dtype == dtype
    assert distance.item() == 2.5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", ORDERS)
def test_the_value_is_that_of_float64_rounded_once(p: float, dtype: torch.dtype) -> None:
    """Pictures, whose squared distances leave float16."""
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randint(0, 256, (20, 784), generator=generator).to(dtype) for _ in range(2))
    exact = torch.tensor(otgan.wasserstein(x.double().numpy(), y.double().numpy(), p), dtype=torch.float64)
    found = otgan.wasserstein(x.requires_grad_(), y, p)
    assert torch.equal(found.detach(), exact.to(dtype))


@pytest.mark.parametrize(("dtype", "largest"), [(torch.float16, "65504"), (torch.float32, r"3\.40282e\+38")])
@pytest.mark.parametrize("wants_gradient", [False, True])
def test_a_distance_that_leaves_the_dtype_is_no_number(dtype: torch.dtype, largest: str, wants_gradient: bool) -> None:
    """Points may be as far apart as twice the largest number that each of their coordinates can be."""
    line = torch.full((5,), torch.finfo(dtype).max, dtype=dtype, requires_grad=wants_gradient)
    plane = torch.stack([line, torch.arange(5).to(dtype)], dim=1)
    for distance in (
        lambda: otgan.wasserstein(line, -line.detach()),
        lambda: otgan.wasserstein(plane, -plane.detach()),
        lambda: otgan.wasserstein_1d(line, -line.detach()),
        lambda: otgan.wasserstein_1d(line, -line.detach(), math.inf),
        lambda: otgan.wasserstein_batch(plane[None], -plane[None].detach()),
    ):
        with pytest.raises(InvalidInput, match=rf"the distance leaves {dtype}, whose largest number is {largest}\. "):
            distance()
    assert otgan.wasserstein(line.double(), -line.detach().double()).item() == 2 * torch.finfo(dtype).max


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("dtype", "p", "scale"),
    [
        (torch.float32, 10, 2.0**14),
        (torch.float32, 12, 2.0**-14),
        (torch.float32, 1, 2.0**-63),
        (torch.float32, 1, 2.0**-67),
        (torch.float32, 2, 2.0**-110),
        (torch.float32, 2, 2.0**100),
        (torch.float16, 2, 2.0**-11),
        (torch.float16, 3, 2.0**10),
        (torch.bfloat16, 2, 2.0**-70),
        (torch.bfloat16, 1, 2.0**-100),
        (torch.float64, 2, 2.0**-400),
        (torch.float64, 1, 2.0**-460),
        (torch.float64, 2, 2.0**400),
    ],
)
def test_scaling_scales_the_distance_and_leaves_the_gradient(
    dtype: torch.dtype, p: float, scale: float, metric: str
) -> None:
    """Scales are powers of two, so that the points are the same but for their exponents."""
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randint(-8, 8, (12, 3), generator=generator).to(dtype) / 4 for _ in range(2))
    reference = x.double().requires_grad_()
    unscaled = otgan.wasserstein(reference, y.double(), p, metric=metric)
    (expected,) = torch.autograd.grad(unscaled, reference)
    scaled = (x * scale).requires_grad_()
    distance = otgan.wasserstein(scaled, y * scale, p, metric=metric)
    (slope,) = torch.autograd.grad(distance, scaled)
    assert distance.item() == pytest.approx(unscaled.item() * scale, rel=FLAWS[dtype], abs=0)
    torch.testing.assert_close(slope.double(), expected, rtol=FLAWS[dtype], atol=1e-6 if dtype in HALVES else 1e-12)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("length", [1e-4, 1e-30, 1e-200])
def test_gradient_of_pairs_of_any_length(p: float, length: float, metric: str) -> None:
    """One pair is next to nothing beside the other, and still knows its direction: m D^(p-1) unit / W^(p-1)."""
    x = torch.tensor([[0.0, 0.0], [5.0, 5.0]], dtype=torch.float64, requires_grad=True)
    step = {"euclidean": (0.6, 0.8), "cityblock": (0.25, 0.75), "chebyshev": (0.5, 1.0)}[metric]
    unit = {"euclidean": (0.6, 0.8), "cityblock": (1.0, 1.0), "chebyshev": (0.0, 1.0)}[metric]
    y = np.array([[length * step[0], length * step[1]], [5.0 + step[0], 5.0 + step[1]]])
    distance = otgan.wasserstein(x, y, p, metric=metric)
    (slope,) = torch.autograd.grad(distance, x)
    for row, paid in enumerate((length, 1.0)):
        expected = -np.array(unit) * 0.5 * (paid / distance.item()) ** (p - 1)
        np.testing.assert_allclose(slope[row].numpy(), expected, rtol=1e-12, atol=1e-190)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("p", ORDERS)
def test_nearly_coinciding_points_have_gradients(p: float, dtype: torch.dtype) -> None:
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=dtype, requires_grad=True)
    y = torch.tensor([[0.0, 2.0**-13], [1.0, 2.0**-14]], dtype=dtype)
    distance = otgan.wasserstein(x, y, p)
    (slope,) = torch.autograd.grad(distance, x)
    lengths = np.array([2.0, 1.0])
    exact = float((0.5 * lengths**p).sum() ** (1 / p))
    assert distance.item() == pytest.approx(exact * 2.0**-14, rel=FLAWS[dtype], abs=0)
    expected = -0.5 * (lengths / exact) ** (p - 1)
    np.testing.assert_allclose(slope[:, 1].float().numpy(), expected, rtol=FLAWS[dtype])
    assert torch.equal(slope[:, 0], torch.zeros(2, dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [1, 2])
def test_weights_of_every_type(p: float, dtype: torch.dtype) -> None:
    """Thirds sum to one up to the rounding of their type; their gradients are those of the same numbers as doubles."""
    x, y = cloud(3, 2, 0).detach(), cloud(4, 2, 1).detach()
    a = torch.full((3,), 1 / 3, dtype=dtype, requires_grad=True)
    b = (a.detach().double().sum() * torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)).requires_grad_()
    distance = otgan.wasserstein(x, y, p, a=a, b=b)
    doubles = a.detach().double().requires_grad_()
    exact = otgan.wasserstein(x, y, p, a=doubles, b=b)
    assert distance.dtype == torch.float64  # as x
    assert distance.item() == exact.item()
    found, expected = torch.autograd.grad(distance, (a, b)), torch.autograd.grad(exact, (doubles, b))
    assert torch.equal(found[0], expected[0].to(dtype))
    assert torch.equal(found[1], expected[1])
    assert otgan.wasserstein(x, y, p, a=a.detach()) == pytest.approx(
        otgan.wasserstein(x.numpy(), y.numpy(), p), rel=0.01 if dtype in HALVES else 1e-6
    )


def test_totals_further_apart_than_their_type_rounds_are_refused() -> None:
    x = cloud(3, 2, 0).detach()
    with pytest.raises(InvalidInput, match="total mass"):
        otgan.wasserstein(x, x, a=torch.full((3,), 0.32, dtype=torch.bfloat16))


@pytest.mark.parametrize("p", [1, 2])
def test_a_far_point_without_weight_does_not_drown_the_others(p: float) -> None:
    """Mass from the second point to the first: F - G is .5, .2, -.5 on [0, .25), [.25, .625), [.625, 1) for p = 1."""
    y, b = np.array([0.25, 0.625]), [0.3, 0.7]
    slopes = []
    for far in (1e15, 2.0):
        x = np.array([0.0, 1.0, far])
        for distance in (otgan.wasserstein, otgan.wasserstein_1d):
            a = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
            (slope,) = torch.autograd.grad(distance(x, y, p, a=a, b=b), a)
            slopes.append((slope[0] - slope[1]).item())
    assert slopes == pytest.approx([slopes[-1]] * 4, rel=1e-9, abs=0)
    if p == 1:
        assert slopes[0] == pytest.approx(0.25, rel=1e-12)


def test_gradients_to_weights_that_leave_float64_are_refused() -> None:
    b = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert otgan.wasserstein([[0.0, 0.0]], [[-1e3, 0.0], [1e-4, 0.0]], 50, b=b).item() == pytest.approx(1e-4, rel=1e-12)
    with pytest.raises(InvalidInput, match="leave float64"):
        otgan.wasserstein([[0.0, 0.0]], [[-1e3, 0.0], [1e-4, 0.0]], 50, b=b.requires_grad_())


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("p", [1, 2, 1.5, 3])
def test_second_derivatives_to_the_points(p: float, metric: str) -> None:
    """The plan does not change at once."""
    x, y = cloud(4, 2, 0), cloud(5, 2, 1)
    assert torch.autograd.gradgradcheck(lambda x, y: otgan.wasserstein(x, y, p, metric=metric), (x, y))


@pytest.mark.parametrize("dim", [1, 2])
def test_second_derivatives_where_points_coincide(dim: int) -> None:
    """W_2 is smooth there, and W_1.5 has finite derivatives."""
    places = torch.arange(4, dtype=torch.float64)[:, None]
    x = (places + 0.1 * cloud(4, dim, 0).detach()).requires_grad_()
    y = x.detach() + 0.1 * places * cloud(4, dim, 1).detach()  # the first point stays where it is
    for distance in (otgan.wasserstein, otgan.wasserstein_1d if dim == 1 else otgan.wasserstein):
        assert torch.autograd.gradgradcheck(lambda x: distance(x.squeeze(-1), y.squeeze(-1), 2), [x])  # noqa: B023
    for p in (1, 1.5, 3):
        (slope,) = torch.autograd.grad(otgan.wasserstein(x, y, p), x, create_graph=True)
        (second,) = torch.autograd.grad(slope.square().sum(), x)
        assert torch.isfinite(second).all()


@pytest.mark.parametrize("p", [1, 2, 3])
def test_second_derivatives_to_the_weights(p: float) -> None:
    """No partial sums of a and b coincide, so that the potentials are unique and stay while weights change a little."""
    x, y = cloud(5, 2, 0).detach(), cloud(4, 2, 1).detach()
    s, t = cloud(5, 1, 2), cloud(4, 1, 3)
    assert torch.autograd.gradgradcheck(
        lambda s, t: otgan.wasserstein(x, y, p, a=s[:, 0].softmax(0), b=t[:, 0].softmax(0)), (s, t)
    )


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("distance", [otgan.wasserstein, otgan.wasserstein_1d])
def test_mixed_second_derivatives_are_refused_and_nothing_else_is(distance: Any, p: float) -> None:
    x, y, s = cloud(4, 1, 0)[:, 0], cloud(5, 1, 1)[:, 0], cloud(4, 1, 2)[:, 0]
    x, s = x.detach().requires_grad_(), s.detach().requires_grad_()
    of_x, of_s = torch.autograd.grad(distance(x, y.detach(), p, a=s.softmax(0)), (x, s), create_graph=True)
    for slope, other in ((of_x, s), (of_s, x)):
        with pytest.raises(OTError, match="mix points and weights"):
            torch.autograd.grad(slope.square().sum(), other, retain_graph=True)
        with pytest.raises(OTError, match="mix points and weights"):
            slope.square().sum().backward(retain_graph=True)
    alone = distance(x, y.detach(), p, a=s.detach().softmax(0))
    (slope,) = torch.autograd.grad(alone, x, create_graph=True)
    for first, second in ((of_x, x), (of_s, s)):
        (derivative,) = torch.autograd.grad(first.square().sum(), second, retain_graph=True)
        assert torch.isfinite(derivative).all()
    torch.testing.assert_close(
        torch.autograd.grad(slope.square().sum(), x)[0], torch.autograd.grad(of_x.square().sum(), x)[0]
    )
    assert not x._backward_hooks
    assert not s._backward_hooks


def test_weights_that_depend_on_the_points_have_no_second_derivative() -> None:
    x, y = cloud(4, 2, 0), cloud(5, 2, 1).detach()
    (slope,) = torch.autograd.grad(otgan.wasserstein(x, y, a=x[:, 0].softmax(0)), x, create_graph=True)
    with pytest.raises(OTError, match="mix points and weights"):
        slope.square().sum().backward()


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's own, in its forward mode
@pytest.mark.parametrize("distance", [otgan.wasserstein, otgan.wasserstein_1d])
def test_forward_mode_gives_the_same_slopes(distance: Any) -> None:
    from torch.autograd import forward_ad

    x, y, s = (cloud(n, 1, n).detach()[:, 0] for n in (4, 5, 4))
    a = s.softmax(0)
    shift = torch.tensor([1.0, -2.0, 0.5, 0.5], dtype=torch.float64)
    leaves = x.clone().requires_grad_(), a.clone().requires_grad_()
    slopes = torch.autograd.grad(distance(leaves[0], y, 2, a=leaves[1]), leaves)
    with forward_ad.dual_level():
        dual = distance(forward_ad.make_dual(x, shift), y, 2, a=forward_ad.make_dual(a, shift))
        tangent = forward_ad.unpack_dual(dual).tangent
        with pytest.raises(OTError, match="mix points and weights"):
            distance(forward_ad.make_dual(x, shift), y, 2, a=leaves[1])
    assert tangent is not None
    assert tangent.item() == pytest.approx(sum(float(slope @ shift) for slope in slopes), rel=1e-12)


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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_infinite_order_on_the_line_keeps_gradients(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """The longest of the distances 0.5, 3 and 1 that are paid moves with its two points."""
    x = torch.tensor([0.0, 1.0, 5.0], dtype=dtype).reshape(shape).requires_grad_()
    y = torch.tensor([4.0, 0.5, 6.0], dtype=dtype).reshape(shape).requires_grad_()
    distance = otgan.wasserstein(x, y, math.inf)
    assert isinstance(distance, torch.Tensor)
    assert distance.dtype == dtype
    assert distance.item() == 3.0
    for slope, expected in zip(torch.autograd.grad(distance, (x, y)), ([0, -1, 0], [1, 0, 0]), strict=True):
        assert torch.equal(slope, torch.tensor(expected, dtype=dtype).reshape(shape))


@pytest.mark.parametrize("distance", [otgan.wasserstein, otgan.wasserstein_1d])
def test_infinite_order_does_not_move_with_the_weights(distance: Any) -> None:
    a = torch.tensor([0.25, 0.75], requires_grad=True)
    found = distance([0.0, 1.0], [0.5, 4.0], math.inf, a=a)
    assert found.item() == 3.0
    (slope,) = torch.autograd.grad(found, a)
    assert torch.equal(slope, torch.zeros(2))


def test_infinite_order_with_weights_as_tensors_alone_gives_a_tensor() -> None:
    assert isinstance(otgan.wasserstein([0.0, 1.0], [0.5, 4.0], math.inf, a=torch.tensor([0.5, 0.5])), torch.Tensor)


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
