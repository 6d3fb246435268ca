"""Tables: which line is a header, what is a column, and how files that others write are read."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from otgan.data import load
from otgan.data.tables import read_table
from otgan.errors import InvalidInput, OTError

NUMBERS = [[1.0, 2.0], [3.0, 4.5]]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        ("x.csv", "0,1\n1,2\n3,4.5\n", ("0", "1")),
        ("x.csv", "u,v\n1,2\n3,4.5\n", ("u", "v")),
        ("x.csv", "1,2\n3,4.5\n", None),
        ("x.csv", ",u,v\n7,1,2\n3,3,4.5\n", ("u", "v")),
        ("x.csv", '"","u","v"\n"r1",1,2\n"r2",3,4.5\n', ("u", "v")),
        ("x.csv", ",0,1\n0,1,2\n1,3,4.5\n", ("0", "1")),
        ("x.csv", "u;v\n1;2\n3;4,5\n", ("u", "v")),
        ("x.csv", "1;2\n3;4.5\n", None),
        ("x.csv", "1,0;2,0\n3,0;4,5\n", None),
        ("x.csv", '"u, first";v\n1;2\n3;4,5\n', ("u, first", "v")),
        ("x.csv", "u\tv\n1\t2\n3\t4.5\n", ("u", "v")),
        ("x.csv", "# made by us\n# on a day\nu,v\n1,2\n# a remark\n3,4.5\n", ("u", "v")),
        ("x.csv", "# made by us\n# u,v\n1,2\n3,4.5\n", ("u", "v")),
        ("x.csv", "# u,v\n# made by us\n1,2\n3,4.5\n", None),
        ("x.csv", "u,v\r1,2\r3,4.5\r", ("u", "v")),
        ("x.tsv", "u\tv\n1\t2\n3\t4,5\n", ("u", "v")),
        ("x.tsv.csv", "u,v\n1,2\n3,4.5\n", ("u", "v")),
        ("x.csv.gz", "u,v\n1,2\n3,4.5\n", ("u", "v")),
        ("x.Tsv.gz", "1\t2\n3\t4.5\n", None),
    ],
)
def test_tables_in_their_spellings(tmp_path: Path, name: str, text: str, columns: tuple[str, ...] | None):
    samples = load(written(tmp_path, name, text))
    assert samples.points.tolist() == NUMBERS
    assert samples.columns == columns
    assert ("no header" in samples.notes) == (columns is None)


def test_a_lone_0_is_a_name_only_above_numbers_that_are_not_whole(tmp_path: Path):
    named = load(written(tmp_path, "named.csv", "0\n1.5\n2\n"))
    assert (named.columns, named.points.tolist()) == (("0",), [[1.5], [2.0]])
    counts = load(written(tmp_path, "counts.csv", "0\n1\n2\n"))
    assert (counts.columns, counts.points.tolist()) == (None, [[0.0], [1.0], [2.0]])
    index = load(written(tmp_path, "index.csv", ",0\n0,1\n1,2\n"))
    assert (index.columns, index.points.tolist()) == (("0",), [[1.0], [2.0]])


def test_a_single_row_is_a_point(tmp_path: Path):
    assert load(written(tmp_path, "x.csv", "0,1,2\n")).points.tolist() == [[0.0, 1.0, 2.0]]


def test_what_pandas_writes_is_what_it_held(tmp_path: Path):
    pandas = pytest.importorskip("pandas")
    values = np.random.default_rng(0).normal(size=(5, 3))
    for columns in (None, ["u", "v", "w"]):
        for index in (False, True):
            pandas.DataFrame(values, columns=columns).to_csv(tmp_path / "x.csv", index=index)
            assert (load(tmp_path / "x.csv").points == values).all()


def test_columns_are_chosen_by_name(tmp_path: Path):
    path = written(tmp_path, "x.csv", "id,u,w,v\na,1,5,2\nb,3,6,4.5\n")
    assert load(path, columns=["v", "u"], weights="w").points.tolist() == [[2.0, 1.0], [4.5, 3.0]]
    samples = load(path, drop="id", weights="w")
    assert samples.weights is not None
    assert (samples.points.tolist(), samples.columns) == (NUMBERS, ("u", "v"))
    assert samples.weights.tolist() == [5.0, 6.0]
    assert load(path, columns="u").points.tolist() == [[1.0], [3.0]]
    assert samples.at([1]).weights.tolist() == [6.0]  # type: ignore[union-attr]
    assert samples.sha256 != load(path, columns=["u", "v"]).sha256


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": "z"}, "must have one column 'z', but none is called so; its columns are id, u, w, v"),
        ({"drop": ["id", "z"]}, "must have one column 'z'"),
        ({"weights": "z"}, "must have one column 'z'"),
        ({"columns": ["u", "w"], "weights": "w"}, "'w' was asked for as both"),
        ({"columns": ["u", "u"]}, "name each column once"),
        ({"drop": ["id", "u", "v", "w"]}, "at least one column"),
        ({"columns": 3}, "columns must be the name of a column"),
        ({"weights": 3}, "weights must be the name of a column"),
        ({"weights": "w", "drop": "id", "n": 1}, "n cannot go with weights"),
        ({"columns": "v", "weights": "u"}, r"the weights of .* must be non-negative"),
    ],
)
def test_columns_that_make_no_sense_are_refused(tmp_path: Path, options: dict[str, Any], message: str):
    path = written(tmp_path, "x.csv", "id,u,w,v\na,1,5,2\nb,-3,6,4.5\n")
    with pytest.raises(InvalidInput, match=message):
        load(path, **options)


def test_columns_without_names_are_refused(tmp_path: Path):
    np.save(tmp_path / "x.npy", np.eye(2))
    for spec in ("digits:3", tmp_path / "x.npy"):
        with pytest.raises(InvalidInput, match="names in tables alone"):
            load(spec, columns="u")
    with pytest.raises(InvalidInput, match="has no header"):
        load(written(tmp_path, "x.csv", "1,2\n3,4\n"), columns="u")


def test_many_columns_are_named_by_the_first_and_the_last(tmp_path: Path):
    names = ",".join(f"p{k}" for k in range(784))
    path = written(tmp_path, "x.csv", f"{names}\n{','.join(['1'] * 784)}\n")
    assert load(path).notes == ("header p0, p1, p2, ..., p783 (784 columns)",)


def test_a_gzip_file_that_is_cut_or_none_is_refused(tmp_path: Path):
    path = written(tmp_path, "x.csv.gz", "1,2\n3,4\n")
    for content in (path.read_bytes()[:-5], b"1,2\n"):
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match=r"x\.csv\.gz must be a whole gzip file"):
            load(path)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "x.parquet").touch()
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(OTError, match=r"pip install 'otgan\[tables\]'"):
        load(tmp_path / "x.parquet")


def test_parquet_is_read_with_names(tmp_path: Path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"id": ["a", "b"], "u": [1, 3], "w": [True, False], "v": pa.array([2.0, 4.5], pa.float32())}
    parquet.write_table(pa.table(columns), tmp_path / "x.parquet")
    samples = load(tmp_path / "x.parquet", drop="id", weights="w")
    assert (samples.points.tolist(), samples.columns) == (NUMBERS, ("u", "v"))
    assert samples.weights is not None
    assert samples.weights.tolist() == [1.0, 0.0]
    with pytest.raises(InvalidInput, match=r"column 'id' holds string. Leave the column out \(--drop id"):
        load(tmp_path / "x.parquet")


def test_parquet_that_holds_no_numbers_is_refused(tmp_path: Path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    for columns, message in (
        ({"u": [1, None]}, "1 of 2 values are NaN, in column 'u'"),
        ({"u": [2**60, 1]}, r"2\*\*53 in column 'u'"),
        ({"u": pa.array([], pa.float64())}, "at least one row"),
    ):
        parquet.write_table(pa.table(columns), path)
        with pytest.raises(InvalidInput, match=message):
            load(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InvalidInput, match="must be a whole Parquet file"):
        load(path)


def test_row_labels_that_pandas_keeps_in_parquet_are_left_out(tmp_path: Path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(NUMBERS, columns=["u", "v"], index=[7, 3])
    parquet.write_table(pa.Table.from_pandas(frame), tmp_path / "x.parquet")
    table = read_table(tmp_path / "x.parquet")
    assert (table.values.tolist(), table.columns) == (NUMBERS, ("u", "v"))
    assert "the column of row labels is left out" in table.notes
