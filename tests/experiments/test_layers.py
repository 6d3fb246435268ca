"""What is measured in the layers of deep critics, where the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from otgan.critics.networks import given_network
from otgan.experiments.layers import deep_mlp, factor_per_layer, histogram, layer_gradients, share_at_bounds, weights_of

DEPTH = 5


def identities(scale: float) -> nn.Module:
    """A network whose layers all multiply by ``scale``, and whose output adds up the two coordinates."""
    network = deep_mlp(2, DEPTH, batch_norm=False)(2)
    for layer in network:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
            nn.init.ones_(layer.weight) if layer.out_features == 1 else nn.init.eye_(layer.weight).data.mul_(scale)
    return network


@pytest.mark.parametrize("scale", [0.01, 1.0, 3.0])
def test_a_layer_that_multiplies_by_c_multiplies_the_gradient_by_c(scale: float) -> None:
    x, y = torch.ones(4, 2), torch.full((3, 2), 2.0)
    norms = layer_gradients(identities(scale), x, y)
    # One output: each point of a side has the gradient (1, 1) / k at the last layer.
    assert norms[-1] == pytest.approx(math.sqrt(2 / 4 + 2 / 3))
    assert norms == pytest.approx([norms[-1] * scale**k for k in reversed(range(DEPTH))])
    assert factor_per_layer(norms) == pytest.approx((scale, 1.0))


def drawn(width: int, depth: int, *, batch_norm: bool) -> nn.Sequential:
    """A network of the same weights every time."""
    network = given_network(deep_mlp(width, depth, batch_norm=batch_norm), 2, seed=0)
    assert isinstance(network, nn.Sequential)
    return network


def points(k: int) -> torch.Tensor:
    return torch.randn(k, 2, generator=torch.Generator().manual_seed(k))


def test_the_network_is_left_as_it_was() -> None:
    network = drawn(4, 2, batch_norm=True).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layer_gradients(network, points(8), points(9))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module.training for module in network.modules())


def test_behind_batch_norm_the_scale_of_weights_does_not_matter() -> None:
    """While its epsilon, 1e-5, is small beside the variance; with small weights it is not, and gradients vanish."""

    def gradients(scale: float) -> list[float]:
        network = drawn(16, DEPTH, batch_norm=True)
        with torch.no_grad():
            for layer in list(network)[:-1]:
                if isinstance(layer, nn.Linear):
                    layer.weight.mul_(scale)
        return layer_gradients(network, points(63), points(64))

    assert gradients(1e4) == pytest.approx(gradients(1e2), rel=1e-3)
    assert factor_per_layer(gradients(1e-4))[0] < 0.1


@given(st.floats(1e-6, 1e3), st.floats(1e-9, 1e9), st.integers(2, 20))
def test_factor_of_a_geometric_series(ratio: float, last: float, n: int) -> None:
    found, r_squared = factor_per_layer([last * ratio**k for k in reversed(range(n))])
    assert found == pytest.approx(ratio, rel=1e-6)
    assert abs(ratio - 1) < 1e-6 or r_squared == pytest.approx(1.0)


def test_factor_without_gradient_and_without_change() -> None:
    assert factor_per_layer([0.0, 1e-3, 1.0]) == (0.0, 0.0)
    assert factor_per_layer([2.0, 2.0, 2.0]) == pytest.approx((1.0, 1.0))


def test_weights_on_the_edge() -> None:
    network = drawn(50, 2, batch_norm=True)
    clip = 0.05
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.clamp_(-clip, clip)
    weights = weights_of(network)
    assert weights.shape == (2 * 50 + 50 * 50 + 50,), "of linear layers, without biases"
    # Uniform within 1 / sqrt(fan_in) before: what lay beyond the clip lies on its edge.
    assert share_at_bounds(weights, clip) == pytest.approx(1 - clip * math.sqrt(50), abs=0.05)
    shares = histogram(weights, clip, 20)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] + shares[-1] >= share_at_bounds(weights, clip)
    assert share_at_bounds(np.zeros(3), clip) == 0.0
