"""A whole preflight on small digits: to the page, stopped and gone on with, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import otgan
from otgan.cli import main
from otgan.preflights.result import Preflight
from otgan.preflights.train import Trainer

FAST: dict[str, Any] = {"n": 60, "steps": 3, "seeds": 1, "device": "cpu"}


def test_a_run_to_the_page(tmp_path: Path) -> None:
    result = otgan.preflight("digits:8", methods=["clip", "gp"], **FAST)
    assert not result.stopped
    assert sorted(place.method for place in result.ranking) == ["clip", "gp"]
    assert {cell.stage for cell in result.cells} == {"settings", "pairs", "moves"}
    assert set(result.best_settings) == {"clip", "gp"}
    assert all(len(row) == len(result.table[0]) for row in result.table)
    folder = result.write(tmp_path / "out")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.index('class="answer"') < page.index("What to do next") < page.index("<table")
    assert "otgan</span> <span>preflight" in page
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert record["verdict"]["answer"] == result.verdict.answer
    assert record["command"].startswith("otgan preflight digits:8 --methods clip gp --minutes 10 --n 60")
    assert result.explain().startswith(result.verdict.answer)


def test_the_numbers_follow_from_the_seed() -> None:
    one, other, third = (otgan.preflight("digits:8", methods=["gp"], seed=seed, **FAST) for seed in (0, 0, 1))
    assert [cell.numbers for cell in one.cells] == [cell.numbers for cell in other.cells]
    assert [cell.numbers for cell in one.cells] != [cell.numbers for cell in third.cells]


def test_what_is_there_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(so_far: Preflight) -> None:
        assert so_far.stopped
        if sum(cell.stage == "pairs" for cell in so_far.cells) == 3:
            raise KeyboardInterrupt

    asked: dict[str, Any] = {"methods": ["clip", "lp"], "folder": tmp_path, **FAST}
    whole = otgan.preflight("digits:8", **{**asked, "folder": None})
    with pytest.raises(KeyboardInterrupt):
        otgan.preflight("digits:8", watch=stop, **asked)
    kept = len(list(tmp_path.glob("cells/*.json")))
    trained: list[str] = []
    train = Trainer.__call__

    def counted(self: Trainer, pair: Any, points: Any, method: str, *rest: Any) -> Any:
        trained.append(method)
        return train(self, pair, points, method, *rest)

    monkeypatch.setattr(Trainer, "__call__", counted)
    again = otgan.preflight("digits:8", **asked)
    assert len(trained) == len(whole.cells) - kept - 2  # which follow a move
    assert [cell.numbers for cell in again.cells] == [cell.numbers for cell in whole.cells]
    trained.clear()
    otgan.preflight("digits:8", **asked)
    assert trained == []
    otgan.preflight("digits:8", **{**asked, "steps": 4})
    assert trained


def test_a_damaged_file_is_trained_again(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"methods": ["clip"], "folder": tmp_path, **FAST}
    first = otgan.preflight("digits:8", **asked)
    for file in tmp_path.glob("cells/*.json"):
        file.write_text("{", encoding="utf-8")
    assert [cell.numbers for cell in otgan.preflight("digits:8", **asked).cells] == [
        cell.numbers for cell in first.cells
    ]


def test_a_network_of_images_is_trained_and_methods_with_their_own_keep_it() -> None:
    built: list[int] = []

    def build(dimension: int) -> nn.Module:
        built.append(dimension)
        return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 36, 1))

    result = otgan.preflight("digits:8", methods=["clip", "orthogonal"], network=build, **FAST)
    assert set(built) == {64}
    assert {cell.method for cell in result.cells} == {"clip", "orthogonal"}


def test_a_critic_that_is_given_is_judged_as_it_is() -> None:
    result = otgan.preflight("digits:8", critics={"nothing": lambda images: 0 * images[:, 0, 0, 0]}, **FAST)
    (place,) = result.ranking
    assert (place.method, place.score, place.steps) == ("nothing", 0.0, 0)


def test_it_ends_in_time_with_fewer_families() -> None:
    result = otgan.preflight("digits:8", methods=["gp"], minutes=0.02, n=60, seeds=1, device="cpu")
    assert len({cell.family for cell in result.cells if cell.stage == "pairs"}) == 1
    assert not result.stopped


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ["gp", "nonsense"]}, "methods must be one of"),
        ({"methods": []}, "at least one critic"),
        ({"methods": ["gp", "gp"]}, "names of their own"),
        ({"methods": ["gp"], "critics": {"gp": len}}, "names of their own"),
        ({"minutes": 0}, "minutes must lie in"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"n": 5}, "n must be at least 20"),
        ({"device": "abacus"}, "device"),
        ({"network": 3}, "network must be a function"),
        ({"network": lambda d: 3, "steps": 1}, "must return a torch module"),
        ({"critics": {"short": lambda images: torch.zeros(2)}, "methods": ()}, "short: a critic must map"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(otgan.InvalidInput, match=message):
        otgan.preflight("digits:8", **options)


def test_on_the_command_line_the_answer_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "mine.py"
    script.write_text("from torch import nn\ndef build():\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 1))\n")
    words = ["preflight", "digits:8", "--n", "60", "--steps", "2", "--seeds", "1", "--device", "cpu"]
    out = ["--out", str(tmp_path / "out")]
    assert main([*words, "--methods", "gp", "--critic", f"{script}:build", *out]) == 0
    said = capsys.readouterr().out.strip()
    assert said.startswith("No critic can be trusted on digits:8")
    assert said.index("gp scores") < said.index("------")
    assert said.endswith(f"Report: {tmp_path / 'out' / 'report.html'}")
    torch.save({"1.weight": torch.ones(1, 64), "1.bias": torch.zeros(1)}, tmp_path / "w.pt")
    given = ["--critic", f"{script}:build", "--weights", str(tmp_path / "w.pt")]
    assert main([*words, *given, "--out", str(tmp_path / "given")]) == 0
    assert "mine.py:build scores" in " ".join(capsys.readouterr().out.split())


def test_weights_alone_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preflight", "digits:8", "--trust", "--out", str(tmp_path)]) == 2
    assert "--critic of yours" in capsys.readouterr().err


def test_points_of_an_array_and_of_a_plane() -> None:
    points = np.random.default_rng(0).normal(size=(80, 2))
    result = otgan.preflight(points, methods=["orthogonal-abs"], **FAST)
    assert result.command is None
    assert result.samples.shape == (2,)
