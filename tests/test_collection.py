"""Which tests there are does not depend on the clock, on hashes or on folders: parallel workers must agree on it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def collecting(seed: str, temporary: Path) -> subprocess.Popen[str]:
    temporary.mkdir()
    changes = {"PYTHONHASHSEED": seed, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-n0", "-p", "no:cacheprovider"]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **changes}, stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_every_process_collects_the_same_tests(tmp_path: Path) -> None:
    first = collecting("1", tmp_path / "one")
    time.sleep(1.1)  # file formats keep whole seconds
    second = collecting("2", tmp_path / "two")
    one, two = (set(process.communicate()[0].splitlines()[:-1]) for process in (first, second))
    assert len(one) > 5000
    assert not one ^ two
