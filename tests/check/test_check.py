"""The check of critics against the exact distance, and what it writes."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import otgan
from otgan import InvalidInput, NotConverged, OTError
from otgan.check import check
from otgan.check.figures import figures
from otgan.check.result import default_folder
from otgan.check.samples import _found, _whole, draw
from otgan.critics import METHODS, Method
from otgan.data import SampleSet, load
from otgan.report import plain

TINY: dict[str, Any] = {"n": 20, "steps": 20}
VARYING = {"seconds", "seconds_to_5_percent", "environment", "stats"}


@pytest.fixture(scope="module")
def result():
    return check("digits:3", "digits:8", seeds=2, **TINY)


def timeless(record):
    """A record without times, and of its numbers nine digits: BLAS may round the last ones now so, now so."""
    if isinstance(record, dict):
        return {key: timeless(value) for key, value in record.items() if key not in VARYING}
    if isinstance(record, list):
        return [timeless(entry) for entry in record]
    return f"{record:.9g}" if isinstance(record, float) else record


def test_everything_follows_from_the_seed(result):
    first = timeless(plain(result.as_dict()))
    assert timeless(plain(check("digits:3", "digits:8", seeds=2, **TINY).as_dict())) == first
    assert timeless(plain(check("digits:3", "digits:8", seeds=2, seed=1, **TINY).as_dict())) != first


def test_exact_is_the_distance_of_the_same_points(result):
    a, b = (load(spec, n=20, seed=0).points for spec in ("digits:3", "digits:8"))
    np.testing.assert_array_equal(result.a.points, a)
    np.testing.assert_array_equal(result.b.points, b)
    assert result.solution.distance == otgan.wasserstein(a, b)
    assert {report.exact for report in result.reports} == {result.solution.distance}


def test_every_method_is_judged_by_the_same_proof(result):
    assert [report.method for report in result.reports] == ["clip", "gp"]
    for report in result.reports:
        assert report.n_seeds == 2
        assert report.held_out is not None
        assert report.lower_bound <= result.solution.upper
    assert result.histories["gp"]["estimate"].shape == (2, len(result.histories["gp"]["step"]))


def test_the_command_is_the_one_that_does_it_again(result):
    assert shlex.split(result.command)[:6] == ["otgan", "check", "digits:3", "digits:8", "--methods", "clip"]
    assert "--n 20 --seeds 2 --steps 20 --seed 0" in result.command
    assert "--batch-size" not in result.command


def test_run_folder(result, tmp_path):
    folder = result.write(tmp_path / "deep" / "run")
    assert {path.name for path in folder.iterdir()} >= {
        "plan.npz",
        "report.html",
        "report.json",
        "training_curves.png",
        "critics_against_exact.png",
    }
    record = json.loads((folder / "report.json").read_text())
    assert record == plain(result.as_dict())
    assert record["exact"]["certificate"]["lower"] <= record["exact"]["distance"] <= record["exact"]["upper"]
    assert record["data"]["a"]["sha256"] == load("digits:3", n=20, seed=0).sha256
    assert record["critics"][1]["options"]["gp_weight"] == 10
    page = (folder / "report.html").read_text()
    assert page.count('src="data:image/png;base64,') == 16  # four figures, light and dark, wide and narrow
    assert "weight clipping: WGAN" in page
    assert "What to do next" in page
    with np.load(folder / "plan.npz", allow_pickle=False) as file:
        assert file["mass"].sum() == pytest.approx(1)


@pytest.mark.parametrize(("dim", "name"), [(1, "distributions"), (2, "plan"), (5, "components")])
def test_the_data_are_shown(dim, name, tmp_path):
    rng = np.random.default_rng(0)
    folder = check(rng.normal(size=(30, dim)), rng.normal(size=(25, dim)), methods=["gp"], steps=20).write(tmp_path)
    assert {path.stem for path in folder.glob("*.png")} == {"critics_against_exact", "training_curves", name}


def test_what_is_not_corrected_in_tables_is_not_in_figures(result, monkeypatch):
    drawn = []
    monkeypatch.setattr("otgan.plot.critics_against_exact", lambda reports, exact: drawn.append(reports))
    for trend in (0.0, 0.5):
        changed = tuple(replace(verdict, corrected=1.0, trend=trend) for verdict in result.reports)
        figures(replace(result, reports=changed))
    assert [reports[0]["corrected"] for reports in drawn] == [1.0, None]


@pytest.mark.usefixtures("undrawn")
def test_images_are_shown_in_pairs(result, tmp_path):
    folder = result.write(tmp_path)
    assert {path.stem for path in folder.glob("*.png")} >= {"pairs", "components"}


def test_run_folder_without_matplotlib(result, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = (result.write(tmp_path) / "report.html").read_text()
    assert "No figures: they need matplotlib." in page
    assert "<img" not in page


@pytest.mark.usefixtures("undrawn")
def test_a_crash_while_writing_leaves_the_old_run(result, tmp_path, monkeypatch):
    folder = result.write(tmp_path)
    old = {path.name: path.read_bytes() for path in folder.iterdir()}

    def crash(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", crash)
    with pytest.raises(OSError, match="No space left"):
        result.write(tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == old


@pytest.mark.usefixtures("undrawn")
def test_points_without_a_name(tmp_path):
    rng = np.random.default_rng(0)
    result = check(rng.normal(size=(30, 3)), rng.normal(size=(25, 3)) + 1, methods=["gp"], steps=20)
    assert (result.a.name, result.b.name, len(result.a)) == ("a", "b", 20)
    assert result.command is None
    assert result.write(tmp_path)


@pytest.mark.usefixtures("undrawn")
def test_the_same_set_twice_is_at_distance_zero(tmp_path):
    result = check("gaussians8", "gaussians8", methods=["gp"], **TINY)
    assert result.solution.distance == 0.0
    assert (result.reports[0].lower_bound or 0.0) <= 0.0
    assert "NaN" in (result.write(tmp_path) / "report.json").read_text()


def test_a_torch_device_is_its_name():
    x = np.random.default_rng(0).random((20, 2))
    result = check(x, x + 1, n=10, steps=2, seeds=1, methods=("clip",), device=torch.device("cpu"))
    assert json.loads(json.dumps(plain(result.settings)))["device"] == "cpu"


@pytest.mark.usefixtures("undrawn")
def test_a_critic_that_diverges_takes_no_other_with_it(tmp_path, monkeypatch):
    far = 1e25 * np.random.default_rng(0).normal(size=(2, 25, 2))
    assert not check(*far, methods=["prototypes"], **TINY).failed  # squares of it are beyond float32, which sees others

    def estimates(self, network, x, y):
        return Method.estimates(self, network, x, y) * float("nan")

    monkeypatch.setattr(METHODS["prototypes"], "estimates", estimates)
    result = check(*far, methods=["prototypes", "clip"], **TINY)
    assert [fit.method for fit in result.fits] == [verdict.method for verdict in result.reports] == ["clip"]
    assert "diverged by step" in result.failed["prototypes"]
    folder = result.write(tmp_path)
    assert "There is no prototypes: the critic" in (folder / "report.html").read_text()
    assert list(json.loads((folder / "report.json").read_text())["failed"]) == ["prototypes"]
    with pytest.raises(OTError, match="diverged by step"):
        check(*far, methods=["prototypes"], **TINY)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ()}, "methods must name at least one critic"),
        ({"methods": ("gp", "nope")}, "methods must be one of .*'gp'.*, but 'nope' came"),
        ({"methods": ("gp", "gp")}, "methods must name each critic once"),
        ({"n": 0}, "n must be at least 1"),
        ({"n": 1000}, "n must be at most 183, the number of samples in digits:3"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
    ],
)
def test_senseless_options_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        check("digits:3", "digits:8", **options)


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "otgan.critics", None)
    monkeypatch.delattr(otgan, "critics", raising=False)
    with pytest.raises(OTError, match=r"pip install 'otgan\[torch\]'"):
        check("digits:3", "digits:8")


def test_what_is_not_proven_is_not_judged():
    with pytest.raises(NotConverged) as error:
        check("digits:3", "digits:8", rtol=1e-16, **TINY)
    assert error.value.solution.lower <= error.value.solution.upper


def rows(*sets):
    return {row.tobytes() for one in sets for row in one.points}


@pytest.mark.parametrize("spec", ["digits:3", "swissroll"])
def test_held_out_points_are_others(spec):
    (first, _), held_out, _ = draw(spec, "digits:8", 50, seed=3)
    assert held_out is not None
    assert len(held_out[0]) == 50
    assert not rows(first) & rows(held_out[0])


def test_the_number_of_points_leaves_some_to_hold_out():
    assert len(draw("gaussians8", "swissroll", None, 0).used[0]) == 1000
    assert len(draw("gaussians8", "digits:3", None, 0).used[0]) == 146  # four fifths of 183
    (a, b), held_out, whole = draw(np.zeros((1, 2)), "swissroll", None, 0)
    assert (len(a), len(b), held_out, whole) == (1, 1, None, None)


def test_nothing_is_held_out_where_nothing_is_left():
    (a, b), held_out, whole = draw("digits:3", "digits:8", 174, 0)
    assert (len(a), len(b), held_out) == (174, 174, None)
    assert whole is not None
    assert [len(side) for side in whole] == [183, 174]


def test_the_headline_is_the_distance_of_all_points(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.normal(1.0, 1.0, size=(20, 2))
    result = check(x, y, methods=["clip"], seeds=1, steps=10)
    assert result.whole is not None
    assert result.whole.distance == pytest.approx(otgan.wasserstein(x, y), rel=1e-12)
    assert result.solution.distance == otgan.wasserstein(result.a.points, result.b.points)
    page = result.write(tmp_path).joinpath("report.html").read_text()
    assert f"W₁ = {result.whole.distance:.7g}" in page
    assert "all 30 and all 20 points" in page
    assert "16 points of each set, drawn at random" in page


@pytest.mark.parametrize(("a", "b"), [("gaussians8", "digits"), (np.zeros((5001, 1)), np.zeros((3, 1)))])
def test_what_has_no_end_and_what_is_too_much_is_not_solved_as_a_whole(a, b):
    assert _whole(_found(a, "a", 3, 0), _found(b, "b", 3, 0), 3) is None


def test_a_folder_of_more_images_than_are_read_is_not_called_whole(tmp_path):
    for k in range(7):
        Image.fromarray(np.full((2, 2), k, np.uint8)).save(tmp_path / f"{k}.png")
    assert draw(tmp_path, np.zeros((9, 4)), 2, 0).whole is None  # four of them were read
    whole = draw(tmp_path, np.zeros((9, 4)), 4, 0).whole
    assert whole is not None
    assert len(whole[0]) == 7


def test_files_and_sets_are_shuffled_alike(tmp_path):
    points = np.arange(20.0).reshape(10, 2)
    path = tmp_path / "points.npy"
    np.save(path, points)
    (from_file, _), held_out, _ = draw(path, "swissroll", 4, 0)
    np.testing.assert_array_equal(from_file.points, load(path, n=4, seed=0).points)
    assert held_out is not None
    assert rows(from_file, held_out[0]) <= {row.tobytes() for row in points}
    (from_set, _), _, _ = draw(SampleSet(str(path), points, (2,), "memory"), "swissroll", 4, 0)
    np.testing.assert_array_equal(from_set.points, from_file.points)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("digits:3", "check-digits-3-b-5"),
        ("../../etc/passwd", "check-passwd-b-5"),
        ("a b/ü.NPY", "check-set-b-5"),
        ("file.npz:key", "check-file-key-b-5"),
        ("..", "check-set-b-5"),
        ("x" * 300, f"check-{'x' * 40}-b-5"),
    ],
)
def test_folder_names_hold_harmless_letters(name, folder):
    assert default_folder(name, "b", 5).as_posix() == f"runs/{folder}"


def test_images_against_what_is_flat_are_reported(tmp_path):
    np.save(tmp_path / "flat.npy", load("digits:8").points)
    for sides in (("digits:3", tmp_path / "flat.npy"), (tmp_path / "flat.npy", "digits:3")):
        folder = check(*sides, methods=["gp"], **TINY).write(tmp_path / "report")
        assert (folder / "report.html").exists()


def test_a_figure_that_goes_wrong_loses_no_number(result, tmp_path, monkeypatch):
    monkeypatch.setattr("otgan.check.result.figures", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        result.write(tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["critics"]
    assert (tmp_path / "plan.npz").exists()


@pytest.mark.usefixtures("undrawn")
def test_what_there_is_so_far_is_told_and_can_be_written(tmp_path):
    seen = []
    whole = check("gaussians8", "swissroll", methods=["gp", "clip"], watch=seen.append, **TINY)
    assert [len(so_far.reports) for so_far in seen] == [0, 1, 2]
    assert seen[0].solution is whole.solution
    assert seen[1].reports == whole.reports[:1]
    for so_far in seen[:2]:
        folder = so_far.without_the_rest("it was interrupted.").write(tmp_path)
        record = json.loads((folder / "report.json").read_text())
        assert list(record["failed"]) == ["gp", "clip"][len(so_far.reports) :]
        assert "There is no clip: it was interrupted." in (folder / "report.html").read_text()
