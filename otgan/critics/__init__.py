"""Neural critics of the Kantorovich-Rubinstein dual, trained on samples and judged by the exact distance."""

from otgan.critics.choice import Choice
from otgan.critics.critic import Critic, Lipschitz
from otgan.critics.fit import fit, methods
from otgan.critics.judge import judge
from otgan.critics.methods import METHODS, GradientPenalty, WeightClipping
from otgan.critics.methods.method import Method
from otgan.critics.networks import certified_lipschitz, mlp
from otgan.critics.report import CriticReport
from otgan.critics.result import CriticFit
from otgan.critics.richardson import Richardson, richardson
from otgan.critics.samplers import samplers
from otgan.critics.trainer import Trainer, trainer
from otgan.runtime.device import torch_device

__all__ = [
    "METHODS",
    "Choice",
    "Critic",
    "CriticFit",
    "CriticReport",
    "GradientPenalty",
    "Lipschitz",
    "Method",
    "Richardson",
    "Trainer",
    "WeightClipping",
    "certified_lipschitz",
    "fit",
    "judge",
    "methods",
    "mlp",
    "richardson",
    "samplers",
    "torch_device",
    "trainer",
]
