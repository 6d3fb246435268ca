"""Two sets that are compared: by the names of their columns, and only if their samples have one shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import otgan
from otgan.check.samples import alike, draw
from otgan.cli import main
from otgan.data import SampleSet
from otgan.data.pairing import comparable, load_pair
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

X = np.random.default_rng(0).normal(size=(6, 2))
Y = X + np.array([0.0, 1.0])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    np.savetxt("a.csv", X, delimiter=",", header="u,v", comments="", fmt="%.17g")
    np.savetxt("b.csv", Y[:, ::-1], delimiter=",", header="v,u", comments="", fmt="%.17g")
    np.savetxt("c.csv", Y, delimiter=",", header="u,w", comments="", fmt="%.17g")
    np.savetxt("counted.csv", Y, delimiter=",", header="0,1", comments="", fmt="%.17g")
    np.savetxt("bare.csv", Y, delimiter=",", fmt="%.17g")
    return tmp_path


def test_columns_are_compared_by_name_and_that_is_said(capsys: pytest.CaptureFixture[str]):
    assert main(["distance", "a.csv", "b.csv"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"W1(a.csv, b.csv) = {otgan.wasserstein(X, Y)!r}\n")
    assert "  a.csv: header u, v\n" in out
    assert "  the columns of b.csv are taken in the order of a.csv\n" in out


@pytest.mark.parametrize("other", ["counted.csv", "bare.csv"])
def test_columns_without_names_are_compared_by_position(other: str):
    a, b, notes = load_pair("a.csv", other)
    assert (b.points == Y).all()
    assert any("no header" in note or "by the position" in note for note in notes)
    assert otgan.wasserstein(a.points, b.points) == otgan.wasserstein(X, Y)


def test_columns_with_other_names_are_refused():
    with pytest.raises(InvalidInput, match=r"a\.csv has 'u', 'v' and c\.csv has 'u', 'w'"):
        load_pair("a.csv", "c.csv")
    assert load_pair("a.csv", "c.csv", columns="u")[1].points.tolist() == Y[:, :1].tolist()
    with pytest.raises(InvalidInput, match=r"c\.csv must have one column 'v'"):
        load_pair("a.csv", "c.csv", drop="v")


def test_weights_of_tables_are_normalised(capsys: pytest.CaptureFixture[str], elsewhere: Path):
    (elsewhere / "x.csv").write_text("u,n\n0,3\n1,1\n")
    (elsewhere / "y.csv").write_text("n,u\n5,1\n5,1\n")
    assert main(["distance", "x.csv", "y.csv", "--weights", "n", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["exact"]["distance"] == pytest.approx(0.75)
    assert record["settings"]["weights"] == "n"
    assert record["data"]["a"]["columns"] == ["u"]
    assert main(["distance", "x.csv", "y.csv", "--weights", "n"]) == 0
    assert "weighted by n" in capsys.readouterr().out


def test_columns_are_of_the_table_of_the_two(capsys: pytest.CaptureFixture[str], elsewhere: Path):
    np.save("y.npy", Y)
    (elsewhere / "x.csv").write_text('"id, of all",u,v\n' + "".join(f"k,{u!r},{v!r}\n" for u, v in X.tolist()))
    assert main(["distance", "x.csv", "y.npy", "--drop", '"id, of all"']) == 0
    assert f"= {otgan.wasserstein(X, Y)!r}\n" in capsys.readouterr().out
    assert main(["distance", "y.npy", "y.npy", "--columns", "u"]) == 2
    assert "names in tables alone" in capsys.readouterr().err
    assert main(["check", "y.npy", "y.npy", "--columns", "u"]) == 2
    assert "are for tables" in capsys.readouterr().err


def test_a_check_compares_columns_by_name_and_says_so(capsys: pytest.CaptureFixture[str]):
    words = ["check", "a.csv", "b.csv", "--n", "6", "--methods", "gp", "--steps", "1", "--seeds", "1"]
    assert main([*words, "--columns", "u,v", "--out", "out"]) == 0
    out = capsys.readouterr().out
    assert f"exact W1 = {otgan.wasserstein(X, Y):.7g}" in out
    assert "b.csv: header v, u\n" in out
    assert main([*words, "--drop", "z"]) == 2
    assert "must have one column 'z'" in capsys.readouterr().err
    (turned, second), held_out, _ = alike(draw("a.csv", "b.csv", 3, seed=0))
    assert held_out is not None
    assert turned.columns == second.columns == held_out[1].columns
    assert "the columns of b.csv are taken in the order of a.csv" in second.notes


def test_a_check_refuses_weights():
    weighted = SampleSet("mine", X, (2,), "here", weights=np.ones(6))
    with pytest.raises(InvalidInput, match="mine has weights"):
        draw(weighted, Y, 2, seed=0)


def of_shape(name: str, *shape: int) -> SampleSet:
    return SampleSet.of(np.random.default_rng(0).random((3, *shape)), name, "an example")


@pytest.mark.parametrize(
    ("first", "second", "advice"),
    [
        ((8, 8, 4), (4, 8, 8), "channels first: move them to the end with numpy.moveaxis"),
        ((3, 8, 7), (7, 8, 3), "Resize or reshape"),
        ((10, 12), (12, 10), r"turn it with array.transpose\(0, 2, 1\)"),
        ((8, 8), (8, 8, 3), "One is grey and the other has channels"),
        ((4, 4), (2, 8), "Resize or reshape"),
        ((2,), (3,), "those of a.npy are 2 numbers and those of b.npy are 3 numbers. Keep the same columns"),
    ],
)
def test_samples_of_other_shapes_are_refused(first: tuple[int, ...], second: tuple[int, ...], advice: str):
    with pytest.raises(InvalidInput, match=advice) as caught:
        comparable(of_shape("a.npy", *first), of_shape("b.npy", *second))
    assert "a.npy" in str(caught.value)
    assert "b.npy" in str(caught.value)


@pytest.mark.parametrize("shape", [(8, 8, 1), (1, 8, 8), (64,)])
def test_samples_of_one_shape_in_other_words_are_compared(shape: tuple[int, ...]):
    images, others = of_shape("a.npy", 8, 8), of_shape("b.npy", *shape)
    for pair in ((images, others), (others, images)):
        first, second, notes = comparable(*pair)
        assert first.shape == second.shape
        assert len(notes) == (len(shape) == 1)
        assert (first.points == pair[0].points).all()
        assert (second.points == pair[1].points).all()


@pytest.mark.parametrize("shape", [(8, 7, 3), (8, 8, 3), (5, 2, 3)])
def test_images_are_compared_wherever_their_channels_are(shape: tuple[int, ...]):
    last, other = of_shape("last.npy", *shape), of_shape("other.npy", *shape)
    first = SampleSet.of(np.moveaxis(other.points.reshape(3, *shape), 3, 1), "first.npy", "an example")
    for pair in ((last, first), (first, last)):
        one, two, notes = comparable(*pair)
        assert one.shape == two.shape == shape
        assert notes == ("the channels of first.npy are moved from the first axis to the last",)
        assert otgan.wasserstein(one.points, two.points) == otgan.wasserstein(last.points, other.points)


def test_files_and_folders_of_other_shapes_are_named(capsys: pytest.CaptureFixture[str], elsewhere: Path):
    for name, shape in (("colour", (4, 5, 3)), ("grey", (4, 5))):
        (elsewhere / name).mkdir()
        Image.fromarray(np.zeros(shape, np.uint8)).save(elsewhere / name / "a.png")
    np.save("last.npy", np.zeros((2, 8, 8, 4)))
    np.save("first.npy", np.zeros((2, 4, 8, 8)))
    for words in (["colour/", "grey/"], ["last.npy", "first.npy"]):
        for command in ("distance", "check"):
            assert main([command, *words]) == 2
            message = capsys.readouterr().err
            assert all(word in message for word in words)
