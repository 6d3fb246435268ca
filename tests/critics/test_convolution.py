"""Convolutional critics: the certified constant is the norm of the linear map, and survives training."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch

from otgan import InvalidInput, OTError
from otgan.critics import certified_lipschitz, fit
from otgan.critics.networks import orthogonal_conv
from otgan.critics.networks.convolution import OrthogonalConvolution
from otgan.critics.networks.convolution_norm import convolution_norm

pytest.importorskip("orthogonium")


def as_matrix(layer: OrthogonalConvolution, shape: tuple[int, int, int]) -> torch.Tensor:
    """The layer as a matrix, from its values on all images with a single pixel."""
    size = int(np.prod(shape))
    images = torch.eye(size).reshape(size, *shape)
    with torch.no_grad():
        return (layer(images) - layer(torch.zeros(1, *shape))).flatten(1).T.double()


@pytest.mark.parametrize(("kernel", "shape"), list(product((2, 3, 4, 5), [(1, 6, 8), (4, 6, 6), (6, 8, 6)])))
def test_the_norm_is_that_of_the_linear_map(kernel: int, shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    layer = OrthogonalConvolution(shape, 4, kernel).eval()
    largest = float(torch.linalg.matrix_norm(as_matrix(layer, shape), ord=2))
    assert float(layer.lipschitz()) == pytest.approx(largest, rel=1e-5)
    assert largest <= 1 + 1e-5
    random = torch.randn(4, shape[0], kernel, kernel)
    layer.cached = random
    largest = float(torch.linalg.matrix_norm(as_matrix(layer, shape), ord=2))
    assert convolution_norm(random, shape[1:], 2) == pytest.approx(largest, rel=1e-5)


def test_it_trains_as_a_network_of_ones_own_and_stays_certified() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(40, 64))
    x = y + np.eye(64)[10]

    def network(d: int) -> torch.nn.Module:
        return orthogonal_conv((1, 8, 8), channels=(4, 8), width=16)

    together = fit(x, y, "orthogonal", steps=30, batch_size=32, n_seeds=2, learning_rate=0.02, network=network)
    for critic in together.critics:
        certified = certified_lipschitz(critic.network)
        assert certified is not None
        assert certified <= 1 + 1e-5
        assert np.linalg.norm(critic.gradient(rng.normal(size=(200, 64))), axis=1).max() <= certified + 1e-5
    assert 0.2 < together.estimate <= 1 + 1e-4  # the shift is 1, and gradient descent gets somewhere
    # A few small steps: rounding, which differs with the place in memory, grows from step to step.
    few: dict[str, Any] = {"steps": 3, "batch_size": 32, "learning_rate": 1e-3, "network": network}
    pair, alone = fit(x, y, "orthogonal", n_seeds=2, **few), fit(x, y, "orthogonal", seed=1, **few)
    np.testing.assert_allclose(pair.estimates[1], alone.estimates[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": (1, 6, 6)}, "halve evenly 2 times"),
        ({"shape": (8, 8)}, "must be \\(channels, height, width\\)"),
        ({"channels": (3,)}, "even numbers"),
        ({"channels": ()}, "even numbers"),
        ({"kernel_size": 1}, "kernel_size must be at least 2"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(arguments: dict, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        orthogonal_conv(**{"shape": (1, 8, 8), **arguments})


def test_without_orthogonium_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orthogonium.layers.conv.AOC.ortho_conv", None)
    with pytest.raises(OTError, match=r"pip install 'otgan\[conv\]'"):
        orthogonal_conv((1, 8, 8))


def test_a_layer_trains_while_another_thread_evaluates_one() -> None:
    """Under a switch of torch that is global, the evaluation of large kernels would keep weights of the other layer."""
    trained, evaluated = OrthogonalConvolution((2, 8, 8), 8, 4), OrthogonalConvolution((64, 8, 8), 128, 4).eval()
    done = Event()

    def evaluate() -> None:
        while not done.is_set():
            evaluated.cached = None
            evaluated.kernel()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(evaluate)
        try:
            for _ in range(100):
                trained.cached = None
                trained.kernel().square().sum().backward()
        finally:
            done.set()
