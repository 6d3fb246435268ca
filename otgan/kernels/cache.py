"""Cache of compiled kernels on disk: without it everything works as well, and takes seconds longer to begin.

What cannot be read, or is not what was written, is compiled anew and written again; what cannot be written is compiled
by each process. Either is told once, through ``logging``, and so is, as information, that compiling begins.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Cache"]

_told: set[str] = set()


class Cache(FunctionCache):
    """Numba's cache of one function, without which all goes on if it breaks."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        locator = self._impl.locator
        stamp = locator.get_source_stamp(), kernels_stamp()
        self._cache_file = Files(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Compiled code from the disk; None where there is none that can be used."""
        try:
            found = super().load_overload(sig, target_context)
        except Exception as error:  # a damaged pickle raises whatever it likes
            found = None
            _tell("read", f"Compiled code in {self._cache_path} is damaged ({_short(error)}). It is compiled anew.")
            try:
                self.flush()  # or what is compiled now could not be kept
            except OSError:
                self.disable()
        if found is None:
            _tell("compile", "compiling for this machine, which takes up to a minute and is kept.", logging.INFO)
        return found

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


@cache
def kernels_stamp() -> tuple[float, int]:
    """When a kernel was last changed, and the size of all: compiled code holds that of the kernels it calls.

    Numba looks at a function's own file only, and would go on with what its callees were before.
    """
    files = [path.stat() for path in Path(__file__).parent.glob("*.py")]
    return max((file.st_mtime for file in files), default=0.0), sum(file.st_size for file in files)


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


def _tell(what: str, message: str, level: int = logging.WARNING) -> None:
    if what not in _told:
        _told.add(what)
        logging.getLogger("otgan").log(level, "otgan: %s", message)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
