"""Two processes never write into one folder, and a killed one leaves no lock behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from otgan import InvalidInput, report

HOLDER = """
import sys, time
from pathlib import Path
from otgan.report import exclusive_lock
with exclusive_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_another_process_is_named_and_its_death_sets_free(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(InvalidInput, match=f"in use by process {child.pid},"), report.exclusive_lock(lock):
            pass
        child.kill()  # it cannot clean up
    assert lock.exists()
    with report.exclusive_lock(lock):
        assert lock.read_text() == str(os.getpid())
    assert not lock.exists()


def hold_and_fail(lock: Path) -> None:
    with report.exclusive_lock(lock):
        with pytest.raises(InvalidInput, match=f"process {os.getpid()}"), report.exclusive_lock(lock):
            pass
        raise ZeroDivisionError


def test_it_is_held_within_one_process_too_and_let_go_of_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        hold_and_fail(tmp_path / ".lock")
    with report.exclusive_lock(tmp_path / ".lock"):
        pass


def test_a_file_that_its_holder_removed_meanwhile_is_not_taken_for_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder's end comes between the opening of the file and its locking."""
    from otgan.report import lock as module

    path, locked, lock = tmp_path / ".lock", [], module._lock

    def late(file: object) -> None:
        if not locked:
            path.unlink()
        locked.append(file)
        lock(file)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_lock", late)
    with module.exclusive_lock(path):
        assert len(locked) == 2
        assert path.exists()
        with pytest.raises(InvalidInput), module.exclusive_lock(path):
            pass


def test_a_file_system_without_locks_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(file: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("otgan.report.lock._lock", none)
    with report.exclusive_lock(tmp_path / ".lock"):
        pass
    assert not list(tmp_path.iterdir())
