"""The one decorator of the house for compiled code, and what keeps it from harm: signals, broken caches.

**Signals.** Numba runs Python code of its own for each array that a kernel returns. There a signal that came while the
kernel ran is handled: Ctrl-C raises KeyboardInterrupt, Numba does not look for it between two arrays, and the process
ends with a SystemError or a segmentation fault. Kernels that return nothing, numbers or one new array are safe as they
are; around the others signals wait until the result is whole (:class:`Kernel`).

**Caches.** What is compiled is kept on disk with its checksum. What cannot be read, or is not what was written, is
compiled anew; what cannot be kept is compiled by each process. Either is told once, through ``logging``.
"""

from __future__ import annotations

import _signal  # pyright: ignore[reportMissingImports] - without the enums, which take longer than small kernels
import hashlib
import logging
import os
import pickle
import signal
import stat
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numba.core.config
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.registry import CPUDispatcher

if TYPE_CHECKING:
    from collections.abc import Callable

    Handlers = dict[int, Callable[[int, Any], Any]]

__all__ = ["kernel"]

# Those that programs handle in Python: Ctrl-C, the end of a session or a container, alarms, and what is left to them.
SIGNALS = tuple(
    int(getattr(signal, name))
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGBREAK")
    if hasattr(signal, name)
)
_told: set[str] = set()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function``: cached on disk, without the GIL, with IEEE arithmetic (NaN and ties matter)."""
    try:
        return _compiled(function, cache=True)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        folder = private_folder(Path(tempfile.gettempdir()))
    return _compiled(function, cache=False) if folder is None else _cached_in(folder, function)


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
    compiled = numba.njit(nogil=True, error_model="numpy")(function)
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

    def __call__(self, *args: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Call it from Python; kernels call each other without coming by here."""
        with Later():
            result = super().__call__(*args)
        if not isinstance(result, tuple):  # nor will it ever be one
            self.__class__ = CPUDispatcher  # pyright: ignore[reportAttributeAccessIssue]
        return result


class Later:
    """Inside the ``with`` block signals wait; at its end their handlers are called.

    Python calls handlers in the main thread alone, so in others nothing is to be done.

    Examples
    --------
    >>> try:
    ...     with Later():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("still here")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    still here
    interrupted
    """

    __slots__ = ("handlers", "waiting")

    def __enter__(self) -> None:
        self.waiting: list[tuple[int, Any]] = []
        self.handlers: Handlers = {}
        if threading.current_thread() is not threading.main_thread():
            return
        handlers = {number: _signal.getsignal(number) for number in SIGNALS}
        try:
            for number, handler in handlers.items():
                if callable(handler):  # not if it is the system's, or the signal is ignored
                    self.handlers[number] = handler
                    _signal.signal(number, self._wait)
        except BaseException:  # of a handler, since Python looks for signals before it sets one
            self._restore()
            raise

    def __exit__(self, *raised: object) -> None:
        self._restore()
        for number, frame in self.waiting:
            self.handlers[number](number, frame)

    def _wait(self, number: int, frame: Any) -> None:
        self.waiting.append((number, frame))

    def _restore(self) -> None:
        """Put every handler back, also where one that is back already raises meanwhile."""
        stopped: BaseException | None = None
        for number, handler in self.handlers.items():
            while _signal.getsignal(number) is not handler:
                try:
                    _signal.signal(number, handler)
                except BaseException as error:
                    stopped = error
        if stopped is not None:
            raise stopped


class Cache(FunctionCache):
    """Numba's cache of one function, without which all goes on if it breaks."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        locator = self._impl.locator
        self._cache_file = Files(self._cache_path, self._impl.filename_base, locator.get_source_stamp())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Compiled code from the disk; None where there is none that can be used."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # a damaged pickle raises whatever it likes
            _tell("read", f"Compiled code in {self._cache_path} is damaged ({_short(error)}). It is compiled anew.")
        try:
            self.flush()  # or what is compiled now could not be kept
        except OSError:
            self.disable()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code for the next process, if there is a way."""
        try:
            super().save_overload(sig, data)
        except (OSError, pickle.PickleError) as error:
            self.disable()
            _tell(
                "write",
                f"Compiled code cannot be kept in {self._cache_path} ({_short(error)}). Every process compiles it "
                "anew, which takes seconds. Make room there, or name another folder in NUMBA_CACHE_DIR.",
            )


class Files(IndexDataCacheFile):
    """Numba's files, and a checksum: half a machine code is no machine code."""

    def __init__(self, folder: str, name: str, stamp: Any) -> None:
        super().__init__(folder, name, stamp)
        self._version = f"{numba.__version__}, checked"  # files of plain Numba are of another version

    def _save_data(self, name: str, data: Any) -> None:
        payload = self._dump(data)
        super()._save_data(name, (hashlib.sha256(payload).digest(), payload))

    def _load_data(self, name: str) -> Any:
        digest, payload = super()._load_data(name)
        if hashlib.sha256(payload).digest() != digest:
            raise ValueError(f"{name} is not what was written")
        return pickle.loads(payload)


def _tell(what: str, message: str) -> None:
    if what not in _told:
        _told.add(what)
        logging.getLogger("otgan").warning("otgan: %s", message)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
