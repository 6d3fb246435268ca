"""Every way to estimate W1 with a network, against truth that is known in closed form, in equal time.

    python benchmarks/critics.py --quick                          # all of it in minutes, for a look
    python benchmarks/critics.py --stage screen                   # every method, six cells, three seeds, 20 s each
    python benchmarks/critics.py --stage full --methods gp,orthogonal   # 42 cells, 60 s each
    python benchmarks/critics.py --report                         # tables and pictures of what is saved

Each (cell, method, seed) has a budget of processor time, from which its steps follow; all else of a method is the same
everywhere. Each is saved as it ends to runs/critics/<device>-<budget>s/, with --save to benchmarks/results/critics,
and what is there is not run again; after Ctrl-C the same command goes on. Workers are processes with one thread each;
on a GPU one process trains all seeds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

from common import RESULTS
from critic.cells import STAGES, Cell
from critic.methods import SETTINGS
from critic.pool import SIZE, default_cache
from critic.store import Record, Store
from critic.tables import write
from critic.work import THREADS, Task, draw, prepare_worker, run
from tqdm import tqdm

from otgan.critics import torch_device
from otgan.runtime.cores import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

GPU_SEEDS = 5  # they cost little more than one there
BUDGETS = {"quick": 2.0, "screen": 20.0}
BUDGET = 60.0  # of the other stages
QUICK_SEEDS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    kind = torch_device(options.device).type
    store, errors = Store(options.out / f"{kind}-{options.budget:g}s"), 0
    if not options.report:
        planned = plan(options, kind, store)
        due = [task for task in planned if task.due]
        runs, passed = sum(len(task.due) for task in due), sum(len(task.seeds) for task in planned)
        workers = options.workers if kind == "cpu" else min(options.workers, 1)
        hours = sum(task.budget * (1 if task.stacked else len(task.due)) for task in due) / max(1, workers) / 3600
        print(f"{runs} of {passed} runs to do: about {1.2 * hours:.2g} hours with {max(1, workers)} at a time.")
        if options.list:
            print("\n".join(f"{task.cell.key} {task.name} {task.due}" for task in due))
            return 0
        errors = run_all(due, workers)
    write(store)
    if errors:
        print(f"{errors} tasks ended with an error; the same command tries them again.", file=sys.stderr)
    return int(errors > 0)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cells = {cell.key: cell for stage in STAGES.values() for cell in stage}
    parser.add_argument("--stage", choices=STAGES, default="screen", help="which cells")
    parser.add_argument(
        "--quick", action="store_true", help=f"four cells, {BUDGETS['quick']:g} s each, {QUICK_SEEDS} seeds"
    )
    parser.add_argument("--methods", type=_names(SETTINGS), default=list(SETTINGS), metavar="A,B,C")
    parser.add_argument("--cells", type=_names(cells), metavar="A,B,C", help="only these, such as funnels-16-64")
    parser.add_argument("--seeds", type=int, help="of each cell; by itself three up to 16 dimensions, and one beyond")
    parser.add_argument(
        "--budget", type=float, help=f"seconds for a cell and seed; by itself {BUDGET:g}, in the screen 20"
    )
    parser.add_argument("--device", default="auto", help="auto: a GPU, if there is one")
    parser.add_argument("--workers", type=int, default=cores(), help="processes on a CPU; 0: this one, for debugging")
    parser.add_argument("--redo", action="store_true", help="run again what is there")
    parser.add_argument("--report", action="store_true", help="only write tables and pictures")
    parser.add_argument("--list", action="store_true", help="only say what would be run")
    parser.add_argument("--out", type=Path, default=Path("runs") / "critics", help="a folder; what is there is kept")
    parser.add_argument("--save", action="store_true", help="--out is benchmarks/results/critics, which the docs quote")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="for points that are drawn once")
    parser.add_argument("--pool", type=int, default=SIZE, help="points a side to draw once for each cell")
    options = parser.parse_args(arguments)
    if options.save:
        options.out = RESULTS / "critics"
    if options.quick:
        options.stage, options.seeds = "quick", options.seeds or QUICK_SEEDS
    if options.budget is None:
        options.budget = BUDGETS.get(options.stage, BUDGET)
    for name in ("budget", "seeds", "pool"):
        if getattr(options, name) is not None and not getattr(options, name) > 0:
            parser.error(f"--{name} must be positive, not {getattr(options, name)}")
    return options


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    """A type for argparse: names with commas between them."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return parse


def plan(options: argparse.Namespace, kind: str, store: Store) -> list[Task]:
    """The tasks, cell by cell, so that workers share what they have read."""
    chosen = [cell for cell in STAGES[options.stage] if options.cells is None or cell.key in options.cells]
    return [
        Task(
            cell=cell,
            name=name,
            seeds=tuple(range(seeds_of(cell, options, kind))),
            budget=options.budget,
            device=options.device,
            stacked=kind != "cpu",
            store=store,
            cache=options.cache,
            redo=options.redo,
            pool_size=options.pool,
        )
        for cell in chosen
        for name in options.methods
    ]


def seeds_of(cell: Cell, options: argparse.Namespace, kind: str) -> int:
    """How many seeds a cell gets."""
    if options.seeds:
        return options.seeds
    if kind != "cpu":
        return GPU_SEEDS
    return 3 if options.stage == "screen" else cell.seeds


def run_all(due: list[Task], workers: int) -> int:
    """Run tasks, one line each as it ends; how many ended with an error that is no result."""
    errors, start = 0, time.perf_counter()
    with tqdm(total=len(due), disable=None, unit="cell") as bar:
        for task, outcome in _outcomes(due, workers):
            bar.update()
            errors += isinstance(outcome, BaseException)
            at = f"{time.perf_counter() - start:.0f} s"
            tqdm.write(f"{at:>7}  {task.cell.key:16} {task.name:16} {described(outcome)}", file=sys.stdout)
            sys.stdout.flush()
    return errors


Outcome = list[Record] | BaseException


def _outcomes(due: list[Task], workers: int) -> Iterator[tuple[Task, Outcome]]:
    """Each task as it ends, with what became of it."""
    if workers == 0:
        yield from ((task, run(task)) for task in due)
        return
    os.environ.update(dict.fromkeys(THREADS, "1"))  # for the workers, whose libraries read it when they are loaded
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=prepare_worker)
    try:
        for _ in executor.map(draw, {task.cell: task for task in due}.values()):
            pass  # once for each cell, before many workers want the same
        futures: dict[Future[list[Record]], Task] = {executor.submit(run, task): task for task in due}
        for future in as_completed(futures):
            yield futures[future], future.exception() or future.result()
        executor.shutdown()
    except BaseException:  # Ctrl-C: what runs is lost, and what has ended is saved
        for worker in multiprocessing.active_children():
            worker.terminate()
        executor.shutdown(cancel_futures=True)
        raise


def described(outcome: Outcome) -> str:
    """One line on what became of a task."""
    if isinstance(outcome, BaseException):
        return f"{type(outcome).__name__}: {outcome}"
    if not outcome:
        return "is there by now"
    good = [record for record in outcome if record["status"] == "ok"]
    if not good:
        return f"failed: {outcome[0]['message']}"
    cosine = sum(record["cosine"] for record in good) / len(good)
    error = sum(record["error"] for record in good) / len(good)
    lost = f", {len(outcome) - len(good)} failed" if len(good) < len(outcome) else ""
    return f"cosine {cosine:6.3f}  W1 {100 * error:+7.1f} %  {good[0]['steps']} steps, {len(outcome)} seeds{lost}"


if __name__ == "__main__":
    try:
        code: int | str = main()
    except KeyboardInterrupt:
        code = "\nInterrupted; the same command goes on from here."
    sys.exit(code)
