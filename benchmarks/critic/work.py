"""One task of the critics' benchmark: one method in one cell, from one seed after the other, each saved as it ends.

The budget is time of a processor core (of the GPU: of the clock): steps are the budget over the time of a step, which a
few warm steps tell. They are found once for a cell and method, so that all of its seeds train equally long.
"""

from __future__ import annotations

import contextlib
import signal
import statistics
import threading
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from common import machine
from tqdm import tqdm

from critic.methods import SETTINGS, Setting
from critic.pool import POOLED, SIZE, Pool, Stream, pool
from critic.store import Record, Store, digest, source
from otgan import critics
from otgan.critics import training
from otgan.critics.methods import Auto
from otgan.errors import OTError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from critic.cells import Cell

    Fit = Callable[..., critics.CriticFit]  # (Pace, a function to call at each draw of x) -> CriticFit

WARM = 2  # steps before a clock runs
TIMED = 0.02  # of the budget, at least, in the steps that are timed
EVALUATING = 0.05  # of the budget, at most, on the history's estimates
MOST_RECORDS = 50  # of the history
SCOUTED = 0.25  # of the steps of "auto", to see which candidate it takes
QUICKEST = 0.05  # seconds that timed steps take at least
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class Pace(NamedTuple):
    """How long a method trains in a cell: steps, and entries of its history."""

    steps: int
    records: int


@dataclass(frozen=True)
class Task:
    """One method in one cell.

    Attributes
    ----------
    cell : Cell
    name : str
        A key of :data:`critic.methods.SETTINGS`.
    seeds : tuple of int
    budget : float
        Seconds for a seed, or for all where they are stacked.
    device : str
    stacked : bool
        Whether all seeds train at once.
    store : Store
    cache : Path
        Where pools are.
    redo : bool
        Whether to take no notice of what is there.
    pool_size : int
    """

    cell: Cell
    name: str
    seeds: tuple[int, ...]
    budget: float
    device: str
    stacked: bool
    store: Store
    cache: Path
    redo: bool = False
    pool_size: int = SIZE

    @property
    def setting(self) -> Setting:
        """The method and its options."""
        return SETTINGS[self.name]

    @property
    def settings(self) -> str:
        """The fingerprint of those."""
        return digest(self.setting, self.pooled)

    @property
    def pooled(self) -> int:
        """Points a side of the pool to train on; 0 where points are drawn when they are needed."""
        return self.pool_size if self.cell.dimension <= POOLED else 0

    @property
    def due(self) -> tuple[int, ...]:
        """The seeds that are still to be run."""
        if self.redo:
            return self.seeds
        return tuple(k for k in self.seeds if not self.store.has(self.cell, self.name, self.settings, k))


def prepare_worker() -> None:
    """One thread each; Ctrl-C is for the process that started them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    tqdm.set_lock(threading.RLock())  # its own would be left behind by a worker that is ended


def draw(task: Task) -> None:
    """Draw the points of the task's cell, unless they are there."""
    pool(task.cell, task.cache, task.pooled)


def run(task: Task) -> list[Record]:
    """Run what is due and save it; the records in the order of seeds."""
    due = task.due
    if not due:
        return []
    points = _pool(task.cell, task.cache, task.pooled)
    device = critics.torch_device(task.device)
    known = None if task.redo else task.store.pace(task.cell, task.name, task.settings)
    pace = None if known is None else Pace(*known)
    # Stacked seeds are consecutive: where one of them is missing, all between are trained again.
    groups = [tuple(range(due[0], due[-1] + 1))] if task.stacked else [(seed,) for seed in due]
    records: list[Record] = []
    for seeds in groups:
        about = _about(task, device, len(seeds))
        try:
            pace = pace or _pace(task, points, device, seeds)
            found = _judged_seeds(task, pace, points, device, seeds)
        except OTError as error:  # the critic diverged, which is a result
            found = [{"status": "failed", "message": str(error), "seed": seed} for seed in seeds]
        about |= {"steps": pace.steps, "records": pace.records} if pace else {}
        found = [about | record for record in found]
        for record in found:
            task.store.add(task.cell, record)
        records += found
    return records


@lru_cache(maxsize=2)
def _pool(cell: Cell, cache: Path, size: int) -> Pool:
    return pool(cell, cache, size)


def _fitter(
    task: Task, points: Pool | Stream, device: torch.device, seeds: tuple[int, ...], candidate: str | None = None
) -> Fit:
    """How to train critics from these seeds at once; of "auto", a candidate may be trained alone."""
    draw_x, draw_y = points.samplers(device)
    of_choice = () if candidate is None else ("candidates", "trial")
    options = {name: value for name, value in task.setting.options.items() if name not in of_choice}

    def fit(pace: Pace, drawn: Callable[[], None] | None = None) -> critics.CriticFit:
        def watched(n: int, generator: torch.Generator) -> torch.Tensor:
            if drawn:
                drawn()
            return draw_x(n, generator)

        with history_of(pace.records):
            return critics.fit(
                watched,
                draw_y,
                candidate or task.setting.method,
                seed=seeds[0],
                n_seeds=len(seeds),
                steps=pace.steps,
                device=str(device),
                unit=1.0,  # the published figures are for the pairs as they are
                **options,
            )

    return fit


def _judged_seeds(task: Task, pace: Pace, points: Pool, device: torch.device, seeds: tuple[int, ...]) -> list[Record]:
    """Train and judge seeds at once: what is new about each. Drawing points takes no time."""
    stream = Stream(points.pair, (seeds[0], task.cell.number), lambda: clock(device))
    fit = _fitter(task, points if task.pooled else stream, device, seeds)
    start = clock(device)
    fitted = fit(pace)
    spent = clock(device) - start - stream.seconds
    about: Record = {"status": "ok", "seconds": fitted.seconds, "cpu_seconds": spent}
    if fitted.choice:
        about |= {"chosen": fitted.choice.method, "steps_of_chosen": fitted.steps}
    return [about | {"seed": one.seed} | judged(one, points, spent / fitted.seconds) for one in split(fitted)]


def _pace(task: Task, points: Pool, device: torch.device, seeds: tuple[int, ...]) -> Pace:
    """What the budget is enough for."""
    fit = _fitter(task, points, device, seeds)
    first = fit(Pace(WARM if task.setting.trained else 1, 1))
    start = clock(device)
    first.estimates_on(first.x, first.y)
    records = records_within(EVALUATING * task.budget, clock(device) - start)
    if not task.setting.trained:
        return Pace(1, records)
    least = max(QUICKEST, TIMED * task.budget)
    if first.choice is None:
        return Pace(max(1, round(task.budget / seconds_of_a_step(fit, least, device, len(seeds)))), records)
    auto = Auto(**task.setting.options)
    step = {
        name: seconds_of_a_step(_fitter(task, points, device, seeds, name), least, device, len(seeds))
        for name in auto.candidates
    }
    longest = max(step, key=lambda name: auto.methods()[name].work(task.cell.dimension))
    steps = max(1, round(task.budget / step[longest]))
    scouted = max(1, round(SCOUTED * steps))
    found = fit(Pace(scouted, 1))
    return Pace(max(1, round(scouted * task.budget / seconds_of_auto(found, step))), records)


def seconds_of_auto(fit: critics.CriticFit, step: dict[str, float]) -> float:
    """The time of all steps of a fit of "auto", from those of a step of each candidate."""
    assert fit.choice is not None
    return sum(steps * step[name] for name, steps in fit.choice.steps.items())


def seconds_of_a_step(fit: Fit, least: float, device: torch.device, seeds: int) -> float:
    """Time of a step: the median of so many that they take ``least`` seconds in all.

    Every step begins with a batch for each seed, so the times at which points are drawn are those of the steps; what
    else a fit takes is before and after.
    """
    steps = 2 * WARM
    while True:
        times: list[float] = []
        fit(Pace(WARM + steps, 1), lambda times=times: times.append(clock(device)))
        begun = times[-(WARM + steps) * seeds :: seeds][WARM:]
        if begun[-1] - begun[0] >= least:
            return statistics.median(later - earlier for earlier, later in pairwise(begun))
        steps *= 2


def clock(device: torch.device) -> float:
    """Seconds of this process on the processor, so that other programs do not count; of the clock for a GPU."""
    if device.type == "cpu":
        return time.process_time()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def records_within(seconds: float, each: float) -> int:
    """How many entries of the history fit into some seconds; one at least, which is at the end."""
    return max(1, min(MOST_RECORDS, int(seconds / max(each, 1e-9))))


@contextlib.contextmanager
def history_of(records: int) -> Iterator[None]:
    """Fits within have histories of this many entries."""
    usual = training.RECORDS
    training.RECORDS = records
    try:
        yield
    finally:
        training.RECORDS = usual


def split(fitted: critics.CriticFit) -> list[critics.CriticFit]:
    """A fit for each of its seeds."""
    history = {key: fitted.history[key] for key in ("step", "seconds")}
    return [
        replace(
            fitted,
            critics=(critic,),
            estimates=fitted.estimates[k : k + 1],
            history=history | {"estimate": fitted.history["estimate"][k : k + 1]},
            seed=fitted.seed + k,
        )
        for k, critic in enumerate(fitted.critics)
    ]


def judged(fitted: critics.CriticFit, points: Pool, share: float) -> Record:
    """What a report says of one seed, errors relative to the truth and signed.

    ``share`` is how much of the time by the clock was this process's own: the history has the clock's.
    """
    report = fitted.compare(points.pair)
    reached = report.seconds_to_5_percent
    slope = fitted.corrections.get("gradient-norm")
    return {
        "exact": report.exact,
        "exact_stderr": report.exact_stderr,
        "estimate": report.estimate,
        "error": report.relative_error,
        "corrected_error": None if report.corrected is None else report.corrected / report.exact - 1,
        "slope_corrected_error": None if slope is None else slope / report.exact - 1,
        "cosine": report.cosine,
        "l2": report.gradient_l2,
        "gradient_norm": report.gradient_norm,
        "lipschitz_observed": report.lipschitz_observed,
        "lipschitz_certified": report.lipschitz_certified,
        "seconds_to_5_percent": None if reached is None else reached * share,
    }


def _about(task: Task, device: torch.device, stacked: int) -> Record:
    """What was run on what."""
    where: dict[str, Any] = machine(("numpy", "torch"))
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else where["processor"]
    cell = task.cell
    return {
        "cell": cell.key,
        "family": cell.family,
        "dimension": cell.dimension,
        "n": cell.n,
        "name": task.name,
        "method": task.setting.method,
        "control": task.setting.control,
        "options": task.setting.all_options,
        "settings": task.settings,
        "budget": task.budget,
        "stacked": stacked,
        "pool": task.pooled,
        "device": name,
        "threads": torch.get_num_threads(),
        "source": source("critics"),
        "torch": where["torch"],
        "numpy": where["numpy"],
    }
