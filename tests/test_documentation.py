"""What README and docs/ tell people to type: Python that runs, with fewer steps here, and options that exist."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import otgan
import otgan.gan
from otgan.cli import main
from otgan.cli.commands import Check, Data, Distance, Preflight, Reproduce, Sample, Train, Warmup

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


MARKS = {
    "critics.md": [pytest.mark.long],
    "gan.md": [pytest.mark.long],
    "wgan_loss.md": [pytest.mark.long],
    "integrations.md": [
        pytest.mark.long,
        pytest.mark.skipif(find_spec("lightning") is None or find_spec("ignite") is None, reason="needs both"),
        # Lightning's advice to use more workers, and its way to look into nested loaders, which torch will change.
        pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers"),
        pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.. is deprecated:FutureWarning"),
    ],
}
WITH_PYTHON = [pytest.param(page, marks=MARKS.get(page.name, [])) for page in PAGES if blocks(page, "python")]
COMMANDS = sorted(
    {
        command.group()
        for page in PAGES
        for block in blocks(page, "sh")
        for command in re.finditer(r"^(?:\S+ )*?otgan [^#\n;]*", block, re.MULTILINE)
    }
)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A few steps wherever something is trained, in an empty folder."""
    fit, train = otgan.critics.fit, otgan.gan.train
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("otgan.critics.fit", lambda *sides, **options: fit(*sides, **{**options, "steps": 10}))

    def few_steps(config: Any, *rest: Any, **options: Any) -> Any:
        return train(replace(config, steps=2, monitor_every=1), *rest, **{**options, "progress": False})

    monkeypatch.setattr("otgan.gan.train", few_steps)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_python_runs_from_top_to_bottom(page: Path, quick: None) -> None:
    names: dict[str, Any] = {"__name__": "documented", "my_solver": lambda problem: problem.value}
    for block in blocks(page, "python"):
        block = re.sub(r"^STEPS, BATCH(.*)= \d+, \d+", r"STEPS, BATCH\1= 2, 8", block, flags=re.MULTILINE)
        exec(compile(block, str(page), "exec"), names)
    if page.name == "README.md":
        assert f"{otgan.wasserstein(names['x'], names['y']):.4f}" in page.read_text(encoding="utf-8")
        assert f"value={names['sol'].value:.9g}"[:14] in page.read_text(encoding="utf-8")
        assert np.shape(names["sol"].plan) == (500, 400)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_have_options_that_exist(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    for command in (Check, Data, Distance, Preflight, Reproduce, Sample, Train, Warmup):
        monkeypatch.setattr(command, "run", lambda self: ran.append(self) or 0)
    monkeypatch.setattr("otgan.cli.train.settings_to_resume", lambda words: None)  # there is no run to go on with
    words = shlex.split(line)
    assert main(words[words.index("otgan") + 1 :]) == 0
    assert len(ran) == 1
    assert fields(ran[0])
