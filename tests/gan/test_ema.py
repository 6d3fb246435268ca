"""The averaged generator has the means of its own activations."""

from __future__ import annotations

import copy

import torch

from otgan.gan import Config
from otgan.gan.ema import CALIBRATION_BATCHES, averaged_model, with_recalibrated_batch_norm
from otgan.gan.networks import build_generator

CONFIG = Config(data="mnist", width=4, latent=5, batch_size=32)
SHAPE = (1, 28, 28)


def norms(generator: torch.nn.Module) -> list[torch.nn.BatchNorm2d]:
    return [module for module in generator.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def test_means_are_those_of_the_averaged_weights() -> None:
    average = averaged_model(build_generator(CONFIG.resolved(SHAPE), SHAPE, 0), CONFIG)
    for module in norms(average.module):  # as if those of another network
        means = module.state_dict(keep_vars=True)
        means["running_mean"] += 7.0
        means["running_var"] *= 3.0
    before = copy.deepcopy(average.state_dict())

    generator = with_recalibrated_batch_norm(average, CONFIG)

    assert all(torch.equal(before[name], value) for name, value in average.state_dict().items())
    assert not generator.training
    # What goes into the first batch norm over the same number of fresh samples has those means and variances.
    inside = []
    norms(generator)[0].register_forward_pre_hook(lambda module, inputs: inside.append(inputs[0]))
    noise = torch.randn(CALIBRATION_BATCHES * 32, 5, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        generator(noise)
    mean, var = inside[0].mean((0, 2, 3)), inside[0].var((0, 2, 3))
    kept = norms(generator)[0].state_dict()
    assert ((kept["running_mean"] - mean).abs() < 0.2 * var.sqrt()).all()
    assert ((kept["running_var"] / var).log().abs() < 0.2).all()
    assert torch.equal(with_recalibrated_batch_norm(average, CONFIG)(noise), generator(noise))


def test_without_batch_norm_it_is_the_average() -> None:
    config = Config(data="gaussians8", width=8, latent=3)
    average = averaged_model(build_generator(config.resolved((2,)), (2,), 0), config)
    noise = torch.randn(4, 3)
    assert torch.equal(with_recalibrated_batch_norm(average, config)(noise), average(noise))
