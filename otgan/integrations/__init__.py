"""otgan inside of other libraries: each module needs its own, which is imported with it.

The extras ``torchmetrics``, ``lightning`` and ``ignite`` of otgan install them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otgan.integrations import ignite, lightning, torchmetrics

__all__ = ["ignite", "lightning", "torchmetrics"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"otgan.integrations.{name}")
    raise AttributeError(f"module 'otgan.integrations' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
