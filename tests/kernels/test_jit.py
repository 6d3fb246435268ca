"""Where compiled code is kept when neither the package nor the home can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import pytest

from otgan.kernels import jit

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pwd", reason="folders of one user alone are a matter of POSIX systems")


def test_a_private_folder_is_made_once(tmp_path: Path) -> None:
    folder = jit.private_folder(tmp_path)
    assert folder is not None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert jit.private_folder(tmp_path) == folder


def test_a_folder_that_others_could_write_is_not_used(tmp_path: Path) -> None:
    folder = jit.private_folder(tmp_path)
    assert folder is not None
    folder.chmod(0o777)
    assert jit.private_folder(tmp_path) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = jit.private_folder(tmp_path)
    assert folder is not None
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert jit.private_folder(tmp_path) is None


def test_no_folder_where_there_is_nothing_to_put_it_in(tmp_path: Path) -> None:
    assert jit.private_folder(tmp_path / "missing") is None


def test_compiled_code_goes_to_the_folder_and_numba_is_left_as_it_was(tmp_path: Path) -> None:
    def double(value: float) -> float:
        return 2 * value

    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    assert jit._cached_in(tmp_path, double)(1.5) == 3.0
    assert list(tmp_path.rglob("*.nbi"))
    assert before == numba.config.CACHE_DIR  # type: ignore[attr-defined]
