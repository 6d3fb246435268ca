"""The page of a check, and what it says is to be done next."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest
from critic_record import CRITIC

import otgan
from otgan import report
from otgan.check.advice import check_advice
from otgan.check.page import check_page
from otgan.report.columns import COLUMNS

NASTY = "<script>alert('&\"')</script>\ud800"
VOID = {"meta", "img"}


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
    page = check_page(make_record(), [figure])
    parser = parse(page)
    references = [value for name, value in parser.attributes if name in {"src", "href", "srcset", "action", "data"}]
    assert len(references) == 2
    assert all(value.startswith("data:image/png;base64,") for value in references)
    assert not {"script", "link", "iframe", "object", "base"} & set(parser.tags)
    assert not any(word in page for word in ("http://", "https://", "//cdn", "@import", "url("))
    assert "default-src 'none'" in dict(parser.attributes)["content"]


def test_page_escapes_every_string():
    figure = report.Figure(b"", b"", NASTY, NASTY)
    parser = parse(check_page(make_record(NASTY), [figure]))
    assert "script" not in parser.tags
    assert parser.text.count(NASTY) >= 8
    assert ("alt", NASTY) in parser.attributes


def test_page_explains_every_column():
    text = parse(check_page(make_record(held_out=0.9, lipschitz_certified=2.0, critic_share=0.5))).text
    for column in COLUMNS:
        assert report.typeset(column.meaning) in text


def test_columns_without_any_number_are_left_out(capsys):
    assert COLUMNS[5].title == "held out"
    assert report.typeset(COLUMNS[5].meaning) not in parse(check_page(make_record(held_out=None))).text
    report.print_tables([{**CRITIC, "held_out": None}])
    assert "held out" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("trend", "said"), [(0.002, False), (-0.004, False), (0.019, True), (-0.03, True), (None, False)]
)
def test_a_critic_that_is_still_changing_is_named_and_not_corrected(trend, said, capsys):
    text = parse(check_page(make_record(trend=trend))).text
    assert ("Still changing over the last fifth" in text) == said
    report.print_tables([{**CRITIC, "trend": trend}])
    assert ("corrected" in capsys.readouterr().out) == (trend is not None and not said)


def test_page_explains_critics_and_every_number_of_the_proof():
    parser = parse(check_page(make_record("gp"), methods={"gp": "gradient <penalty>", "clip": "not there"}))
    assert "gradient <penalty>" in parser.text
    assert "not there" not in parser.text
    assert "below |x − y| at the worst pair between which the plan moves mass" in parser.text  # the largest slack
    proof = check_page(make_record()).split("<h2>The proof</h2>")[1].split("<h2>")[0]
    assert proof.count("<tr>") == proof.count('<span class="quiet">') == 7


def test_numbers_of_a_page_have_one_format():
    record = make_record("gp", relative_error=-0.1324, cosine=-0.5, normalised=2e-7, estimate=0.8676)
    text = parse(check_page(record).split("<body>")[1].split("</body>")[0]).text
    assert "−13.2\u00a0%" in text
    assert "−0.500" in text
    assert "2.0\u00a0×\u00a010⁻⁷" in text
    assert "13.2\u00a0% too low" in text
    numbers = text.split("How to do it again")[0]  # where options stand as they are typed
    assert not re.search(r"(?<!\w)-\d|\d ?%|\de[+-]\d", numbers)


def test_a_column_has_the_same_number_of_digits():
    record = make_record("gp")
    other = {
        "estimate": 12.0,
        "relative_error": -0.9,
        "corrected": 0.5,
        "held_out": 0.4,
        "cosine": 0.9512,
        "seconds": 40,
    }
    record["critics"].append({**record["critics"][0], "held_out": 1.0, "method": "clip", **other})
    rows = [row for row in re.findall(r"<tr>(<td>.*?)</tr>", check_page(record)) if "±" in row or "900" in row]
    assert len(rows) == 4
    for gp, clip in (rows[:2], rows[2:]):
        for one, two in zip(*(re.findall(r"<td>(.*?)</td>", row)[1:] for row in (gp, clip)), strict=True):
            decimals = [len(cell.split()[0].partition(".")[2].split("\u00a0")[0]) for cell in (one, two)]
            assert "–" in (one, two) or decimals[0] == decimals[1]


COMMAND = "otgan check a b --methods gp --n 100 --seed 0"


def advice(critics=({},), failed=(), exact=1.0, command: str | None = COMMAND):
    side = {"n": 100, "held_out": 80}
    return check_advice(
        {
            "exact": {"distance": exact},
            "critics": [{**CRITIC, "held_out": 1.0, **critic} for critic in critics],
            "failed": dict.fromkeys(failed, "it diverged"),
            "settings": {"seed": 0},
            "data": {"a": side, "b": {**side, "held_out": 70}},
            "command": command,
        }
    )


@pytest.mark.parametrize(
    ("case", "words", "option"),
    [
        ({"critics": [{"estimate": 1.05}]}, ["Use gp", "5.0 % too high", "look at others"], "--seed 1"),
        (
            {"critics": [{"estimate": 0.7, "trend": 0.05}]},
            ["30.0 % too low", "Train longer, since gp was"],
            "--steps 3600",
        ),
        ({"critics": [{"estimate": 1.5}]}, ["On points held out gp says much less", "more points"], "--n 170"),
        ({"critics": [{"estimate": 0.6}]}, ["Use no critic's number", "another method"], "--methods orthogonal"),
        (
            {"critics": [], "failed": ["clip"]},
            ["none was trained to its end", "Train others"],
            "--methods gp orthogonal",
        ),
        ({"critics": [{"estimate": math.nan}]}, ["none was trained to its end"], "--n 100"),
        ({"exact": 0.0}, ["are the same", "another set"], "--n 100"),
    ],
)
def test_what_to_do_next_follows_from_what_was_found(case, words, option):
    text, command = advice(**case)
    assert all(word in text for word in words)
    assert len(re.findall(r"[.](?= |$)", text)) == 2, "two sentences"
    assert option in command
    assert advice(**case, command=None) == (text, None)


def test_what_to_do_next_stands_before_the_numbers():
    page = check_page(make_record())
    assert page.index("What to do next") < page.index("The numbers") < page.index("The figures")


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf"), 0.0])
def test_page_and_tables_take_numbers_that_are_not(odd, capsys):
    record = make_record(estimate=odd, stderr=odd, relative_error=odd, cosine=odd, lower_bound=0.0, normalised=odd)
    assert "a set" in check_page(record)
    report.print_tables(record["critics"])
    assert "a set" in capsys.readouterr().out
