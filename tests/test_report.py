from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import otgan
from otgan import report
from otgan.report.columns import COLUMNS, amount

NASTY = "<script>alert('&\"')</script>\ud800"
VOID = {"meta", "img"}
CRITIC = {
    "method": "gp",
    "truth": "sample",
    "exact": 1.0,
    "estimate": 1.1,
    "stderr": 0.02,
    "n_seeds": 2,
    "relative_error": 0.1,
    "corrected": 1.03,
    "trend": 0.002,
    "lipschitz_observed": 1.25,
    "lipschitz_certified": None,
    "normalised": 0.88,
    "lower_bound": 0.9,
    "cosine": 0.95,
    "gradient_norm": 1.02,
    "held_out": None,
    "steps": 900,
    "seconds": 3.5,
}


def make_record(name="a set", **changes):
    side = {"name": name, "source": name, "shape": (2, 3), "n": 5, "sha256": "0" * 64, "held_out": 0}
    return {
        "failed": {},
        "data": {"a": side, "b": side},
        "exact": report.describe(otgan.solve([0.0, 1.0], [1.0, 2.0])),
        "critics": [{**CRITIC, "method": name, **changes}],
        "settings": {"a": name, "methods": (name,), "steps": None},
        "environment": report.environment(),
        "command": name,
    }


class Strict(HTMLParser):
    """Collects attributes and text, and refuses tags that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.attributes, self.tags, self.open, self.text = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parse(page):
    parser = Strict()
    parser.feed(page)
    parser.close()
    assert not parser.open
    return parser


def test_page_refers_to_nothing_outside_itself():
    figure = report.Figure(b"light", b"dark", "alt", "caption")
    page = report.page(make_record(), [figure])
    parser = parse(page)
    references = [value for name, value in parser.attributes if name in {"src", "href", "srcset", "action", "data"}]
    assert len(references) == 2
    assert all(value.startswith("data:image/png;base64,") for value in references)
    assert not {"script", "link", "iframe", "object", "base"} & set(parser.tags)
    assert not any(word in page for word in ("http://", "https://", "//cdn", "@import", "url("))
    assert "default-src 'none'" in dict(parser.attributes)["content"]


def test_page_escapes_every_string():
    figure = report.Figure(b"", b"", NASTY, NASTY)
    parser = parse(report.page(make_record(NASTY), [figure]))
    assert "script" not in parser.tags
    assert parser.text.count(NASTY) >= 8
    assert ("alt", NASTY) in parser.attributes


def test_page_explains_every_column():
    text = parse(report.page(make_record(held_out=0.9, lipschitz_certified=2.0, critic_share=0.5))).text
    for column in COLUMNS:
        assert column.meaning in text


def test_columns_without_any_number_are_left_out(capsys):
    assert COLUMNS[5].title == "held out"
    assert COLUMNS[5].meaning not in parse(report.page(make_record(held_out=None))).text
    report.print_tables([{**CRITIC, "held_out": None}])
    assert "held out" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("trend", "said"), [(0.002, False), (-0.004, False), (0.019, True), (-0.03, True), (None, False)]
)
def test_a_critic_that_is_still_changing_is_named_and_not_corrected(trend, said, capsys):
    text = parse(report.page(make_record(trend=trend))).text
    assert ("Still changing over the last fifth" in text) == said
    report.print_tables([{**CRITIC, "trend": trend}])
    assert ("corrected" in capsys.readouterr().out) == (trend is not None and not said)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf"), 0.0])
def test_page_and_tables_take_numbers_that_are_not(odd, capsys):
    record = make_record(estimate=odd, stderr=odd, relative_error=odd, cosine=odd, lower_bound=0.0, normalised=odd)
    assert "a set" in report.page(record)
    report.print_tables(record["critics"])
    assert "a set" in capsys.readouterr().out


def test_tables_fit_the_terminal(capsys):
    critics = [{**CRITIC, "method": "orthogonal", "estimate": 123.4567, "relative_error": 122.4567, "held_out": 100.0}]
    report.print_tables(critics, width=80)
    narrow = capsys.readouterr().out
    assert max(map(len, narrow.splitlines())) <= 80
    report.print_tables(critics, width=200)
    wide = capsys.readouterr().out
    assert len(narrow.splitlines()) == 7
    assert len(wide.splitlines()) == 3
    for title in ("estimate", "lower bound", "cosine", "seconds"):
        assert title in narrow
        assert title in wide


def test_tables_on_a_terminal_hold_the_same_words(capsys, monkeypatch):
    report.print_tables([{**CRITIC, "method": "[b]gp[/b]"}])
    plain = capsys.readouterr().out.replace("-", " ").split()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    report.print_tables([{**CRITIC, "method": "[b]gp[/b]"}])
    assert capsys.readouterr().out.replace("─", " ").replace("-", " ").split() == plain


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (1.23456, 1.0, "1.235"),
        (1.23456, 0.05, "1.23456"),
        (1234.5, 1000.0, "1234"),
        (0.0, 1.0, "0.000"),
        (1e-6, 1.0, "1.0e-06"),
        (3e9, 1.0, "3.000e+09"),
        (math.inf, 1.0, "inf"),
        (math.nan, 1.0, "–"),
        (None, 1.0, "–"),
        (1.5, 0.0, "1.500"),
    ],
)
def test_amounts(value, scale, text):
    assert amount(value, scale) == text


def test_one_seed_has_no_standard_error():
    assert COLUMNS[0].cell({**CRITIC, "stderr": None, "n_seeds": 1}) == "1.100"
    assert COLUMNS[0].cell(CRITIC) == "1.100 ± 0.020"


@dataclass
class Point:
    x: float
    where: Path


class Colour(Enum):
    RED = 1


def test_json_round_trip_is_strict():
    record = {
        "array": np.array([[1.0, np.nan], [np.inf, -np.inf]]),
        "point": Point(0.1, Path("a")),
        "colour": Colour.RED,
        "flags": (True, None, np.bool_(False)),
        "int": np.int64(2**60),
        "empty": {"list": [], "dict": {}},
        "nested": [{"a": 1}, {"b": [2]}],
        NASTY: NASTY,
    }
    text = report.to_json(record)
    text.encode()  # lone surrogates, as in odd file names, are escaped

    def refuse(word):
        raise AssertionError(word)

    loaded = json.loads(text, parse_constant=refuse)
    assert loaded == report.plain(record)
    assert loaded["array"] == [[1.0, "NaN"], ["Infinity", "-Infinity"]]
    assert float(loaded["array"][1][1]) == -math.inf
    assert loaded["point"] == {"x": 0.1, "where": "a"}
    assert loaded["colour"] == "RED"
    assert loaded["flags"] == [True, None, False]


def test_what_has_no_place_in_a_record_is_refused():
    with pytest.raises(TypeError, match="a set has no place in a record"):
        report.plain({"x": {1, 2}})


def test_environment_names_versions():
    environment = report.environment()
    assert environment["packages"]["numpy"] == np.__version__
    assert environment["packages"]["otgan"] == otgan.__version__
    json.loads(report.to_json(environment))


def fail(*_args):
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_interrupted_write_leaves_the_old_files_and_no_others(tmp_path, monkeypatch, step):
    old = {"a.txt": b"old a", "b.txt": b"old b"}
    report.write_files(tmp_path, old)
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(KeyboardInterrupt):
        report.write_files(tmp_path, {"a.txt": b"new a", "b.txt": b"new b"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == old


def test_files_are_replaced_in_order(tmp_path, monkeypatch):
    replace, order = os.replace, []

    def watched(source, target):
        order.append(Path(target).name)
        assert len(list(tmp_path.glob(".*"))) == 3 - len(order)  # all lie there before the first is moved
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    report.write_files(tmp_path, {"b": b"1", "a": b"2"})
    assert order == ["b", "a"]


def test_plan_file_holds_the_proof(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 2)), rng.normal(size=(5, 2))
    solution = otgan.solve(x, y, method="linprog")
    report.save_plan(tmp_path / "plan.npz", solution)
    with np.load(tmp_path / "plan.npz", allow_pickle=False) as file:
        plan = sparse.coo_array((file["mass"], (file["row"], file["col"])), shape=tuple(file["shape"]))
        f, g = file["f"], file["g"]
    cost = np.linalg.norm(x[:, None] - y[None], axis=2)
    np.testing.assert_allclose(plan.sum(axis=1), 1 / 7)
    np.testing.assert_allclose(plan.sum(axis=0), 1 / 5)
    assert (f[:, None] + g <= cost + 1e-12).all()
    assert (plan.toarray() * cost).sum() == pytest.approx(f.mean() + g.mean(), rel=1e-12)


@pytest.mark.parametrize("name", ["plan.npy", "plan", "plan.npz.txt"])
def test_plans_are_npz(tmp_path, name):
    with pytest.raises(otgan.InvalidInput, match=r"the plan is written as \.npz"):
        report.save_plan(tmp_path / name, otgan.solve([0.0], [1.0]))


def test_folders_are_checked_but_not_made(tmp_path):
    report.check_folder(tmp_path / "not" / "there")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as error:
        report.check_folder(tmp_path / "file" / "folder")
    assert error.value.filename == str(tmp_path / "file" / "folder")
    with pytest.raises(IsADirectoryError):
        report.check_writable(tmp_path)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_bounds_on_the_distance_have_its_unit(p):
    rng = np.random.default_rng(0)
    described = report.describe(otgan.solve(rng.normal(size=(9, 9)), rng.normal(size=(9, 9)), p))
    low, high = described["distance_bounds"]
    assert low <= described["distance"] <= high
    assert described["lower"] == pytest.approx(low**p)
