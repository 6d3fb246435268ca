"""The HTML page of a preflight: the answer first; one file that refers to no other file or host."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from otgan import report
from otgan.preflights.plan import FAMILIES, SIZES
from otgan.preflights.table import moves_table, ranking_table, settings_table, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otgan.preflights.result import Preflight

__all__ = ["preflight_page"]

WORDS = {
    "score": "half for the number and half for the gradient: 1 where both are right, 0 as a constant critic has",
    "number": "the critic's mean over real samples less that over fakes, divided by the true distance W1: 1 is right",
    "cosine": "how far the critic's gradient at the fakes points the way that they have to go: 1 is straight there, 0 "
    "has nothing to do with it",
    "by slope": "the number divided by the largest slope seen, over W1: the distance is defined by slope 1",
    "gradient": "its mean length at the fakes; the best critic's is 1",
    "straight line": "the linear critic along the difference of the means of real samples and fakes: it needs no "
    "training, so that a critic below it has learnt nothing of use",
}


def preflight_page(result: Preflight, figures: Sequence[report.Figure] = ()) -> str:
    """The page; every string in it is escaped."""
    said, samples = result.verdict, result.samples
    shape = " × ".join(map(str, samples.shape))
    place = result.ranking[0] if result.ranking else None
    body = [
        f"<h1>Which critic to trust on {escape(samples.name)}</h1>",
        f'<p class="quiet">{len(samples)} real samples of {shape} numbers, two of them '
        f"{report.amount(result.typical, result.typical)} apart on average</p>",
        '<div class="answer">'
        + (f'<p class="number">{escape(place.method)} is best: {place.score:.2f} of 1</p>' if place else "")
        + f"<p>{_text(said.answer)}</p></div>",
        *([report.note_html("Not finished.", _stopped(result))] if result.stopped else []),
        report.next_html(said.advice),
        "<h2>The figure</h2>",
        *(map(report.figure_html, figures) if figures else ['<p class="quiet">No figure: it needs matplotlib.</p>']),
        "<h2>What to expect in a GAN</h2>",
        *(f"<p>{_named(text)}</p>" for text in said.expect),
        "<h2>The numbers</h2>",
        _table(ranking_table(result.cells)),
        report.terms_html({word: WORDS[word] for word in ("score", "number", "cosine")}),
        report.truths_html("known W1"),
        *_settings(result),
        *_moves(result),
        "<h2>Every pair</h2>",
        f"<p>{_text(_pairs(result))}</p>",
        _table(table(result.cells)),
        report.terms_html(
            {**_families(result), **{word: WORDS[word] for word in ("by slope", "gradient", "straight line")}}
        ),
        "<h2>How to do it again</h2>",
        _again(result),
    ]
    return report.document(f"Which critic to trust on {samples.name}", body)


def _stopped(result: Preflight) -> str:
    done = sum(cell.stage == "pairs" for cell in result.cells)
    return f"{done} critics had been trained for the comparison by then. The same command goes on from there."


def _settings(result: Preflight) -> list[str]:
    text = (
        "Before the comparison each was trained for a third of the time on a pair of each size, near, halfway and far, "
        "which is in no other table, and the best was taken."
    )
    return _section("The settings that were tried", text, settings_table(result.cells))


def _moves(result: Preflight) -> list[str]:
    text = (
        "n_critic, the number of critic steps for one of the generator, has to be large enough for the critic to "
        "follow. Each was trained on a pair, then the fakes moved to those of another pair of the same size, and it "
        "went on. The table has how many steps its number took to stay within 10 % of its last. That is a large "
        "move: a generator that moves less in a step needs fewer. The rate did not fall, as in most GANs."
    )
    return _section("n_critic: how soon a critic follows", text, moves_table(result.cells))


def _section(title: str, text: str, rows: list[list[str]]) -> list[str]:
    """A heading, a paragraph and a table; nothing where that has no more than its header."""
    return [f"<h2>{title}</h2>", f"<p>{_text(text)}</p>", _table(rows)] if len(rows) > 1 else []


def _pairs(result: Preflight) -> str:
    sizes = ", ".join(f"{size.words} about {100 * size.share:.0f} %" for size in SIZES)
    return (
        "Fakes are real samples that were moved along the rays of a function whose slope is 1, so that their true "
        "distance from the real ones is known: the mean move. Sizes are shares of the distance between two real "
        f"samples: {sizes}, or as far as a family reaches. Where it reaches less than half of that it is left out."
    )


def _families(result: Preflight) -> dict[str, str]:
    there = {cell.family for cell in result.cells if cell.stage == "pairs"}
    return {name: family.summary for name, family in FAMILIES.items() if name in there}


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, body = _row(rows[0], "th"), "".join(_row(row, "td") for row in rows[1:])
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(report.typeset(cell))}</{tag}>" for cell in cells) + "</tr>"


def _named(text: str) -> str:
    """A text that begins with a critic's name."""
    name, _, rest = text.partition(": ")
    return f"<b>{escape(name)}</b>: {_text(rest)}"


def _text(text: str) -> str:
    return escape(report.typeset(text))


def _again(result: Preflight) -> str:
    environment = report.environment_facts(result.environment)
    samples = result.samples
    facts: dict[str, Any] = {
        "data": f"{samples.name} ({samples.source}), {len(samples)} samples of {math.prod(samples.shape)} numbers",
        "SHA-256": samples.sha256,
        **{name: _setting(value) for name, value in result.settings.items() if name != "data"},
        "took": f"{result.seconds / 60:.1f} minutes",
        "made": environment["time"],
        "with": f"Python {environment['python']}, {environment['packages']}",
        "on": f"{environment['platform']}, {environment['cpus']} CPUs",
    }
    return report.command_html(result.command) + report.facts_html(facts)


def _setting(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "default" if value is None else f"{value}"
