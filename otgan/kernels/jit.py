"""The decorator of all compiled code."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numba.core.config
from numba.core.registry import CPUDispatcher

from otgan.kernels.cache import Cache
from otgan.kernels.signals import Later

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["inlined", "kernel"]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function``: cached on disk, without the GIL, with IEEE arithmetic (NaN and ties matter)."""
    try:
        return _compiled(function, cache=True)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        folder = private_folder(Path(tempfile.gettempdir()))
    return _compiled(function, cache=False) if folder is None else _cached_in(folder, function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile ``function`` into each kernel that calls it: for what takes less time than a call with some arrays."""
    return numba.njit(nogil=True, error_model="numpy", inline="always")(function)


def private_folder(parent: Path) -> Path | None:
    """A folder for compiled code in ``parent`` that is this user's alone; None if there is no such thing.

    Whoever can write a cache can have their code run by its reader, and everybody can write the usual temporary folder.
    """
    if not hasattr(os, "getuid"):
        return None
    folder = parent / f"otgan-kernels-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder if ours else None


def _compiled(function: Callable[..., Any], cache: bool) -> Any:
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(function)
    if not isinstance(compiled, CPUDispatcher):  # NUMBA_DISABLE_JIT leaves it to Python
        return compiled
    compiled.__class__ = Kernel
    if cache:
        compiled.enable_caching()
    return compiled


def _cached_in(folder: Path, function: Callable[..., Any]) -> Any:
    """Numba asks where to cache when a function is decorated, and only there."""
    config: Any = numba.core.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        return _compiled(function, cache=True)
    except RuntimeError:  # the folder is there, but full or read-only
        return _compiled(function, cache=False)
    finally:
        config.CACHE_DIR = before


class Kernel(CPUDispatcher):
    """A compiled function whose result no signal can meet before it is whole."""

    def enable_caching(self) -> None:
        """As Numba does it, with our cache."""
        self._cache = Cache(self.py_func)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it from Python; kernels call each other without coming by here."""
        with Later():
            result = super().__call__(*args, **named)
        if not isinstance(result, tuple):  # nor will it ever be one, so it needs no care
            object.__setattr__(self, "__class__", CPUDispatcher)
        return result
