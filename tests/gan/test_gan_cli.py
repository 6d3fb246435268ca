"""``otgan train`` and ``otgan sample``: from a set to images, and one sentence for what goes wrong."""

from __future__ import annotations

import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from otgan.cli import main
from otgan.gan import Config, load
from otgan.gan.config import Recipe

QUICK = ["--steps", "2", "--width", "8", "--latent", "3", "--batch-size", "8", "--monitor-every", "1"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_train_resume_and_sample_images(capsys) -> None:
    assert main(["train", "--data", "digits:3", *QUICK, "--log-every", "1"]) == 0
    out = capsys.readouterr().out
    folder = Path("runs", "train-digits-3-wgan-gp-0")
    assert out.startswith(f"digits:3, wgan-gp: 2 steps, kept in {folder}\n  exact W1 to 36 held-out samples")
    assert max(map(len, out.splitlines())) <= 80
    assert {path.name for path in folder.glob("*.png")} == {
        f"{name}.png" for name in ("curves", "scores", "critic", "samples", "pairs", "components")
    }
    page = (folder / "report.html").read_text()
    assert "exact W1 to held-out samples" in page
    assert re.search(r"\b[01] of 1\b", page), "classes of digits:3 that are covered"
    assert page.count("data:image/png;base64,") == 24, "six figures, for light and dark paper, wide and narrow"
    assert "http" not in page.replace("http-equiv", "")
    assert size(folder / "samples" / "0000002.png") == (78, 78)

    assert main(["train", "--resume", str(folder), "--steps", "4"]) == 0
    out = capsys.readouterr().out
    assert "4 steps" in out
    assert "rank correlation over the run" in out
    assert load(folder).step == 4

    assert main(["sample", str(folder), "--n", "9"]) == 0
    assert capsys.readouterr().out == f"9 samples after 4 steps: {folder / 'samples.png'}\n"
    assert size(folder / "samples.png") == (28, 28)
    assert main(["sample", str(folder / "checkpoint.safetensors"), "--n", "3", "--out", "x.npy"]) == 0
    images = np.load("x.npy", allow_pickle=False)
    assert images.shape == (3, 8, 8)
    assert 0 <= images.min() <= images.max() <= 1
    np.testing.assert_array_equal(images, load(folder).sample(3))
    assert main(["sample", str(folder), "--n", "3", "--out", "many/images", "--seed", "1"]) == 0
    assert sorted(path.name for path in Path("many/images").iterdir()) == [f"{k:06d}.png" for k in range(3)]


@pytest.mark.usefixtures("undrawn")
def test_control_c_leaves_a_report_and_says_how_to_go_on(capsys, monkeypatch) -> None:
    critic_steps = Recipe.critic_steps

    def interrupted(recipe: Recipe, step: int) -> int:
        signal.raise_signal(signal.SIGINT)
        return critic_steps(recipe, step)

    monkeypatch.setattr(Recipe, "critic_steps", interrupted)
    assert main(["train", "--data", "gaussians8", "--n", "50", *QUICK, "--out", "run"]) == 130
    out, err = capsys.readouterr()
    assert "1 steps, kept in run" in out
    assert Path("run/report.html").is_file()
    assert err == "otgan: interrupted after step 1, which is kept. Go on with: otgan train --resume run\n"


@pytest.mark.usefixtures("undrawn")
def test_going_on_takes_what_is_given_and_leaves_the_rest_as_it_was(capsys, monkeypatch) -> None:
    """Also what is given as it would be by default in a new run."""
    words = ["--data", "gaussians8", "--n", "50", "--objective", "wgan", "--device", "cpu", *QUICK, "--out", "run"]
    assert main(["train", *words]) == 0
    asked = []

    def note(config: Config, *_: object, **__: object) -> None:
        asked.append(config)
        raise KeyboardInterrupt

    monkeypatch.setattr("otgan.gan.train", note)
    given = ["--steps", str(Config().steps), "--device", Config().device]
    assert main(["train", "--resume", "run", *given]) == main(["train", "--resume=run"]) == 130
    before = load("run").config
    assert asked == [replace(before, steps=10_000, device="auto"), before]


@pytest.mark.usefixtures("undrawn")
def test_a_whole_command_may_be_repeated_with_resume(capsys, monkeypatch) -> None:
    monkeypatch.setattr("torch.compile", lambda network: network)
    words = ["train", "--data", "gaussians8", "--n", "50", *QUICK, "--compile"]
    assert main([*words, "--out", "run"]) == 0
    assert main([*words, "--resume", "run"]) == 0
    assert load("run").config.compile
    assert main(["train", "--resume", "nowhere", "--help"]) == 0
    assert "--resume" in capsys.readouterr().out


@pytest.mark.usefixtures("undrawn")
def test_points_are_written_as_numbers(capsys) -> None:
    assert main(["train", "--data", "gaussians8", "--n", "50", "--objective", "wgan", *QUICK, "--out", "run"]) == 0
    assert main(["sample", "run", "--n", "5"]) == 0
    assert np.load("run/samples.npy").shape == (5, 2)
    capsys.readouterr()
    assert main(["sample", "run", "--out", "folder"]) == 2
    assert "--out must end in .npy or .png" in capsys.readouterr().err


@pytest.mark.usefixtures("undrawn")
def test_points_of_the_plane_are_drawn_and_others_are_not(capsys, monkeypatch) -> None:
    assert main(["train", "--data", "gaussians8", "--n", "50", "--objective", "wgan", *QUICK, "--out", "run"]) == 0
    assert main(["sample", "run", "--out", "x.png"]) == 0
    with Image.open("x.png") as drawn:
        assert drawn.getextrema()[0] != (255, 255)
    np.save("line.npy", np.linspace(0, 1, 20))
    assert main(["train", "--data", "line.npy", "--objective", "wgan", *QUICK, "--out", "line"]) == 0
    capsys.readouterr()
    assert main(["sample", "line", "--out", "x.png"]) == 2
    assert "--out must end in .npy, but" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["sample", "run", "--out", "y.png"]) == 2
    assert "pip install 'otgan[plots]'" in capsys.readouterr().err


@pytest.mark.usefixtures("undrawn")
def test_a_report_escapes_what_came_from_outside() -> None:
    np.save("<b>x.npy", np.random.default_rng(0).random((20, 2)))
    assert main(["train", "--data", "<b>x.npy", *QUICK, "--out", "run"]) == 0
    page = Path("run/report.html").read_text()
    assert "&lt;b&gt;x.npy" in page
    assert "<b>" not in page
    assert main(["train", "--resume", "run", "--steps", "3"]) == 0
    assert "3 steps" in Path("run/report.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--data", "digits:3", "--network", "dcgan", *QUICK], "network 'dcgan' makes images of 32 x 32"),
        (["train", "--data", "nothing.npy"], "there is no nothing.npy"),
        (["train", "--objective", "wgan-gp", "--batch-norm", "True"], "batch norm makes a point's value depend"),
        (["train", "--resume", "nowhere"], "--resume must be the folder of a run"),
        (["train", "--resume", "run", "--out", "other"], "--out cannot go with --resume"),
        (["train", "--resume", "run", "--learning-rate", "1"], "learning_rate must be 0.0001"),
        (["train", "--data", "gaussians8", *QUICK, "--out", "run"], "run holds a run already"),
        (["train", "--data", "gaussians8", *QUICK, "--out", "file/x"], "cannot write file"),
        (["train", "--data", "gaussians8", "--device", "abacus"], "device 'abacus' cannot be used"),
        (["sample", "nowhere"], "there is no checkpoint nowhere"),
        (["sample", "run", "--n", "0"], "n must be at least 1"),
        (["sample", "run", "--out", "x.gif"], "--out must end in .png or .npy"),
        (["sample", "file"], "must be a whole safetensors file"),
        (["train", "--resume", "run/checkpoint.safetensors", "--steps", "1"], "steps must be at least 2"),
        (["train", "--data", "gaussians8", "--seed", str(2**64)], "seed must be at least 0 and at most"),
        (["train", "--data", "gaussians8", "--device", "meta"], "device 'meta' cannot be used"),
        (
            ["train", "--data", "gaussians8", "--n", "50", "--width", "1000000000", "--latent", "1000000000"],
            "to be had here",
        ),
        (["train", "--resume", "file"], "--resume must be the folder of a run"),
        (["sample", "run", "--n", "100000000000000"], "out of memory"),
        (["sample", "run", "--seed", str(2**64)], "seed must be at least 0 and at most"),
    ],
)
@pytest.mark.usefixtures("undrawn")
def test_what_goes_wrong_is_one_line(capsys, words, message) -> None:
    if any(word.startswith("run") for word in words):
        assert main(["train", "--data", "gaussians8", "--n", "50", *QUICK, "--out", "run"]) == 0
        capsys.readouterr()
    Path("file").write_text("no checkpoint")
    before = sorted(map(str, Path().rglob("*")))
    assert main(words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(map(str, Path().rglob("*"))) == before
