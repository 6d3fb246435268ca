"""How much memory there is, by every limit that a process lives under."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import otgan
from otgan import InvalidInput
from otgan.runtime import memory

GIB = 2**30
MACHINE = {"proc/meminfo": "MemTotal: 67108864 kB\nMemAvailable: 33554432 kB\nHugePages_Total: 0\n"}  # 32 GiB free
STAT = "anon 1\ninactive_file {0}\ntotal_inactive_file {0}\n"
VERSION_2 = {
    "proc/self/cgroup": "0::/pod/job\n",
    "groups/pod/job/memory.max": "max\n",
    "groups/pod/memory.max": f"{8 * GIB}\n",
    "groups/pod/memory.current": f"{3 * GIB}\n",
    "groups/pod/memory.stat": STAT.format(GIB),
}
VERSION_1 = {
    "proc/self/cgroup": "5:cpu:/job\n4:memory:/job\n0::/\n",
    "groups/memory/job/memory.limit_in_bytes": f"{4 * GIB}\n",
    "groups/memory/job/memory.usage_in_bytes": f"{3 * GIB}\n",
    "groups/memory/job/memory.stat": STAT.format(GIB),
    "groups/memory/memory.limit_in_bytes": "9223372036854771712\n",
}
# In a container the folder that the name stands for cannot be seen, and the limit is at the root.
CONTAINER = {
    "proc/self/cgroup": "4:memory:/docker/0123\n",
    "groups/memory/memory.limit_in_bytes": f"{2 * GIB}\n",
    "groups/memory/memory.usage_in_bytes": f"{3 * GIB}\n",
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [({}, 32 * GIB), (VERSION_2, 6 * GIB), (VERSION_1, 2 * GIB), (CONTAINER, 0)],
    ids=["no groups", "version 2", "version 1", "container, and too much is used already"],
)
def test_the_least_of_all_limits(
    files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {**MACHINE, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "PROCESS", tmp_path / "proc")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "_physical", lambda: 64 * GIB)
    assert memory.available() == expected


def test_where_the_system_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PROCESS", tmp_path)
    monkeypatch.setattr(memory, "_physical", lambda: 64 * GIB)
    assert memory.available() == 64 * GIB


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such limit, or do not keep it")
def test_a_limit_on_the_address_space_counts() -> None:
    code = """
import resource
from otgan.runtime import memory
before = memory.available()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, used + 2**29))
assert memory.available() <= 2**29 < before, (memory.available(), before)
assert memory.available() > 2**28
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_broadcast_cost_matrix_is_refused_before_it_is_copied() -> None:
    matrix = np.broadcast_to(np.float64(1), (10**6, 10**6))  # 8 TB
    with pytest.raises(InvalidInput, match=r"C must fit into memory as float64.*pass the points"):
        otgan.solve_cost(matrix)


def test_so_are_broadcast_points_and_samples_on_the_line() -> None:
    points = np.broadcast_to(np.float32(1), (10**9, 2000))
    for call in (
        lambda: otgan.solve(points, [[0.0] * 2000]),
        lambda: otgan.wasserstein_1d(points, points),
        lambda: otgan.wasserstein_circle(points, points),
    ):
        with pytest.raises(InvalidInput, match="must fit into memory"):
            call()
