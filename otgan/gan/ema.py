"""The exponential moving average of the generator's weights, with recalibrated batch norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from otgan.critics.networks import copied

if TYPE_CHECKING:
    from torch import nn

    from otgan.gan.config import Config

__all__ = ["averaged_model", "with_recalibrated_batch_norm"]

CALIBRATION_BATCHES = 16  # of noise, each of the size trained with


def averaged_model(generator: nn.Module, config: Config) -> AveragedModel:
    """The exponential moving average of the generator's weights; batch norm's running means are copied, not averaged.

    After n steps the decay is at most (1 + n) / (10 + n), so that short runs forget their first weights too.
    """

    def average(ema: Any, current: Any, n: Any) -> None:
        steps = float(n)
        get_ema_multi_avg_fn(min(config.ema_decay, (1 + steps) / (10 + steps)))(ema, current, n)

    return AveragedModel(copied(generator), multi_avg_fn=average).eval()


def with_recalibrated_batch_norm(ema: AveragedModel, config: Config) -> nn.Module:
    """The averaged generator as a network of its own, with batch norm's means and variances estimated anew.

    Those that were copied belong to the weights of the generator in training: with them the averaged generator's
    samples are worse than those of either network. They are estimated over 16 batches of noise, the same ones every
    time (the standing statistics of Brock, Donahue & Simonyan 2019, Large Scale GAN Training, section 4.1).
    """
    generator = copied(ema.module)
    drawn = torch.Generator().manual_seed(config.seed)
    noise = torch.randn(CALIBRATION_BATCHES, config.recipe.batch_size, config.latent, generator=drawn)
    with torch.random.fork_rng(devices=[]):  # a generator of the user's may draw, as with dropout
        torch.manual_seed(config.seed)
        update_bn(iter(noise), generator, next(generator.parameters()).device)
    return generator.eval()
