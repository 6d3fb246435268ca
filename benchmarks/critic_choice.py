"""What the method "auto" gets in equal time, and whether its candidates rank early as they rank late.

Pairs are those of the six families, whose W1 is known. Each candidate of "auto" has the same time of a core, and so has
"auto" with its trials: all from the first draw of points to the last step, with what comes before the first step
(k-means, in "lattice"). Numbers are E f(x) - E f(y) on fresh points, over W1, in the mean of seeds; the straight line
is the linear critic along the difference of means of the points trained on.

Each run is saved as it ends, in results/critic_choice/<budget>s. The same command goes on, and --report prints what
there is.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from common import RESULTS, arguments, machine, markdown, spread
from critic.store import write_whole
from critic.work import SCOUTED, seconds_of_auto

from otgan import critics, pairs
from otgan.critics import training
from otgan.critics.choice import MOST
from otgan.critics.methods import Auto

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from otgan.pairs import Pair

POINTS = 2**18  # of each side to train on, drawn once for a cell
FRESH = 2**14  # to judge on
FOLLOWED = 2**12  # of those, along the way
AT = 2048  # where gradients are compared
TIMED = 40  # steps
SEEDS = (3, 4, 5)  # of critics
ENTRIES = 25  # of a candidate's history
OFF = 0.02  # of the budget: "auto" is trained again if its time was further off, at most so often
AGAIN = 2
PAUSE = 4  # steps: what takes longer is none
GOAL = 0.02  # what "auto" may lack of the best
SHARES = (0.04, 0.08, 0.2, 0.4)  # of the steps, that early ranks are looked at after

Record = dict[str, Any]


@dataclass
class Cell:
    """A pair, with points to train on and to judge on, drawn when they are first needed."""

    family: str
    dimension: int
    drawn: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For files."""
        return f"{self.family}-{self.dimension}"

    def open(self) -> None:
        """Draw the points."""
        if hasattr(self, "train"):
            return
        self.pair = pairs.by_name(self.family, self.dimension)
        rng = np.random.default_rng([self.dimension, len(self.family)])
        self.train = [torch.as_tensor(side, dtype=torch.float32) for side in _sample(self.pair, POINTS, rng)]
        self.fresh = self.pair.sample(FRESH, rng)
        self.unseen = [torch.as_tensor(side, dtype=torch.float32) for side in self.pair.sample(MOST, rng)]
        moved, y = self.pair.coupled(FRESH, rng)
        self.truth = float(np.linalg.norm(moved - y, axis=1).mean())
        self.at = self.pair.gradient_test_points(AT, rng)
        self.direction = self.pair.gradient(self.at)

    def fit(self, method: str, steps: int, entries: int = 1, seed: int = SEEDS[0], **options: Any) -> critics.CriticFit:
        """Critics of batches from the points to train on; ``drawn`` is when each batch was, and the time before all."""
        self.drawn = [time.process_time()]
        (x, y), (new_x, new_y) = self.train, self.unseen
        sides = (_sampler(x, new_x, lambda: self.drawn.append(time.process_time())), _sampler(y, new_y))
        training.RECORDS = entries
        if entries > 1:
            options["held_out"] = tuple(side[:FOLLOWED] for side in self.fresh)
        return critics.fit(*sides, method, steps=max(1, steps), seed=seed, unit=1.0, device="cpu", **options)

    def pace(self, method: str) -> tuple[float, float]:
        """Seconds before the first step, and of a step; a first fit imports and fills caches."""
        self.fit(method, 1)
        self.fit(method, TIMED)
        return self.drawn[-TIMED] - self.drawn[0], float(np.median(np.diff(self.drawn[-TIMED:])))

    def judged(self, fit: critics.CriticFit) -> Record:
        """What a critic says over W1, and the cosine of its gradients with those of an optimal one."""
        gradient = fit.gradient(self.at)
        norm = np.maximum(np.linalg.norm(gradient, axis=1), 1e-12)
        cosine = float(((gradient * self.direction).sum(axis=1) / norm).mean())
        return {"number": float(fit.estimates_on(*self.fresh)[0]) / self.truth, "cosine": cosine, "steps": fit.steps}

    def line(self) -> Record:
        """The same of the linear critic."""
        difference = (self.train[0].mean(dim=0) - self.train[1].mean(dim=0)).double().numpy()
        unit = difference / np.linalg.norm(difference)
        number = float((self.fresh[0].mean(axis=0) - self.fresh[1].mean(axis=0)) @ unit) / self.truth
        return {"number": number, "cosine": float((self.direction @ unit).mean()), "seconds": 0.0}


def _sample(pair: Pair, n: int, rng: np.random.Generator) -> list[Any]:
    """Points of both sides, some at a time."""
    parts = [pair.sample(2**12, rng) for _ in range(n // 2**12)]
    return [np.concatenate(side) for side in zip(*parts, strict=True)]


def _sampler(points: torch.Tensor, unseen: torch.Tensor, told: Callable[[], None] = lambda: None) -> Any:
    """Batches from the points; what "auto" compares on is new, as a population's, for critics learn these by heart."""

    def draw(n: int, generator: torch.Generator) -> torch.Tensor:
        told()
        if n == MOST:
            return unseen
        return points[torch.randint(len(points), (n,), generator=generator)]

    return draw


def candidate(cell: Cell, method: str, seed: int, budget: float, first: Record | None) -> Record:
    """One method for the whole budget; its history is on top of that. Other seeds train as long as the first."""
    if first:
        return cell.judged(cell.fit(method, first["steps"], seed=seed)) | {"seconds": first["seconds"]}
    start, step = cell.pace(method)
    steps = max(1, round((budget - start) / step))
    fit = cell.fit(method, steps, ENTRIES, seed)
    assert fit.held_out_estimates is not None
    at = {"at": (fit.history["step"] / steps).tolist(), "curve": (fit.history["held_out"][0] / cell.truth).tolist()}
    return cell.judged(fit) | {"seconds": start + steps * step, "start": start, "step": step} | at


def auto(cell: Cell, seed: int, budget: float, step: dict[str, float], asked: int | None) -> Record:
    """The method "auto" for the budget: trained again where its steps were too many or too few for the one it chose.

    Its time is that of all its steps, by the pace that candidates alone had, and whatever else it took between steps.
    ``asked`` is how many steps another seed was asked for.
    """
    steps, record = asked or scouted(cell, seed, budget, step), {}
    for again in range(AGAIN + 1):
        fit = cell.fit("auto", steps, seed=seed)
        assert fit.choice is not None
        between = np.diff(cell.drawn)
        besides = float(between[between > PAUSE * max(step.values())].sum())
        seconds = besides + seconds_of_auto(fit, step)
        chosen = {"chosen": fit.choice.method, "trials": fit.choice.trials, "trial_steps": fit.choice.steps}
        record = cell.judged(fit) | {"seconds": seconds, "besides": besides, "asked": steps} | chosen
        if abs(seconds / budget - 1) <= OFF or again == AGAIN:
            break
        steps = max(1, round(steps * (budget - besides) / (seconds - besides)))
    return record


def scouted(cell: Cell, seed: int, budget: float, step: dict[str, float]) -> int:
    """About how many steps the budget is enough for, from which candidate is chosen with a few."""
    longest = max(step, key=lambda name: Auto().methods()[name].work(cell.dimension))
    few = max(1, round(SCOUTED * budget / step[longest]))
    return round(few * budget / seconds_of_auto(cell.fit("auto", few, seed=seed), step))


def run(cell: Cell, folder: Path, options: argparse.Namespace) -> None:
    """All that is missing in a cell."""
    known = load(folder / cell.name)
    for name, seed in [("line", 0), *((name, seed) for name in (*Auto().candidates, "auto") for seed in options.seeds)]:
        path = folder / cell.name / f"{name}-{seed}.json"
        if path.exists() or name in options.without:
            continue
        cell.open()
        before = known.setdefault(name, [])
        first = before[0] if before else None
        if name == "line":
            record = cell.line()
        elif name == "auto":
            record = auto(cell, seed, options.budget, steps_of(known), first["asked"] if first else None)
        else:
            record = candidate(cell, name, seed, options.budget, first)
        before.append(record)
        write_whole(path, json.dumps(record | {"machine": machine(("otgan", "numpy", "torch"))}, indent=1) + "\n")
        print(cell.name, path.stem, {key: record.get(key) for key in ("number", "seconds", "chosen")}, flush=True)


def steps_of(known: dict[str, list[Record]]) -> dict[str, float]:
    """Seconds of a step of each candidate; of one that was not trained those of "lattice", whose mirror image it is."""
    timed = {name: record["step"] for name, records in known.items() for record in records if "step" in record}
    return {name: timed.get(name) or timed["lattice"] for name in Auto().candidates}


def load(path: Path) -> dict[str, list[Record]]:
    """A cell's records by method, the first seed's first."""
    found: dict[str, list[Record]] = {}
    for file in sorted(path.glob("*-[0-9]*.json"), key=lambda file: int(file.stem.rsplit("-", 1)[1])):
        found.setdefault(file.stem.rsplit("-", 1)[0], []).append(json.loads(file.read_text()))
    return found


def mean(records: list[Record], key: str = "number") -> float:
    """Of all seeds."""
    return float(np.mean([record[key] for record in records]))


def numbers(records: list[Record]) -> list[float]:
    """Of all seeds."""
    return [record["number"] for record in records]


def relative_error(records: list[Record]) -> float:
    """The standard error of the mean of seeds, over that; NaN of one seed."""
    return float(np.std(numbers(records), ddof=1)) / len(records) ** 0.5 / mean(records) if records[1:] else np.nan


def row(name: str, found: dict[str, list[Record]]) -> dict[str, str]:
    """A line of the table: means of seeds, the least and the greatest; and what "auto" lacks of the best candidate."""
    best = max((found[key] for key in Auto().candidates if key in found), key=mean)
    less = 1 - mean(found["auto"]) / mean(best)
    error = np.hypot(relative_error(found["auto"]), relative_error(best))
    return {
        "cell": name,
        "chosen": ", ".join(dict.fromkeys(record["chosen"] for record in found["auto"])),
        **{key: shown(found[key]) if key in found else "–" for key in COLUMNS},
        "lacks": f"{100 * less:.1f}" + (f" ± {100 * error:.1f} %" if np.isfinite(error) else " %"),
        "within 2 %": "yes" if less <= GOAL else "no",
        "seeds": str(len(found["auto"])),
        "s": f"{mean(found['auto'], 'seconds'):.0f}",
    }


def shown(records: list[Record]) -> str:
    """A cell of the table."""
    return f"{spread(numbers(records), '.3f')}, {mean(records, 'cosine'):.2f}"


COLUMNS = ("auto", *Auto().candidates, "line")


def report(folder: Path) -> str:
    """The table of what there is, its means, and how early ranks are late ones."""
    cells = {}
    for family in pairs.families():
        for path in sorted(folder.glob(f"{family}-[0-9]*"), key=lambda path: int(path.name.rsplit("-", 1)[1])):
            found = load(path)
            if "auto" in found:
                cells[f"{family}, d = {path.name.rsplit('-', 1)[1]}"] = found
    rows = [row(name, found) for name, found in cells.items()]
    if not rows:
        return "nothing yet"
    full = {key: [mean(found[key]) for found in cells.values() if key in found] for key in COLUMNS}
    means = {key: f"{np.mean(some):.3f}" if len(some) == len(cells) else "–" for key, some in full.items()}
    within = sum(one["within 2 %"] == "yes" for one in rows)
    rows.append(
        {"cell": "mean", "chosen": "", **means, "lacks": "", "within 2 %": f"{within} of {len(cells)}", "s": ""}
    )
    return f"{markdown(rows)}\n\n{ranks(list(cells.values()))}"


def ranks(cells: list[dict[str, list[Record]]]) -> str:
    """How often the candidate that leads early leads late, of one seed, and what it lacks of the best."""
    lines = []
    for share in SHARES:
        lost = []
        for cell in cells:
            there = [record for name in Auto().candidates for record in cell.get(name, []) if "curve" in record]
            leads = max(there, key=lambda record, share=share: at_share(record, share))
            lost.append(1 - leads["number"] / max(record["number"] for record in there))
        right = sum(one == 0 for one in lost)
        about = {"mean": f"{100 * np.mean(lost):.1f} %", "at most": f"{100 * max(lost):.1f} %"}
        lines.append({"after": f"{share:.0%}", "leads late, too": f"{right} of {len(lost)}", **about})
    return markdown(lines)


def at_share(record: Record, share: float) -> float:
    """A candidate's number after a share of its steps."""
    return record["curve"][int(np.argmin(np.abs(np.array(record["at"]) - share)))]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of a core, for each method")
    parser.add_argument("--dimensions", type=int, nargs="+", default=[2, 16, 64])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--families", nargs="+", choices=pairs.families(), default=list(pairs.families()))
    parser.add_argument("--without", nargs="*", default=[], help="candidates that are not trained alone")
    parser.add_argument("--report", action="store_true", help="only print what is saved")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = RESULTS / "critic_choice" / f"{options.budget:g}s"
    if not options.report:
        for dimension in options.dimensions:
            for family in options.families:
                run(Cell(family, dimension), folder, options)
    text = report(folder)
    print(text)
    if options.save:
        write_whole(folder.with_suffix(".md"), text + "\n")


if __name__ == "__main__":
    main()
