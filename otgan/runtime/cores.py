"""The number of CPU cores that the process may use."""

from __future__ import annotations

import os

__all__ = ["cores"]


def cores() -> int:
    """The number of CPU cores that this process may use, where the system tells; else of all there are.

    Examples
    --------
    >>> cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
