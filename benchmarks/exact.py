"""otgan's exact distances against other exact solvers: time, memory, value and proof.

    python benchmarks/exact.py                    # everything but a million points
    python benchmarks/exact.py --quick            # up to 1,000 points
    python benchmarks/exact.py --only gaussians --only weights
    python benchmarks/exact.py --before ../older  # beside the otgan of another checkout

Each measurement runs in a process of its own, all solvers of a problem one after the other. Results are saved after
each of them to exact.json in runs/benchmarks (with --save in benchmarks/results), and what is there with the same
versions is not measured again without --fresh. Tables and a picture are written at the end: exact.md and exact.png.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvers import summary
from solvers.measure import Cell, in_fresh_process
from solvers.peers import BEFORE, CHECKOUT, PEERS
from solvers.plan import GROUPS, Task, estimate, hopeless, missing, tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def main() -> None:
    options = _options()
    planned = _available(tasks(options.only, options.quick, options.huge, options.limit), options.peer)
    planned = [task for task in planned if options.match in task.case.key]
    store = Store(options.out / "exact.json", options.fresh)
    due = [task for task in planned if not store.has(task)]
    print(f"{len(due)} of {len(planned)} cells to measure, about {estimate(due) / 60:.0f} minutes on an idle machine.")
    if options.list:
        print("\n".join(task.key for task in due))
        return
    measure_all(due, store)
    # Earlier results of other groups stay in the file and in the tables.
    cells = {task.key: store.cells[task.key] for task in tasks([], False, True, 0.0) if task.key in store.cells}
    write(options.out, cells, store.machine)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    groups = "; ".join(f"{name}: {text}" for name, text in GROUPS.items())
    parser.add_argument("--only", action="append", choices=GROUPS, default=[], metavar="GROUP", help=groups)
    parser.add_argument("--peer", action="append", choices=PEERS, default=[], help="only these solvers")
    parser.add_argument("--match", default="", metavar="TEXT", help="only problems with this in their name")
    parser.add_argument("--quick", action="store_true", help="problems of up to 1,000 points")
    parser.add_argument("--huge", action="store_true", help="a million points as well")
    parser.add_argument("--fresh", action="store_true", help="measure again what is there")
    parser.add_argument(
        "--limit", type=float, default=30.0, help="seconds for a solve (eight times that where n is large)"
    )
    parser.add_argument("--before", type=Path, help="a checkout of an older otgan, measured beside this one")
    parser.add_argument("--list", action="store_true", help="say what would be measured, and how long it would take")
    parser.add_argument("--out", type=Path, default=Path("runs") / "benchmarks", help="a folder; what is there is kept")
    parser.add_argument("--save", action="store_true", help="--out is benchmarks/results, which the docs quote")
    options = parser.parse_args()
    if options.before:
        os.environ[CHECKOUT] = str(options.before.resolve())
    if options.save:
        options.out = Path(__file__).parent / "results"
    return options


def _available(planned: list[Task], wanted: list[str]) -> list[Task]:
    """The cells of solvers that are asked for and installed; one line about what is not."""
    names = wanted or list(PEERS)
    absent = {name: reason for name in names if (reason := PEERS[name].missing())}
    groups = {name: reason for name in GROUPS if (reason := missing(name))}
    for name, reason in (absent | groups).items():
        print(f"without {name}: {reason}")
    return [task for task in planned if task.peer in names and task.peer not in absent]


class Store:
    """Cells in a JSON file that is whole at any moment; only those made on this machine are kept.

    Parameters
    ----------
    path : Path
    fresh : bool
        Count nothing that is there as done, but keep it until it is measured again.
    """

    def __init__(self, path: Path, fresh: bool) -> None:
        self.path, self.machine, self.fresh = path, machine(), fresh
        self.versions = {name: peer.versions() for name, peer in PEERS.items() if not peer.missing()}
        for name in self.versions:
            if name.startswith("otgan"):
                self.versions[name]["source"] = _source(name)
        self.cells: dict[str, Cell] = {}
        if path.exists():
            found = json.loads(path.read_text())
            if found["machine"] == self.machine:
                self.cells = found["cells"]
            else:
                print(f"{path.name} holds another machine's results: all is measured anew")

    def has(self, task: Task) -> bool:
        """Whether the cell is there, with the versions of now and no smaller limit."""
        cell = self.cells.get(task.key)
        if cell is None or self.fresh or cell["versions"] != self.versions[task.peer]:
            return False
        return cell["status"] == "ok" or (cell["status"] != "error" and cell["limit"] >= task.limit)

    def add(self, task: Task, cell: Cell) -> None:
        """Keep a cell, and write the file anew."""
        case = task.case
        name: Cell = {"group": task.group, "case": case.key, "series": case.series, "peer": task.peer}
        name |= {"n": case.n, "m": case.m, "d": case.d, "p": case.p, "limit": task.limit}
        self.cells[task.key] = name | cell | {"versions": self.versions[task.peer]}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"machine": self.machine, "cells": self.cells}, indent=1, ensure_ascii=False) + "\n"
        write_whole(self.path, text.encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def measure_all(due: list[Task], store: Store) -> None:
    """Measure cell by cell, saving each."""
    for task, say in _with_progress(due):
        reason = hopeless(task, store.cells)
        if reason:
            cell: Cell = {"status": "skipped", "message": reason}
        else:
            cell = in_fresh_process(task.case, PEERS[task.peer], task.limit)
        store.add(task, cell)
        shown = summary.duration(cell["seconds"]) if cell["status"] == "ok" else f"{cell['status']}: {cell['message']}"
        say(f"{task.case.key:45} {task.peer:17} {shown}")


def _with_progress(due: list[Task]) -> Iterable[tuple[Task, Callable[[str], Any]]]:
    """The cells, each with a function that prints a line without disturbing the bar of a terminal."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield from ((task, lambda text: print(text, flush=True)) for task in due)
        return
    with tqdm(due, disable=None, unit="cell") as bar:
        for task in bar:
            bar.set_postfix_str(task.key)
            yield task, lambda text: tqdm.write(text, file=sys.stdout)


def machine() -> dict[str, Any]:
    """What the times depend on besides versions."""
    found: dict[str, Any] = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        found["processor"] = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        found["gib"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (OSError, StopIteration, ValueError):
        pass
    return found | {"system": platform.system(), "python": platform.python_version()}


def _source(name: str) -> str:
    """A fingerprint of otgan's code: its version alone says too little while it is being worked on."""
    import otgan

    folder = Path(os.environ[CHECKOUT]) / "otgan" if name == BEFORE else Path(otgan.__file__).parent
    sha = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        sha.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()[:12]


def write(folder: Path, cells: dict[str, Cell], where: dict[str, Any]) -> None:
    """Tables and picture of all cells."""
    versions = {name: number for cell in cells.values() for name, number in cell["versions"].items()}
    versions.pop("source", None)
    remarks = [
        "Printed by `python benchmarks/exact.py`. Cost |x_i - y_j|^p.",
        f"{where['processor']}, {where['cores']} cores, {where.get('gib', '?')} GiB, Python {where['python']}; "
        + ", ".join(f"{name} {number}" for name, number in sorted(versions.items())),
    ]
    write_whole(folder / "exact.md", summary.report(cells, remarks).encode())
    from solvers.growth_plot import figure, installed

    if installed():
        write_whole(folder / "exact.png", figure(cells))
    print((folder / "exact.md").read_text().split("## Time")[0])
    print(f"{folder / 'exact.md'}: all tables")


if __name__ == "__main__":
    main()
