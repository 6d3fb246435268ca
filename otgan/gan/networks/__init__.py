"""The networks of GANs: generators and critics, by their names in a configuration or the user's own."""

from otgan.gan.networks.build import build_critic, build_generator, compiled, forget_on_step
from otgan.gan.networks.own import OwnNetworks, unwrapped
from otgan.gan.networks.trial import try_losses

__all__ = [
    "OwnNetworks",
    "build_critic",
    "build_generator",
    "compiled",
    "forget_on_step",
    "try_losses",
    "unwrapped",
]
