"""The few settings of each method that are tried before it is compared with others."""

from __future__ import annotations

from typing import Any

__all__ = ["DEFAULT_METHODS", "settings", "words"]

DEFAULT_METHODS = ("clip", "gp", "lp", "orthogonal")

SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "clip": ({}, {"learning_rate": 5e-4}, {"learning_rate": 5e-4, "clip": 0.1}),
    "gp": ({}, {"learning_rate": 1e-3}, {"learning_rate": 1e-3, "gp_weight": 1.0}),
    "lp": ({}, {"gp_weight": 1.0}),
    "orthogonal": ({}, {"learning_rate": 5e-4}),
    "orthogonal-abs": ({}, {"learning_rate": 5e-4}),
}
NAMES = {"learning_rate": "learning rate", "gp_weight": "lambda", "clip": "clip", "batch_size": "batches of"}


def settings(method: str) -> tuple[dict[str, Any], ...]:
    """What is tried of a method, its defaults first.

    Examples
    --------
    >>> settings("lp"), settings("prototypes")
    (({}, {'gp_weight': 1.0}), ({},))
    """
    return SETTINGS.get(method, ({},))


def words(options: dict[str, Any]) -> str:
    """Options as people say them.

    Examples
    --------
    >>> words({"learning_rate": 5e-4, "clip": 0.1}), words({})
    ('learning rate 0.0005, clip 0.1', 'defaults')
    """
    return ", ".join(f"{NAMES.get(name, name)} {value:g}" for name, value in options.items()) or "defaults"
