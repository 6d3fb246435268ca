"""Reports: records, pages, tables and files."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from critic_record import CRITIC
from scipy import sparse

import otgan
from otgan import report
from otgan.report.columns import COLUMNS, amount
from otgan.report.html import _css

NASTY = "<script>alert('&\"')</script>\ud800"


def test_a_figure_for_narrow_screens_is_chosen_by_the_style_alone():
    figure = report.Figure(b"a", b"b", "alt", "caption", narrow=(b"c", b"d"))
    html = report.figure_html(figure)
    assert re.findall(r'class="(.*?)"', html) == ["light broad", "dark broad", "light narrow", "dark narrow"]
    assert len({*re.findall(r'src="(.*?)"', html)}) == 4
    css = _css()
    shown = re.findall(r"@media screen and \((.*)\) \{\n((?:  .*\n)*)", css)
    # At each kind of screen, exactly one of the four is not hidden.
    for dark in (False, True):
        for narrow in (False, True):
            visible = dict.fromkeys(("light broad", "dark broad", "light narrow", "dark narrow"), True)
            for media, block in [("", css.split("@media screen")[0]), *shown]:
                if ("dark" in media) <= dark and ("max-width" in media) <= narrow:
                    for selectors, value in re.findall(r"(figure img.*) \{.* ?display: (\w+); \}", block):
                        for selector in selectors.split(", "):
                            _apply(visible, selector.removeprefix("figure img"), value == "block")
            wanted = f"{'dark' if dark else 'light'} {'narrow' if narrow else 'broad'}"
            assert [name for name, there in visible.items() if there] == [wanted]


def _apply(visible, selector, shown):
    """What a selector such as ".dark:not(.narrow)" says of pictures."""
    without = re.findall(r":not\(\.(\w+)\)", selector)
    with_ = re.findall(r"\.(\w+)", re.sub(r":not\(.*?\)", "", selector))
    for name in visible:
        if all(word in name.split() for word in with_) and not any(word in name.split() for word in without):
            visible[name] = shown


def test_figures_are_as_wide_as_tables():
    rules = dict(re.findall(r"^(figure img|\.wide table|\.facts) \{ (.*) \}$", _css(), re.MULTILINE))
    assert len(rules) == 3
    assert all("width: 100%" in rule and "max-width" not in rule for rule in rules.values())


@pytest.mark.parametrize(
    ("text", "typeset"),
    [
        ("-1.5", "−1.5"),
        ("1e-09", "1\u00a0×\u00a010⁻⁹"),
        ("-3.678e+15 to 2", "−3.678\u00a0×\u00a010¹⁵ to 2"),
        ("99% and 1.6 %", "99\u00a0% and 1.6\u00a0%"),
        ("2 JS - 2 log 2, -log D, exp(-mu^2)", "2 JS − 2 log 2, −log D, exp(−mu^2)"),
        ("WGAN-GP, one-sided, --quick", "WGAN-GP, one-sided, --quick"),
        ("-inf", "−∞"),
        ("0x1e5 of 2017", "0x1e5 of 2017"),
    ],
)
def test_typesetting(text, typeset):
    assert report.typeset(text) == typeset


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.296, 1.002), ["0.296", "1.002"]),
        ((4.55, 11.01), ["4.55", "11.01"]),
        ((-0.265, -0.113), ["-0.265", "-0.113"]),
        ((2.0, 4.0), ["2", "4"]),
        ((0.0, 0.0), ["0", "0"]),
        ((0.0, 0.25), ["0.000", "0.250"]),
        ((1e-151, 8e-144), ["1.00e-151", "8.00e-144"]),
        ((float("nan"), 1.5), ["nan", "1.50"]),
        ((0.5, float("inf")), ["0.500", "inf"]),
        ((float("inf"), float("inf")), ["inf", "inf"]),
    ],
)
def test_numbers_that_stand_together_have_the_same_decimals(values, texts):
    assert report.significant(*values) == texts


def test_per_cents():
    assert [report.percent(share) for share in (0.0164, -1e-9, 12.3, None, math.nan)] == [
        "1.6 %",
        "0.0 %",
        "1230 %",
        "–",
        "–",
    ]
    assert report.percent(0.1, signed=True) == "+10.0 %"


def test_words_are_found_whole():
    assert list(report.explained("critic of WGAN; D* and -log D")) == ["D", "D*", "critic", "-log D"]
    assert list(report.explained("wgan-gp")) == ["wgan-gp"]
    assert report.explained("Dense gpu") == {}


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
