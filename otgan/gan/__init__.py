"""GANs trained with the exact distance measured beside the critic's number."""

from otgan.gan.config import Config

__all__ = ["Config"]
