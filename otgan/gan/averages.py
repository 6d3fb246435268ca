"""The moving average of the generator's weights, which samples come from."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

if TYPE_CHECKING:
    from torch import nn

    from otgan.gan.config import Config

__all__ = ["averaged", "settled"]

BATCHES = 16  # of noise, for the means of batch norm


def averaged(generator: nn.Module, config: Config) -> AveragedModel:
    """The generator with averaged weights; running means of batch norm are the generator's own.

    After n steps the decay is at most (1 + n) / (10 + n), so that short runs forget their first weights too.
    """

    def average(averages: Any, current: Any, n: Any) -> None:
        steps = float(n)
        get_ema_multi_avg_fn(min(config.ema_decay, (1 + steps) / (10 + steps)))(averages, current, n)

    return AveragedModel(generator, multi_avg_fn=average).eval()


def settled(average: AveragedModel, config: Config) -> nn.Module:
    """The averaged generator as a network of its own, with the means of what *it* computes in its batch norm.

    Those that it was given are the last ones of the generator in training, whose weights are elsewhere: samples made
    with them are worse than either network's. They are taken anew over a few batches of noise, the same every time
    (the standing statistics of Brock, Donahue & Simonyan 2019, Large Scale GAN Training, section 4.1).
    """
    generator = copy.deepcopy(average.module)
    drawn = torch.Generator().manual_seed(config.seed)
    noise = torch.randn(BATCHES, config.recipe.batch_size, config.latent, generator=drawn)
    update_bn(iter(noise), generator, next(generator.parameters()).device)
    return generator.eval()
