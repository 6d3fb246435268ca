"""Are the bounds ever wrong? Small hard problems by the thousand, each answer compared with rational arithmetic.

    python benchmarks/stress.py --count 20000 --jobs 2      # about an hour
    python benchmarks/stress.py --family "far blocks" --count 500
    python benchmarks/stress.py --family "far blocks" --only 17      # one problem again, written out

Every problem of :mod:`hard.problems` goes to every method that takes it, and its exact cost is that of
:mod:`hard.truth`. On the line and on the circle the distances are compared, p = inf too; the families of
:mod:`hard.special` have forbidden pairs, partial transport, p = inf, gradients and scipy's metrics. The exit code is 1
if one of these faults was found:

- excludes truth: the truth is below ``lower`` or above ``upper``, compared as rational numbers;
- off: a value called OPTIMAL differs from the truth by more than rtol (with costs of both signs relative to the sum of
  mass times absolute cost), or a distance by more than DISTANCE_RTOL;
- contradiction: ``lower`` is above ``upper``;
- outside: ``value`` is not within [lower, upper];
- exception: anything raised, warnings too, but InvalidInput and NotConverged.

"not converged" counts solutions that say that they are not proven, and "refused" what came back as InvalidInput.
"""

from __future__ import annotations

import math
import sys
import warnings
import zlib
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib import import_module
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from common import arguments, machine, markdown, tell
from hard.judge import FAULTS, NOTES, RTOL, Finding, accepting, attempt, compared, judged
from hard.problems import MATRIX_FAMILIES, ORDERS, POINT_FAMILIES, Points, described, draw_matrix, draw_points
from hard.special import SPECIAL_FAMILIES
from hard.truth import Truth, exact_value, line_distance, point_value

import otgan
from otgan.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CHUNK = 50  # problems a task
SHOWN = 5  # faults that are written out
PERIODS = (1.0, 24.0, 2 * math.pi, 1e-3)


def family_names() -> list[str]:
    """All families; those on the circle where its truth is at hand."""
    few = [name for name in POINT_FAMILIES if name != "many copies"]  # the truth of the circle tries all cuts
    circle = [f"circle: {name}" for name in few] if circle_truth() else []
    special = (f"special: {name}" for name in SPECIAL_FAMILIES)
    return [*POINT_FAMILIES, *MATRIX_FAMILIES, *special, *(f"line: {name}" for name in POINT_FAMILIES), *circle]


@cache
def circle_truth() -> Callable[..., float] | None:
    """Brute force over all cuts, from the tests of the circle."""
    tests = str(Path(__file__).parents[1] / "tests" / "line")
    if tests not in sys.path:
        sys.path.append(tests)
    try:
        return import_module("circle_truth").circle_truth
    except ModuleNotFoundError:
        return None


# One problem


def examine(family: str, seed: int, index: int) -> tuple[Any, list[Finding]]:
    """The problem of this family and number, and what came of it."""
    rng = np.random.default_rng([seed, zlib.crc32(family.encode()), index])
    kind, _, name = family.rpartition(": ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if kind == "special":
            draw, judge = SPECIAL_FAMILIES[name]
            problem = draw(rng)
            return problem, list(judge(problem))
        if kind == "line":
            problem = draw_points(name, rng, (*ORDERS, math.inf), dim=1)
            return problem, list(on_the_line(problem, rng))
        if kind == "circle":
            problem = draw_points(name, rng, (*ORDERS, math.inf), dim=1)
            return problem, list(on_the_circle(problem, rng))
        if family in POINT_FAMILIES:
            problem = draw_points(family, rng)
            return problem, list(between_points(problem))
        problem = draw_matrix(family, rng)
        return problem, list(of_a_matrix(problem))


def between_points(problem: Points) -> Iterator[Finding]:
    """Every method against the truth."""
    x, y, a, b, p, metric = problem.x, problem.y, problem.a, problem.b, problem.p, problem.metric
    truth = point_value(x.tolist(), y.tolist(), p, metric, a, b)
    stated = attempt(lambda: Problem.from_points(x, y, p, a=a, b=b, metric=metric))
    for method in accepting(stated):
        answer = attempt(
            lambda method=method: otgan.solve(
                x, y, p, a=a, b=b, metric=metric, method=method, rtol=RTOL, throw=False, progress=False
            )
        )
        yield judged(method, answer, truth)


def of_a_matrix(problem: Any) -> Iterator[Finding]:
    """The same for a cost matrix."""
    C, a, b = problem.C, problem.a, problem.b
    truth = Truth(exact_value(C.tolist(), a, b), Fraction(0))
    stated = attempt(lambda: Problem.from_matrix(C, a, b))
    for method in accepting(stated):
        answer = attempt(lambda method=method: otgan.solve_cost(C, a, b, method=method, rtol=RTOL, throw=False))
        yield judged(method, answer, truth)


def on_the_line(problem: Points, rng: np.random.Generator) -> Iterator[Finding]:
    """The problem alone; and in a batch with its mirror image, and with its weights in another order."""
    x, y, a, b, p = problem.x[:, 0], problem.y[:, 0], problem.a, problem.b, problem.p
    shuffled = [None if w is None else rng.permutation(w) for w in (a, b)]
    truth = line_distance(x, y, p, a, b)
    found = attempt(lambda: otgan.wasserstein_1d(x, y, p, a=a, b=b))
    yield compared("wasserstein_1d", found, truth)
    rows_a, rows_b = (
        None if w is None or v is None else np.stack([w, w, v]) for w, v in zip((a, b), shuffled, strict=True)
    )
    batch = attempt(lambda: otgan.wasserstein_1d(np.stack([x, -x, x]), np.stack([y, -y, y]), p, a=rows_a, b=rows_b))
    for k, exact in enumerate((truth, truth, line_distance(x, y, p, *shuffled))):
        answer = batch if isinstance(batch, Exception) else batch[k]
        yield compared("wasserstein_1d, batch", answer, exact)


def on_the_circle(problem: Points, rng: np.random.Generator) -> Iterator[Finding]:
    """The positions of the line wound around a circle."""
    true_distance = circle_truth()
    assert true_distance is not None  # else there is no such family
    u, v, a, b, p = problem.x[:, 0], problem.y[:, 0], problem.a, problem.b, problem.p
    period = float(rng.choice(PERIODS))
    if rng.random() < 0.5:
        u, v = u * period, v * period
    found = attempt(lambda: otgan.wasserstein_circle(u, v, p, a=a, b=b, period=period))
    yield compared("wasserstein_circle", found, Fraction(true_distance(u, v, p, a, b, period)))


# Many problems


@dataclass
class Tally:
    """What came of the calls of one method in one family."""

    calls: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    worst: float = 0.0

    @property
    def faults(self) -> int:
        """Faults of all kinds."""
        return sum(self.labels[name] for name in FAULTS)

    def add(self, finding: Finding) -> None:
        """Count one more call."""
        self.calls += 1
        self.labels.update(finding.labels)
        self.worst = max(self.worst, finding.error)


@dataclass
class Report:
    """All tallies, and the faults one by one."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    faults: list[tuple[str, int, Finding]] = field(default_factory=list)

    def add(self, family: str, index: int, finding: Finding) -> None:
        """Count one more call."""
        self.tallies[family, finding.method].add(finding)
        if any(label in FAULTS for label in finding.labels):
            self.faults.append((family, index, finding))

    def rows(self) -> list[dict[str, Any]]:
        """The table, and its sums over all families."""
        whole: dict[str, Tally] = defaultdict(Tally)
        for (_, method), tally in self.tallies.items():
            total = whole[method]
            total.calls += tally.calls
            total.labels.update(tally.labels)
            total.worst = max(total.worst, tally.worst)
        named = [*self.tallies.items(), *((("all", method), tally) for method, tally in whole.items())]
        return [row(family, method, tally) for (family, method), tally in named]


def row(family: str, method: str, tally: Tally) -> dict[str, Any]:
    """One line of the table."""
    counts = {name: tally.labels[name] for name in (*FAULTS, *NOTES)}
    return {"family": family, "method": method, "calls": tally.calls, **counts, "largest error": f"{tally.worst:.0e}"}


def run(
    count: int, *, seed: int = 0, families: Iterable[str] | None = None, jobs: int = 1, progress: bool = False
) -> Report:
    """Draw ``count`` transport problems, as many on the line and on the circle, and examine all of them."""
    from tqdm import tqdm

    names = list(family_names() if families is None else families)
    groups = Counter(name.rpartition(": ")[0] for name in names)
    tasks = [
        (name, seed, range(start, min(start + CHUNK, size)))
        for name in names
        for size in [math.ceil(count / groups[name.rpartition(": ")[0]])]
        for start in range(0, size, CHUNK)
    ]
    report = Report()
    with tqdm(total=sum(len(task[2]) for task in tasks), disable=None if progress else True, unit="problem") as bar:
        for family, found in in_processes(tasks, jobs):
            for index, findings in found:
                for finding in findings:
                    report.add(family, index, finding)
            bar.update(len(found))
    return report


def in_processes(tasks: list[Any], jobs: int) -> Iterator[tuple[str, list[tuple[int, list[Finding]]]]]:
    """The findings of all tasks, in their order."""
    if jobs == 1:
        yield from starmap(chunk, tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(chunk, *zip(*tasks, strict=True))


def chunk(family: str, seed: int, indices: range) -> tuple[str, list[tuple[int, list[Finding]]]]:
    """The findings of some problems of one family."""
    return family, [(index, examine(family, seed, index)[1]) for index in indices]


# Telling


def examples(report: Report, seed: int) -> Iterator[str]:
    """The first few faults, and how to see them again."""
    for family, index, finding in report.faults[:SHOWN]:
        yield f"{family}, {finding.method}: {', '.join(finding.labels)}; {finding.message}"
        yield f"    python benchmarks/stress.py --family {family!r} --seed {seed} --only {index}"


def show(family: str, seed: int, index: int) -> int:
    """One problem written out, with what every method says of it."""
    problem, findings = examine(family, seed, index)
    print(described(problem))
    for finding in findings:
        print(f"{finding.method}: {', '.join(finding.labels) or 'right'}; {finding.message}")
    return int(any(label in FAULTS for finding in findings for label in finding.labels))


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, default=2000, help="transport problems; as many on the line and circle")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--family", action="append", choices=family_names(), help="one family; may be given repeatedly")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", type=int, help="the number of one problem of each family given, to be written out")
    options = parser.parse_args()
    if options.only is not None:
        return max(show(family, options.seed, options.only) for family in options.family or family_names())
    report = run(options.count, seed=options.seed, families=options.family, jobs=options.jobs, progress=True)
    text = "\n".join([markdown(report.rows()), "", f"{len(report.faults)} faults", *examples(report, options.seed)])
    about = machine(["otgan", "numpy", "scipy", "numba", "POT"])
    tell(options, "stress", {"machine": about, "seed": options.seed, "rows": report.rows()}, text)
    return int(bool(report.faults))


if __name__ == "__main__":
    sys.exit(main())
