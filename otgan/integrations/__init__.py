"""otgan inside of other libraries: each module needs its own, which is imported with it.

The extra ``torchmetrics`` of otgan installs that of :mod:`otgan.integrations.torchmetrics`, whose
``WassersteinDistance`` is the exact distance between real and generated samples as a ``torchmetrics.Metric``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otgan.integrations import torchmetrics

__all__ = ["torchmetrics"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"otgan.integrations.{name}")
    raise AttributeError(f"module 'otgan.integrations' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
