"""A file lock, which lets one process at a time write into a folder."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["exclusive_lock"]

LOCKED_BYTE = 2**30  # offset of the byte of the file that is locked on Windows, where nobody can read what is locked


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock that the file ``path`` stands for; the file is made, and removed at the end.

    The system lets go of it when the process ends, however it ends. Where a file system has no locks, nothing is held.

    Parameters
    ----------
    path : Path
        In the folder that is written to.

    Raises
    ------
    InvalidInput
        If another process holds it.
    OSError
        If the file cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with exclusive_lock(Path(folder, ".lock")):
    ...         print(os.listdir(folder))
    ...     print(os.listdir(folder))
    ['.lock']
    []
    """
    file = _held(path)
    try:
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        yield
    finally:
        with suppress(OSError):  # Windows does not remove an open file
            path.unlink()
        file.close()


def _held(path: Path) -> IO[bytes]:
    """The file at ``path``, open and locked."""
    while True:
        file = path.open("a+b")
        try:
            _lock(file)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(20).decode(errors="replace")
            file.close()
            raise InvalidInput(
                f"{path.parent} is in use by process {holder or 'of an unknown number'}, which writes there. Wait for "
                "its end, or name another folder."
            ) from None
        except OSError:  # a file system without locks
            return file
        with suppress(OSError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # whoever held it has removed it meanwhile: this is not the file that others will find


def _lock(file: IO[bytes]) -> None:
    """Lock an open file, until it is closed.

    Raises
    ------
    BlockingIOError
        If it is locked already.
    OSError
        If there are no locks where it lies.
    """
    try:
        import fcntl
    except ImportError:
        _lock_on_windows(file)
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_on_windows(file: IO[bytes]) -> None:
    windows: Any = import_module("msvcrt")
    file.seek(LOCKED_BYTE)
    try:
        windows.locking(file.fileno(), windows.LK_NBLCK, 1)
    except PermissionError:  # this is how it says that it is held
        raise BlockingIOError from None
    finally:
        file.seek(0)
