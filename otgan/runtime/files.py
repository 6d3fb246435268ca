"""Files that are replaced as a whole: each is the old one or the new one, never half of each."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["check_folder", "check_writable", "write_files"]


def write_files(folder: str | os.PathLike[str], files: Mapping[str, bytes]) -> None:
    """Write files into ``folder``; nothing is replaced before all of it lies whole on the disk.

    Parameters
    ----------
    folder : path
        An existing folder.
    files : mapping of str to bytes
        The names inside the folder, and what to write. The last is put in place last.

    Raises
    ------
    OSError
        If something cannot be written. Files that were there before are as they were.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_files(folder, {"a.txt": b"one", "b.txt": b"two"})
    ...     sorted(os.listdir(folder)), Path(folder, "b.txt").read_bytes()
    (['a.txt', 'b.txt'], b'two')
    """
    folder = Path(folder)
    written: list[tuple[Path, Path]] = []
    try:
        for name, data in files.items():
            written.append((_write_beside(folder / name, data), folder / name))
        while written:
            os.replace(*written[0])
            written.pop(0)
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Find out, before the work is done, whether its result could be written to ``path``.

    Raises
    ------
    OSError
        If it could not.

    Examples
    --------
    >>> check_writable(Path("a/missing/folder/plan.npz"))
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'a/missing/folder/plan.npz'
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    _write_beside(path, b"").unlink()


def check_folder(folder: Path) -> None:
    """Find out whether files could be written into ``folder``, which need not exist; it is not made.

    Raises
    ------
    OSError
        If they could not, or a file is in the way.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_folder(Path(folder, "runs", "new"))
    ...     os.listdir(folder)
    []
    """
    whole = folder.absolute()
    there = next(path for path in (whole, *whole.parents) if path.exists())
    try:
        check_writable(there / "report.json")
    except OSError as error:
        error.filename = os.fspath(folder)
        raise


def _write_beside(path: Path, data: bytes) -> Path:
    """Write ``data`` to a new hidden file in the folder of ``path``, all the way to the disk; where it lies."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file, _removed_on_error(temporary):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = os.fspath(path)  # the name of the temporary file would mean nothing to the reader
        raise
    return temporary


@contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink()
        raise
