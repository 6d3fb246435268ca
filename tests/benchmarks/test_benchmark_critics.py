"""The critics' benchmark: its cells, its averages, and the plumbing on a tiny cell; no long run."""

from __future__ import annotations

import ast
import json
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from critic import work as critic_work
from critic.board import FULL, RAYS, SIX, board, boards_of, mean_over_cells, published_lines, runs_of
from critic.cells import FAMILIES, SHIFT, STAGES, Cell, published
from critic.methods import SETTINGS, Setting
from critic.pool import POOLED, SMALL, STREAMED, Stream, pool
from critic.store import Bare, Store, digest
from critic.tables import board_table
from critic.work import Task, records_within, run, seconds_of_auto
from critics import main

from otgan import critics
from otgan.critics import METHODS
from otgan.errors import OTError

if TYPE_CHECKING:
    from pathlib import Path

TINY = Cell("translation", 2)
POOL = 2**10


def task(folder: Path, **changes: Any) -> Task:
    """A cell of a hundredth of a second."""
    usual: dict[str, Any] = {"cell": TINY, "name": "gp", "seeds": (0, 1), "budget": 0.01, "device": "cpu"}
    usual |= {"stacked": False, "store": Store(folder), "cache": folder / "pools", "pool_size": POOL}
    return Task(**usual | changes)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gp", "orthogonal"):
        monkeypatch.setitem(SETTINGS, name, Setting(name, {"width": 8, "batch_size": 16}))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps of all fits from here on."""
    seen: list[int] = []
    fit = critic_work.critics.fit

    def counted(*sides: Any, **options: Any) -> Any:
        seen.append(options["steps"])
        return fit(*sides, **options)

    monkeypatch.setattr(critic_work.critics, "fit", counted)
    return seen


def test_cells_are_those_of_the_benchmark() -> None:
    assert {name: len(cells) for name, cells in STAGES.items()} == {
        "screen": 6,
        "funnels": 28,
        "families": 14,
        "rays": 24,
        "full": 42,
        "quick": 4,
    }
    assert len({cell.key for cell in STAGES["full"]}) == 42
    assert len({cell.key for cell in STAGES["rays"]}) == 24
    assert set(STAGES["screen"]) < set(STAGES["funnels"])


@pytest.mark.parametrize("family", FAMILIES)
def test_pairs_are_the_same_every_time_and_of_their_dimension(family: str) -> None:
    cell = next(cell for cell in STAGES["full"] + STAGES["rays"] if cell.family == family)
    first, second = (cell.pair().sample(10, np.random.default_rng(0)) for _ in range(2))
    assert np.array_equal(first, second)
    assert first[0].shape == (10, cell.dimension)


def test_published_figures() -> None:
    assert {len(figures) for figures in published().values()} == {28}
    lines = {line.name: line.figures for line in published_lines(STAGES["funnels"])}
    assert lines["published: LP"]["cosine"].value == pytest.approx(0.770, abs=5e-4)
    assert lines["published: LP"]["error"].value == pytest.approx(0.158, abs=5e-4)
    assert lines["published: GP"]["cosine"].value == pytest.approx(0.727, abs=5e-4)
    best = lines["published: best of each cell"]
    assert all(best["cosine"].value >= figures["cosine"].value for figures in lines.values())
    assert all(best["error"].value <= figures["error"].value for figures in lines.values())
    assert published_lines([TINY]) == []


def test_every_method_has_a_setting_that_it_takes() -> None:
    assert {setting.method for setting in SETTINGS.values()} == set(METHODS)
    assert all("steps" not in setting.all_options for setting in SETTINGS.values())
    assert {name for name, setting in SETTINGS.items() if setting.control} == {"cones", "discrete"}


def test_settings_have_fingerprints() -> None:
    assert digest(Setting("gp"), POOL) == digest(Setting("gp", {"gp_weight": 10.0}), POOL)  # the default
    others = [digest(Setting("gp", {"gp_weight": 5.0}), POOL), digest(Setting("lp"), POOL), digest(Setting("gp"), 7)]
    assert len({digest(Setting("gp"), POOL), *others}) == 4


def test_interval_of_one_cell_is_students() -> None:
    mean = mean_over_cells([[1.0, 2.0, 3.0]])
    assert mean.value == 2.0
    assert mean.reach == pytest.approx(4.302653 / math.sqrt(3))
    assert mean_over_cells([[1.0], [3.0]]) == (2.0, None)


def test_interval_covers_the_mean_nineteen_times_of_twenty() -> None:
    rng = np.random.default_rng(0)
    truth = np.array([0.2, 0.5, 0.9, 0.4])
    means = [
        mean_over_cells([t + rng.normal(size=n) for t, n in zip(truth, (3, 3, 3, 1), strict=True)]) for _ in range(2000)
    ]
    covered = np.mean([abs(mean.value - truth.mean()) <= (mean.reach or 0) for mean in means])
    assert covered == pytest.approx(0.95, abs=0.02)


def test_what_diverged_or_is_incomplete_comes_after_what_is_complete() -> None:
    cells = STAGES["screen"][:2]
    ok: dict[str, Any] = {"status": "ok", "cosine": 0.5, "error": -0.1, "corrected_error": None}
    ok |= {"slope_corrected_error": 0.0}
    failed = {"status": "failed"}
    runs = {
        "gp": {cells[0]: [ok], cells[1]: [ok, failed]},
        "lp": {cells[0]: [ok | {"cosine": 0.9}], cells[1]: [failed]},
    }
    first, second = board(runs, cells)
    assert (first.name, first.cells, first.seeds, first.failed) == ("gp", 2, "1", 1)
    assert (second.name, second.cells, second.failed) == ("lp", 1, 1)
    assert first.figures["error"].value == pytest.approx(0.1)
    assert "corrected_error" not in first.figures


def test_the_worst_family_is_that_of_the_worst_mean() -> None:
    """Means over the cells of a family, not single cells; a board of one family has none."""
    ok: dict[str, Any] = {"status": "ok", "corrected_error": None, "slope_corrected_error": None}
    figures = {
        ("trees", 2): (0.9, -0.1),
        ("trees", 16): (0.1, -0.1),
        ("networks", 2): (0.4, 0.3),
        ("networks", 16): (0.4, 0.0),
    }
    runs = {
        "gp": {
            Cell(family, d): [ok | {"cosine": cosine, "error": error}]
            for (family, d), (cosine, error) in figures.items()
        }
    }
    boards = {one.title: one for one in boards_of(runs)}
    assert set(boards) == {RAYS, f"{SIX}trees", f"{SIX}networks"}
    (all_of_it,) = boards[RAYS].lines
    assert {figure: family for figure, (family, _) in all_of_it.worst.items()} == {
        "cosine": "networks",
        "error": "networks",
    }
    assert [value for _, value in all_of_it.worst.values()] == pytest.approx([0.4, 0.15])
    assert boards[f"{SIX}trees"].lines[0].worst == {}
    assert "0.400 (networks) | 15.0 (networks)" in board_table(boards[RAYS])
    assert "worst" not in board_table(boards[f"{SIX}trees"])


def test_funnels_alone_have_no_board_of_families() -> None:
    ok: dict[str, Any] = {
        "status": "ok",
        "cosine": 0.5,
        "error": 0.1,
        "corrected_error": None,
        "slope_corrected_error": None,
    }
    titles = {one.title for one in boards_of({"gp": {cell: [ok] for cell in STAGES["funnels"]}})}
    assert titles == {"Funnels, the six cells of the screen", "Funnels, all 28 cells"}
    assert FULL in {one.title for one in boards_of({"gp": {cell: [ok] for cell in STAGES["full"]}})}


def test_pool_is_drawn_once_and_knows_the_truth(tmp_path: Path) -> None:
    first, second = pool(TINY, tmp_path, 50), pool(TINY, tmp_path, 50)
    assert first.x.shape == (50, 2)
    assert first.pair.w1 == TINY.pair().w1
    assert torch.equal(first.x, second.x)
    assert not torch.equal(first.x, first.y)
    draw = first.samplers(torch.device("cpu"))[0]
    batches = [draw(20, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(batches[0], batches[1])
    assert not torch.equal(batches[0], batches[2])


def test_in_many_dimensions_points_are_drawn_as_they_are_needed(tmp_path: Path) -> None:
    """All different, the same every time, those of the pair, and in time that is told."""
    cell = Cell("translation", POOLED + 1)
    assert task(tmp_path, cell=cell).pooled == 0
    assert task(tmp_path).pooled == POOL
    assert len(pool(cell, tmp_path, 0).x) == SMALL
    batches = []
    for _ in range(2):
        stream = Stream(cell.pair(), (0, 1), time.perf_counter)
        draws = stream.samplers(torch.device("cpu"))
        x, y = ([draw(n, torch.Generator()) for n in (1000, 2 * STREAMED, 7)] for draw in draws)
        assert [len(batch) for batch in x] == [1000, 2 * STREAMED, 7]
        batches.append((torch.cat(x), torch.cat(y)))
        assert 0 < stream.seconds < 60
    assert all(torch.equal(one, again) for one, again in zip(*batches, strict=True))
    points = torch.cat(batches[0])
    assert len(points.unique(dim=0)) == len(points)
    shift = (batches[0][0].mean(dim=0) - batches[0][1].mean(dim=0)).norm()
    assert float(shift) == pytest.approx(SHIFT, abs=0.1)


def test_drawing_as_needed_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it took 1000 s more than the clock knows of, what is left is as much below zero."""
    monkeypatch.setattr(critic_work, "Stream", lambda *about: Stream(*about, seconds=1000.0))
    (record,) = run(task(tmp_path, cell=Cell("translation", POOLED + 1), seeds=(0,)))
    assert record["status"] == "ok"
    assert record["pool"] == 0
    assert -1000 < record["cpu_seconds"] < -900


def test_a_second_run_computes_nothing(tmp_path: Path, trained: list[int]) -> None:
    records = run(task(tmp_path))
    assert [record["seed"] for record in records] == [0, 1]
    assert records[0]["steps"] == records[1]["steps"] >= 1
    assert records[0]["estimate"] != records[1]["estimate"]
    assert Store(tmp_path).records() == records
    trained.clear()
    assert run(task(tmp_path)) == []
    assert not trained
    (third,) = run(task(tmp_path, seeds=(0, 1, 2)))
    assert third["seed"] == 2
    assert third["steps"] == records[0]["steps"]  # the same, whatever the machine does now
    assert len(run(task(tmp_path, redo=True))) == 2


def test_a_killed_run_leaves_nothing_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("critic.store.os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            Store(tmp_path).add(TINY, {"name": "gp", "settings": task(tmp_path).settings, "seed": 0})
    assert [path.suffix for path in tmp_path.rglob("records/*/*")] == [".part"]
    assert Store(tmp_path).records() == []
    assert task(tmp_path).due == (0, 1)


def test_what_diverges_is_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverging(*_: Any, **__: Any) -> None:
        raise OTError("the critic diverged")

    monkeypatch.setattr(critic_work.critics, "fit", diverging)
    (record,) = run(task(tmp_path, seeds=(0,)))
    assert (record["status"], record["message"]) == ("failed", "the critic diverged")
    assert task(tmp_path).due == (1,)


def test_stacked_seeds_are_judged_one_by_one(tmp_path: Path) -> None:
    records = run(task(tmp_path, stacked=True, seeds=(0, 1, 2)))
    assert [(record["seed"], record["stacked"]) for record in records] == [(0, 3), (1, 3), (2, 3)]
    assert len({record["estimate"] for record in records}) == 3


def test_history_takes_a_small_part_of_the_budget() -> None:
    assert [records_within(3.0, each) for each in (1e-9, 0.5, 10.0)] == [50, 6, 1]


def test_from_the_command_line_to_the_tables(tmp_path: Path, trained: list[int]) -> None:
    arguments = ["--quick", "--cells", "funnels-2-16", "--methods", "gp,orthogonal", "--budget", "0.01", "--seeds", "1"]
    arguments += ["--workers", "0", "--device", "cpu", "--pool", "2000"]
    arguments += ["--out", str(tmp_path), "--cache", str(tmp_path / "pools")]
    assert main(arguments) == 0
    folder = tmp_path / "cpu-0.01s"
    assert all(
        (folder / name).stat().st_size > 100 for name in ("leaderboard.md", "cells.md", "cosine.png", "error.png")
    )
    results = json.loads((folder / "results.json").read_text())
    assert {line["name"] for line in results["boards"][0]["lines"]} == {"gp", "orthogonal"}
    runs, left_out = runs_of(Store(folder).records())
    assert (set(runs), left_out) == ({"gp", "orthogonal"}, 0)
    trained.clear()
    assert main([*arguments, "--report"]) == main(arguments) == 0
    assert not trained


def test_a_fingerprint_is_of_what_runs_and_not_of_its_docs_and_types() -> None:
    def bare(text: str) -> str:
        return ast.unparse(Bare().visit(ast.parse(text)))

    plain = bare("def f(x):\n    return x + 1")
    assert bare('def f(x: int) -> int:\n    """One more."""\n    return x + 1').replace("    pass\n", "") == plain
    assert bare("def f(x):\n    return x + 2") != plain


def test_the_trials_of_auto_are_within_the_budget(tmp_path: Path) -> None:
    options = {"width": 8, "depth": 1, "batch_size": 16, "candidates": ("orthogonal", "aol")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "auto", Setting("auto", options))
        patch.setattr(critic_work, "seconds_of_a_step", lambda *_: 1e-3)
        (record,) = run(task(tmp_path, name="auto", seeds=(0,), budget=0.2))
    assert record["status"] == "ok"
    x, y = np.random.default_rng(0).normal(size=(2, 50, 2))
    fit = critics.fit(x, y, "auto", steps=record["steps"], **options)
    assert fit.choice is not None
    assert seconds_of_auto(fit, dict.fromkeys(("orthogonal", "aol"), 1e-3)) == pytest.approx(0.2, rel=0.02)
    assert record["chosen"] in ("orthogonal", "aol")
    assert record["steps_of_chosen"] > 0
