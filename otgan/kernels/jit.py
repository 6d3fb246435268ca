"""The decorator of all compiled code."""

from __future__ import annotations

import gc
import os
import stat
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numba.core.config
from numba.core.registry import CPUDispatcher

from otgan.kernels.cache import Cache
from otgan.kernels.parts import PartCompiler, WholeCompiler
from otgan.kernels.signals import Later

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["inlined", "kernel"]

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
WHOLE: dict[str, Any] = {"pipeline_class": WholeCompiler, "no_cfunc_wrapper": True}
PART: dict[str, Any] = {"pipeline_class": PartCompiler, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function``: cached on disk, without the GIL, with IEEE arithmetic (NaN and ties matter)."""
    try:
        return _compiled(function, cache=True)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        folder = private_folder(Path(tempfile.gettempdir()))
    return _compiled(function, cache=False) if folder is None else _cached_in(folder, function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile ``function`` into each kernel that calls it: for what takes less time than a call with some arrays."""
    return numba.njit(**OPTIONS, inline="always")(function)


def any_order(function: Callable[..., Any]) -> Any:
    """Compile ``function`` for kernels to call, its sums in whatever order fills SIMD lanes.

    For sums whose bound on rounding holds in every order; their last bits differ between processors.
    """
    return numba.njit(**OPTIONS, **PART, fastmath={"reassoc", "contract"})(function)


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
    found = numba.njit(**OPTIONS, **WHOLE)(function)
    if not isinstance(found, CPUDispatcher):  # NUMBA_DISABLE_JIT leaves it to Python
        return found
    compiled: Any = found
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


class Compiled(CPUDispatcher):
    """A compiled function, which Python calls, and other kernels as a part of theirs."""

    def enable_caching(self) -> None:
        """As Numba does it, with our cache."""
        self._cache = Cache(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        return numba.types.Dispatcher(self.part)

    @cached_property
    def part(self) -> Any:
        """The same function for other kernels."""
        return numba.njit(**OPTIONS, **PART)(self.py_func)

    def compile(self, sig: Any) -> Any:
        """As Numba does it; what comes by the million meanwhile is needed, and a search for garbage is in vain."""
        collects = gc.isenabled()
        gc.disable()
        try:
            return super().compile(sig)
        finally:
            if collects:
                gc.enable()


class Kernel(Compiled):
    """A compiled function whose result no signal can meet before it is whole."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it from Python; kernels call each other without coming by here."""
        with Later():
            result = super().__call__(*args, **named)
        if not isinstance(result, tuple):  # nor will it ever be one, so it needs no care
            object.__setattr__(self, "__class__", Compiled)
        return result
