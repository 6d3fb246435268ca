"""Files that are replaced as a whole: each is the old one or the new one, never half of each."""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np

from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otgan.solution import Solution

__all__ = ["check_folder", "check_writable", "npz_path", "plan_bytes", "save_plan", "slug", "write_files"]


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


def save_plan(path: str | os.PathLike[str], solution: Solution) -> None:
    """Write a plan and its potentials as a .npz file.

    The file holds ``row`` and ``col`` (int64) and ``mass`` (float64) of the plan's arcs, ``shape`` (n, m), and the
    potentials ``f`` (n,) and ``g`` (m,) in units of cost, which prove it. ``numpy.load(path, allow_pickle=False)``
    reads it, and ``scipy.sparse.coo_array((mass, (row, col)), shape)`` is the plan.

    Parameters
    ----------
    path : path
        Must end in .npz. A file that is there is replaced at once, or stays as it was.
    solution : Solution
        What to write.

    Raises
    ------
    InvalidInput
        If ``path`` does not end in .npz.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import otgan
    >>> solution = otgan.solve([0.0, 1.0], [2.0, 3.0])
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_plan(Path(folder, "plan.npz"), solution)
    ...     with np.load(Path(folder, "plan.npz"), allow_pickle=False) as file:
    ...         file["row"], file["mass"]
    (array([0, 1]), array([0.5, 0.5]))
    """
    path = npz_path(path)
    write_files(path.parent, {path.name: plan_bytes(solution)})


def slug(name: str) -> str:
    """``name`` in letters that every file system takes; of a path the last part, without its suffix.

    Examples
    --------
    >>> slug("/data/my faces.npy"), slug("mnist:8")
    ('my-faces', 'mnist-8')
    """
    last = PurePath(name).name
    stem = re.sub(r"\.(npy|npz|csv|pt)\b", "", last, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9_.]+", "-", stem).strip("-.")[:40] or "set"


def npz_path(path: str | os.PathLike[str]) -> Path:
    """``path``, if it ends in .npz."""
    if Path(path).suffix != ".npz":
        raise InvalidInput(f"the plan is written as .npz, but {os.fspath(path)!r} came. Write it to plan.npz.")
    return Path(path)


def plan_bytes(solution: Solution) -> bytes:
    """What :func:`save_plan` writes."""
    plan, buffer = solution.plan, io.BytesIO()
    row, col = plan.row.astype(np.int64), plan.col.astype(np.int64)
    np.savez(buffer, row=row, col=col, mass=plan.data, shape=np.array(plan.shape), f=solution.f, g=solution.g)
    return buffer.getvalue()


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
