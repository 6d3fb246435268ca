"""The HTML page of experiments: one file that refers to no other file or host."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

from otgan import report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otgan.experiments.experiment import Claim, Result

__all__ = ["experiments_page", "figure_files", "next_step"]

MORE_SEEDS = 10  # that a page suggests where a claim fails
HEAD = "<tr><th>claim</th><th>measured</th><th>must be</th><th></th></tr>"


def experiments_page(results: Sequence[Result[Any]]) -> str:
    """The page: for each experiment what is claimed, whether it holds, the figure, and the settings.

    Parameters
    ----------
    results : sequence of Result

    Returns
    -------
    str
        A whole document.

    Examples
    --------
    >>> from otgan import experiments
    >>> page = experiments_page([experiments.parallel_lines.run(quick=True)])
    >>> page.count("<figure>"), page.count("<td>holds</td>"), "A quick run." in page
    (1, 3, True)
    """
    quick = any(result.is_quick for result in results)
    title = f"The papers' experiments{', a quick run' if quick else ''}"
    seen: set[str] = set()
    body = [
        f"<h1>{escape(title)}</h1>",
        *([report.note_html("A quick run.", _about_quick(results))] if quick else []),
        report.next_html(*next_step(results)),
        *(part for result in results for part in _section(result, seen)),
        "<h2>Where it was made</h2>",
        report.facts_html(report.environment_facts(report.environment())),
    ]
    return report.document(title, body)


def figure_files(result: Result[Any]) -> dict[str, bytes]:
    """The figure on a light background as a file; none where matplotlib is not installed."""
    return {f"{result.experiment.name}.png": result.renderings.light} if result.renderings else {}


def next_step(results: Sequence[Result[Any]]) -> tuple[str, str]:
    """Two sentences: what holds, and what to do next; and the command that does it.

    Examples
    --------
    >>> from otgan import experiments
    >>> text, command = next_step([experiments.parallel_lines.run(quick=True)])
    >>> print(text)
    All 3 claims hold. Run it in full before you quote a number of it.
    >>> command
    'otgan reproduce parallel_lines'
    """
    claims = [claim for result in results for claim in result.claims]
    failed = sum(not claim.holds for claim in claims)
    found = f"{failed} of {len(claims)} claims {'fails' if failed == 1 else 'fail'}" if failed else ""
    found = found or f"All {len(claims)} claims hold"
    name = results[0].experiment.name if len(results) == 1 else "all"
    words = ["otgan", "reproduce", name]
    if any(result.is_quick for result in results):
        reason = ", which the small settings may explain" if failed else ""
        return f"{found}{reason}. Run it in full before you quote a number of it.", shlex.join(words)
    why = "to see whether it is chance" if failed else "to see how firmly"
    return f"{found}. Measure from more seeds {why}.", shlex.join([*words, "--seeds", f"{MORE_SEEDS}"])


def _about_quick(results: Sequence[Result[Any]]) -> str:
    """In which of its settings a quick run is smaller; with several experiments they stand below each."""
    if len(results) > 1:
        differing = "They are smaller than in full, as the tables of settings say"
    else:
        here, full = (asdict(settings) for settings in (results[0].settings, results[0].experiment.full))
        changes = [f"{_word(name)} {_setting(here[name])} for {_setting(full[name])}" for name in _changed(results[0])]
        differing = f"It is smaller than in full ({'; '.join(changes)})"
    return f"{differing}: numbers and figures are rougher than the paper's, and a claim may fail by chance."


def _changed(result: Result[Any]) -> list[str]:
    """The names of the settings that differ from the full ones."""
    full = asdict(result.experiment.full)
    return [name for name, value in asdict(result.settings).items() if value != full[name]]


def _word(name: str) -> str:
    return name.replace("_", " ")


def _setting(value: Any) -> str:
    """A setting; of a long list how many there are."""
    if isinstance(value, tuple | list):
        return f"{len(value)} of them" if len(value) > 5 else ", ".join(map(str, value))
    return str(value)


def _section(result: Result[Any], seen: set[str]) -> Iterator[str]:
    """One experiment; words that were explained before are in ``seen``."""
    experiment, renderings = result.experiment, result.renderings
    yield f"<h2>{escape(experiment.title)}</h2>"
    yield f"<p>{escape(report.typeset(experiment.about))}</p>"
    rows = "".join(map(_row, result.claims))
    yield f'<div class="wide"><table class="claims"><thead>{HEAD}</thead><tbody>{rows}</tbody></table></div>'
    if renderings is None:
        yield '<p class="quiet">No figure: it needs matplotlib.</p>'
    else:
        narrow, source = (renderings.narrow_light, renderings.narrow_dark), f"After {experiment.source}."
        figure = report.Figure(renderings.light, renderings.dark, experiment.title, source, experiment.name, narrow)
        yield report.figure_html(figure)
    text = " ".join([experiment.title, experiment.about, *(claim.text for claim in result.claims)])
    words = {word: meaning for word, meaning in report.explained(text).items() if word not in seen}
    seen.update(words)
    yield report.terms_html(words)
    full = asdict(experiment.full)
    settings: dict[str, Any] = {
        _word(name): report.typeset(_setting(value)) for name, value in asdict(result.settings).items()
    }
    settings |= {_word(name): (settings[_word(name)], f"in full {_setting(full[name])}")
                 for name in _changed(result)}  # fmt: skip
    yield "<h3>Settings</h3>"
    yield report.facts_html({"experiment": experiment.name, "seeds": result.seeds, **settings})


def _row(claim: Claim) -> str:
    cells = (claim.text, _spread(claim), claim.limits)
    verdict = "<td>holds</td>" if claim.holds else '<td class="fails">fails</td>'
    return f"<tr>{''.join(f'<td>{escape(report.typeset(cell))}</td>' for cell in cells)}{verdict}</tr>"


def _spread(claim: Claim) -> str:
    """The least and the greatest number, with the same decimals."""
    if not claim.measured:
        return "nothing"
    low, high = report.significant(min(claim.measured), max(claim.measured))
    return low if low == high else f"{low} to {high}"
