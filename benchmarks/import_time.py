"""What ``import otgan`` costs beside ``import numpy, scipy.sparse``, each in fresh interpreters, in turn."""

from __future__ import annotations

import statistics
import subprocess
import sys

from common import arguments, tell

BASE = "import numpy, scipy.sparse"
OURS = "import otgan"
HEAVY = ("torch", "matplotlib", "ot", "numba", "hypothesis")


def seconds(statement: str) -> float:
    """Time of ``statement`` in a fresh interpreter, without the interpreter's own start."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def loaded() -> list[str]:
    """Which heavy packages ``import otgan`` pulls in."""
    code = f"import sys, otgan; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    repeats = options.repeats
    for statement in (BASE, OURS):  # compile to bytecode, fill the disk cache
        seconds(statement)
    pairs = [(seconds(BASE), seconds(OURS)) for _ in range(repeats)]
    base, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(mine / theirs for theirs, mine in pairs)
    result = {"base_s": base, "otgan_s": ours, "ratio": ratio, "repeats": repeats, "loaded": loaded()}
    tell(options, "import_time", result)
    print(f"{BASE}: {base:.3f} s    {OURS}: {ours:.3f} s    ratio {ratio:.2f}")
    print(f"heavy packages loaded by {OURS}: {', '.join(result['loaded']) or 'none'}")


if __name__ == "__main__":
    main()
