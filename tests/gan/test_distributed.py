"""Several processes that train one GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from otgan import InvalidInput, OTError
from otgan.cli import main
from otgan.gan import Config, load, train
from otgan.gan.distributed import ProcessGroup

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: dict[str, Any] = {
    "n": 200,
    "steps": 8,
    "width": 16,
    "depth": 2,
    "batch_size": 12,
    "n_critic": 2,
    "monitor_every": 4,
    "log_every": 2,
    "learning_rate": 1e-3,
    "device": "cpu",
}


def both(**settings: Any) -> list[Any]:
    """A run of one process, and of two that share the batches."""
    return [train(Config(**SETTINGS, **settings, devices=devices)) for devices in (1, 2)]


def differences(one: Any, two: Any) -> list[float]:
    pairs = [(one.generator, two.generator), (one.critic, two.critic)]
    weights = [zip(a.state_dict().values(), b.state_dict().values(), strict=True) for a, b in pairs]
    return [float((a - b).abs().max() / a.abs().max()) for network in weights for a, b in network]


@pytest.mark.parametrize(
    "settings",
    [{"objective": "wgan-gp"}, pytest.param({"objective": "minimax", "data": "digits"}, marks=pytest.mark.long)],
)
def test_two_processes_compute_what_one_does(settings: dict[str, Any]) -> None:
    one, two = both(**{"data": "gaussians25", **settings})
    assert max(differences(one, two)) < 1e-5
    assert two.folder is None
    assert [(r["kind"], r["step"]) for r in one.history] == [(r["kind"], r["step"]) for r in two.history]
    for name in ("critic_loss", "generator_loss", "exact", "critic", "lower_bound"):
        found = [[r[name] for r in run.history if name in r] for run in (one, two)]
        np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-6)


@pytest.mark.long
def test_a_run_of_two_goes_on_alone(tmp_path: Path) -> None:
    settings = {**SETTINGS, "data": "gaussians8", "objective": "wgan-gp"}
    train(Config(**{**settings, "steps": 4}, devices=2), tmp_path / "run")
    assert load(tmp_path / "run").step == 4
    gone_on = train(Config(**settings), tmp_path / "run", resume=True)
    assert max(differences(train(Config(**settings)), gone_on)) < 1e-5


@pytest.mark.long
def test_errors_come_as_from_one_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {**SETTINGS, "data": "gaussians8", "devices": 2}
    with pytest.raises(OTError, match=r"diverged by step .* The last good checkpoint is .*, of step"):
        train(Config(**{**settings, "objective": "wgan-gp", "learning_rate": 1e9, "steps": 40}), tmp_path / "diverges")
    assert main(["train", "--data", str(tmp_path / "nothing.npy"), "--devices", "2", "--out", str(tmp_path)]) == 2
    assert "nothing.npy" in capsys.readouterr().err


def test_a_batch_is_shared_evenly() -> None:
    with pytest.raises(InvalidInput, match=r"batch_size must be a multiple of devices, .* 64 and 3 came"):
        Config(devices=3)
    shards = [ProcessGroup(rank, 3).shard(torch.arange(12)) for rank in range(3)]
    assert torch.equal(torch.cat(shards), torch.arange(12))
    with pytest.raises(InvalidInput, match="devices must be"):
        Config(devices=0)
