"""The tables of the critics' benchmark: leaderboard, cell by cell, what the runs were, and all of it as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from critic.board import FIGURES, Board, Line, Mean, Runs, boards_of, good, published_lines, runs_of
from critic.cells import STAGES, Cell, published
from critic.store import Record, Store, of_now, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEPT = ("seed", "cosine", "l2", "error", "corrected_error", "slope_corrected_error", "steps", "cpu_seconds", "seconds")


def write(store: Store) -> None:
    """Tables and pictures of all records: leaderboard.md, cells.md, results.json and two PNG files."""
    records = store.records()
    runs, left_out = runs_of(records)
    if not runs:
        print(f"no records in {store.folder}")
        return
    boards = boards_of(runs)
    about = remarks([record for name in runs.values() for seeds in name.values() for record in seeds], left_out)
    parts = ["# Critics against distributions whose W1 is known\n", *(f"{remark}\n" for remark in about)]
    parts += [f"## {one.title}\n\n{board_table(one)}" for one in boards]
    parts += ["## What the runs were\n", EFFORT_KEY, effort_table(runs)]
    write_whole(store.folder / "leaderboard.md", "\n".join(parts))
    write_whole(store.folder / "cells.md", cell_tables(runs))
    write_whole(store.folder / "results.json", json.dumps(as_json(runs, boards, about), indent=1) + "\n")
    from critic.plots import draw

    draw(runs, store.folder)
    print("\n".join(parts[: len(about) + 2]))
    print(f"{store.folder / 'leaderboard.md'}: all tables")


def remarks(records: Sequence[Record], left_out: int) -> list[str]:
    """What everything rests on."""
    devices = Counter(f"{record['device']}" for record in records)
    stacked = max(record["stacked"] for record in records)
    each = f"for {stacked} seeds at once" if stacked > 1 else "for each cell and seed, one thread each"
    found = [
        "Printed by `python benchmarks/critics.py`. Cosine: of the critic's gradient with the optimal one. W1 error: of"
        " the estimate, relative to the true W1, absolute value; corrected: with the method's known bias removed; by"
        " slope: of the estimate over the critic's mean slope. Means over cells, ± 95 % over seeds. Funnels are our own"
        " draws of the published recipe: published figures are of such cells, not of the same, and had other budgets.",
        f"Budget {records[0]['budget']:g} s {each}; {', '.join(f'{name} ({n} runs)' for name, n in devices.items())}.",
    ]
    other = sum(not of_now(record) for record in records)
    if other:
        found.append(f"{other} runs are of another version of the code than that of now; `--redo` runs them again.")
    if left_out:
        found.append(f"{left_out} runs with other settings than those of now are left out.")
    return found


def board_table(one: Board) -> str:
    """Contenders, then what is published on the same cells, then controls."""
    families = any(line.worst for line in one.lines)
    header = ["method", "cosine", "W1 error %", "corrected %", "by slope %", "cells", "seeds", "failed"]
    header[3:3] = ["worst family: cosine", "worst family: W1 error %"] if families else []
    lines = [line for line in one.lines if not line.control] + ([] if families else published_lines(one.present))
    text = markdown_table(header, [row(line, len(one.cells), families) for line in lines])
    controls = [row(line, len(one.cells), families) for line in one.lines if line.control]
    if controls:
        text += "\nControls, which know more than a critic may:\n\n" + markdown_table(header, controls)
    return text


def row(one: Line, cells: int, families: bool = False) -> list[str]:
    """The text of a line; with the worst of several families, beside the means."""
    figures = [_text(one.figures.get(name), percent=name != "cosine") for name in FIGURES]
    of = str(one.cells) if one.cells == cells else f"{one.cells} of {cells}"
    figures[2:2] = [_worst(one, "cosine"), _worst(one, "error")] if families else []
    return [one.name, *figures, of, one.seeds, str(one.failed or "–")]


def _worst(one: Line, figure: str) -> str:
    """The mean of the worst family, and which that is."""
    if figure not in one.worst:
        return "–"
    family, value = one.worst[figure]
    return f"{100 * value:.1f} ({family})" if figure == "error" else f"{value:.3f} ({family})"


def _text(mean: Mean | None, percent: bool) -> str:
    if mean is None:
        return "–"
    scale, digits = (100, 1) if percent else (1, 3)
    reach = "" if mean.reach is None else f" ± {scale * mean.reach:.{digits}f}"
    return f"{scale * mean.value:.{digits}f}{reach}"


EFFORT_KEY = (
    "Medians over runs, except where said. Certified: the largest proven Lipschitz constant, – where nothing is proven."
    " Seconds to 5 %: until the estimate stayed within 5 % of W1, of processor time, over the runs where it did; no"
    " finer than the history, which has fewer entries where an estimate is dear.\n"
)


def effort_table(runs: Runs) -> str:
    """Steps, seconds and Lipschitz constants of each method."""
    header = ["method", "steps", "CPU s", "slope seen", "certified", "within 5 %", "seconds to 5 %", "options"]
    rows = []
    for name, by_cell in runs.items():
        seeds = [record for records in by_cell.values() for record in good(records)]
        if not seeds:
            continue
        certified = [record["lipschitz_certified"] for record in seeds]
        within = [record["seconds_to_5_percent"] for record in seeds if record["seconds_to_5_percent"] is not None]
        steps = [record["steps"] for record in seeds]
        options = ", ".join(f"{key} {value}" for key, value in seeds[0]["options"].items())
        rows.append([
            name,
            f"{np.median(steps):.0f} ({min(steps)}-{max(steps)})",
            f"{np.median([record['cpu_seconds'] for record in seeds]):.3g}",
            f"{np.median([record['lipschitz_observed'] for record in seeds]):.3g}",
            "–" if None in certified else f"{max(certified):.6f}",
            f"{len(within)} of {len(seeds)}",
            f"{np.median(within):.3g}" if within else "–",
            options,
        ])  # fmt: skip
    return markdown_table(header, rows)


def cell_tables(runs: Runs) -> str:
    """Cosine and signed error, one row a cell, one column a method; means over seeds."""
    best_cosine, best_error = published_best()
    cells = [
        cell
        for cell in dict.fromkeys(STAGES["full"] + STAGES["rays"])
        if any(cell in by_cell for by_cell in runs.values())
    ]
    parts = ["# Cell by cell\n", "Means over seeds; errors are signed. A cell is family-dimension-number.\n"]
    for title, key, text, best in (
        ("Cosine", "cosine", "{:.3f}", best_cosine),
        ("W1 error, relative", "error", "{:+.3f}", best_error),
    ):
        rows = []
        for cell in cells:
            theirs = text.format(best[cell]) if cell in best else "–"
            rows.append([cell.key, *(_shown(by_cell.get(cell, []), key, text) for by_cell in runs.values()), theirs])
        parts += [f"## {title}\n", markdown_table(["cell", *runs, "published best"], rows)]
    return "\n".join(parts)


def published_best() -> tuple[dict[Cell, float], dict[Cell, float]]:
    """The best published cosine, and the published error nearest zero, of each cell."""
    cells = next(iter(published().values()))
    cosine = {cell: max(figures[cell].cosine for figures in published().values()) for cell in cells}
    error = {cell: min((figures[cell].error for figures in published().values()), key=abs) for cell in cells}
    return cosine, error


def _shown(records: Sequence[Record], key: str, text: str) -> str:
    if not records:
        return "–"
    kept = good(records)
    return text.format(np.mean([record[key] for record in kept])) if kept else "failed"


def as_json(runs: Runs, boards: Sequence[Board], about: Sequence[str]) -> dict[str, Any]:
    """Everything in the tables, unrounded, and each seed of each cell."""
    return {
        "about": list(about),
        "boards": [
            {
                "title": one.title,
                "cells": [cell.key for cell in one.present],
                "lines": [asdict(line) for line in one.lines],
                "published": [asdict(line) for line in published_lines(one.present)],
            }
            for one in boards
        ],
        "cells": [
            {"name": name, "cell": cell.key, "failed": len(records) - len(good(records))}
            | {key: [record[key] for record in good(records)] for key in KEPT}
            for name, by_cell in runs.items()
            for cell, records in by_cell.items()
        ],
    }


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, numbers to the right."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
