"""The benchmark harness: its pure functions, its data, and one tiny cell; no optional peer is needed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import common
import corrections
import critic_choice
import critic_failures
import fixed_samples
import gan_step
import population_interval
import pytest
import torch
from common import spread
from solvers import cases
from solvers.cases import Case
from solvers.families import data
from solvers.growth_plot import stacked
from solvers.measure import one, repeats
from solvers.peers import PEERS
from solvers.plan import GROUPS, Task, estimate, hopeless, tasks
from solvers.summary import duration, growth_exponent, markdown_table, outside, report

from otgan.critics import METHODS
from otgan.gan import Config
from otgan.gan.dataset import dataset
from otgan.gan.networks import build_generator


@pytest.mark.parametrize("options", [[], ["--save"]])
def test_results_are_overwritten_only_if_asked(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(common, "RESULTS", tmp_path / "benchmarks" / "results")
    (tmp_path / "benchmarks").mkdir()
    common.tell(common.arguments("").parse_args(options), "speed", {"seconds": 1}, "| fast |")
    assert capsys.readouterr().out == "| fast |\n"
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == (["speed.json", "speed.md"] if options else [])


TINY = Case("gaussians", 20, 20, 16, 1)


def test_growth_exponent_of_a_power_law() -> None:
    sizes = [100, 1000, 3000]
    assert growth_exponent(sizes, [3e-6 * n**2.5 for n in sizes]) == pytest.approx(2.5)
    assert math.isnan(growth_exponent([100], [1.0]))


def test_markdown_table() -> None:
    table = markdown_table(["case", "time"], [["a|b", "1 s"]])
    assert table == "| case | time |\n| --- | ---: |\n| a\\|b | 1 s |\n"


def test_distance_from_the_certified_interval() -> None:
    assert outside(1.0, 0.9, 1.1) == 0.0
    assert outside(2.2, 0.9, 1.1) == pytest.approx(1.0)
    assert outside(0.79, 0.9, 1.1) == pytest.approx(0.1)
    assert outside(0.0, 0.0, 0.0) == 0.0
    assert outside(math.nan, 0.9, 1.1) == math.inf


def test_durations() -> None:
    assert [duration(t) for t in (2e-5, 0.0123, 1.5, 12345.0)] == ["20 µs", "12.3 ms", "1.5 s", "12345 s"]


def test_short_solves_are_repeated() -> None:
    assert [repeats(t) for t in (1e-4, 1.0, 3.0, 30.0)] == [101, 5, 3, 1]


def test_labels_are_raised_until_none_touches_another() -> None:
    assert stacked([0.5, 0.5, 0.9, 0.49], 0.1) == pytest.approx([0.59, 0.69, 0.9, 0.49])
    assert stacked([0.5, 0.7], 0.1, taken=[0.45, 0.6]) == pytest.approx([0.7, 0.8])
    assert stacked([], 0.1) == []


@pytest.mark.parametrize("family", ["gaussians", "clusters", "weights"])
def test_data_are_the_same_every_time(family: str) -> None:
    case = Case(family, 30, 20, 2, 1)
    assert cases.digest(data(case)) == cases.digest(data(case))
    assert cases.digest(data(case)) != cases.digest(data(Case(family, 30, 20, 2, 1, seed=1)))


def test_both_powers_are_asked_about_the_same_points() -> None:
    assert cases.digest(data(TINY)) == cases.digest(data(Case("gaussians", 20, 20, 16, 2)))


def test_every_cell_has_its_own_name() -> None:
    keys = [task.key for task in tasks(list(GROUPS), False, True, 60.0)]
    assert len(keys) == len(set(keys))
    assert all(PEERS[task.peer].takes(task.case) for task in tasks(["gaussians"], True, False, 60.0))
    assert estimate(tasks(["gaussians"], True, False, 60.0)) > 0


def test_what_can_only_run_over_is_not_tried() -> None:
    case = Case("gaussians", 6000, 6000, 2, 1)
    earlier: dict[str, Any] = {
        "peer": "POT",
        "series": case.series,
        "n": 3000,
        "m": 3000,
        "status": "ok",
        "seconds": 20,
    }
    assert hopeless(Task("gaussians", case, "POT", 60.0), {"earlier": earlier}) is not None
    assert hopeless(Task("gaussians", case, "POT", 120.0), {"earlier": earlier}) is None
    assert hopeless(Task("gaussians", case, "lapx", 60.0), {"earlier": earlier}) is None


def test_a_cell_from_its_data_to_the_tables() -> None:
    cells: dict[str, dict[str, Any]] = {}
    for name in ("otgan auto", "scipy assignment"):
        about = {"peer": name, "case": TINY.key, "series": TINY.series, "n": 20, "m": 20, "limit": 60.0}
        cells[name] = about | one(TINY, PEERS[name])
    ours, theirs = cells["otgan auto"], cells["scipy assignment"]
    assert (ours["status"], ours["proof"]) == ("ok", "OPTIMAL")
    assert outside(theirs["value"], ours["lower"], ours["upper"]) < 1e-12
    cells["POT"] = {**theirs, "peer": "POT", "value": 2 * ours["value"]}
    cells["lapx"] = {**about_failure(theirs), "peer": "lapx"}
    text = report(cells, ["a remark"])
    assert "1e+00" in text  # POT's answer is wrong by the whole of it
    assert "> 60 s" in text


def about_failure(cell: dict[str, Any]) -> dict[str, Any]:
    """The same cell, had it run over."""
    kept = {key: cell[key] for key in ("case", "series", "n", "m", "limit")}
    return kept | {"status": "timeout", "message": "stopped after 60 s"}


def test_a_step_by_hand_trains_the_same_networks() -> None:
    samples = dataset(Config(data="digits:3"), torch.device("cpu"))
    for objective in ("wgan", "wgan-gp"):
        config = Config(objective=objective, network="resnet", width=4, latent=3, steps=2, batch_size=8)
        config = config.resolved(samples.scaling.network_shape)
        gan_step.by_hand(config, samples, gan_step.textbook)
        first = build_generator(config, samples.scaling.network_shape, 0).eval()
        second = gan_step.textbook(build_generator(config, samples.scaling.network_shape, 0)).eval()
        assert any(type(layer).__name__ == "ConvToFew" for layer in first.modules())
        assert not any(type(layer).__name__ == "ConvToFew" for layer in second.modules())
        noise = torch.randn(5, 3)
        assert torch.allclose(first(noise), second(noise), atol=1e-6)


def test_a_case_of_the_intervals() -> None:
    cell = population_interval.run("shifted Gaussians, d = 1", 50, 3)
    assert cell["lower_above"] + cell["upper_below"] + 3 * cell["coverage"] == pytest.approx(3)
    assert cell["mean_width"] == pytest.approx(cell["mean_upper"] - cell["mean_lower"])
    assert population_interval.row(cell)["n"] == "50"


def test_a_mean_with_its_range() -> None:
    assert spread([1.0, 3.0], ".1f") == "2.0 (1.0 to 3.0)"
    assert spread([1.0], ".1f") == "1.0"


def test_a_finite_sample() -> None:
    cell = fixed_samples.run("c-transform", {"steps": 3, "width": 8}, dim=2, n=20, seeds=2)
    assert len(cell["estimate"]) == len(cell["seconds"]) == 2
    assert max(*cell["estimate"], *cell["lower_bound"]) <= 1 + 1e-6
    assert fixed_samples.row(cell)["method"] == "c-transform"


def test_every_method_has_a_situation_where_it_fails() -> None:
    runs = [run for situation in critic_failures.SITUATIONS.values() for run in (*situation.fails, situation.holds)]
    failing = {run.method for situation in critic_failures.SITUATIONS.values() for run in situation.fails}
    assert failing == set(METHODS) - {"auto", "lattice-y"}  # a choice among others, and the mirror image of one
    for run in runs:
        METHODS[run.method].with_options(run.options)


def test_a_situation_of_a_sample_and_one_of_distributions() -> None:
    for name in ("two points 10 apart, d = 8", "Gaussians shifted by 1, d = 64"):
        run = critic_failures.Run("gp", {"steps": 2, "width": 4})
        cell = critic_failures.measure(name, run, fails=True, seeds=2)
        assert cell["exact"] == pytest.approx(10.0 if "points" in name else 1.0)
        assert len(cell["estimate"]) == len(cell["cosine"]) == 2
        assert critic_failures.row(cell)["options"] == "steps 2, width 4"


@pytest.mark.parametrize("method", corrections.METHODS)
def test_every_correction_is_measured_where_it_is_defined(method: str) -> None:
    quick = {"steps": 3, "width": 8, "depth": 1}
    errors = [corrections.measure(method, corrections.two_points(4.0, 3), seed, **quick) for seed in range(2)]
    assert all(math.isfinite(error) for found in errors for error in found.values())
    assert set(errors[0]) == {"none", "gradient-norm"} | (
        {"congested", "richardson"} if method != "orthogonal" else set()
    )
    assert corrections.row("two points", method, errors)["method"] == method
    summary = {line["method"]: line for line in corrections.summary([("two points", method, errors)])}
    assert float(summary[method]["none"]) == pytest.approx(50 * sum(abs(error["none"]) for error in errors), abs=0.05)


def test_the_choice_of_auto_is_compared_in_the_mean_of_seeds(tmp_path: Path) -> None:
    numbers = {"auto": (0.9, 0.7), "lattice": (0.6, 0.8), "deep-lattice": (0.85, 0.75), "line": (0.1,)}
    for name, seeds in numbers.items():
        for seed, number in enumerate(seeds):
            record = {
                "number": number,
                "cosine": 0.5,
                "seconds": 60.0,
                "chosen": "lattice",
                "at": [1.0],
                "curve": [0.8],
            }
            critic_choice.write_whole(tmp_path / "trees-2" / f"{name}-{seed}.json", json.dumps(record))
    found = critic_choice.load(tmp_path / "trees-2")
    assert {name: tuple(critic_choice.numbers(records)) for name, records in found.items()} == numbers
    row = critic_choice.row("trees, d = 2", found)
    assert (row["deep-lattice"], row["line"], row["orthogonal"]) == ("0.800 (0.750 to 0.850), 0.50", "0.100, 0.50", "–")
    assert (row["lacks"], row["within 2 %"], row["seeds"]) == ("0.0 ± 14.0 %", "yes", "2")
    assert "1 of 1" in critic_choice.report(tmp_path)
