"""The report in Markdown: ratios, times, memory, wrong answers, and how time grows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.peers import LEVELS, PEERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Cell = Mapping[str, Any]

# Rows of the table of ratios: the name of the case among the results.
QUOTED = (
    *(f"gaussians, d = {d}, p = {p}, n = 6,000" for d in (2, 64) for p in (1, 2)),
    *(f"weights, d = 2, p = {p}, 6,000 x 4,500" for p in (1, 2)),
    *(f"gaussians, d = 2, p = {p}, n = {n}" for n in ("1,000", "100") for p in (1, 2)),
)
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
    parts += ["## POT's time over otgan's\n", RATIO_KEY, _ratios(cases)]
    parts += ["## Time\n", TIME_KEY, _per_peer(cases, _time)]
    parts += ["## Memory\n", "What the first solve added to the process, at its peak.\n", _per_peer(cases, _memory)]
    parts += ["## Values\n", VALUE_KEY, _values(cases)]
    parts += ["## Growth\n", GROWTH_KEY, _growth(cells)]
    return "\n".join(parts)


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


def _ratios(cases: Mapping[str, Mapping[str, Cell]]) -> str:
    header = ["problem", "POT", "otgan auto", "ratio", "otgan sparse", "ratio", "certificate", "certified gap"]
    rows = []
    for name in QUOTED:
        if name not in cases:
            continue
        row = cases[name]
        proof = certified(row.values())
        pot = row.get("POT")
        line = [name, _time(pot) if pot else "–"]
        for peer in ("otgan auto", "otgan sparse"):
            line += [_time(row[peer]), _ratio(pot, row[peer])] if peer in row else ["–", "–"]
        rows.append([*line, _certificate(row), f"{gap(proof):.0e}" if proof else "–"])
    return markdown_table(header, rows)


def _certificate(row: Mapping[str, Cell]) -> str:
    """How much of the time of ``auto`` went into the proof."""
    seconds = row.get("otgan auto", {}).get("certificate_seconds")
    return "–" if seconds is None else f"{seconds / row['otgan auto']['seconds']:.0%}"


def _ratio(theirs: Cell | None, ours: Cell) -> str:
    if theirs is None or ours["status"] != "ok" or theirs["status"] not in ("ok", "timeout"):
        return "–"
    over = theirs["status"] == "timeout"
    return f"{'> ' if over else ''}{(theirs['limit'] if over else theirs['seconds']) / ours['seconds']:.3g}"


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
