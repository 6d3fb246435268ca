"""NumPy's sort against the radix sort of otgan, for each set of SIMD instructions that NumPy can use here.

NumPy chooses its sort when it is imported, by what the processor has. So this script starts itself once for each set,
with NPY_DISABLE_CPU_FEATURES taking the others away. "chosen" is what wasserstein_1d takes for that many values.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from common import arguments, machine, markdown, medians, simd, tell

import otgan
from otgan.kernels.sort import sorted_values
from otgan.line.rows import by_digits

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = [100, 1000, 10_000, 100_000, 1_000_000]
AVX2 = {"X86_V3", "AVX2", "FMA3"}  # what NumPy calls it, now and before 2.4


def sets() -> dict[str, list[str]]:
    """Sets of instructions by NumPy's names, and the others, which are to be taken away for each."""
    found = simd()
    kept = [found, [feature for feature in found if feature in AVX2], []]
    return {" ".join(some) or "none": [feature for feature in found if feature not in some] for some in kept}


def fresh(sort: Callable[[Any], Any], rows: list[Any]) -> Callable[[], Any]:
    """Sorts the rows in turn, as processors learn how to sort one by heart."""
    turn = iter(range(10**9))
    return lambda: sort(rows[next(turn) % len(rows)])


def two_sorts(x: Any, y: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(np.sort, y)
        np.sort(x)
        other.result()


def measured() -> list[dict[str, Any]]:
    """NumPy as it runs here against ours."""
    table = []
    for n in SIZES:
        rows = list(np.random.default_rng(0).normal(size=(8, n)))
        functions = {
            "numpy": fresh(np.sort, rows),
            "radix": fresh(sorted_values, rows),
            "two sorts": lambda rows=rows: two_sorts(*rows[:2]),
            "wasserstein_1d": lambda rows=rows: otgan.wasserstein_1d(*rows[:2]),
        }
        seconds, _ = medians(functions, max(7, min(300, 3_000_000 // n)))
        table.append({"n": n, "chosen": "radix" if by_digits(n) else "NumPy", "seconds": seconds})
    return table


def elsewhere(without: list[str]) -> list[dict[str, Any]]:
    """The same of a process whose NumPy does without these features."""
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(without)}
    command = [sys.executable, __file__, "--here"]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def cells(name: str, entry: dict[str, Any]) -> dict[str, str]:
    seconds = entry["seconds"]
    return {
        "SIMD of NumPy": name,
        "n": f"{entry['n']:,}",
        "np.sort, ms": f"{1e3 * seconds['numpy']:.2g}",
        "radix sort, ms": f"{1e3 * seconds['radix']:.2g}",
        "chosen": entry["chosen"],
        "wasserstein_1d / two np.sort in 2 threads": f"{seconds['wasserstein_1d'] / seconds['two sorts']:.2f}",
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--here", action="store_true", help="only print what this process measures, as JSON")
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measured()))
        return
    results = {name: elsewhere(without) for name, without in sets().items()}
    about = {**machine(("otgan", "numpy", "numba")), "SIMD": " ".join(simd())}
    text = markdown([cells(name, entry) for name, table in results.items() for entry in table])
    text += "\n\n" + ", ".join(f"{name} {value}" for name, value in about.items())
    tell(options, "sorts", {"machine": about, "tables": results}, text)


if __name__ == "__main__":
    main()
