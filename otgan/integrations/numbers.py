"""A monitor's record as loggers take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["logged_numbers"]

UNLOGGED = ("step",)  # which loggers know


def logged_numbers(record: Mapping[str, Any], name: str) -> dict[str, float]:
    """The numbers of a record of :meth:`otgan.gan.Monitor.measure`, by ``name/field``.

    Intervals have two, ``name/field_low`` and ``name/field_high``.

    Examples
    --------
    >>> record = {"kind": "monitor", "step": 3, "exact": 2.0, "patch": None, "intervals": {"exact": [1.5, 2.5]}}
    >>> logged_numbers(record, "wasserstein")
    {'wasserstein/exact': 2.0, 'wasserstein/exact_low': 1.5, 'wasserstein/exact_high': 2.5}
    """
    numbers = {key: value for key, value in record.items() if isinstance(value, int | float) and key not in UNLOGGED}
    for key, ends in record.get("intervals", {}).items():
        if ends:
            numbers |= {f"{key}_low": ends[0], f"{key}_high": ends[1]}
    return {f"{name}/{key}": float(value) for key, value in numbers.items()}
