"""Whether a critic can be trusted on data of one's own, before a GAN is trained on them."""

from otgan.preflights.entry import preflight

__all__ = ["preflight"]
