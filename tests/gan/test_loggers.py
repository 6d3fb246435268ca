"""Loggers and callbacks of the user's: told every number, able to end a run, and never able to lose one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from otgan import InvalidInput, OTError
from otgan.gan import Config, load, train

if TYPE_CHECKING:
    from pathlib import Path

QUICK: dict[str, Any] = {
    "data": "gaussians8",
    "n": 60,
    "steps": 6,
    "width": 8,
    "depth": 1,
    "latent": 3,
    "batch_size": 8,
    "n_critic": 1,
    "monitor_every": 3,
    "log_every": 2,
    "checkpoint_every": 4,
    "device": "cpu",
}


def quick(**changes: Any) -> Config:
    return Config(**{**QUICK, **changes})


class Logger:
    """As Lightning's loggers are called."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.seen: list[tuple[int, dict[str, float]]] = []
        self.saved = 0
        self.fails_at = fails_at

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        assert step is not None
        if step == self.fails_at:
            raise ConnectionError("the server is away")
        self.seen.append((step, metrics))

    def save(self) -> None:
        self.saved = len(self.seen)


class Bare:
    def __init__(self) -> None:
        self.steps: list[int] = []

    def log_metrics(self, numbers: dict[str, float], now: int, /) -> None:
        self.steps.append(now)


def weights(run: Any) -> list[torch.Tensor]:
    return [*run.generator.state_dict().values(), *run.critic.state_dict().values()]


def same(one: Any, two: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))


def is_number(name: str, record: dict[str, Any]) -> bool:
    return name != "step" and isinstance(record[name], int | float)


def test_loggers_get_every_number_and_change_nothing() -> None:
    logger, bare = Logger(), Bare()
    run = train(quick(), loggers=[logger, bare])
    expected = [
        (record["step"], {f"{record['kind']}/{name}": record[name] for name in record if is_number(name, record)})
        for record in run.history
        if record["kind"] != "run"
    ]
    assert logger.seen == expected
    assert bare.steps == [step for step, _ in expected] == [0, 2, 3, 4, 6, 6]
    assert logger.saved == len(expected), "what is held back is saved at the end"
    assert same(run, train(quick(), loggers=Bare()))
    assert same(run, train(quick()))


def test_a_logger_of_lightning_writes_every_line(tmp_path: Path) -> None:
    """It holds lines back until as many have come as it was told, here a hundred."""
    loggers = pytest.importorskip("lightning_fabric.loggers")
    run = train(quick(), loggers=loggers.CSVLogger(tmp_path, name="run", version=0))
    lines = (tmp_path / "run" / "version_0" / "metrics.csv").read_text().splitlines()
    steps = [line.split(",")[lines[0].split(",").index("step")] for line in lines[1:]]
    assert steps == [str(record["step"]) for record in run.history if record["kind"] != "run"]


@pytest.mark.parametrize(("fails_at", "kept"), [(0, 1), (2, 2), (3, 3), (6, 6)])
def test_a_logger_that_raises_ends_the_run_and_what_is_done_is_kept(fails_at: int, kept: int, tmp_path: Path) -> None:
    message = rf"Logger.log_metrics raised ConnectionError: the server is away. The run ended after step {kept}. "
    other = Bare()
    with pytest.raises(OTError, match=message + r"What was trained is kept.*otgan train --resume") as failed:
        train(quick(), tmp_path, loggers=[Logger(fails_at), other])
    assert isinstance(failed.value.__cause__, ConnectionError)
    assert load(tmp_path).step == kept
    assert same(train(quick(), tmp_path, resume=True), train(quick()))
    with pytest.raises(OTError, match=message + "No folder was given, so nothing is kept"):
        train(quick(), loggers=Logger(fails_at))


def test_a_logger_that_cannot_save_is_named(tmp_path: Path) -> None:
    class Full(Logger):
        def save(self) -> None:
            raise OSError("no space left")

    with pytest.raises(OTError, match=r"Full\.save raised OSError: no space left"):
        train(quick(), tmp_path, loggers=Full())
    assert load(tmp_path).step == 1


def test_loggers_save_what_came_before_an_error() -> None:
    logger = Logger()
    with pytest.raises(OTError, match="diverged"):
        train(quick(learning_rate=1e9, steps=100, log_every=1), loggers=logger)
    assert logger.saved == len(logger.seen) > 0


def test_a_callback_sees_every_step_after_what_was_measured(tmp_path: Path) -> None:
    logger, seen = Logger(), []

    def callback(step: int, state: Any) -> None:
        seen.append((step, len(logger.seen)))
        assert state.generator_optimizer.param_groups[0]["lr"] == 1e-4

    run = train(quick(), tmp_path, loggers=logger, callback=callback)
    assert seen == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (6, 6)]
    assert same(run, train(quick()))


@pytest.mark.parametrize("last", [1, 3, 6])
def test_a_callback_ends_a_run_which_can_be_resumed(last: int, tmp_path: Path) -> None:
    run = train(quick(), tmp_path, callback=lambda step, state: torch.tensor(step == last))
    assert run.step == load(tmp_path).step == last
    assert same(run, load(tmp_path))
    whole, rest = train(quick(), tmp_path / "whole"), train(quick(), tmp_path, resume=True)
    assert same(whole, rest)
    kept = [[r["step"] for r in run.history] for run in (whole, rest)]
    assert kept[0] == kept[1]
    assert train(quick(), callback=lambda step, state: step == last).step == last


def test_what_a_callback_changes_holds() -> None:
    def stop_learning(step: int, state: Any) -> None:
        for optimizer in (state.generator_optimizer, state.critic_optimizer):
            optimizer.param_groups[0]["lr"] = 0.0

    one, many = (train(quick(steps=steps), callback=stop_learning) for steps in (1, 5))
    assert all(torch.equal(a, b) for a, b in zip(one.critic.parameters(), many.critic.parameters(), strict=True))


def test_weights_that_a_callback_has_ruined_are_not_kept(tmp_path: Path) -> None:
    def ruin(step: int, state: Any) -> bool:
        with torch.no_grad():
            next(state.critic.parameters()).fill_(torch.nan)
        return True

    with pytest.raises(OTError, match=r"a weight is not finite.*of step 0"):
        train(quick(), tmp_path, callback=ruin)
    assert load(tmp_path).step == 0


def test_an_error_in_a_callback_comes_out_as_it_is(tmp_path: Path) -> None:
    def broken(step: int, state: Any) -> None:
        if step == 5:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        train(quick(), tmp_path, callback=broken)
    assert load(tmp_path).step == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loggers": 3}, r"log_metrics\(numbers, step\), .* but a int came"),
        ({"loggers": [Logger(), "tensorboard"]}, "but a str came"),
        ({"callback": 3}, r"callback must be a function callback\(step, state\), but 3 came"),
    ],
)
def test_what_is_no_logger_or_callback_is_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        train(quick(), tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()
