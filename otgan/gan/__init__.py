"""GANs trained with the exact Wasserstein distance measured beside the critic's estimate."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otgan.gan.config import Config

if TYPE_CHECKING:
    from otgan.gan.loop import train
    from otgan.gan.monitor import Monitor
    from otgan.gan.run import NotFinite, Run, load

__all__ = ["Config", "Monitor", "NotFinite", "Run", "load", "train"]

_ON_FIRST_USE = {  # these need torch
    "Monitor": "monitor",
    "NotFinite": "run",
    "Run": "run",
    "load": "run",
    "train": "loop",
}


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        from otgan.runtime.optional import optional_dependency

        with optional_dependency("torch", "torch", "Training a GAN"):
            return getattr(import_module(f"otgan.gan.{_ON_FIRST_USE[name]}"), name)
    raise AttributeError(f"module 'otgan.gan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_FIRST_USE})
