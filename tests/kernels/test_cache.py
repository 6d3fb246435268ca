"""Compiled code on disk that is damaged, or has no room: the numbers are the same, and it is told once."""

from __future__ import annotations

import errno
import logging
import os
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from otgan.kernels import cache, jit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def triple(value: float) -> float:
    return 3 * value


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """One bit of a machine code is another: pickle does not see it."""
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": cut,
    "noise": lambda data: bytes(range(256)) * (len(data) // 256 + 1),
    "another pickle": lambda _: pickle.dumps(("something", "else", "entirely")),
    "a pickle of a class that is gone": lambda _: b"cotgan.kernels.gone\nClass\n.",
}


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_told", set())


def compiled(folder: Path) -> Any:
    return jit._cached_in(folder, triple)


def hits(kernel: Any) -> int:
    return sum(kernel.stats.cache_hits.values())


def the_file(folder: Path, suffix: str) -> Path:
    (path,) = folder.rglob(f"*{suffix}")
    return path


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_files_are_compiled_and_written_anew(
    damage: str, suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert compiled(tmp_path)(1.5) == 4.5
    path = the_file(tmp_path, suffix)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        again = compiled(tmp_path)
        assert again(1.5) == 4.5
        assert hits(again) == 0
        healed = compiled(tmp_path)
        assert healed(1.5) == 4.5
        assert hits(healed) == 1
    if (suffix, damage) != (".nbi", "another pickle"):  # which is the index of another version of Numba
        assert len(caplog.records) == 1
        assert "damaged" in caplog.text
        assert str(tmp_path) in caplog.text


def test_a_single_bit_is_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    compiled(tmp_path)(1.5)
    path = the_file(tmp_path, ".nbc")
    path.write_bytes(flipped(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        again = compiled(tmp_path)
        assert again(1.5) == 4.5
    assert hits(again) == 0
    assert "damaged" in caplog.text


def test_files_that_plain_numba_wrote_are_not_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    compiled(tmp_path)(1.5)
    path = the_file(tmp_path, ".nbi")
    data = path.read_bytes()
    version = pickle.loads(data)
    rest = data[len(pickle.dumps(version, protocol=-1)) :]
    path.write_bytes(pickle.dumps(version.split(",")[0], protocol=-1) + rest)
    again = compiled(tmp_path)
    assert again(1.5) == 4.5
    assert hits(again) == 0
    assert not caplog.records  # nothing is wrong with them


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES])
def test_no_room_is_told_once(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(self: Any, path: str) -> Any:
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr(cache.Files, "_open_for_write", full)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert compiled(tmp_path)(1.5) == 4.5
    assert len(caplog.records) == 1
    assert os.strerror(code) in caplog.text
    assert "NUMBA_CACHE_DIR" in caplog.text


def test_damage_and_no_room_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compiled(tmp_path)(1.5)
    the_file(tmp_path, ".nbi").write_bytes(b"\x80")

    def full(self: Any, path: str) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr(cache.Files, "_open_for_write", full)
    with caplog.at_level(logging.WARNING):
        assert compiled(tmp_path)(1.5) == 4.5
    assert "damaged" in caplog.text


def test_a_folder_in_the_place_of_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    compiled(tmp_path)(1.5)
    path = the_file(tmp_path, ".nbi")
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        assert compiled(tmp_path)(1.5) == 4.5
    assert caplog.records


def test_that_compiling_begins_is_told_once_and_only_then(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="otgan"):
        kernel = compiled(tmp_path)
        assert kernel(1.5) == 4.5
        assert kernel(2) == 6
        assert [record.getMessage()[:16] for record in caplog.records] == ["otgan: compiling"]
        cache._told.clear()
        caplog.clear()
        assert compiled(tmp_path)(1.5) == 4.5
        assert not caplog.records


def test_a_change_of_any_kernel_has_all_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine code holds that of the kernels that are called, of whose files Numba knows nothing."""
    assert compiled(tmp_path)(1.5) == 4.5
    monkeypatch.setattr(cache, "kernels_stamp", lambda: (1.0, 2))
    again = compiled(tmp_path)
    assert again(1.5) == 4.5
    assert hits(again) == 0
