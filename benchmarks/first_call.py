"""What the first call of a process costs beyond the second one: imports, and compiled code loaded or compiled.

Kernels are cached on disk beside the package, or in the user's cache where the package cannot be written. Each row is
the median of fresh processes; a compiling process is measured once.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import arguments, tell

TARGET = 0.8  # seconds that a first call may take beyond the second, kernels cached, the import of Numba included
TARGET_COMPILING = 5  # seconds, kernels not cached
# Root writes where the mode of a file forbids it, unless that right is given up.
OBEDIENT = ["setpriv", "--bounding-set=-dac_override"]
CALLS = {
    "distance": "otgan.wasserstein(x[:50], y[:40])",
    "distance, n = m": "otgan.wasserstein(x[:50], y[:50])",
    "distance, weighted": "otgan.wasserstein(x[:50], y[:40], a=a)",
    "plan": "otgan.solve(x[:50], y[:40])",
    "matrix": "otgan.solve_cost(costs)",
    "pairwise": "otgan.pairwise([x[:20], y[:30], x[20:50]])",
    "line": "otgan.wasserstein(u, v)",
    "line, plan": "otgan.solve(u, v).plan",
    "sparse": "otgan.solve(x, y, method='sparse')",
}
CHILD = """
import json, time
begin = time.perf_counter()
import numpy, otgan
imported = time.perf_counter() - begin
rng = numpy.random.default_rng(0)
x, y = rng.normal(size=(2, 1000, 2))
u, v, costs, a = x[:, 0].copy(), y[:, 0].copy(), rng.random((50, 40)), rng.dirichlet(numpy.ones(50))
calls = []
for _ in range(2):
    begin = time.perf_counter()
    {call}
    calls.append(time.perf_counter() - begin)
print(json.dumps(dict(imported=imported, first=calls[0], second=calls[1], file=otgan.__file__)))
"""
PROCESSES = ("the first", "later ones", "after otgan warmup")
WARMUP = "from otgan.cli import main; raise SystemExit(main(['warmup']))"

Times = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a process finds the package, and where it may write.

    Attributes
    ----------
    name : str
    package : Path
        Folder that holds ``otgan/``.
    home, temporary : Path
        The home directory, for the user's cache, and the one for temporary files.
    """

    name: str
    package: Path
    home: Path
    temporary: Path

    def call(self, name: str) -> Times:
        """Times of the first two calls in a fresh process."""
        done = self.run(CHILD.format(call=CALLS[name]))
        if done.returncode:
            return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
        times = json.loads(done.stdout)
        file = times.pop("file")
        assert Path(file).is_relative_to(self.package), file
        return times

    def run(self, code: str) -> subprocess.CompletedProcess[str]:
        """A fresh process that runs ``code`` here."""
        kept = {key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
        kept |= {"HOME": str(self.home), "TMPDIR": str(self.temporary)}
        environment = kept | {"PYTHONPATH": str(self.package), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [*(OBEDIENT if os.geteuid() == 0 else []), sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=self.package)

    def clear(self) -> None:
        """Forget what was compiled."""
        for folder in (self.package, self.home, self.temporary):
            for path in [*folder.rglob("*.nbi"), *folder.rglob("*.nbc")]:
                path.unlink()


def places(folder: Path) -> list[Place]:
    """A package that can be written; a read-only one with an empty user cache; one with a temporary folder only."""
    import otgan

    source = Path(otgan.__file__).parent
    writable, read_only = folder / "writable", folder / "read_only"
    for target in (writable, read_only):
        shutil.copytree(source, target / "otgan", ignore=shutil.ignore_patterns("__pycache__"))
    home, none, temporary = folder / "home", folder / "none", folder / "temporary"
    for path in (home, none, temporary):
        path.mkdir()
    set_writable(read_only, False)
    set_writable(none, False)
    return [
        Place("package writable", writable, home, temporary),
        Place("package read-only, user's cache empty", read_only, home, temporary),
        Place("package and home read-only", read_only, none, temporary),
    ]


def set_writable(folder: Path, writable: bool) -> None:
    """Make a folder and all in it writable or read-only, and readable by everybody."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod((0o755 if path.is_dir() else 0o644) if writable else (0o555 if path.is_dir() else 0o444))


def measure(place: Place, name: str, repeats: int) -> list[Times]:
    """The process that finds nothing cached, and the median of those after it."""
    place.clear()
    rows = [{"processes": "the first", **place.call(name)}]
    if "error" not in rows[0]:
        rows.append({"processes": "later ones", **later(place, name, repeats)})
    return [{"place": place.name, "call": name, **row} for row in rows]


def later(place: Place, name: str, repeats: int) -> Times:
    """The medians of some processes."""
    found = [place.call(name) for _ in range(repeats)]
    return {key: statistics.median(times[key] for times in found) for key in ("imported", "first", "second")}


def warmed_up(place: Place, repeats: int) -> tuple[float, list[Times]]:
    """Seconds that ``otgan warmup`` takes, and the calls after it."""
    place.clear()
    begin = time.perf_counter()
    place.run(WARMUP).check_returncode()
    seconds = time.perf_counter() - begin
    return seconds, [
        {"place": place.name, "call": name, "processes": "after otgan warmup", **later(place, name, repeats)}
        for name in CALLS
    ]


def table(rows: list[Times]) -> str:
    """The rows as Markdown."""
    lines = [
        "| installation | call | process | import | first call | second call | beyond |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        start = f"| {row['place']} | {row['call']} | {row['processes']} |"
        if "error" in row:
            lines.append(f"{start} fails: {row['error']} | | | |")
            continue
        beyond = row["first"] - row["second"]
        lines.append(
            f"{start} {row['imported']:.2f} s | {row['first']:.2f} s | {row['second']:.3f} s | {beyond:.2f} s |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        everywhere = places(folder)
        rows = [row for call in CALLS for row in measure(everywhere[0], call, options.repeats)]
        rows += [row for place in everywhere[1:] for row in measure(place, "line", options.repeats)]
        warmup, more = warmed_up(everywhere[0], options.repeats)
        rows += more
        set_writable(folder, True)  # or it could not be removed
    beyond = {key: [row["first"] - row["second"] for row in rows if row["processes"] == key] for key in PROCESSES}
    worst = {key: max(times) for key, times in beyond.items()}
    result = {"target_s": TARGET, "target_compiling_s": TARGET_COMPILING, "worst_s": worst, "warmup_s": warmup}
    tell(options, "first_call", {**result, "rows": rows})
    print(table(rows))
    print(f"otgan warmup takes {warmup:.0f} s. Beyond the second call, at worst:")
    for key, seconds in worst.items():
        print(f"- {key}: {seconds:.2f} s; target {TARGET_COMPILING if key == 'the first' else TARGET} s")


if __name__ == "__main__":
    main()
