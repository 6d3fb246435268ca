"""Every network makes and takes what it says, and refuses what it cannot."""

from __future__ import annotations

import pytest
import torch

from otgan import InvalidInput
from otgan.critics import certified_lipschitz
from otgan.gan import Config
from otgan.gan.config import LIPSCHITZ_CRITICS
from otgan.gan.networks import build_critic, build_generator

CASES = [
    ("mlp", (2,)),
    ("mlp", (1, 1, 1)),
    ("mlp", (3, 5, 7)),
    ("digits28", (1, 28, 28)),
    ("digits28", (3, 28, 28)),
    ("dcgan", (1, 32, 32)),
    ("dcgan", (3, 64, 64)),
    ("resnet", (1, 8, 8)),
    ("resnet", (1, 28, 28)),
    ("resnet", (3, 32, 16)),
]


@pytest.mark.parametrize(("network", "shape"), CASES)
@pytest.mark.parametrize("objective", ["wgan", "wgan-gp"])
def test_shapes_ranges_and_batch_norm(network, shape, objective) -> None:
    config = Config(network=network, objective=objective, width=4, latent=5).resolved(shape)
    generator, critic = build_generator(config, shape, 0), build_critic(config, shape, 0)
    samples = generator(torch.randn(3, 5))
    assert samples.shape == (3, *shape)
    assert len(shape) == 1 or samples.abs().max() <= 1
    assert critic(samples).shape == (3,)
    assert critic(samples[:1]).shape == (1,)
    normed = any(isinstance(layer, torch.nn.BatchNorm2d) for layer in critic.modules())
    assert normed == (network != "mlp" and objective == "wgan") == config.batch_norm


@pytest.mark.parametrize(("network", "shape"), CASES)
def test_a_penalised_critic_sees_each_sample_by_itself(network, shape) -> None:
    config = Config(network=network, objective="wgan-gp", width=4).resolved(shape)
    critic = build_critic(config, shape, 0)
    samples = torch.randn(4, *shape)
    alone = torch.cat([critic(sample[None]) for sample in samples])
    assert torch.allclose(critic(samples), alone, atol=1e-5)


def test_digits28_is_the_described_recipe() -> None:
    config = Config(objective="wgan").resolved((1, 28, 28))
    critic, generator = build_critic(config, (1, 28, 28), 0), build_generator(config, (1, 28, 28), 0)
    convolutions = [layer for layer in critic.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert [(c.out_channels, c.kernel_size, c.stride) for c in convolutions] == [(64, (4, 4), (2, 2))] * 2
    assert [layer.negative_slope for layer in critic.modules() if isinstance(layer, torch.nn.LeakyReLU)] == [0.2] * 2
    dense = next(layer for layer in generator.modules() if isinstance(layer, torch.nn.Linear))
    assert (dense.in_features, dense.out_features) == (100, 128 * 7 * 7)
    transposed = [layer for layer in generator.modules() if isinstance(layer, torch.nn.ConvTranspose2d)]
    assert [(c.out_channels, c.kernel_size, c.stride) for c in transposed] == [(128, (4, 4), (2, 2))] * 2
    *_, last, tanh = generator.children()
    assert isinstance(tanh, torch.nn.Tanh)
    assert isinstance(last, torch.nn.Conv2d)
    assert (last.out_channels, last.kernel_size) == (1, (7, 7))
    for layer in (*convolutions, *transposed, dense):
        assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.1)


def test_the_seed_decides_and_the_global_generator_is_left_alone() -> None:
    config = Config().resolved((2,))
    before = torch.get_rng_state()
    first, again, other = (build_generator(config, (2,), seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("critic", LIPSCHITZ_CRITICS)
def test_lipschitz_critics_are_certified(critic) -> None:
    if critic == "orthogonal-conv":
        pytest.importorskip("orthogonium")
    shape = (1, 8, 8)
    config = Config(objective="wgan-lipschitz", critic=critic, critic_width=8, depth=2).resolved(shape)
    network = build_critic(config, shape, 0).eval()
    bound = certified_lipschitz(network.get_submodule("1"))
    assert bound is not None
    assert bound <= 1 + 1e-5
    x, y = torch.randn(50, *shape), torch.randn(50, *shape)
    rise = (network(x) - network(y)).abs()
    assert bool((rise <= (x - y).flatten(1).norm(dim=1) * (1 + 1e-5)).all())


@pytest.mark.parametrize(
    ("network", "shape", "message"),
    [
        ("digits28", (1, 32, 32), "28 x 28"),
        ("digits28", (784,), "28 x 28"),
        ("dcgan", (1, 28, 28), "32 x 32 or 64 x 64"),
        ("dcgan", (3, 32, 64), "32 x 32 or 64 x 64"),
        ("resnet", (1, 7, 7), "even and at least 8"),
        ("resnet", (1, 1, 1), "even and at least 8"),
        ("resnet", (2,), "even and at least 8"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(network, shape, message) -> None:
    config = Config(network=network).resolved(shape)
    for build in (build_generator, build_critic):
        with pytest.raises(InvalidInput, match=message):
            build(config, shape, 0)
