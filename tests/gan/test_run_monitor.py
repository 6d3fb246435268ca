"""What is measured is what can be computed by hand from the networks of a run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import otgan
from otgan.gan import Config, train
from otgan.gan.correlation import rank_correlation
from otgan.gan.dataset import dataset
from otgan.gan.monitor import NOISE_SEED_OFFSET
from otgan.gan.patches import patches
from otgan.gan.run import generate

CONFIG = Config(
    data="digits:3",
    steps=4,
    width=16,
    depth=2,
    latent=4,
    batch_size=16,
    n_critic=2,
    monitor_every=2,
    monitor_n=30,
    objective="wgan-gp",
    learning_rate=1e-2,
)


@pytest.fixture(scope="module")
def run():
    return train(CONFIG)


@pytest.fixture(scope="module")
def samples():
    return dataset(CONFIG, torch.device("cpu"))


def test_distances_are_those_of_the_exact_solver(run, samples) -> None:
    last = run.history[-1]
    noise = torch.randn(30, 4, generator=torch.Generator().manual_seed(CONFIG.seed + NOISE_SEED_OFFSET))
    held_out = samples.held_out[:30]
    assert last["n"] == 30
    assert last["exact_ema"] == otgan.wasserstein(held_out, generate(run.generator, noise, run.scaling))
    assert last["floor"] == otgan.wasserstein(held_out, samples.train_points[:30])
    assert last["lower"] <= last["exact"] <= last["upper"] * (1 + 1e-12)
    assert last["upper"] - last["lower"] <= 1e-9 * last["upper"]


def test_the_critics_number_is_in_the_datas_units(run) -> None:
    """Networks see pixels in [-1, 1], data have them in [0, 1]: distances are halved."""
    assert run.scaling.scale == 0.5
    last = run.history[-1]
    weight = run.config.gp_weight
    inside = last["critic"] / 0.5
    assert last["critic_corrected"] == pytest.approx(0.5 * weight * (np.sqrt(1 + 2 * inside / weight) - 1))


def test_a_lipschitz_critic_never_says_more_than_the_truth() -> None:
    config = Config(**{**vars(CONFIG), "objective": "wgan-lipschitz", "critic_width": 16, "steps": 20, "n_critic": 5})
    measured = train(config).measurements
    assert len(measured) == 11
    for record in measured:
        assert record["critic"] <= record["exact"] * (1 + 1e-5)
        assert record["critic"] <= record["lower_bound"] * (1 + 1e-3)  # repairing can only help
        assert record["lower_bound"] <= record["upper"]
    assert measured[-1]["critic"] > 0.2 * measured[-1]["exact"]


@pytest.mark.parametrize("objective", ["wgan", "wgan-gp"])
def test_batch_norm_is_measured_as_it_is_trained(objective) -> None:
    """The critic's number is that of a step of training: with running means it would be another one."""
    from otgan.gan.objectives import objective_of
    from otgan.gan.run_monitor import RunMonitor
    from otgan.gan.train_state import TrainState

    config = Config(
        data="digits", objective=objective, network="resnet", width=4, latent=4, monitor_n=32, batch_size=16
    )
    samples = dataset(config, torch.device("cpu"))
    config = config.resolved(samples.scaling.network_shape)
    state = TrainState.fresh(config, samples.scaling.network_shape, torch.device("cpu"))
    monitor = RunMonitor(config, samples, objective_of(config))
    before = {name: tensor.clone() for name, tensor in state.tensors().items()}
    measured = monitor.measure(state, [])
    assert all(torch.equal(tensor, before[name]) for name, tensor in state.tensors().items())
    with torch.no_grad():
        fake = torch.cat([state.generator(part) for part in monitor.noise.split(16)])
        real = samples.scaling.to_network(samples.held_out[:32])
        f_real, f_fake = (torch.cat([state.critic(part) for part in side.split(16)]).double() for side in (real, fake))
    assert measured["critic"] == pytest.approx(float(f_real.mean() - f_fake.mean()) / 2, rel=1e-5, abs=1e-8)
    truth = otgan.wasserstein(samples.held_out[:32], samples.scaling.from_network(fake))
    assert measured["exact"] == pytest.approx(truth, rel=1e-6)
    assert measured["lower_bound"] <= measured["upper"]


def test_patches_are_cut_from_where_they_say() -> None:
    images = np.arange(2 * 8 * 12 * 3.0).reshape(2, -1)
    cut = patches(images, (8, 12, 3), np.random.default_rng(0)).reshape(2, 2, 2, 3)
    for image, patch in zip(images.reshape(2, 8, 12, 3), cut, strict=True):
        (top, left, channel), *_ = np.argwhere(image == patch[0, 0, 0])
        assert channel == 0
        np.testing.assert_array_equal(patch, image[top : top + 2, left : left + 2])


def test_what_was_trained_on_is_measured_beside_what_was_not(run, samples) -> None:
    """Recomputed from the networks: the critic on samples trained on, and the floor of patches."""
    from otgan.critics.networks import values
    from otgan.data.drawing import stream

    last = run.history[-1]
    trained_on, held_out = samples.train_points[:30], samples.held_out[:30]
    f_trained, f_held = (values(run.critic, run.scaling.to_network(side)).mean() for side in (trained_on, held_out))
    apart = float(f_trained - f_held) * run.scaling.scale
    assert apart != 0
    assert last["critic_trained_on"] - last["critic"] == pytest.approx(apart, rel=1e-6)
    ours, theirs = (
        patches(side, run.scaling.shape, stream(CONFIG.seed, f"patches of {name} images"))
        for side, name in ((held_out, "held-out"), (trained_on, "other"))
    )
    assert last["patch_floor"] == otgan.wasserstein(ours, theirs)


def test_the_patch_distance_of_like_images_is_small(run, samples) -> None:
    last = run.history[-1]
    assert 0 < last["patch_floor"] < last["patch"]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(1, 1), (2, 2)], None),
        ([(1, 1), (1, 2), (1, 3)], None),
        ([(1, 1), (2, 4), (3, 9)], 1.0),
        ([(1, 9), (2, 4), (3, 1)], -1.0),
        ([("NaN", 9), (2, 4), (3, 1)], None),
    ],
)
def test_rank_correlation(pairs, expected) -> None:
    records = [{"kind": "monitor", "critic": c, "exact": w} for c, w in pairs]
    untrained = {"kind": "monitor", "critic": 0.0, "exact": 99.0, "step": 0}
    assert rank_correlation([{"kind": "run"}, untrained, *records]) == expected
