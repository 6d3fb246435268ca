"""One contract for every objective, and runs that go on as if they had never stopped."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import otgan
from otgan import InvalidInput, OTError, report
from otgan.gan import Config, load, loop, train
from otgan.gan.config import OBJECTIVES, Recipe
from otgan.gan.dataset import dataset
from otgan.gan.log import read_log
from otgan.gan.run_monitor import RunMonitor
from otgan.gan.train_state import TrainState

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK: dict[str, Any] = {
    "data": "gaussians25",
    "n": 120,
    "held_out": 40,
    "steps": 6,
    "width": 16,
    "critic_width": 16,
    "depth": 2,
    "batch_size": 16,
    "n_critic": 2,
    "monitor_every": 2,
    "checkpoint_every": 3,
    "log_every": 2,
}


def quick(**changes: Any) -> Config:
    return Config(**{**QUICK, **changes})


def records(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A log without what the clock has a say in."""
    return [{k: v for k, v in record.items() if k not in ("seconds", "cost", "environment")} for record in history]


def weights(run: Any) -> dict[str, torch.Tensor]:
    return {
        f"{k}{name}": v for k, net in enumerate((run.generator, run.critic)) for name, v in net.state_dict().items()
    }


def same(first: Any, second: Any) -> None:
    one, two = weights(first), weights(second)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("objective", OBJECTIVES)
class TestEveryObjective:
    def test_it_trains_and_is_measured(self, objective, tmp_path) -> None:
        run = train(quick(objective=objective), tmp_path)
        assert run.step == 6
        assert run.sample(7).shape == (7, 2)
        assert np.isfinite(run.sample(7)).all()
        kinds = [record["kind"] for record in run.history]
        assert kinds == ["run", "monitor"] + ["losses", "monitor"] * 3
        measured = run.measurements
        assert [record["step"] for record in measured] == [0, 2, 4, 6]
        for record in measured:
            assert record["lower"] <= record["exact"] * (1 + 1e-12)
            assert record["exact"] <= record["upper"] * (1 + 1e-12)
            assert record["lower_bound"] <= record["upper"] * (1 + 1e-9)
            assert record["floor"] == measured[0]["floor"]
        assert read_log(tmp_path / "log.jsonl") == run.history

    def test_both_networks_move_and_the_critic_stays_in_its_set(self, objective) -> None:
        config = quick(objective=objective, monitor_every=0)
        short, long = train(quick(objective=objective, steps=1, monitor_every=0)), train(config)
        for name in ("generator", "critic"):
            before, after = (getattr(run, name).state_dict() for run in (short, long))
            assert any(not torch.equal(before[key], after[key]) for key in before)
        largest = max(float(p.detach().abs().max()) for p in long.critic.parameters())
        assert (largest <= 0.0100001) == (objective == "wgan")
        if objective == "wgan-lipschitz":
            bound = otgan.critics.certified_lipschitz(long.critic.get_submodule("1"))
            assert bound is not None
            assert bound <= 1 + 1e-5

    def test_resuming_changes_nothing(self, objective, tmp_path) -> None:
        whole = train(quick(objective=objective), tmp_path / "whole")
        train(quick(objective=objective, steps=3), tmp_path / "parts")
        rest = train(quick(objective=objective), tmp_path / "parts", resume=True)
        same(whole, rest)
        # The shorter run logs its last step, and measures it; the longer one does not.
        apart = [r for r in records(rest.history) if r["step"] not in (0, 3, 4)]
        assert apart[0]["step"] == 2
        assert next(r for r in records(whole.history) if r["step"] == 6) in apart


@pytest.mark.long
@pytest.mark.parametrize(
    "changes",
    [
        {"objective": "wgan", "optimizer": "adam", "beta1": 0.9},
        {"objective": "wgan-gp", "optimizer": "rmsprop"},
        {"objective": "non-saturating", "critic": "spectral"},
        {"objective": "r3gan", "critic": "sll"},
        {"objective": "wgan-gp", "precision": "bfloat16"},
        {"objective": "minimax", "data": "digits:3", "network": "resnet", "width": 4},
        {"objective": "wgan-gp", "data": "digits:3", "network": "resnet", "width": 4},
        {"objective": "wgan-lipschitz", "data": "digits:3", "critic": "orthogonal-conv"},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_resuming_changes_nothing_with_other_options(changes, tmp_path) -> None:
    if changes.get("critic") == "orthogonal-conv":
        pytest.importorskip("orthogonium")
    whole = train(quick(**changes, log_every=100), tmp_path / "whole")
    _stop_after(4, quick(**changes, log_every=100), tmp_path / "parts")
    assert load(tmp_path / "parts").step == 3
    rest = train(quick(**changes, log_every=100), tmp_path / "parts", resume=True)
    same(whole, rest)
    assert records(whole.history) == records(rest.history)
    assert records(read_log(tmp_path / "parts" / "log.jsonl")) == records(whole.history)
    same(load(tmp_path / "whole", device="cpu"), whole)
    for grid in (tmp_path / "whole").glob("samples/*.png"):
        assert grid.read_bytes() == (tmp_path / "parts" / "samples" / grid.name).read_bytes()


class Stopped(BaseException):
    pass


def _stop_after(step: int, config: Config, folder: Path) -> None:
    """Train until the monitor has seen ``step``, and stop without another word."""
    from otgan.gan.run_monitor import RunMonitor

    measure, count = RunMonitor.measure, 0

    def stopping(self, state, before):
        nonlocal count
        count += 1
        if 2 * count > step:
            raise Stopped
        return measure(self, state, before)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunMonitor, "measure", stopping)
        with pytest.raises(Stopped):
            train(config, folder)


@pytest.mark.parametrize("step", [1, 2, 4])
def test_control_c_keeps_the_step_and_the_run_goes_on(step, tmp_path, monkeypatch) -> None:
    whole = train(quick(), tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(Recipe, "critic_steps", _with_control_c(step))
        with pytest.raises(KeyboardInterrupt, match=f"after step {step}, which is kept. Go on with: otgan train"):
            train(quick(), tmp_path / "parts")
        with pytest.raises(KeyboardInterrupt) as stop:
            train(quick())
        assert not stop.value.args, "nothing is kept without a folder"
        with pytest.raises(KeyboardInterrupt, match=r"Go on with: train\(config, '.*', data=\.\.\., resume=True\)"):
            train(quick(n=None, held_out=5), tmp_path / "own", data=np.random.default_rng(0).normal(size=(30, 2)))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert load(tmp_path / "parts").step == step
    rest = train(quick(), tmp_path / "parts", resume=True)
    same(whole, rest)
    assert records(whole.history) == records(rest.history)


@pytest.mark.parametrize(("during", "kept"), [(2, 3), (6, 6)])
def test_control_c_while_measuring_waits_for_the_next_step(during, kept, tmp_path, monkeypatch) -> None:
    """There is always a checkpoint of the step that the message names."""
    measure = RunMonitor.measure

    def interrupted(monitor: RunMonitor, state: TrainState, before: list[dict[str, Any]]) -> dict[str, Any]:
        if before[-1]["step"] == during:
            signal.raise_signal(signal.SIGINT)
        return measure(monitor, state, before)

    monkeypatch.setattr(RunMonitor, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt, match=f"after step {kept}, which is kept"):
        train(quick(checkpoint_every=100), tmp_path)
    assert load(tmp_path).step == kept


def test_a_second_control_c_ends_it_at_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Recipe, "critic_steps", _with_control_c(2, times=2))
    with pytest.raises(KeyboardInterrupt) as stop:
        train(quick(), tmp_path)
    assert not stop.value.args
    assert load(tmp_path).step == 0


def test_sigterm_keeps_the_step_too(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Recipe, "critic_steps", _with_control_c(2, number=signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt, match="after step 2, which is kept"):
        train(quick(), tmp_path)
    assert load(tmp_path).step == 2
    assert signal.getsignal(signal.SIGTERM) is before


def _with_control_c(step: int, times: int = 1, number: signal.Signals = signal.SIGINT) -> Callable[[Recipe, int], int]:
    """What a step begins with, during which Ctrl-C comes if it is the one."""
    critic_steps = Recipe.critic_steps

    def call(recipe: Recipe, now: int) -> int:
        for _ in range(times if now == step else 0):
            signal.raise_signal(number)
        return critic_steps(recipe, now)

    return call


def test_measuring_and_keeping_changes_nothing(tmp_path) -> None:
    bare = train(quick(monitor_every=0, sample_every=0, log_every=1))
    kept = train(quick(data="gaussians25", checkpoint_every=1, monitor_every=1), tmp_path)
    same(bare, kept)


@pytest.mark.parametrize("objective", ["wgan-gp", "wgan-lipschitz"])
def test_modes_of_the_caller_change_nothing(objective: Any, tmp_path) -> None:
    config = Config(data="gaussians8", n=60, objective=objective, steps=2, width=8, monitor_every=1)

    def samples(folder: Path) -> list[Any]:
        first = train(config, folder)
        return [first.sample(3), load(folder).sample(3), train(replace(config, steps=3), folder, resume=True).sample(3)]

    expected = samples(tmp_path / "usual")
    torch.set_default_dtype(torch.float64)
    try:
        np.testing.assert_array_equal(samples(tmp_path / "float64"), expected)
    finally:
        torch.set_default_dtype(torch.float32)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            np.testing.assert_array_equal(samples(tmp_path / mode.__name__), expected)


@pytest.mark.parametrize(("width", "expected"), [(8, 1), (512, 2)])
def test_small_networks_are_trained_with_one_thread(width: int, expected: int, monkeypatch) -> None:
    seen: list[int] = []
    critic_steps = Recipe.critic_steps

    def seeing(recipe: Recipe, step: int) -> int:
        seen.append(torch.get_num_threads())
        return critic_steps(recipe, step)

    monkeypatch.setattr(Recipe, "critic_steps", seeing)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        train(Config(data="gaussians8", n=60, width=width, steps=1, log_every=5, monitor_every=0, checkpoint_every=5))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [expected]


def test_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = train(quick())
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    same(first, train(quick()))


def test_the_moving_average_forgets_its_first_weights() -> None:
    """Of weights 1, 2, 3, ... the average lags by no more than the decays allow, (1 + n) / (10 + n) at step n."""
    from otgan.gan.ema import averaged_model

    weight = torch.nn.Linear(1, 1, bias=False)
    average = averaged_model(weight, Config(ema_decay=0.75))
    expected = 1.0
    for n in range(8):
        torch.nn.init.constant_(weight.weight, n + 1.0)
        average.update_parameters(weight)
        decay = min(0.75, (1 + n) / (10 + n)) if n else 0.0
        expected = decay * expected + (1 - decay) * (n + 1)
    assert next(average.parameters()).item() == pytest.approx(expected, rel=1e-6)


def test_a_torch_device_is_its_name_and_the_run_goes_on(tmp_path) -> None:
    config = quick(steps=3, device=torch.device("cpu"))
    assert config == quick(steps=3, device="cpu")
    train(config, tmp_path)
    assert load(tmp_path, device=torch.device("cpu")).config.device == "cpu"  # type: ignore[arg-type]
    same(train(replace(config, steps=6), tmp_path, resume=True), train(quick(device="cpu")))


def test_a_run_goes_on_beyond_its_end(tmp_path) -> None:
    train(quick(steps=3), tmp_path)
    assert train(quick(steps=5), tmp_path, resume=True).step == 5
    assert train(quick(steps=5), tmp_path, resume=True).step == 5
    with pytest.raises(InvalidInput, match="steps must be at least 5"):
        train(quick(steps=4), tmp_path, resume=True)


def test_losses_are_means_over_the_steps_since_the_last_line(tmp_path) -> None:
    """Also where a run ended between two lines, and went on."""
    every = {r["step"]: r for r in train(quick(log_every=1)).history if r["kind"] == "losses"}
    train(quick(log_every=4, steps=1), tmp_path)
    parts = {r["step"]: r for r in train(quick(log_every=4), tmp_path, resume=True).history if r["kind"] == "losses"}
    for step, first in ((1, 1), (4, 2), (6, 5)):
        for name in ("critic_loss", "generator_loss"):
            mean = np.mean([every[k][name] for k in range(first, step + 1)])
            assert parts[step][name] == pytest.approx(mean, rel=1e-5)


def largest_difference(one: torch.nn.Module, other: torch.nn.Module) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((w - v).detach().abs().max()) for w, v in pairs)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_critic_has_its_own_steps_and_rate(objective) -> None:
    """Adam's first step moves each weight by the rate, whatever the gradient is."""
    config = quick(objective=objective, steps=1, n_critic=1, optimizer="adam", monitor_every=0, precision="float32")
    config = replace(config, learning_rate=1e-4, critic_learning_rate=1e-2, clip=1e3 if objective == "wgan" else None)
    samples = dataset(config, torch.device("cpu"))
    config = config.resolved(samples.scaling.network_shape)
    moved = []
    for n_critic in (1, 3):
        config = replace(config, n_critic=n_critic, n_critic_boosted=n_critic)
        before = TrainState.fresh(config, samples.scaling.network_shape, torch.device("cpu"))
        run = train(config)  # whose average is the generator itself after one step
        pairs = [(run.critic, before.critic), (run.generator, before.generator)]
        moved.append(
            [
                max(
                    float((w - v).detach().abs().max())
                    for w, v in zip(one.parameters(), other.parameters(), strict=True)
                )
                for one, other in pairs
            ]
        )
    (critic, generator), (critic_of_three, _) = moved
    assert generator == pytest.approx(1e-4, rel=1e-2)
    if objective != "wgan-lipschitz":  # whose layers bring their weights back
        assert critic == pytest.approx(1e-2, rel=1e-2)
    assert critic_of_three > 1.5 * critic


def test_a_folder_with_a_run_is_not_overwritten(tmp_path) -> None:
    train(quick(), tmp_path)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(InvalidInput, match="holds a run already"):
        train(quick(), tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_a_folder_in_which_another_process_trains_is_left_alone(tmp_path) -> None:
    train(quick(steps=3), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    (tmp_path / "new").mkdir()
    with report.exclusive_lock(tmp_path / ".lock"), report.exclusive_lock(tmp_path / "new" / ".lock"):
        with pytest.raises(InvalidInput, match=f"in use by process {os.getpid()}"):
            train(quick(), tmp_path, resume=True)
        with pytest.raises(InvalidInput, match=f"in use by process {os.getpid()}"):
            train(quick(), tmp_path / "new")
        assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert train(quick(), tmp_path, resume=True).step == 6
    assert not list(tmp_path.rglob(".lock"))


@pytest.mark.parametrize(("steps", "message"), [(None, "holds a run already"), (3, "gone on with by another process")])
def test_what_another_process_did_while_this_one_began_is_seen(steps, message, tmp_path, monkeypatch) -> None:
    """It trains, and is done, between our first look at the folder and the first line that we write."""
    if steps is not None:
        train(quick(steps=steps), tmp_path)
    opened = loop.dataset

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(loop, "dataset", opened)
        train(quick(), tmp_path, resume=steps is not None)
        return opened(*arguments)

    monkeypatch.setattr(loop, "dataset", meanwhile)
    with pytest.raises(InvalidInput, match=message):
        train(quick(), tmp_path, resume=steps is not None)
    assert load(tmp_path).step == 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 1e-3}, r"learning_rate must be 0\.0001"),
        ({"objective": "wgan-lp"}, "objective must be 'wgan-gp'"),
        ({"width": 17}, "width must be 16"),
        ({"seed": 1}, "seed must be 0"),
    ],
)
def test_going_on_with_other_settings_is_refused(tmp_path, changes, message) -> None:
    train(quick(steps=3), tmp_path)
    with pytest.raises(InvalidInput, match=message):
        train(quick(**changes), tmp_path, resume=True)


def test_going_on_with_other_data_is_refused(tmp_path) -> None:
    points = np.random.default_rng(0).normal(size=(30, 2))
    config = quick(n=None, held_out=5)
    train(config, tmp_path, data=points)
    assert train(config, tmp_path, data=points, resume=True).step == 6
    with pytest.raises(InvalidInput, match="its values differ"):
        train(config, tmp_path, data=points + 1, resume=True)


def test_there_must_be_a_run_to_go_on_with(tmp_path) -> None:
    with pytest.raises(InvalidInput, match="there is no checkpoint"):
        train(quick(), tmp_path / "none", resume=True)
    with pytest.raises(InvalidInput, match="needs the folder"):
        train(quick(), resume=True)


def test_a_log_without_a_checkpoint_is_not_overwritten(tmp_path) -> None:
    train(quick(), tmp_path)
    (tmp_path / "checkpoint.safetensors").unlink()
    log = (tmp_path / "log.jsonl").read_bytes()
    with pytest.raises(InvalidInput, match="whose checkpoint is gone"):
        train(quick(), tmp_path)
    assert (tmp_path / "log.jsonl").read_bytes() == log


def test_a_run_on_samples_of_ones_own_says_so(tmp_path) -> None:
    points = np.random.default_rng(0).normal(size=(30, 2))
    train(quick(n=None, held_out=5), tmp_path, data=points)
    kept = load(tmp_path)
    assert kept.config.data == "an array"
    with pytest.raises(InvalidInput, match="must be passed again"):
        train(kept.config, tmp_path, resume=True)
    assert train(replace(kept.config, steps=7), tmp_path, data=points, resume=True).step == 7


DISTANCES = ("exact", "exact_ema", "floor", "lower", "upper", "critic", "critic_trained_on", "critic_corrected")


@pytest.mark.parametrize("objective", ["wgan-gp", "wgan-lipschitz"])
def test_units_and_offsets_of_points_do_not_matter(objective: str, tmp_path) -> None:
    """Points a billion from the origin were one point to float32, and points of 1e39 were infinite."""
    points = np.rint(np.random.default_rng(0).normal(size=(30, 2)) * 2**16) / 2**16
    config = quick(n=None, held_out=8, objective=objective)
    first = train(config, data=points)
    for scale in (2.0**-60, 2.0**130):
        other = train(config, tmp_path / str(scale), data=scale * points)
        same(first, other)
        assert np.array_equal(other.sample(5), scale * first.sample(5))
        assert np.array_equal(load(tmp_path / str(scale)).sample(5), other.sample(5))
        assert load(tmp_path / str(scale)).scaling == other.scaling
        for ours, theirs in zip(other.measurements, first.measurements, strict=True):
            for name in (*DISTANCES, "lower_bound"):
                assert theirs[name] is None or ours[name] == pytest.approx(scale * theirs[name], rel=1e-12, abs=0), name
    far = train(config, tmp_path / "far", data=points + 2.0**30)
    same(first, far)
    assert load(tmp_path / "far").scaling == far.scaling
    np.testing.assert_allclose(far.sample(5), first.sample(5) + 2.0**30, rtol=1e-15)
    for ours, theirs in zip(far.measurements, first.measurements, strict=True):
        for name in DISTANCES:
            assert theirs[name] is None or ours[name] == pytest.approx(theirs[name], abs=1e-5), name


def test_what_float64_has_no_room_for_is_refused() -> None:
    with pytest.raises(InvalidInput, match="divide the data"):
        train(quick(n=None, held_out=5), data=1e200 * np.random.default_rng(0).normal(size=(30, 2)))


@pytest.mark.parametrize(
    ("config", "folder"), [("mnist", None), (None, None), (3, None), (Config(), 3), (Config(), "a\0b")]
)
def test_what_is_no_configuration_and_no_path_is_refused(config, folder) -> None:
    with pytest.raises(InvalidInput, match=r"config must be an otgan\.gan\.Config|folder must be a path"):
        train(config, folder)


def test_what_a_killed_run_leaves_before_its_first_checkpoint_is_no_obstacle(tmp_path) -> None:
    (tmp_path / "log.jsonl").write_text('{"kind": "run", "step"')
    assert train(quick(), tmp_path).history == read_log(tmp_path / "log.jsonl")


@pytest.mark.parametrize("every", [1, 100])
def test_divergence_stops_the_run_and_names_the_last_good_checkpoint(tmp_path, every) -> None:
    config = quick(objective="wgan-gp", learning_rate=1e9, steps=40, log_every=every, checkpoint_every=1)
    with pytest.raises(OTError, match=r"training diverged by step \d+: .*last good checkpoint is .*, of step \d+"):
        train(config, tmp_path)
    kept = load(tmp_path)
    assert all(bool(w.isfinite().all()) for w in weights(kept).values() if w.is_floating_point())
    with pytest.raises(OTError, match="nothing is kept"):
        train(config)


def test_divergence_is_not_called_an_error_of_the_data(tmp_path) -> None:
    """Weights that are too large and yet finite give samples that cannot be measured."""
    config = quick(objective="wgan-gp", learning_rate=1e9, steps=40, log_every=100, monitor_every=1)
    with pytest.raises(OTError, match=r"training diverged by step \d+: .*last good checkpoint") as caught:
        train(config, tmp_path)
    assert not isinstance(caught.value, InvalidInput)


def test_divergence_is_told_without_a_monitor_too(tmp_path, monkeypatch) -> None:
    """By the picture that cannot be drawn."""
    monkeypatch.setattr(TrainState, "are_finite", lambda _: True)
    options = {"monitor_every": 0, "sample_every": 1, "checkpoint_every": 1000, "log_every": 1000}
    with pytest.raises(OTError, match=r"training diverged by step \d+: .*last good checkpoint"):
        train(quick(objective="wgan-gp", learning_rate=1e9, steps=40, **options), tmp_path)


def test_a_generator_that_makes_no_numbers_is_not_sampled(tmp_path) -> None:
    run = train(quick(steps=1), tmp_path)
    for weight in run.generator.parameters():
        weight.data.fill_(1e30)
    with pytest.raises(OTError, match="samples that are not finite"):
        run.sample(3)


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch) -> None:
    train(quick(steps=3), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*.*")}

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("otgan.runtime.files.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            train(quick(), tmp_path, resume=True)
    assert {path.name for path in tmp_path.rglob("*.*")} == set(before)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before["checkpoint.safetensors"]
    same(train(quick(), tmp_path, resume=True), train(quick()))


def test_a_log_that_lost_its_end_is_refused(tmp_path) -> None:
    train(quick(), tmp_path)
    log = tmp_path / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-5])
    with pytest.raises(InvalidInput, match="bytes that were there at the checkpoint"):
        train(quick(), tmp_path, resume=True)
    log.unlink()
    with pytest.raises(InvalidInput, match="but holds 0"):
        train(quick(), tmp_path, resume=True)


def test_images_of_one_pixel() -> None:
    run = train(quick(n=None, held_out=5), data=np.random.default_rng(0).random((30, 1, 1, 3)))
    assert run.sample(2).shape == (2, 1, 1, 3)
    assert run.history[-1]["patch"] is None


def test_a_tensorboard_gets_every_number(tmp_path, monkeypatch) -> None:
    made = []

    class Writer:
        def __init__(self, folder, purge_step):
            made.append((folder, purge_step))
            self.seen = {}

        def add_scalar(self, name, value, step):
            made.append((name, step))
            assert isinstance(value, int | float)

        def close(self):
            made.append("closed")

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", types.SimpleNamespace(SummaryWriter=Writer))
    train(quick(steps=2), tmp_path, tensorboard=True)
    assert made[0] == (str(tmp_path / "tensorboard"), 1)
    assert ("losses/critic_loss", 2) in made
    assert ("monitor/exact", 2) in made
    assert made[-1] == "closed"
    made.clear()
    train(quick(steps=4), tmp_path, resume=True, tensorboard=True)
    assert made[0] == (str(tmp_path / "tensorboard"), 3)
    with pytest.raises(InvalidInput, match="tensorboard needs a folder"):
        train(quick(), tensorboard=True)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(OTError, match=r"pip install 'otgan\[tensorboard\]'"):
        train(quick(), tmp_path / "new", tensorboard=True)
    assert not (tmp_path / "new").exists()


def test_compiling_leaves_a_penalised_critic_as_it_is(monkeypatch) -> None:
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda network: compiled.append(network) or network)
    for objective, networks in (("wgan", 2), ("wgan-gp", 1), ("r3gan", 1), ("wgan-lipschitz", 1)):
        compiled.clear()
        same(train(quick(objective=objective, compile=True)), train(quick(objective=objective)))
        assert len(compiled) == networks


def test_the_log_is_strict_json(tmp_path) -> None:
    train(quick(), tmp_path)
    for line in (tmp_path / "log.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@pytest.mark.parametrize("objective", ["non-saturating", "wgan-gp"])
def test_a_generator_learns_where_the_data_are(objective) -> None:
    """Two clusters, with nothing between them where an untrained generator puts its points."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(400, 2)) * 0.1 + np.repeat([[1.0, -1.0], [-1.0, 1.0]], 200, axis=0)
    config = Config(
        objective=objective,
        width=32,
        depth=2,
        latent=2,
        steps=250,
        batch_size=32,
        n_critic=2,
        gp_weight=1.0 if objective == "wgan-gp" else None,
        learning_rate=2e-3,
        beta1=0.0,
        ema_decay=0.9,
        monitor_every=125,
    )
    before = train(Config(**{**QUICK, "objective": objective, "n": None, "steps": 1, "monitor_every": 1}), data=data)
    after = train(config, data=data)
    assert after.history[-1]["exact_ema"] < 0.5 * before.history[-1]["exact_ema"]
