"""The run: settings are chosen, then critics are trained on all pairs, within the time; what is there is kept."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from otgan import inputs
from otgan.errors import InvalidInput, OTError
from otgan.preflights.cell import Cell, Store
from otgan.preflights.plan import Case, Ground, cases, ground
from otgan.preflights.ranking import best_settings
from otgan.preflights.result import Preflight
from otgan.preflights.settings import DEFAULT_METHODS, settings
from otgan.runtime.progress import bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from otgan.pairs import Rays
    from otgan.preflights.measure import Fresh

__all__ = ["Request", "run"]

OVERHEAD = 0.2  # of the time: loading, pairs, judging and the page
PART = 0.35  # of the time of another cell: what a cell to choose settings gets
ENOUGH = 1.5  # seconds of a cell, below which there are fewer families
MOVED = 0.5  # the same of a cell in which fakes move
# Where settings are tried, with another seed than critics are compared on: of each size the first family that has it.
TRY_ON = {
    "near": ("networks", "least-cones"),
    "halfway": ("least-cones", "trees"),
    "far": ("trees", "greatest-cones", "least-cones"),
}


@dataclass(frozen=True)
class Request:
    """What is asked for, checked."""

    data: Any
    critics: Mapping[str, Any]
    methods: tuple[str, ...]
    network: Any
    minutes: float
    n: int | None
    seeds: int
    seed: int
    steps: int | None
    device: str
    begin: float = field(default_factory=time.perf_counter)

    @classmethod
    def checked(
        cls,
        *,
        critics: Mapping[str, Any] | None,
        methods: Sequence[str] | None,
        minutes: float,
        seeds: int,
        seed: int,
        steps: int | None,
        device: str,
        **rest: Any,
    ) -> Self:
        """The request, if it makes sense."""
        from otgan.critics import METHODS, torch_device

        begin, given = time.perf_counter(), dict(critics or {})
        chosen = (() if given else DEFAULT_METHODS) if methods is None else methods
        chosen = (chosen,) if isinstance(chosen, str) else tuple(chosen)
        for method in chosen:
            inputs.choice(method, "methods", tuple(METHODS))
        if not chosen and not given:
            raise InvalidInput("methods must name at least one critic, such as 'gp'.")
        if len({*chosen, *given}) < len(chosen) + len(given):
            raise InvalidInput(f"critics must have names of their own, but {', '.join([*given, *chosen])} came.")
        if rest["network"] is not None and not callable(rest["network"]):
            raise InvalidInput(f"network must be a function of d that makes a module, but {rest['network']!r} came.")
        device = inputs.device_name(device)
        torch_device(device)  # before the work, not after
        return cls(
            critics=given,
            methods=chosen,
            minutes=inputs.real(minutes, "minutes", low=0.0, high=1e5, open_low=True),
            seeds=inputs.count(seeds, "seeds"),
            seed=inputs.seed(seed),
            steps=None if steps is None else inputs.count(steps, "steps"),
            device=device,
            begin=begin,
            **rest,
        )

    @property
    def deadline(self) -> float:
        """When it has to be over, in seconds of ``time.perf_counter``."""
        return self.begin + 60 * self.minutes

    def settings(self) -> dict[str, Any]:
        """What was asked for, for a record."""
        spec = os.fspath(self.data) if isinstance(self.data, str | os.PathLike) else None
        names = ("methods", "minutes", "n", "seeds", "seed", "steps", "device")
        return {"data": spec, "critics": list(self.critics), **{name: getattr(self, name) for name in names}}


class _Task(NamedTuple):
    """A cell that is wanted: which method, with which options, on which pair."""

    stage: str
    method: str
    options: dict[str, Any]
    case: Case


class _Run:
    """A run: what is done so far, and how the time is shared out."""

    def __init__(self, request: Request, folder: Path | None) -> None:
        import torch

        from otgan.critics import torch_device
        from otgan.preflights.network import as_network
        from otgan.preflights.train import Trainer

        self.request = request
        self.ground: Ground = ground(request.data, request.n, request.seed)
        shape = self.ground.samples.shape
        network = None if request.network is None else as_network(request.network, shape)
        device: torch.device = torch_device(request.device)
        self.trainer = Trainer(network, request.seeds, request.seed, device)
        self.store = Store(folder)
        self.cells: list[Cell] = []
        tried = [(method, options) for method in request.methods for options in settings(method)]
        self.tries = [
            _Task("settings", method, options, case)
            for case in self._cases_to_try()
            for method, options in tried
            if len(settings(method)) > 1
        ]
        self.moves = self._moves()
        self.cases = self._cases()
        self._open: tuple[Case, Rays, Fresh] | None = None

    def _cases(self) -> list[Case]:
        """All pairs, or those of fewer families where the time is short."""
        found = cases(self.ground, self.request.seed)
        families = list(dict.fromkeys(case.family for case in found))
        while len(families) > 1 and self.request.steps is None and self._seconds(found) < ENOUGH:
            families.pop()
            found = [case for case in found if case.family in families]
        return found

    def _seconds(self, of: list[Case]) -> float:
        """Seconds of a cell."""
        units = (len(of) + MOVED * len(self.moves[:1])) * len(self.request.methods) + PART * len(self.tries)
        return 60 * self.request.minutes * (1 - OVERHEAD) / max(units, 1)

    @property
    def total(self) -> int:
        """How many cells there will be."""
        methods = len(self.request.methods)
        return len(self.tries) + len(self.cases) * (methods + len(self.request.critics)) + methods * len(self.moves[:1])

    def result(self, stopped: bool = True) -> Preflight:
        """What there is so far."""
        return Preflight(
            samples=self.ground.samples,
            typical=self.ground.typical,
            cells=tuple(self.cells),
            settings=self.request.settings(),
            stopped=stopped,
            seconds=time.perf_counter() - self.request.begin,
        )

    def every(self) -> Iterator[Cell]:
        """Every cell: first those that settings are chosen by, then pair by pair the critics."""
        left = PART * len(self.tries) + (len(self.cases) + MOVED * len(self.moves[:1])) * len(self.request.methods)
        for task in self.tries:
            yield self._cell(task, left, PART)
            left -= PART
        best = best_settings(self.cells)
        for case in self.cases:
            for name in self.request.critics:
                yield self._cell(_Task("pairs", name, {}, case), left, 0.0)
            for method in self.request.methods:
                yield self._cell(_Task("pairs", method, best.get(method, {}), case), left, 1.0)
                left -= 1
        for method in self.request.methods if self.moves else ():
            yield self._cell(_Task("moves", method, best.get(method, {}), self.moves[-1]), left, MOVED)
            left -= MOVED

    def _cases_to_try(self) -> list[Case]:
        """A pair of each size, of another seed."""
        other = {(case.size, case.family): case for case in cases(self.ground, self.request.seed + 1)}
        first = (next((other[size, one] for one in of if (size, one) in other), None) for size, of in TRY_ON.items())
        return [case for case in first if case is not None] or list(other.values())[:1]

    def _moves(self) -> list[Case]:
        """Two pairs of one family and size, from whose fakes to whose fakes a move goes; none without two."""
        seed = self.request.seed
        for size in ("halfway", "near"):
            for family in TRY_ON[size]:
                there = [case for k in (1, 2) for case in cases(self.ground, seed + k, [family]) if case.size == size]
                if len(there) == 2:
                    return there
        return []

    def _cell(self, task: _Task, left: float, part: float) -> Cell:
        """A cell from the store, or else trained in its share of the time that is left."""
        asked = self._question(task)
        found = self.store.get(asked)
        if found is None:
            rest = max(0.0, self.request.deadline - time.perf_counter()) * (1 - OVERHEAD)
            whole = min(self._seconds(self.cases), rest / max(left, part, 1e-9))
            found = self._measured(task, part * whole)
            if task.method not in self.request.critics:
                self.store.put(asked, found)
        self.cells.append(found)
        return found

    def _question(self, task: _Task) -> dict[str, Any]:
        """All that a cell depends on, but for how fast the machine is."""
        request = self.request
        return {
            "format": 1,
            "data": self.ground.samples.sha256,
            "stage": task.stage,
            "method": task.method,
            "options": task.options,
            "case": [task.case.family, task.case.size, task.case.seed],
            "network": None if request.network is None else getattr(request.network, "name", "yours"),
            "minutes": None if request.steps else request.minutes,
            "methods": None if request.steps else sorted(request.methods),  # they share the minutes
            "steps": request.steps,
            "seeds": request.seeds,
            "seed": request.seed,
            "device": request.device,
        }

    def _measured(self, task: _Task, seconds: float) -> Cell:
        from otgan.preflights.measure import measured
        from otgan.preflights.network import given_to_judge

        pair, points = self._pair(task.case)
        number, cosine = points.line()
        empty = Cell(
            task.method, task.options, task.stage, task.case.family, task.case.size, task.case.w1, task.case.share,
            line_number=number, line_cosine=cosine,
        )  # fmt: skip
        if task.method in self.request.critics:
            given = self.request.critics[task.method]
            with given_to_judge(given, task.method, self.ground.samples.shape, self.request.device) as critics:
                return _with(empty, [measured(critic, points) for critic in critics])
        try:
            if task.stage == "moves":
                warm = self.moves[0].pair(self.ground)
                trained = self.trainer.follow(
                    ((warm, points), (pair, points)), task.method, task.options, seconds, self.request.steps
                )
            else:
                trained = self.trainer(pair, points, task.method, task.options, seconds, self.request.steps)
        except InvalidInput:
            raise
        except OTError as error:  # it diverged, which is a result
            return replace(empty, failed=str(error))
        cell = _with(empty, [measured(critic, points) for critic in trained.critics])
        return replace(cell, steps=trained.steps, settled=trained.settled, seconds=trained.seconds)

    def _pair(self, case: Case) -> tuple[Rays, Fresh]:
        """The pair of a case, held while critics are trained on it."""
        from otgan.preflights.measure import fresh

        if self._open is None or self._open[0] != case:
            pair = case.pair(self.ground)
            self._open = case, pair, fresh(pair, self.request.seed)
        return self._open[1], self._open[2]


def run(
    request: Request,
    folder: str | os.PathLike[str] | None,
    *,
    progress: bool,
    watch: Callable[[Preflight], None] | None,
) -> Preflight:
    """See :func:`otgan.preflight`."""
    work = _Run(request, None if folder is None else Path(folder))
    with bar(work.total, progress, name="preflight", unit="critics") as shown:
        for _ in work.every():
            shown.update(1)
            if watch is not None:
                watch(work.result())
    return work.result(stopped=False)


def _with(cell: Cell, found: Sequence[Any]) -> Cell:
    """A cell with what was measured of each seed."""
    numbers, cosines, norms, slopes = zip(*found, strict=True)
    return replace(cell, numbers=numbers, cosines=cosines, norms=norms, slopes=slopes)
