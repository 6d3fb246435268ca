"""Generators and critics, by the names of a configuration."""

from otgan.gan.networks.build import build_critic, build_generator, forget_on_step

__all__ = ["build_critic", "build_generator", "forget_on_step"]
