"""What the page of a run says, and what it shows."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from otgan.gan import Config, Monitor, Run, train
from otgan.gan.monitor_page import DISTANCES, MEANINGS, NUMBERS, SCORES
from otgan.gan.objectives import objective_of
from otgan.gan.page import run_advice, run_figures, run_page
from otgan.report import WORDS, amount, typeset

if TYPE_CHECKING:
    from pathlib import Path

TINY = Config(data="gaussians8", n=60, steps=3, width=8, depth=1, latent=3, batch_size=8, monitor_every=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return train(TINY, tmp_path_factory.mktemp("run"))


def names(run: Run) -> list[str]:
    return [figure.name for figure in run_figures(run)]


def with_measurements(run: Run, *changes: dict[str, Any]) -> Run:
    """The run with its last measurement, changed so and so, at steps 1, 2, ..."""
    others = [record for record in run.history if record["kind"] == "run"]
    last = run.measurements[-1]
    return replace(run, history=[*others, *({**last, "step": k + 1, **change} for k, change in enumerate(changes))])


@pytest.mark.usefixtures("undrawn")
def test_held_out_and_generated_samples_are_shown(run, tmp_path) -> None:
    assert names(run) == ["curves", "scores", "critic", "plan"]
    rng = np.random.default_rng(0)
    for dim, name in ((1, "distributions"), (5, "components")):
        path = tmp_path / f"{dim}.npy"
        np.save(path, rng.normal(size=(40, dim)))
        points = train(replace(TINY, data=str(path), n=None), tmp_path / f"run {dim}")
        figures = run_figures(points)
        assert figures[-1].name == name
        assert all(figure.narrow for figure in figures)


@pytest.mark.usefixtures("undrawn")
def test_data_that_are_gone_or_others_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "points.npy"
    np.save(path, np.random.default_rng(0).random((40, 3)))
    run = train(replace(TINY, data=str(path), n=None), tmp_path / "run")
    assert names(run)[-1] == "components"
    np.save(path, np.ones((40, 3)))
    assert names(run)[-1] != "components"
    path.unlink()
    assert names(run)[-1] != "components"
    given = train(replace(TINY, n=None), tmp_path / "given", data=np.random.default_rng(0).random((40, 2)))
    assert names(given)[-1] == "samples", "what the run itself has drawn"


@pytest.mark.parametrize(
    ("changes", "words", "onward"),
    [
        ([{"exact_ema": 1.05, "floor": 1.0}], ["little left to win"], False),
        (
            [{"exact_ema": 3.0, "floor": 1.0}, {"exact_ema": 2.0, "floor": 1.0}],
            ["Train on", "2.0 times", "falls"],
            True,
        ),
        ([{"exact_ema": 2.0}, {"exact_ema": 3.0, "floor": 1.0}], ["Train another", "3.0 times", "at step 1"], False),
        ([{"rank_correlation": 0.9}], ["can be watched", "0.90"], None),
        ([{"rank_correlation": -0.25}], ["Do not steer", "−0.25"], None),
        ([{"rank_correlation": None}], ["after three measurements"], None),
    ],
)
def test_what_to_do_next_follows_from_what_was_measured(run, changes, words, onward) -> None:
    text, command = run_advice(with_measurements(run, *changes))
    assert all(word in text for word in words)
    assert len(re.findall(r"[.](?= |$)", text)) == 2, "two sentences"
    if onward is not None:
        assert command == (f"otgan train --resume {run.folder} --steps 6" if onward else None)
    assert text.split(".")[0] in run_page(with_measurements(run, *changes), []).replace("&#x27;", "'")


def test_a_run_that_was_not_measured_has_advice_too(run) -> None:
    assert "--monitor-every" in run_advice(replace(run, history=[]))[0]
    before = replace(run, history=[record for record in run.history if record["step"] == 0])
    assert "before training alone" in run_advice(before)[0]
    assert "What to do next" in run_page(before, [])


def test_words_and_numbers_of_a_run_are_explained(run) -> None:
    page = unescape(run_page(run, []))
    assert WORDS["wgan-gp"] in page
    assert all(
        typeset(MEANINGS[key]) in page for key in ("exact", "floor", "lower_bound", "constant_bound", "in_modes")
    )
    assert {*MEANINGS} <= {*NUMBERS} == {*DISTANCES} | {*SCORES}
    for name in ("minimax", "non-saturating", "wgan", "wgan-gp", "wgan-lp", "wgan-lipschitz", "r3gan"):
        assert objective_of(Config(objective=name))
        assert name in WORDS


def test_numbers_of_a_run_have_one_format(run) -> None:
    changed = with_measurements(run, {"critic": -0.5, "exact": 2.0, "rank_correlation": -1.0, "modes": 3})
    page = run_page(changed, [])
    distances, scores = re.findall(r"<h3>.*?</table>", page)
    cells = re.findall(r"<td>([^ <]+)", distances)
    assert "−0.500" in cells
    assert {len(cell.partition(".")[2]) for cell in cells} == {3}
    assert re.findall(r"<td>([^ <]+)", scores)[:2] == ["−1.000", "3"]


def test_a_monitor_has_the_same_page(tmp_path) -> None:
    rng = np.random.default_rng(0)
    held_out, trained_on, fake = rng.random((3, 40, 8, 8))
    monitor = Monitor(held_out, trained_on)
    assert "Nothing was measured yet" in monitor.report(tmp_path / "new").read_text()
    for step in range(4):
        monitor.measure(fake + 1 - step / 4, lambda x: -x.flatten(1).sum(dim=1), step)
    page = unescape(monitor.report(tmp_path).read_text())
    drawn = {"curves.png", "critic.png", "samples.png", "pairs.png", "components.png"}
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "new", *drawn}
    assert all(typeset(MEANINGS[key]) in page for key in ("exact", "floor", "lower_bound", "sliced", "patch"))
    assert "and falls" in page
    assert typeset(amount(monitor.history[-1]["exact"], monitor.history[-1]["exact"])) in page


@pytest.mark.usefixtures("undrawn")
def test_a_monitor_without_critic_or_floor_has_a_page(tmp_path) -> None:
    for held_out in (np.random.default_rng(0).normal(size=(20, 2)), np.zeros((5, 2, 6, 6)), np.zeros(3)):
        monitor = Monitor(held_out)
        for step in (1, 2):
            monitor.measure(held_out + 1, step=step)
        page = monitor.report(tmp_path).read_text()
        assert "critic" not in page.partition("<h2>The last measurement</h2>")[0]
        again = Monitor(held_out)
        again.load_state_dict(monitor.state_dict())
        assert again.report(tmp_path).read_text().count("<h3>") == page.count("<h3>")
