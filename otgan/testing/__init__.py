"""Tests of optimal transport code: Hypothesis strategies for problems with known answers, and assertions.

:mod:`otgan.testing.strategies` needs hypothesis (``pip install 'otgan[testing]'``); the assertions do not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otgan.testing.asserts import assert_metric, assert_optimal

if TYPE_CHECKING:
    from otgan.testing import strategies

__all__ = ["assert_metric", "assert_optimal", "strategies"]


def __getattr__(name: str) -> Any:
    if name == "strategies":  # on first use: it needs hypothesis
        return import_module("otgan.testing.strategies")
    raise AttributeError(f"module 'otgan.testing' has no attribute {name!r}")
