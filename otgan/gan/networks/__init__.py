"""The networks of GANs: generators and critics, by their names in a configuration."""

from otgan.gan.networks.build import build_critic, build_generator, compiled, forget_on_step

__all__ = ["build_critic", "build_generator", "compiled", "forget_on_step"]
