"""What the benchmark scripts share: timing in turn, versions, and where results go."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.runtime.cores import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

RESULTS = Path(__file__).parent / "results"


def medians(functions: Mapping[str, Callable[[], Any]], repeats: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Median seconds of each function, called in turn so that a busy machine slows all alike; and what each returned.

    One call of each, outside the timing, compiles and fills caches.
    """
    answers = {name: function() for name, function in functions.items()}
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(runs) for name, runs in seconds.items()}, answers


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """The processor and the versions that a result depends on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "processor": processor or platform.processor(),
        "cores": cores(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def simd() -> list[str]:
    """NumPy's names for the SIMD instructions that it uses here beyond those that it was built for."""
    config: Any = np.show_config(mode="dicts")
    return config["SIMD Extensions"].get("found", [])


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table with the keys of the first row as columns."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(row.get(column, "")) for column in columns) + " |" for row in rows]
    return "\n".join(lines)


def spread(values: Iterable[float], form: str) -> str:
    """Mean, and between which values it lies where there are several: ``spread([1, 3], ".0f")`` is "2 (1 to 3)"."""
    numbers = list(values)
    mean = f"{statistics.mean(numbers):{form}}"
    return mean if len(numbers) == 1 else f"{mean} ({min(numbers):{form}} to {max(numbers):{form}})"


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options of a script: ``--save`` alone lets it write to the results that the documentation quotes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help=f"write to {RESULTS.parent.name}/{RESULTS.name}")
    return parser


def tell(options: argparse.Namespace, name: str, result: Any, text: str = "") -> None:
    """Print the text; with ``--save`` write results/NAME.json, and where there is a text results/NAME.md."""
    print(text, end="\n" if text else "")
    if options.save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
        if text:
            (RESULTS / f"{name}.md").write_text(text + "\n")
