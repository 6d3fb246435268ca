"""Lightning's Trainer with the monitor as a callback."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
import torch
from torch import nn

import otgan
from otgan import InvalidInput
from otgan.gan import Monitor

pytest.importorskip("lightning")

import lightning.pytorch as pl
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset

from otgan.integrations import lightning
from otgan.integrations.lightning import WassersteinMonitor

pytestmark = [
    # That more workers would be quicker, and that it runs on few batches.
    pytest.mark.filterwarnings("ignore::lightning.pytorch.utilities.warnings.PossibleUserWarning"),
    # Lightning's way to look into nested loaders, which newer versions of torch spell otherwise.
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.. is deprecated:FutureWarning"),
]


class Gan(pl.LightningModule):
    """WGAN with clipped weights on points of the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.critic = nn.Linear(3, 2), nn.Linear(2, 1)
        self.example_input_array = torch.zeros(2, 3)

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        return self.generator(noise)

    def training_step(self, batch: Any, index: int) -> None:
        (real,) = batch
        critic_steps, generator_steps = self.optimizers()  # type: ignore[misc]
        fake = self(torch.randn(len(real), 3))
        critic_steps.zero_grad()
        self.manual_backward(self.critic(fake.detach()).mean() - self.critic(real).mean())
        critic_steps.step()
        generator_steps.zero_grad()
        self.manual_backward(-self.critic(fake).mean())
        generator_steps.step()

    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD(net.parameters(), lr=0.1) for net in (self.critic, self.generator)]


class Watching(pl.Callback):
    """What other callbacks can go by."""

    def __init__(self, seen: list[float]) -> None:
        self.seen = seen

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.seen.append(float(trainer.callback_metrics["wasserstein/exact"]))


def points(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed)) + 3


def fit(
    folder: Any, callback: WassersteinMonitor, module: Any = None, epochs: int = 2, path: Any = None, more: Any = ()
) -> pl.Trainer:
    torch.manual_seed(0)
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=CSVLogger(folder),
        callbacks=[callback, *more],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        log_every_n_steps=1000,
        default_root_dir=folder,
    )
    loader = DataLoader(TensorDataset(points(40, 0)), batch_size=8)
    trainer.fit(Gan() if module is None else module, loader, ckpt_path=path)
    return trainer


def test_it_measures_logs_and_goes_on(tmp_path) -> None:
    def callback() -> WassersteinMonitor:
        return WassersteinMonitor(Monitor(points(30, 1), points(40, 0), every=8, budget=1.0))

    first = callback()
    module = Gan()
    seen: list[float] = []
    trainer = fit(tmp_path, first, module, more=[Watching(seen)])
    history = first.monitor.history
    assert [record["step"] for record in history] == [0, 8, 16], "two steps a batch, ten batches"
    assert history[-1]["exact"] < history[0]["exact"]
    expected = [record["exact"] for record, batches in zip(history, (3, 4, 3), strict=True) for _ in range(batches)]
    assert seen == pytest.approx(expected, rel=1e-6)
    rows = [line for line in (tmp_path / "lightning_logs/version_0/metrics.csv").read_text().splitlines() if line]
    assert len(rows) == 1 + len(history)
    assert "wasserstein/lower_bound" in rows[0]
    trainer.save_checkpoint(tmp_path / "kept.ckpt")

    again = callback()
    fit(tmp_path / "again", again, epochs=4, path=tmp_path / "kept.ckpt")
    assert again.monitor.history[:3] == history
    assert [record["step"] for record in again.monitor.history] == [0, 8, 16, 24, 32, 40]
    record = again.monitor.measure(lambda n: module(torch.randn(n, 3)), module.critic, step=history[-1]["step"])
    assert record["exact"] <= history[0]["exact"]


def test_a_budget_leaves_out_measurements(tmp_path) -> None:
    callback = WassersteinMonitor(Monitor(points(30, 1), budget=1e-9))
    fit(tmp_path, callback)
    assert [record["step"] for record in callback.monitor.history] == [0]


def test_ways_to_sample_and_names_of_critics(tmp_path) -> None:
    class Own(Gan):
        def __init__(self) -> None:
            super().__init__()
            self.example_input_array = None
            self.nets = nn.ModuleDict({"judge": self.critic})

        def sample(self, n: int) -> torch.Tensor:
            return points(n, 5)

    expected = otgan.wasserstein(points(30, 1), points(30, 5))
    own = WassersteinMonitor(Monitor(points(30, 1)), critic=lambda module: module.nets["judge"], name="w")
    trainer = fit(tmp_path, own, Own(), 1)
    assert own.monitor.history[0]["exact"] == pytest.approx(float(expected))
    assert "w/exact" in trainer.callback_metrics
    given = WassersteinMonitor(Monitor(points(30, 1)), sample=lambda module, n: points(n, 5), critic=None)
    fit(tmp_path, given, epochs=1)
    assert given.monitor.history[0]["exact"] == own.monitor.history[0]["exact"]
    assert "critic" not in given.monitor.history[0]


@pytest.mark.parametrize(
    ("options", "match"), [({"critic": "judge"}, "has no 'judge'"), ({"critic": None}, "sample must be given")]
)
def test_what_a_module_does_not_have_is_said(options, match, tmp_path) -> None:
    module = Gan()
    module.example_input_array = None
    with pytest.raises(InvalidInput, match=match):
        fit(tmp_path, WassersteinMonitor(Monitor(points(30, 1)), **options), module)


def test_the_lightning_in_use_is_taken(monkeypatch) -> None:
    other = types.ModuleType("pytorch_lightning")
    monkeypatch.setitem(sys.modules, "pytorch_lightning", other)
    assert lightning._package() is pl
    monkeypatch.delitem(sys.modules, "lightning.pytorch")
    assert lightning._package() is other
    monkeypatch.setitem(sys.modules, "lightning.pytorch", None)
    monkeypatch.setitem(sys.modules, "pytorch_lightning", None)
    with pytest.raises(ModuleNotFoundError):
        lightning._package()
