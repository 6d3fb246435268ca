"""The report in Markdown: ratios, times, memory, wrong answers, and how time grows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.drawn import OTHERS
from solvers.peers import BEFORE, LEVELS, PEERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Cell = Mapping[str, Any]

PAIRS = tuple(OTHERS)
# Rows of the table of ratios: the name of the case among the results.
QUOTED = (
    *(f"gaussians, d = {d}, p = {p}, n = 6,000" for d in (2, 64) for p in (1, 2)),
    *(f"weights, d = 2, p = {p}, 6,000 x 4,500" for p in (1, 2)),
    *(f"gaussians, d = 2, p = {p}, n = {n}" for n in ("1,000", "100") for p in (1, 2)),
)
REAL = ("photos", "digits", "projected", "generated", "grid")
SMALLEST_GROWTH = 1000  # points: below, what is measured is not growth but the overhead of a call


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def growth_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of log seconds over log n by least squares; NaN with fewer than two different sizes."""
    if len(set(sizes)) < 2:
        return math.nan
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def outside(value: float, lower: float, upper: float) -> float:
    """How far a value lies outside the certified interval, relative to its upper end; 0 inside."""
    if not math.isfinite(value):
        return math.inf
    distance = max(lower - value, value - upper, 0.0)
    return distance / upper if upper > 0 else (math.inf if distance else 0.0)


def certified(cells: Iterable[Cell]) -> Cell | None:
    """Of one case's cells, the one with the narrowest proven interval; None if there is no proof."""
    proofs = [cell for cell in cells if cell["status"] == "ok" and cell["lower"] is not None]
    return min(proofs, key=gap, default=None)


def gap(cell: Cell) -> float:
    """``(upper - lower) / upper`` of a cell with bounds, 0 if both are 0."""
    return (cell["upper"] - cell["lower"]) / cell["upper"] if cell["upper"] else 0.0


def duration(seconds: float) -> str:
    """A time in the unit that suits it, with two or three digits."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:.0f} s"


def by_case(cells: Mapping[str, Cell]) -> dict[str, dict[str, Cell]]:
    """Cells by case, then by solver."""
    grouped: dict[str, dict[str, Cell]] = {}
    for cell in cells.values():
        grouped.setdefault(cell["case"], {})[cell["peer"]] = cell
    return grouped


def report(cells: Mapping[str, Cell], remarks: Sequence[str]) -> str:
    """All tables."""
    cases = by_case(cells)
    parts = ["# Exact solvers\n", *(f"{remark}\n" for remark in remarks)]
    parts += ["## Different distributions: POT's time over otgan's\n", PAIRS_KEY, _pairs(cases)]
    parts += ["## Two samples of one distribution\n", RATIO_KEY, _ratios(cases, QUOTED)]
    parts += ["## Real data\n", "MNIST, photographs, and what a GAN drew.\n", _ratios(cases, _real(cases))]
    if older := _before(cases):
        parts += ["## This version and an older one\n", BEFORE_KEY, older]
    parts += ["## Time\n", TIME_KEY, _per_peer(cases, _time)]
    parts += ["## Memory\n", "What the first solve added to the process, at its peak.\n", _per_peer(cases, _memory)]
    parts += ["## Values\n", VALUE_KEY, _values(cases)]
    parts += ["## Growth\n", GROWTH_KEY, _growth(cells)]
    return "\n".join(parts)


PAIRS_KEY = (
    'Of `method="auto"`, with its time. *same*: one Gaussian on both sides; *shifted* by three standard deviations; '
    "*half* the width; a *mixture* of five narrow Gaussians; a *ring* (a sphere) around the Gaussian; uniform points "
    "and *squared* ones. The last columns: the median and the least ratio of the row, and its widest certified gap.\n"
)
BEFORE_KEY = (
    "Seconds of `method=\"auto\"`, one after the other in one run, and the older one's time over the new one's.\n"
)
RATIO_KEY = "Certificate: the share of otgan's time (auto) that the proof takes. It is part of every time here.\n"
TIME_KEY = (
    "Median of the repeats, the cost matrix included where a solver needs one. `> 30 s`: ended there. `(> 30 s)`: not "
    "tried, as by its time for fewer points it would take longer, even with less than its usual growth. `memory`: "
    "would not fit. –: not for it.\n"
)
VALUE_KEY = (
    "The gap that otgan proves, `(upper - lower) / upper`, and how far each value lies outside the proven interval, "
    f"relative to it; 0 is inside. ortools takes integers: costs are rounded to multiples of {1 / LEVELS:.0e} of the "
    "largest one, and its matching is valued with the costs before rounding. `!`: it gave a warning.\n"
)
GROWTH_KEY = f"Least squares of log time over log n, from n = {SMALLEST_GROWTH:,} on; behind it the largest n.\n"


def _pairs(cases: Mapping[str, Mapping[str, Cell]]) -> str:
    """One row for sizes, dimension and power, one column for each pair of distributions, and the medians."""
    rows: dict[str, dict[str, Mapping[str, Cell]]] = {}
    for name, row in cases.items():
        family, _, sizes = name.partition(", ")
        if family.startswith("different ") and "POT" in row and "otgan auto" in row:
            rows.setdefault(sizes, {})[family.removeprefix("different ")] = row
    lines, everything = [], []
    for sizes, found in rows.items():
        ratios = {pair: _quotient(row["POT"], row["otgan auto"]) for pair, row in found.items()}
        known = [ratio for ratio in ratios.values() if not math.isnan(ratio)]
        everything += known
        shown = [f"{ratios[pair]:.3g} ({_time(found[pair]['otgan auto'])})" if pair in found else "–" for pair in PAIRS]
        gaps = [gap(row["otgan auto"]) for row in found.values() if row["otgan auto"]["status"] == "ok"]
        lines.append([sizes, *shown, *_median_and_least(known), f"{max(gaps):.0e}" if gaps else "–"])
    if everything:
        lines.append(["all", *[""] * len(PAIRS), *_median_and_least(everything), ""])
    return markdown_table(["problem", *PAIRS, "median", "least", "gap"], lines)


def _median_and_least(ratios: Sequence[float]) -> list[str]:
    return [f"{np.median(ratios):.3g}", f"{min(ratios):.3g}"] if ratios else ["–", "–"]


def _quotient(theirs: Cell, ours: Cell) -> float:
    """Their time over ours; what ran over counts with its limit, so the quotient is at least this."""
    if ours["status"] != "ok" or theirs["status"] not in ("ok", "timeout"):
        return math.nan
    return (theirs["limit"] if theirs["status"] == "timeout" else theirs["seconds"]) / ours["seconds"]


def _before(cases: Mapping[str, Mapping[str, Cell]]) -> str:
    rows, ratios = [], []
    for name, row in cases.items():
        if BEFORE not in row or "otgan auto" not in row or row[BEFORE]["status"] != "ok":
            continue
        ratios.append(_quotient(row[BEFORE], row["otgan auto"]))
        rows.append([name, _time(row[BEFORE]), _time(row["otgan auto"]), f"{ratios[-1]:.3g}"])
    if not rows:
        return ""
    rows.append(["median; least", "", "", "; ".join(_median_and_least([r for r in ratios if not math.isnan(r)]))])
    return markdown_table(["problem", "before", "now", "ratio"], rows)


def _real(cases: Mapping[str, Mapping[str, Cell]]) -> list[str]:
    return [name for name, row in cases.items() if name.startswith(REAL) and {"POT", "otgan auto"} <= row.keys()]


def _ratios(cases: Mapping[str, Mapping[str, Cell]], names: Iterable[str]) -> str:
    header = ["problem", "POT", "otgan auto", "ratio", "certificate", "certified gap"]
    rows, ratios = [], []
    for name in names:
        row = cases.get(name, {})
        if "POT" not in row or "otgan auto" not in row:
            continue
        pot, ours = row["POT"], row["otgan auto"]
        proven = f"{gap(ours):.0e}" if ours["status"] == "ok" else "–"
        rows.append([name, _time(pot), _time(ours), _ratio(pot, ours), _certificate(row), proven])
        ratios.append(_quotient(pot, ours))
    if ratios:
        middle, least = _median_and_least([ratio for ratio in ratios if not math.isnan(ratio)])
        rows.append(["median; least", "", "", f"{middle}; {least}", "", ""])
    return markdown_table(header, rows)


def _certificate(row: Mapping[str, Cell]) -> str:
    """How much of the time of ``auto`` went into the proof."""
    seconds = row.get("otgan auto", {}).get("certificate_seconds")
    return "–" if seconds is None else f"{seconds / row['otgan auto']['seconds']:.0%}"


def _ratio(theirs: Cell | None, ours: Cell) -> str:
    if theirs is None or ours["status"] != "ok" or theirs["status"] not in ("ok", "timeout"):
        return "–"
    return f"{'> ' if theirs['status'] == 'timeout' else ''}{_quotient(theirs, ours):.3g}"


def _per_peer(cases: Mapping[str, Mapping[str, Cell]], show: Callable[[Cell], str]) -> str:
    """One row a case, one column a solver that was asked at all."""
    names = _present(cases)
    rows = [[case, *(show(row[name]) if name in row else "–" for name in names)] for case, row in cases.items()]
    return markdown_table(["problem", *names], rows)


def _present(cases: Mapping[str, Mapping[str, Cell]]) -> list[str]:
    return [name for name in PEERS if any(name in row for row in cases.values())]


def _time(cell: Cell) -> str:
    return duration(cell["seconds"]) if cell["status"] == "ok" else _failure(cell)


def _memory(cell: Cell) -> str:
    return f"{cell['added_mib']:.3g} MiB" if cell["status"] == "ok" else _failure(cell)


def _failure(cell: Cell) -> str:
    limit = f"> {cell['limit']:g} s"
    names = {"timeout": limit, "skipped": f"({limit})"}
    return names.get(cell["status"], str(cell["status"]))


def _values(cases: Mapping[str, Mapping[str, Cell]]) -> str:
    names = [name for name in _present(cases) if not name.startswith("otgan")]
    rows = []
    for case, row in cases.items():
        proof = certified(row.values())
        if proof is None:
            continue
        proven = f"{gap(proof):.0e}" + ("" if proof["proof"] == "OPTIMAL" else f" ({proof['proof']})")
        rows.append([case, f"{proof['value']:.8g}", proven, *(_difference(row.get(name), proof) for name in names)])
    return markdown_table(["problem", "value", "gap", *names], rows)


def _difference(cell: Cell | None, proof: Cell) -> str:
    if cell is None:
        return "–"
    if cell["status"] != "ok":
        return _failure(cell)
    if cell["data"] != proof["data"]:
        return "other data"
    off = outside(cell["value"], proof["lower"], proof["upper"])
    return ("0" if off == 0 else f"{off:.0e}") + (" !" if "warning" in cell else "")


def series(cells: Mapping[str, Cell]) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """Sizes and times by series and solver, in the order of n."""
    found: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
    for cell in sorted(cells.values(), key=lambda cell: cell["n"]):
        if cell["status"] == "ok":
            sizes, seconds = found.setdefault(cell["series"], {}).setdefault(cell["peer"], ([], []))
            sizes.append(cell["n"])
            seconds.append(cell["seconds"])
    return found


def _growth(cells: Mapping[str, Cell]) -> str:
    lines = series(cells)
    names = [name for name in PEERS if any(name in line for line in lines.values())]
    rows = []
    for name, line in lines.items():
        row = [_exponent(*line[peer]) if peer in line else "–" for peer in names]
        if any(text != "–" for text in row):
            rows.append([name, *row])
    return markdown_table(["series", *names], rows)


def _exponent(sizes: Sequence[int], seconds: Sequence[float]) -> str:
    kept = [(n, t) for n, t in zip(sizes, seconds, strict=True) if n >= SMALLEST_GROWTH]
    exponent = growth_exponent([n for n, _ in kept], [t for _, t in kept])
    return "–" if math.isnan(exponent) else f"{exponent:.2f} ({max(sizes):,})"
