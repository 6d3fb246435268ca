"""One measurement, in a process of its own: time, memory, value and proof of one solver on one case.

    python benchmarks/measure.py '{"peer": "POT", "limit": 60, "case": {"family": "gaussians", ...}}'

prints one line of JSON. :func:`in_fresh_process` runs that and says what became of it.
"""

from __future__ import annotations

import gc
import json
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvers.cases import Case, digest
from solvers.families import data
from solvers.peers import BEFORE, CHECKOUT, PEERS, warm_up

if TYPE_CHECKING:
    from solvers.peers import Peer

Cell = dict[str, Any]

REPEAT_SECONDS = 2.0  # spent on repeats of one short solve
LONG_SECONDS = 4.0  # a solve beyond is long enough to be measured once
MOST_REPEATS = 101
SET_UP_SECONDS = 300.0  # for imports, data and compiling, before a process counts as stuck
NO_TORCH = {"POT_BACKEND_DISABLE_PYTORCH": "1"}  # or POT imports it: seconds and memory that no solver needs
MIB = 2**20


def one(case: Case, peer: Peer, limit: float | None = None) -> Cell:
    """Measure in this process; after ``limit`` seconds of the first solve the system ends the process."""
    points = data(case)
    warm_up(peer, points, case.p)
    gc.collect()
    baseline = _reset_peak()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _alarm(limit)
        start = time.perf_counter()
        answers = [peer.solve(points, case.p)]
        seconds = [time.perf_counter() - start]
        _alarm(0.0 if limit else None)
    peak = _peak()
    for _ in range(repeats(seconds[0]) - 1):
        start = time.perf_counter()
        answers.append(peer.solve(points, case.p))
        seconds.append(time.perf_counter() - start)
    answer, proofs = answers[0], [answer.certificate_seconds for answer in answers if answer.certificate_seconds]
    cell: Cell = {"status": "ok", "seconds": statistics.median(seconds), "fastest": min(seconds)}
    cell |= {"repeats": len(seconds), "added_mib": max(peak - baseline, 0) / MIB, "peak_mib": peak / MIB}
    cell |= {"value": answer.value, "lower": answer.lower, "upper": answer.upper}
    cell |= {"method": answer.method, "proof": answer.status, "data": digest(points)}
    cell["certificate_seconds"] = statistics.median(proofs) if proofs else None
    if caught:
        cell["warning"] = str(caught[0].message)[:200]
    return cell


def repeats(first: float) -> int:
    """How many solves in all: five or more of what takes a second or less, three up to 4 s, one beyond."""
    least = 5 if first <= 1 else 3 if first <= LONG_SECONDS else 1
    return max(least, min(MOST_REPEATS, int(REPEAT_SECONDS / max(first, 1e-9))))


def _alarm(limit: float | None) -> None:
    """Let the system end this process after ``limit`` seconds, as compiled code does not hear Python; 0: never."""
    if limit is not None:
        signal.setitimer(signal.ITIMER_REAL, limit)


def _reset_peak() -> int:
    """Resident bytes now; the peak is counted from here on, where the system allows it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _peak()


def _peak() -> int:
    """Largest number of resident bytes since :func:`_reset_peak`, or so far where the system cannot say that."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):  # ru_maxrss begins with what the parent process had
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def available_memory() -> float:
    """Bytes that a new process could have."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return math.inf


def in_fresh_process(case: Case, peer: Peer, limit: float) -> Cell:
    """The measurement, or why there is none: ``status`` is "ok", "timeout", "memory" or "error"."""
    needed = peer.bytes_per_pair * case.n * case.m
    if needed > 0.9 * available_memory():
        return {"status": "memory", "message": f"would take about {needed / 2**30:.0f} GiB"}
    request = json.dumps({"peer": peer.name, "limit": limit, "case": asdict(case)})
    command = [sys.executable, "-m", __spec__.name, request]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=SET_UP_SECONDS + 3 * limit,
            env=environment(peer),
            cwd=Path(__file__).parents[1],
        )
    except subprocess.TimeoutExpired:
        return {"status": "timeout", "limit": limit, "message": "did not end"}
    return _outcome(done, limit)


def environment(peer: Peer) -> dict[str, str]:
    """Of the process of a measurement: an older otgan is found before the installed one."""
    older = {"PYTHONPATH": os.environ[CHECKOUT]} if peer.name == BEFORE else {}
    return os.environ | NO_TORCH | older


def _outcome(done: subprocess.CompletedProcess[str], limit: float) -> Cell:
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    if done.returncode == -signal.SIGALRM:
        return {"status": "timeout", "limit": limit, "message": f"stopped after {limit:g} s"}
    last = (done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"])[-1]
    short_of_memory = done.returncode == -signal.SIGKILL or "MemoryError" in last or "bad_alloc" in done.stderr
    return {"status": "memory" if short_of_memory else "error", "message": last[:300]}


def main(request: str) -> None:
    wanted = json.loads(request)
    cell = one(Case(**wanted["case"]), PEERS[wanted["peer"]], wanted["limit"])
    print(json.dumps(cell))


if __name__ == "__main__":
    main(sys.argv[1])
