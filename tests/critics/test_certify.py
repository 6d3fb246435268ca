"""Certified constants of networks of any kind: never below a slope that can be found, and near it where it is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import torch
from torch import fx, nn
from torch.nn import functional

from otgan.critics.networks import certified_lipschitz, certify
from otgan.critics.networks.layer_slopes import SLOPES, layer_slope

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = (2, 6, 6)


def steepest(network: nn.Module, shape: tuple[int, ...], scale: float = 1.0, seed: int = 0) -> float:
    """The largest norm of a Jacobian at points drawn, raised by going on from the steepest, in double precision."""
    double = network.double()
    generator = torch.Generator().manual_seed(seed)

    def norm(point: torch.Tensor) -> float:
        jacobian: Any = torch.autograd.functional.jacobian(lambda x: double(x[None]).flatten(), point)
        return float(torch.linalg.matrix_norm(jacobian.flatten(1), ord=2))

    def draw() -> torch.Tensor:
        return torch.randn(shape, dtype=torch.float64, generator=generator)

    found = max(((norm(scale * point), point) for point in (draw() for _ in range(12))), key=lambda pair: pair[0])
    for radius in (0.5, 0.2, 0.1):
        for _ in range(4):
            near = found[1] + radius * draw()
            found = max(found, (norm(scale * near), near), key=lambda pair: pair[0])
    return found[0]


class Residual(nn.Module):
    """A sum of branches, in the ways that people write it."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 2, 3, padding=1)
        self.gain = nn.Parameter(torch.tensor([0.5, -2.0])[:, None, None])
        self.last = nn.Linear(2 * 36, 1)
        self.way = way

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.second(functional.leaky_relu(self.norm(self.first(x)), 0.2))
        if self.way == "in place":
            h += x
        elif self.way == "scaled":
            h = x + self.gain * h * 0.3
        elif self.way == "difference":
            h = torch.sub(x / 3, h)
        else:
            h = torch.cat([x[:, :1], torch.maximum(h, x)[:, 1:]], dim=1)
        return self.last(torch.relu_(h).view(x.size(0), -1))


class MaxMin(nn.Module):
    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.way == "sort":
            return x.view(x.shape[0], -1, 2).sort(dim=-1)[0].flatten(1)
        first, second = x.chunk(2, dim=1)
        return torch.cat([torch.max(first, second), torch.min(first, second)], dim=1)


def maxmin(way: str) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Flatten(), nn.Linear(72, 8), MaxMin(way), nn.Linear(8, 1))


def pooled() -> nn.Module:
    parts = [nn.Conv2d(2, 4, 3, padding="same", dilation=2), nn.GELU(), nn.MaxPool2d(3, stride=2, padding=1)]
    return nn.Sequential(*parts, nn.AvgPool2d(2, stride=1), nn.SiLU(), nn.Flatten(), nn.Linear(16, 1))


def grouped() -> nn.Module:
    parts = [nn.Conv2d(2, 6, 4, stride=2, padding=1, groups=2), nn.SELU(), nn.Conv2d(6, 3, (1, 3)), nn.PReLU(init=1.5)]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1))


def line() -> nn.Module:
    parts = [nn.Unflatten(1, (1, 72)), nn.Conv1d(1, 3, 5, stride=3, padding=2), nn.Softplus(), nn.Dropout(0.5)]
    return nn.Sequential(nn.Flatten(), *parts, nn.Flatten(), nn.Linear(72, 1))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    **{f"residual, {way}": lambda way=way: Residual(way) for way in ("in place", "scaled", "difference", "joined")},
    **{f"MaxMin by {way}": maxmin(way) for way in ("sort", "halves")},
    "pooled": pooled,
    "grouped": grouped,
    "line": line,
    "spectral": lambda: nn.Sequential(
        nn.utils.parametrizations.spectral_norm(nn.Conv2d(2, 3, 3)), nn.ReLU(), nn.Flatten(), nn.Linear(48, 1)
    ),
}


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_certified_constant_is_never_below_a_slope_that_is_found(name: str, scale: float) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]()
    network(torch.randn(16, *IMAGE))  # running means
    network.eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(scale ** (1 / 3))
    certified, unknown = certify(network, IMAGE)
    assert unknown is None
    assert certified is not None
    found = steepest(network, IMAGE)
    assert found <= certified
    assert certified < 1e4 * found  # and it says something


@pytest.mark.parametrize("kind", SLOPES)
def test_activation_functions_are_nowhere_steeper_than_the_table_says(kind: Any) -> None:
    if kind in (nn.Flatten, nn.Unflatten):
        pytest.skip("they move numbers")
    layer = kind().double().eval()
    x = torch.linspace(-30, 30, 600_001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x).sum(), x)
    assert float(slope.abs().max()) <= SLOPES[kind] <= max(1.02 * float(slope.abs().max()), 1.0)
    assert layer_slope(layer, (3,)) == SLOPES[kind]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, (2, 0)])
@pytest.mark.parametrize("kernel", [1, 2, (3, 2)])
def test_a_convolution_is_bounded_by_little_more_than_its_norm(stride: int, padding: Any, kernel: Any) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 3, kernel, stride=stride, padding=padding).double()
    shape = (2, 7, 5)
    matrix: Any = torch.autograd.functional.jacobian(lambda x: layer(x[None]).flatten(), torch.zeros(shape).double())
    norm = float(torch.linalg.matrix_norm(matrix.flatten(1), ord=2))
    assert norm <= layer_slope(layer, shape) <= 1.5 * norm


@pytest.mark.parametrize("kernel", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pool", [nn.AvgPool2d, nn.MaxPool2d])
def test_pooling_is_nowhere_steeper_than_its_bound(pool: Any, stride: int, kernel: int) -> None:
    layer = pool(kernel, stride=stride)
    generator = torch.Generator().manual_seed(0)
    found = 0.0
    for _ in range(20):
        point = torch.randn(1, 6, 6, dtype=torch.float64, generator=generator)
        matrix: Any = torch.autograd.functional.jacobian(lambda x: layer(x[None]).flatten(), point)
        found = max(found, float(torch.linalg.matrix_norm(matrix.flatten(1), ord=2)))
    assert found <= layer_slope(layer, (1, 6, 6)) * (1 + 1e-12)
    assert layer_slope(layer, (1, 6, 6)) <= kernel * (1 + 1e-12)


def test_known_constants_are_found_up_to_rounding() -> None:
    layer = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0, 2.0], [-2.0, 0.0]]))

    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 3 * self.layer(x)

    assert certified_lipschitz(Sum()) == pytest.approx(7, rel=1e-12)
    norm = nn.BatchNorm1d(2).eval()
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([3.0, 1.0]))
        norm.running_var.copy_(torch.tensor([4.0, 0.25]))  # type: ignore[union-attr]
    assert certified_lipschitz(nn.Sequential(norm, layer)) == pytest.approx(4, rel=1e-4)
    halves = nn.Sequential(layer, MaxMin("halves"), nn.Linear(2, 1))
    alone = nn.Sequential(layer, nn.Linear(2, 1))
    alone[1] = halves[2]
    assert certified_lipschitz(halves) == certified_lipschitz(alone)


def relu(x: torch.Tensor) -> torch.Tensor:
    return 3 * x.relu()


fx.wrap("relu")  # a node of its own, named as one of torch


class Odd(nn.Module):
    """Operations that must not be taken for something that they are not."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.steep = nn.LeakyReLU(5.0, inplace=True)
        self.last = nn.Linear(3, 1)
        self.way = way

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.layer(x)
        match self.way:
            case "product":
                return self.last(h * x)
            case "batch mean":
                return self.last(h - h.mean(dim=0))
            case "whole mean":
                return self.last(h - h.mean())
            case "repeated":
                return self.last(h[:, [0, 0, 0]])
            case "broadcast":
                return self.last(h[:, :1] + torch.zeros(3))
            case "order":
                return self.last(h.sort(dim=1)[1].to(h.dtype))
            case "batch order":
                return self.last(h.sort(dim=0)[0])
            case "in place":
                self.steep(h)
                return self.last(h)
            case "added in place":
                y = h
                y += x
                return self.last(h + y)
            case "number":
                return self.last(h * float(h.sum()))
            case "branch":
                return self.last(h) if h.sum() > 0 else self.last(x)
            case "type":
                return self.last(h.view(torch.int32).to(h.dtype))
            case "weight":
                return functional.linear(h, self.last.weight)
            case "wrapped":
                return self.last(relu(h))
            case "batch order, descending":
                return self.last(h.sort(0, True)[0])
            case "norm":
                return h.norm(dim=1)
            case "repeated for the larger":
                return self.last(torch.maximum(h[:, :1], -100.0 * self.layer.weight.abs()[0]))
            case "unequal halves":
                one, other = h.chunk(2, dim=1)
                return torch.cat([torch.maximum(one, other), torch.minimum(one, other)], dim=1).mean(dim=1)
            case "steep in place":
                functional.silu(h, inplace=True)
                return self.last(h)
            case "size of the batch":
                return self.last(h / h.size(0))
            case "another point":
                return self.last(h - h[..., 0, :])
            case "softplus that jumps":
                return self.last(functional.softplus(h, threshold=1))
            case "alpha by place":
                return self.last(cast("Any", h).add(5, x))
            case "mixed":
                return self.last(h.flatten().view(3, -1).T)
            case _:
                raise AssertionError(self.way)


@pytest.mark.parametrize(
    "way",
    [
        *("product", "batch mean", "whole mean", "repeated", "broadcast", "order", "batch order", "in place"),
        *("wrapped", "batch order, descending", "repeated for the larger", "unequal halves", "steep in place"),
        *("size of the batch", "another point", "softplus that jumps", "alpha by place"),
        *("added in place", "number", "branch", "type", "weight", "norm", "mixed"),
    ],
)
def test_operations_of_which_nothing_is_known_are_named(way: str) -> None:
    bound, unknown = certify(Odd(way))
    assert bound is None
    assert unknown


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.LayerNorm(4), (4,)),
        (nn.InstanceNorm1d(2), (2, 4)),
        (nn.BatchNorm1d(4), (4,)),
        (nn.BatchNorm1d(4, track_running_stats=False).eval(), (4,)),
        (nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), (1, 5, 5)),
        (nn.Conv2d(1, 1, 3, stride=(1, 2)), (1, 5, 5)),
        (nn.Dropout(0.5), (4,)),
        (nn.AvgPool2d(3, ceil_mode=True), (1, 5, 5)),
        (nn.ConvTranspose2d(1, 1, 3), (1, 5, 5)),
        (nn.Bilinear(4, 4, 1), (4,)),
        (nn.CELU(-1.0), (4,)),
        (nn.Softplus(threshold=1), (4,)),
    ],
)
def test_layers_without_a_bound_are_named(layer: nn.Module, shape: tuple[int, ...]) -> None:
    assert math.isinf(layer_slope(layer, shape))
    bound, unknown = certify(nn.Sequential(nn.Identity(), layer), shape)
    assert bound is None
    assert unknown is not None
    assert type(layer).__name__ in unknown or "layer" in unknown or "operation" in unknown


@pytest.mark.parametrize("other", [1.0, torch.tensor(1.0)])
def test_other_things_named_as_a_proof_are_none(other: Any) -> None:
    network: Any = nn.Sequential(nn.Linear(3, 1))
    bound = certify(network)
    network.lipschitz = other
    assert certify(network) == bound
    network.lipschitz = lambda points: points
    assert certify(network)[0] is None
    network.lipschitz = lambda: 2.0
    assert certify(network) == (2.0, None)
    network.certify = 0.01
    assert certify(network) == (2.0, None)


def test_tiny_weights_do_not_prove_that_nothing_changes() -> None:
    network = nn.Sequential(*(nn.Linear(1, 1, bias=False).double() for _ in range(3)))
    for layer in network:
        nn.init.constant_(layer.weight, 1e-150)  # type: ignore[arg-type]
    bound = certified_lipschitz(network)
    assert bound is not None
    assert 0 < bound < 1e-300


def test_a_weight_that_is_not_finite_proves_nothing() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        network[2].weight[0, 0] = np.nan  # type: ignore[union-attr, operator]
    assert certified_lipschitz(network) is None
