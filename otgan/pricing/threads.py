"""Threads for compiled code that does not hold the GIL."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from otgan.runtime.cores import cores

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_threads"]

SMALLEST_PART = 256  # targets


def in_threads(part: Callable[[int, int], None], size: int, multiple: int) -> None:
    """Run ``part(start, stop)`` over ``range(size)``, several parts a core so that a slow one does not hold up all."""
    workers = cores()
    step = -(-max(size // (8 * workers), SMALLEST_PART) // multiple) * multiple
    starts = range(0, size, step)
    if workers == 1 or len(starts) == 1:
        part(0, size)
        return
    list(_pool(workers).map(lambda start: part(start, min(size, start + step)), starts))


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    """Threads that wait for work: starting them anew each time takes longer than pricing a thousand points."""
    return ThreadPoolExecutor(workers, thread_name_prefix="otgan-pricing")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
