"""Members of an ensemble stay apart, and what is promised about slopes holds against a search for steeper ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from otgan.critics import METHODS, certified_lipschitz, fit
from otgan.critics.networks import (
    ACTIVATIONS,
    AlmostOrthogonal,
    Dense,
    Orthogonal,
    Residual,
    Spectral,
    activation,
    bjorck,
    drop_cached_weights,
    feedforward,
    join_members,
    member,
    mlp_ensemble,
    n_members,
    residual,
)
from otgan.critics.networks.layers import Tangent

EXACT = [name for name, method in METHODS.items() if method.exact_lipschitz]
LAYERS = [Dense, Orthogonal, AlmostOrthogonal, Spectral]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def steepest_pair(network: nn.Module, dimension: int) -> float:
    """The largest |f(x) - f(y)| / |x - y| that gradient ascent finds from many starts."""
    draw = generator(1)
    x, y = (2 * torch.randn(64, dimension, generator=draw) for _ in range(2))
    found = 0.0
    for _ in range(60):
        x, y = (points.detach().requires_grad_() for points in (x, y))
        apart = (x - y).norm(dim=1)
        slope = (network(x) - network(y)).flatten().abs() / apart
        found = max(found, float(slope.detach()[apart > 0.1].max()))  # closer, float32 sees its own rounding
        steps = torch.autograd.grad(slope.sum(), (x, y))
        x, y = (p + 0.05 * s / s.norm(dim=1, keepdim=True).clamp(min=1e-6) for p, s in zip((x, y), steps, strict=True))
    return found


def steepest_gradient(network: nn.Module, dimension: int) -> float:
    points = (3 * torch.randn(2000, dimension, generator=generator(2))).requires_grad_()
    (gradient,) = torch.autograd.grad(network(points).sum(), points)
    return float(gradient.norm(dim=1).max())


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("steps", [1, 60])
def test_no_pair_is_steeper_than_certified(method: str, steps: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)) + 1, rng.normal(size=(40, 3))
    options: dict[str, Any] = {} if method == "discrete" else {"steps": steps, "learning_rate": 0.05}
    network = fit(x, y, method, width=32, depth=3, batch_size=32, **options).critic.network
    certified = certified_lipschitz(network)
    assert certified is not None
    assert certified <= 1 + 1e-5
    assert steepest_pair(network, 3) <= certified + 2e-5
    assert steepest_gradient(network, 3) <= certified + 1e-5


@pytest.mark.parametrize("scale", [1e-6, 1e-2, 1e3])
@pytest.mark.parametrize("kind", [Orthogonal, AlmostOrthogonal, Spectral, Residual])
def test_any_weights_are_certified(kind: type[nn.Module], scale: float) -> None:
    width = 12
    network = residual(5, width, 3, generator()) if kind is Residual else feedforward(kind, 5, width, 3, "maxmin")  # type: ignore[arg-type]
    draw = generator(3)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 3:
                parameter.copy_(scale * torch.randn(parameter.shape, generator=draw) ** 3)
    certified = certified_lipschitz(network.eval())
    assert certified is not None
    assert certified <= 1 + 1e-5
    assert steepest_gradient(network, 5) <= certified + 1e-5


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (1, 7), (7, 1), (1, 1)])
def test_bjorck_finds_the_nearest_orthonormal_matrix(shape: tuple[int, int]) -> None:
    weight = torch.linalg.qr(torch.randn(max(shape), min(shape), generator=generator())).Q
    weight = (weight if shape[0] >= shape[1] else weight.mT) * 3
    weight = weight + 0.3 * torch.randn(shape, generator=generator(1))
    u, _, v = torch.linalg.svd(weight, full_matrices=False)
    torch.testing.assert_close(bjorck(weight[None], steps=30)[0], u @ v, atol=1e-4, rtol=1e-4)


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 8), cols=st.integers(1, 8), steps=st.integers(0, 8))
def test_bjorck_never_leaves_the_unit_ball(seed: int, rows: int, cols: int, steps: int) -> None:
    weight = torch.randn(2, rows, cols, generator=generator(seed)) ** 3
    assert float(torch.linalg.matrix_norm(bjorck(weight, steps), ord=2).max()) <= 1 + 1e-5
    assert float(torch.linalg.matrix_norm(bjorck(weight, steps + 1, reach=1.5), ord=2).max()) <= 1 + 1e-5


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (1, 4), (4, 1)])
def test_the_gradient_of_an_orthonormal_matrix_is_that_of_the_iterations(shape: tuple[int, int]) -> None:
    basis = torch.linalg.qr(torch.randn(max(shape), min(shape), generator=generator()).double()).Q
    weight = (basis if shape[0] >= shape[1] else basis.mT)[None].clone().requires_grad_()
    direction = torch.randn(shape, generator=generator(1)).double()
    (expected,) = torch.autograd.grad((bjorck(weight) * direction).sum(), weight)
    (gradient,) = torch.autograd.grad((Tangent.apply(weight) * direction).sum(), weight)
    torch.testing.assert_close(gradient, expected)


def test_training_keeps_the_weight_orthonormal_and_gets_where_it_should() -> None:
    layer = Orthogonal(8, 8, generator())
    target = torch.linalg.qr(torch.randn(8, 8, generator=generator(1))).Q
    target[0] *= torch.det(target) * torch.det(layer.weight[0].detach())  # no path leads from rotations to reflections
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(300):
        (layer.matrix()[0] - target).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        drop_cached_weights(layer)
    matrix = layer.matrix()[0].detach()
    torch.testing.assert_close(layer.weight[0].detach(), matrix)
    torch.testing.assert_close(matrix @ matrix.mT, torch.eye(8), atol=1e-4, rtol=0)
    torch.testing.assert_close(matrix, target, atol=1e-2, rtol=0)


def test_mixed_precision_leaves_the_weights_their_digits() -> None:
    network = feedforward(Orthogonal, 3, 8, 2, "maxmin", generator())
    layer = network.layers[2]
    assert isinstance(layer, Orthogonal)
    with torch.autocast("cpu", torch.bfloat16):
        network(torch.randn(5, 3, generator=generator(1))).sum().backward()
    torch.testing.assert_close(layer.weight[0] @ layer.weight[0].mT, torch.eye(8), atol=1e-6, rtol=0)
    assert layer.weight.grad is not None


def test_orthonormal_rows_come_through_bjorck_as_they_are() -> None:
    rows = torch.linalg.qr(torch.randn(9, 4, generator=generator())).Q.mT
    torch.testing.assert_close(bjorck(rows[None])[0], rows, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", LAYERS)
def test_members_of_an_ensemble_do_not_see_each_other(kind: type[Dense]) -> None:
    alone = [feedforward(kind, 3, 8, 2, "maxmin", generator(k)) for k in range(3)]
    whole = join_members(alone).eval()
    assert n_members(whole) == 3
    points = torch.randn(3, 7, 3, generator=generator(9))
    for k, one in enumerate(alone):
        torch.testing.assert_close(whole(points)[k], one.eval()(points[k])[0], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(member(whole, k)(points[k])[0], whole(points[k])[k], rtol=1e-5, atol=1e-6)
    loss = whole.train()(points)[1].sum()
    for gradient in torch.autograd.grad(loss, list(whole.parameters()), allow_unused=True):
        assert gradient is None or not gradient[[0, 2]].any()


def test_a_member_taken_out_shares_nothing_with_the_ensemble() -> None:
    whole = join_members([mlp_ensemble(2, 4, 1, generator(k)) for k in range(2)])
    one = member(whole, 1)
    before = [parameter.clone() for parameter in whole.parameters()]
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.zero_()
    assert all(torch.equal(now, then) for now, then in zip(whole.parameters(), before, strict=True))


def test_a_step_computes_each_matrix_once() -> None:
    network = feedforward(Orthogonal, 3, 8, 2, "maxmin", generator())
    layer = network.layers[0]
    assert isinstance(layer, Orthogonal)
    with torch.no_grad():
        layer.matrix()
    first = layer.matrix()
    assert first.requires_grad  # what was held without a graph is of no use to a step
    assert layer.matrix() is first
    assert network.eval() is network
    assert layer.matrix() is not first


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_one_lipschitz(name: str) -> None:
    x, y = torch.randn(2, 500, 8, generator=generator())
    apply = activation(name)
    assert bool(((apply(x) - apply(y)).norm(dim=1) <= (x - y).norm(dim=1) * (1 + 1e-6)).all())
    if name != "relu":  # the others keep the norm of every gradient
        points = x.requires_grad_()
        (gradient,) = torch.autograd.grad((apply(points) * y).sum(), points)
        torch.testing.assert_close(gradient.norm(dim=1), y.norm(dim=1))
