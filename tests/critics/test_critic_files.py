"""Critics from files: read as they were saved, run only when asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from otgan.critics.files import load_critic
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
from torch import nn

def build():
    return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))

def number():
    return 7

def fails():
    raise KeyError("depth")

if __name__ == "__main__":
    raise SystemExit("trained")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SCRIPT)
    return path


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1)).state_dict()


@pytest.mark.parametrize("kind", ["safetensors", "pt", "nested"])
def test_weights_go_into_what_a_script_builds(script: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pt")
    if kind == "safetensors":
        save_file(weights(), path)
    else:
        torch.save({"state_dict": weights()} if kind == "nested" else weights(), path)
    state = load_critic(f"{script}:build", path).state_dict()
    assert all(torch.equal(state[name], value) for name, value in weights().items())


class Runs:
    """A pickle that would run code when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("open('ran', 'w')",))


def test_weights_never_run_anything(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(Runs(), tmp_path / "w.pt")
    with pytest.raises(InvalidInput, match="hold weights alone"):
        load_critic(f"{script}:build", tmp_path / "w.pt")
    assert not (tmp_path / "ran").exists()


def test_a_module_saved_whole_and_a_missing_file_are_told_apart(script: Path, tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 1), tmp_path / "whole.pt")
    with pytest.raises(InvalidInput, match="state_dict"):
        load_critic(f"{script}:build", tmp_path / "whole.pt")
    with pytest.raises(InvalidInput, match="no file"):
        load_critic(f"{script}:build", tmp_path / "none.safetensors")


def test_programs_run_only_when_they_are_trusted(tmp_path: Path) -> None:
    critic = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1)).eval()
    batch = torch.export.Dim("batch", min=2, max=10_000)
    exported = torch.export.export(critic, (torch.rand(4, 2),), dynamic_shapes=({0: batch},))
    torch.export.save(exported, tmp_path / "c.pt2")
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(critic).save(tmp_path / "c.pt")
    points = torch.rand(5, 2)
    for name in ("c.pt2", "c.pt"):
        with pytest.raises(InvalidInput, match="--trust"):
            load_critic(tmp_path / name)
        with pytest.raises(InvalidInput, match="holds its weights itself"):
            load_critic(tmp_path / name, tmp_path / "w.pt", trust=True)
        assert torch.allclose(load_critic(tmp_path / name, trust=True)(points), critic(points))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mine.py", r"mine.py:build"),
        ("mine.py:other", "has none"),
        ("mine.py:number", "returned a int"),
        ("mine.py:fails", "KeyError"),
        ("yours.py:build", "no file"),
        ("model.pt2", "a file that is there"),
        ("text.pt2", "torch can load"),
        ("text.pt", "torch.export.save or torch.jit.save"),
    ],
)
def test_what_is_no_critic_is_refused(script: Path, spec: str, message: str) -> None:
    for name in ("text.pt2", "text.pt"):
        (script.parent / name).write_text("a critic")
    with pytest.raises(InvalidInput, match=message):
        load_critic(script.parent / spec, trust=True)


def test_weights_of_another_network_are_refused(script: Path, tmp_path: Path) -> None:
    save_file({"0.weight": torch.zeros(3, 2)}, tmp_path / "w.safetensors")
    with pytest.raises(InvalidInput, match="weights of this critic"):
        load_critic(f"{script}:build", tmp_path / "w.safetensors")


@pytest.mark.parametrize("damaged", [False, True])
def test_weights_that_hold_code_are_refused_without_advice_to_run_it(tmp_path: Path, damaged: bool) -> None:
    script, weights = tmp_path / "mine.py", tmp_path / "whole.pt"
    script.write_text("from torch import nn\ndef build():\n    return nn.Linear(2, 1)\n")
    torch.save(nn.Linear(2, 1), weights)
    if damaged:
        weights.write_bytes(b"xx")
    with pytest.raises(InvalidInput, match="must hold weights alone") as caught:
        load_critic(f"{script}:build", weights)
    assert "weights_only" not in str(caught.value)
