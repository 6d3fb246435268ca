"""Every experiment by one contract, and what experiments share."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from otgan import InvalidInput, experiments, plot, report
from otgan.cli import main
from otgan.experiments.experiment import Claim, Experiment, Record
from otgan.experiments.page import experiments_page, next_step

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# What makes an experiment a matter of a second or two, where its quick settings take longer; claims need not hold then.
TINY: dict[str, dict[str, Any]] = {
    "optimal_discriminator": {"steps": 40, "held_out": 500},
    "gaussian_shift": {"n": 500},
    "vanishing_gradient": {"steps": 10, "width": 16, "orthogonal_width": 8, "batches": 3, "n": 40},
    "clip_sensitivity": {"n": 40, "depth": 3, "width": 16, "steps": 5, "gan_steps": 4, "gan_n": 100, "monitors": 2},
    "mode_collapse": {"points_steps": 4, "digits_steps": 4, "width": 16, "monitors": 2, "n": 40},
    "convergence": {"networks": ("mlp",), "steps": 4, "mlp_width": 16, "monitors": 2},
    "value_surfaces": {"n": 60, "width": 16, "steps": 10, "grid": 5},
}


def tiny(experiment: Experiment[Any]) -> Any:
    """Settings for a look at the machinery."""
    return dataclasses.replace(experiment.quick, **TINY.get(experiment.name, {}))


LONG = ("mode_collapse", "convergence", "clip_sensitivity")  # which train GANs


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in LONG)) for name in experiments.NAMES]
)
def test_contract(name: str, tmp_path: Path) -> None:
    experiment = experiments.experiment(name)
    assert experiment.name == name
    assert experiment is getattr(experiments, name).EXPERIMENT
    assert getattr(experiments, name).run == experiment.run

    result = experiment.run(tiny(experiment), seeds=2, folder=tmp_path)

    cases = list(experiment.cases(result.settings))
    assert [(run["case"], run["seed"]) for run in result.runs] == [(case, seed) for case in cases for seed in (0, 1)]
    assert result.claims
    assert all(len(claim.measured) == 2 for claim in result.claims), "one number a seed"
    record = json.loads((tmp_path / f"{name}.json").read_text())
    assert record["runs"] == result.runs
    assert record["settings"] == report.plain(result.settings)
    assert [claim["holds"] for claim in record["claims"]] == [claim.holds for claim in result.claims]
    page = experiments_page([result])
    assert experiment.title in page
    assert page.count("data:image/png") == 4, "for light paper and for dark, wide and narrow"
    # What was kept is not measured again, and the same seed gives the same numbers.
    assert experiment.run(tiny(experiment), seeds=2, folder=tmp_path).runs == result.runs
    again = experiment.measure(result.settings, cases[0], 0)
    clock = {"seconds": result.runs[0].get("seconds")}
    assert {"case": cases[0], "seed": 0, **report.plain(again), **clock} == {**result.runs[0], **clock}


@dataclasses.dataclass(frozen=True)
class Settings:
    """Of the experiment below."""

    size: float = 1.0


def counting(measured: list[tuple[str, int]], fails_at: int = -1) -> Experiment[Settings]:
    """An experiment that notes what it measures, and is interrupted once."""

    def measure(settings: Settings, case: str, seed: int) -> Record:
        if len(measured) == fails_at:
            raise KeyboardInterrupt
        measured.append((case, seed))
        return {"value": settings.size, "endless": math.inf}

    def claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
        return (Claim("value", tuple(float(run["value"]) for run in runs), least=1.0),)

    def draw(settings: Settings, runs: Sequence[Record]) -> Any:
        return plot.panels(1, 1.0)[0]

    texts = {"name": "counting", "title": "t", "source": "s", "about": "a"}
    steps: dict[str, Any] = {"measure": measure, "claims": claims, "draw": draw, "cases": lambda settings: ("b", "a")}
    return Experiment(**texts, full=Settings(), quick=Settings(0.5), **steps)


def test_an_experiment_that_another_process_runs_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    with report.exclusive_lock(tmp_path / ".counting.lock"), pytest.raises(InvalidInput, match="is in use by process"):
        counting([]).run(seeds=1, folder=tmp_path)
    assert not list(tmp_path.iterdir())
    assert len(counting([]).run(seeds=1, folder=tmp_path).runs) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["counting.json"]


def test_an_interrupted_experiment_goes_on(tmp_path: Path) -> None:
    measured: list[tuple[str, int]] = []
    with pytest.raises(KeyboardInterrupt):
        counting(measured, fails_at=3).run(seeds=2, folder=tmp_path)
    result = counting(measured).run(seeds=2, folder=tmp_path)
    assert measured == [("b", 0), ("b", 1), ("a", 0), ("a", 1)]
    assert [(run["case"], run["seed"]) for run in result.runs] == measured
    assert result.holds


def test_nothing_that_was_measured_is_lost_unless_it_is_asked_for(tmp_path: Path) -> None:
    measured: list[tuple[str, int]] = []
    experiment = counting(measured)
    experiment.run(seeds=2, folder=tmp_path)
    assert len(experiment.run(seeds=1, folder=tmp_path).runs) == 2
    assert len(experiment.run(seeds=2, folder=tmp_path).runs) == len(measured) == 4
    with pytest.raises(InvalidInput, match="measurements of other settings"):
        experiment.run(quick=True, seeds=1, folder=tmp_path)
    quick = experiment.run(quick=True, seeds=1, folder=tmp_path, redo=True)
    assert len(measured) == 6
    assert not quick.holds
    experiment.run(quick=True, seeds=1, folder=tmp_path)
    assert len(measured) == 6


@pytest.mark.parametrize("text", ["", "{", "[]", '{"settings": {"size": 1.0}, "runs": [3]}'])
def test_a_damaged_record_is_not_overwritten_unless_it_is_asked_for(tmp_path: Path, text: str) -> None:
    (tmp_path / "counting.json").write_text(text)
    measured: list[tuple[str, int]] = []
    with pytest.raises(InvalidInput, match=r"counting\.json must hold measurements, but is damaged"):
        counting(measured).run(seeds=1, folder=tmp_path)
    assert (tmp_path / "counting.json").read_text() == text
    assert not measured
    counting(measured).run(seeds=1, folder=tmp_path, redo=True)
    assert len(measured) == 2


def test_a_record_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "counting.json").mkdir()
    with pytest.raises(InvalidInput, match=r"counting\.json must be readable, but is not"):
        counting([]).run(seeds=1, folder=tmp_path)


def test_wrong_names_and_numbers() -> None:
    with pytest.raises(InvalidInput, match="name must be one of 'parallel_lines'"):
        experiments.experiment("gan_collapse")
    with pytest.raises(InvalidInput, match="seeds must be"):
        experiments.parallel_lines.run(seeds=0)


def test_a_quick_run_says_so_before_anything_else() -> None:
    quick = counting([]).run(quick=True, seeds=1)
    page = experiments_page([quick])
    assert quick.is_quick
    assert "<h1>The papers&#x27; experiments, a quick run</h1>" in page
    assert "(size 0.5 for 1.0)" in page
    assert 0 < page.index("A quick run.") < page.index("What to do next") < page.index("<table")
    full = counting([]).run(seeds=1)
    assert not full.is_quick
    assert "quick" not in experiments_page([full]).split("<body>")[1]
    assert "A quick run." in experiments_page([full, quick])


@pytest.mark.parametrize(
    ("quick", "found", "command"),
    [
        (True, "2 of 2 claims fail, which the small settings may explain. Run it in full", "otgan reproduce counting"),
        (False, "All 2 claims hold. Measure from more seeds", "otgan reproduce counting --seeds 10"),
    ],
)
def test_what_to_do_next_follows_from_the_claims(quick: bool, found: str, command: str) -> None:
    result = counting([]).run(quick=quick, seeds=1)
    result = dataclasses.replace(result, experiment=dataclasses.replace(result.experiment, claims=_twice))
    text, does = next_step([result])
    assert text.startswith(found)
    assert does == command
    assert next_step([result, result])[1].startswith("otgan reproduce all")


def _twice(settings: Any, runs: Sequence[Record]) -> tuple[Claim, ...]:
    return (Claim("value", tuple(float(run["value"]) for run in runs), least=1.0),) * 2


def test_words_of_a_page_are_explained_once_and_its_numbers_have_one_format() -> None:
    result = counting([]).run(quick=True, seeds=1)
    claims = (Claim("gp: -log D less 2 - 1, 99% of it", (-1.5e-9, -2e-9), most=1e-6), Claim("JS", (0.2963, 1.002)))
    result = dataclasses.replace(
        result, experiment=dataclasses.replace(result.experiment, claims=lambda settings, runs: claims)
    )
    page = experiments_page([result, result])
    assert page.count("<dt>gp</dt>") == page.count("<dt>JS</dt>") == page.count("<dt>−log D</dt>") == 1
    assert "gp: −log D less 2 − 1, 99\u00a0% of it" in page
    assert "<td>−2.00\u00a0×\u00a010⁻⁹ to −1.50\u00a0×\u00a010⁻⁹</td><td>at most 1\u00a0×\u00a010⁻⁶</td>" in page
    assert "<td>0.296 to 1.002</td>" in page


def test_points_that_a_figure_crops_are_counted() -> None:
    experiment = experiments.experiment("value_surfaces")
    grid = [[0.0, 1.0], [2.0, 3.0]]
    judged = {"estimate": -0.5, "corrected": None, "cosine": 0.5}
    run = {"seed": 0, "W1": 1.0, "clip": judged, "gp": judged, "data": [[0.0, 0.0], [2.5, 0.0], [0.0, -3.0]]}
    run["surfaces"] = dict.fromkeys(("clip", "gp", "exact"), grid)
    settings = dataclasses.replace(experiment.quick, grid=2)
    figure = experiment.draw(settings, [{**run, "case": name} for name in experiment.cases(settings)])
    assert "2 of 3 points outside" in figure.axes[0].get_title()
    assert "says −0.5" in figure.axes[0].get_title()


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (Claim("x", (1.0, 2.0), least=1.0), True),
        (Claim("x", (1.0, 2.0), most=1.5), False),
        (Claim("x", (), most=1.5), False),
        (Claim("x", (math.nan,), most=1.5), False),
        (Claim("x", (math.inf,), least=1.5), True),
        (Claim("x", (2.0,), least=2.0, most=2.0), True),
    ],
)
def test_claims(claim: Claim, holds: bool) -> None:
    assert claim.holds is holds


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "parallel_lines", "--quick", "--out", str(tmp_path / "out")]) == 0
    assert "holds  largest difference of W1 from abs(theta): 0," in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "parallel_lines.json",
        "parallel_lines.png",
        "report.html",
    }
    assert main(["reproduce", "nothing"]) == 2
    assert "NAME must be one of 'all', 'parallel_lines'" in capsys.readouterr().err
