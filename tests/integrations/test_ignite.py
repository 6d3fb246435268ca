"""Ignite's Engine with the monitor as a handler."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import otgan
from otgan.gan import Monitor

pytest.importorskip("ignite")

from ignite.engine import Engine
from ignite.handlers import Checkpoint

from otgan.integrations.ignite import MonitorEvents, WassersteinMonitor


def points(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed)) + 3


def trained(handler: WassersteinMonitor, generator: nn.Linear, epochs: int = 2) -> tuple[Engine, list[float]]:
    """Ten batches an epoch, each of which moves the generator towards the data."""

    def update(engine: Engine, batch: int) -> None:
        with torch.no_grad():
            generator.bias.add_(0.1)

    trainer, seen = Engine(update), []
    handler.attach(trainer)
    trainer.add_event_handler(
        MonitorEvents.MEASURED, lambda engine: seen.append(engine.state.metrics["wasserstein/exact"])
    )
    trainer.run(range(10), max_epochs=epochs)
    return trainer, seen


def test_it_measures_fires_and_is_kept(tmp_path) -> None:
    generator, critic = nn.Linear(3, 2), nn.Linear(2, 1)

    def handler() -> WassersteinMonitor:
        monitor = Monitor(points(30, 1), points(40, 0), every=5, budget=1.0)
        return WassersteinMonitor(monitor, lambda n: generator(torch.randn(n, 3)), critic)

    first = handler()
    trainer, seen = trained(first, generator)
    history = first.monitor.history
    assert [record["step"] for record in history] == [0, 5, 10, 15, 20]
    assert seen == [record["exact"] for record in history] == sorted(seen, reverse=True)
    assert trainer.state.metrics["wasserstein/floor"] == otgan.wasserstein(points(30, 1), first.monitor.trained_on)
    checkpoint = Checkpoint({"monitor": first}, str(tmp_path))
    checkpoint(trainer)
    again = handler()
    state = torch.load(next(tmp_path.glob("*.pt")), weights_only=True)
    Checkpoint.load_objects({"monitor": again}, state)
    assert again.monitor.history == history


def test_a_budget_leaves_out_measurements() -> None:
    handler = WassersteinMonitor(Monitor(points(30, 1), budget=1e-9), lambda n: points(n, 2))
    _, seen = trained(handler, nn.Linear(3, 2))
    assert len(seen) == 1
    assert "critic" not in handler.monitor.history[0]
