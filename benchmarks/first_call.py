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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import arguments, tell

TARGET = 0.8  # seconds that a first call may take beyond the second, kernels cached, the import of Numba included
# Root writes where the mode of a file forbids it, unless that right is given up.
OBEDIENT = ["setpriv", "--bounding-set=-dac_override"]
POINTS, DIMENSIONS = 1000, {"line": 1, "auto": 2, "sparse": 2}
CHILD = """
import json, time
begin = time.perf_counter()
import numpy, otgan
imported = time.perf_counter() - begin
rng = numpy.random.default_rng(0)
x, y = rng.normal(size=(2, {n}, {d}))
calls = []
for _ in range(2):
    begin = time.perf_counter()
    solution = otgan.solve(x, y, method={method!r})
    calls.append(time.perf_counter() - begin)
print(json.dumps(dict(imported=imported, first=calls[0], second=calls[1], file=otgan.__file__, by=solution.method)))
"""

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

    def call(self, method: str) -> Times:
        """Times of the first two calls in a fresh process."""
        kept = {key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
        kept |= {"HOME": str(self.home), "TMPDIR": str(self.temporary)}
        code = CHILD.format(n=POINTS, d=DIMENSIONS[method], method=method)
        environment = kept | {"PYTHONPATH": str(self.package), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [*(OBEDIENT if os.geteuid() == 0 else []), sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=self.package)
        if done.returncode:
            return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
        times = json.loads(done.stdout)
        file = times.pop("file")
        assert Path(file).is_relative_to(self.package), file
        return times


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


def measure(place: Place, method: str, repeats: int) -> list[Times]:
    """The process that finds nothing cached, and the median of those after it."""
    rows = [{"processes": "the first", **place.call(method)}]
    if "error" not in rows[0]:
        later = [place.call(method) for _ in range(repeats)]
        median = {key: statistics.median(times[key] for times in later) for key in ("imported", "first", "second")}
        rows.append({"processes": "later ones", **median, "by": later[0]["by"]})
    return [{"place": place.name, "method": method, **row} for row in rows]


def table(rows: list[Times]) -> str:
    """The rows as Markdown."""
    lines = [
        "| installation | method | process | import | first call | second call | beyond |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        start = f"| {row['place']} | {row['method']} | {row['processes']} |"
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
    from otgan.exact import METHODS

    methods = [method for method in DIMENSIONS if method == "auto" or method in METHODS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        rows = [
            row for place in places(folder) for method in methods for row in measure(place, method, options.repeats)
        ]
        set_writable(folder, True)  # or it could not be removed
    cached = [row for row in rows if row["processes"] == "later ones"]
    worst = max((row["first"] - row["second"] for row in cached), default=float("nan"))
    result = {"points": POINTS, "target_s": TARGET, "worst_cached_s": worst, "rows": rows}
    tell(options, "first_call", result)
    print(table(rows))
    print(f"kernels cached: {worst:.2f} s beyond the second call at worst; target {TARGET} s")


if __name__ == "__main__":
    main()
