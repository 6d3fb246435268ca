"""Files of plans, and names for files."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np

from otgan.errors import InvalidInput
from otgan.runtime.files import write_files

if TYPE_CHECKING:
    from otgan.solution import Solution

__all__ = ["npz_path", "plan_bytes", "save_plan", "slug"]


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
