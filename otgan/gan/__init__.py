"""GANs trained with the exact Wasserstein distance measured beside the critic's estimate."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otgan.gan.config import Config

if TYPE_CHECKING:
    from otgan.gan.loop import train
    from otgan.gan.run import Run, load

__all__ = ["Config", "Run", "load", "train"]

_ON_FIRST_USE = {"Run": "run", "load": "run", "train": "loop"}  # these need torch


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        from otgan.data.extras import needs

        with needs("torch", "torch", "Training a GAN"):
            return getattr(import_module(f"otgan.gan.{_ON_FIRST_USE[name]}"), name)
    raise AttributeError(f"module 'otgan.gan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_FIRST_USE})
