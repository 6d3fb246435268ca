"""Checkpoints that are broken, cut, of another kind or of another network."""

from __future__ import annotations

import json
import math
import pickle
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from otgan import InvalidInput
from otgan.cli.train import _print as print_run
from otgan.gan import Config, load, train
from otgan.gan import checkpoint as checkpoints
from otgan.gan.monitor_page import NUMBERS
from otgan.gan.page import run_figures, run_page
from otgan.report import amount

CONFIG = Config(data="gaussians8", n=60, steps=2, width=8, depth=1, latent=3, batch_size=8, monitor_every=0)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(CONFIG, folder)
    return folder


def altered(run: Path, tmp_path: Path, **header: object) -> Path:
    """The run's checkpoint with another header."""
    from safetensors import safe_open

    with safe_open(run / checkpoints.NAME, "pt") as file:
        text = json.loads(file.metadata()["otgan"])
    path = tmp_path / "altered.safetensors"
    kept = {key: value for key, value in {**text, **header}.items() if value is not None}
    save_file(load_file(run / checkpoints.NAME), path, {"otgan": json.dumps(kept)})
    return path


def test_everything_that_was_written_is_read(run, tmp_path) -> None:
    kept = checkpoints.read(run)
    assert kept.config == CONFIG.resolved((2,))
    assert kept.step == 2
    checkpoints.write(tmp_path, kept)
    assert (tmp_path / checkpoints.NAME).read_bytes() == (run / checkpoints.NAME).read_bytes()
    assert load(run / checkpoints.NAME).sample(3).tolist() == load(run).sample(3).tolist()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.5, 0.999])
def test_a_cut_file_is_refused(run, tmp_path, share) -> None:
    whole = (run / checkpoints.NAME).read_bytes()
    path = tmp_path / checkpoints.NAME
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InvalidInput, match="must be a whole safetensors file"):
        load(tmp_path)


def test_other_kinds_of_files_are_refused(tmp_path) -> None:
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return Path.touch, (marker,)

    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Evil()))
    torch.save(Evil(), tmp_path / "torch.pt")
    save_file({"x": torch.zeros(2)}, tmp_path / "plain.safetensors")
    for name, message in (
        ("evil.pt", "whole safetensors file"),
        ("torch.pt", "whole safetensors file"),
        ("plain.safetensors", "no run of otgan"),
        ("missing.safetensors", "there is no checkpoint"),
    ):
        with pytest.raises(InvalidInput, match=message):
            load(tmp_path / name)
    assert not marker.exists()
    with pytest.raises(InvalidInput, match="there is no checkpoint"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"format": "otgan-gan-99"}, "must have the format"),
        ({"step": None}, r"damaged.*'step'"),
        ({"config": {"stepps": 3}}, "no option 'stepps'"),
        ({"units": 3}, "damaged"),
        ({"step": "two"}, "damaged"),
        ({"step": -5}, "step must be at least 0"),
        ({"step": 1.7}, "step must be a whole number"),
        ({"log_bytes": 0}, "log_bytes must be at least 1"),
        ({"seconds": math.nan}, "seconds must lie in"),
        ({"format": "otgan-gan-2"}, "must have the format"),
        ({"units": {"shape": [2], "low": -1.0, "high": 1.0}}, "damaged.*'center'"),
        ({"units": {"shape": [2], "center": [0.0], "unit": 1.0}}, "damaged.*about 1 numbers"),
        ({"units": {"shape": [2, 2], "center": [0.0, 0.0], "unit": 1.0}}, "damaged.*about 2 numbers"),
        ({"units": {"shape": [2.0], "center": [0.0], "unit": 1.0}}, "a side of a sample must be a whole number"),
        ({"units": {"shape": [2], "center": [math.nan, 0.0], "unit": 1.0}}, "center must lie in"),
        ({"units": {"shape": [2], "center": [0.0, 0.0], "unit": 0.0}}, "unit must lie in"),
        ({"config": {}}, "a configuration with defaults"),
        ({"config": []}, "must be a JSON object"),
    ],
)
def test_damaged_headers_are_refused(run, tmp_path, header, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        load(altered(run, tmp_path, **header))


@pytest.mark.parametrize("text", ["", "[]", "[" * 10**5, "3"])
def test_headers_that_are_no_objects_are_refused(run, tmp_path, text) -> None:
    save_file(load_file(run / checkpoints.NAME), tmp_path / "x.safetensors", {"otgan": text})
    with pytest.raises(InvalidInput, match="no JSON object"):
        load(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("generator_optimizer.0.exp_avg", torch.zeros(1)),
        ("generator_optimizer.0.exp_avg", torch.zeros(3, 3)),
        ("generator_optimizer.0.exp_avg", torch.tensor(0.0)),
        ("generator_optimizer.0.step", torch.zeros(1)),
        ("generator_optimizer.0.other", torch.zeros(1)),
        ("critic_optimizer.0.exp_avg_sq", torch.zeros(8, 2, dtype=torch.float64)),
        ("critic_optimizer.99.exp_avg", torch.zeros(1)),
        ("critic_optimizer.-1.exp_avg", torch.zeros(1)),
        ("random.cpu", torch.zeros(5056)),
        ("random.global", torch.zeros(3, dtype=torch.uint8)),
        ("losses.sums", torch.zeros(7)),
        ("generator.0.0.weight", torch.zeros(8, 3, dtype=torch.int64)),
    ],
)
def test_tensors_of_other_shapes_and_kinds_are_refused(run, tmp_path, name, value) -> None:
    """An optimiser that is given too short a moment would write beyond its end."""
    kept = checkpoints.read(run)
    checkpoints.write(tmp_path, replace(kept, tensors={**kept.tensors, name: value}))
    (tmp_path / "log.jsonl").write_bytes((run / "log.jsonl").read_bytes())
    with pytest.raises(InvalidInput):
        train(replace(CONFIG, steps=3), tmp_path, resume=True)


@pytest.mark.parametrize(
    "text", [b"\xff" * 100, b"{}\n", b"null\n", b'{"kind": "monitor"}\n', b'{"kind": 3, "step": 1}\n']
)
def test_a_log_of_something_else_is_refused(run, tmp_path, text) -> None:
    kept = checkpoints.read(run)
    text = text * (kept.log_bytes // len(text) + 1)
    checkpoints.write(tmp_path, replace(kept, log_bytes=len(text)))
    (tmp_path / "log.jsonl").write_bytes(text)
    for use in (lambda: load(tmp_path), lambda: train(replace(CONFIG, steps=3), tmp_path, resume=True)):
        with pytest.raises(InvalidInput, match=r"log\.jsonl must hold what otgan train logs"):
            use()


MEASURED = Config(data="gaussians8", n=40, steps=1, width=4, depth=1, latent=2, monitor_every=1, log_every=1)
OTHER_VALUES = ["x", None, [], {"a": 1}, True, -5, 10**400, 1e308, "NaN", [None, None], {"exact": ["a", "b"]}, ...]


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    train(MEASURED, folder)
    return folder


@pytest.mark.parametrize("value", OTHER_VALUES, ids=repr)
def test_a_log_with_other_values_is_refused_or_reported(measured, tmp_path, value, capsys) -> None:
    kept = checkpoints.read(measured)
    records = [json.loads(line) for line in (measured / "log.jsonl").read_text().splitlines()]
    for k, record in enumerate(records):
        for name in record:
            changed = {key: value if key == name else old for key, old in record.items() if (key, value) != (name, ...)}
            text = "".join(json.dumps(changed if i == k else other) + "\n" for i, other in enumerate(records)).encode()
            (tmp_path / "log.jsonl").write_bytes(text)
            checkpoints.write(tmp_path, replace(kept, log_bytes=len(text)))
            with suppress(InvalidInput):
                again = load(tmp_path)
                run_page(again, [])
                print_run(again, tmp_path)


def test_the_length_of_a_log_is_not_made_room_for(run, tmp_path) -> None:
    checkpoints.write(tmp_path, replace(checkpoints.read(run), log_bytes=10**15))
    (tmp_path / "log.jsonl").write_bytes(b"")
    with pytest.raises(InvalidInput, match="must hold the 1000000000000000 bytes"):
        load(tmp_path)


@pytest.mark.parametrize(
    "config",
    [{"width": 10**9}, {"latent": 10**9}, {"depth": 10**6}, {"objective": "wgan-lipschitz", "critic_width": 10**9}],
    ids=str,
)
def test_networks_that_would_not_fit_into_memory_are_refused_before_they_are_made(run, tmp_path, config) -> None:
    words = "weights, which take|depth must be at least 1 and at most 1000"
    with pytest.raises(InvalidInput, match=words):
        train(replace(CONFIG, **config))
    written = asdict(checkpoints.read(run).config) | config
    with pytest.raises(InvalidInput, match=f"{words}|damaged"):
        load(altered(run, tmp_path, config=written))


def test_samples_that_would_not_fit_into_memory_are_refused(run, tmp_path) -> None:
    scaling = {"shape": [10**9, 10**9, 3], "center": [0.0], "unit": 1.0}
    with pytest.raises(InvalidInput, match="weights, which take"):
        load(altered(run, tmp_path, units=scaling))


@pytest.mark.parametrize("path", [3, None, "", "a\0b"])
def test_what_is_no_path_is_refused(path) -> None:
    with pytest.raises(InvalidInput, match="path must be a path"):
        load(path)


def test_another_network_is_refused(run, tmp_path) -> None:
    kept = checkpoints.read(run)
    wider = replace(kept, config=replace(kept.config, width=9))
    checkpoints.write(tmp_path, wider)
    with pytest.raises(InvalidInput, match="ema is not the network that its configuration describes: size mismatch"):
        load(tmp_path)
    (tmp_path / "log.jsonl").write_bytes((run / "log.jsonl").read_bytes())
    with pytest.raises(InvalidInput, match="generator is not the network"):
        train(replace(CONFIG, width=9), tmp_path, resume=True)


@pytest.mark.parametrize(
    "lost",
    [
        "random.cpu",
        "losses.sums",
        "critic_optimizer.0.exp_avg",
        "critic_optimizer.",
        "critic.1.0.bias",
    ],
)
def test_a_checkpoint_that_lacks_something_is_refused(run, tmp_path, lost) -> None:
    kept = checkpoints.read(run)
    rest = {key: value for key, value in kept.tensors.items() if not key.startswith(lost)}
    assert len(rest) < len(kept.tensors)
    checkpoints.write(tmp_path, replace(kept, tensors=rest))
    (tmp_path / "log.jsonl").write_bytes((run / "log.jsonl").read_bytes())
    with pytest.raises(InvalidInput):
        train(replace(CONFIG, steps=3), tmp_path, resume=True)


def test_a_run_goes_on_on_another_kind_of_device(run, tmp_path) -> None:
    """Whose random numbers cannot go on: others are drawn, the same ones each time."""
    kept = checkpoints.read(run)
    tensors = {key: value for key, value in kept.tensors.items() if key != "random.cpu"}
    tensors["random.cuda"] = torch.zeros(16, dtype=torch.uint8)
    ends = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        checkpoints.write(tmp_path / name, replace(kept, tensors=tensors))
        (tmp_path / name / "log.jsonl").write_bytes((run / "log.jsonl").read_bytes())
        ends.append(train(replace(CONFIG, steps=4), tmp_path / name, resume=True).sample(3).tolist())
    assert ends[0] == ends[1] != train(replace(CONFIG, steps=4)).sample(3).tolist()


def test_what_a_page_says_was_measured_when_and_of_what(tmp_path) -> None:
    run = train(replace(MEASURED, steps=3, monitor_every=2), tmp_path)
    page = run_page(run, [])
    last = run.measurements[-1]
    assert f"at step {last['step']}." in page
    assert amount(last["exact_ema"], last["exact"]) in page
    labels = list(NUMBERS.values())
    assert len(labels) == len(set(labels))
    assert len(run_figures(run)) > 1
    run.history[:] = [record for record in run.history if record["kind"] != "monitor" or record["step"] == 0]
    assert [figure.name for figure in run_figures(run)] in ([], ["plan"])
