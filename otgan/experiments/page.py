"""Experiments as one page of HTML that needs nothing beside itself."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

from otgan import report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otgan.experiments.experiment import Claim, Result

__all__ = ["experiments_page", "figure_files"]


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
    >>> page.count("<figure>"), page.count("holds")
    (1, 3)
    """
    body = ["<h1>The papers' experiments</h1>", *(part for result in results for part in _section(result))]
    made = report.facts_html(report.environment_facts(report.environment()))
    return report.document("The papers' experiments", [*body, made])


def figure_files(result: Result[Any]) -> dict[str, bytes]:
    """The figure on light paper as a file; none where matplotlib is not installed."""
    return {f"{result.experiment.name}.png": result.papers[0]} if result.papers else {}


def _section(result: Result[Any]) -> list[str]:
    experiment = result.experiment
    papers = result.papers
    figure = report.Figure(*papers, experiment.title, experiment.source, experiment.name) if papers else None
    settings = {"seeds": len({run["seed"] for run in result.runs}), **asdict(result.settings)}
    return [
        f"<h2>{escape(experiment.title)}</h2>",
        f"<p>{escape(experiment.about)}</p>",
        report.figure_html(figure) if figure else '<p class="quiet">No figure: it needs matplotlib.</p>',
        f'<div class="wide"><table><thead><tr><th>claim</th><th>measured</th><th>must be</th><th></th></tr></thead>'
        f"<tbody>{''.join(map(_row, result.claims))}</tbody></table></div>",
        report.facts_html(settings),
    ]


def _row(claim: Claim) -> str:
    cells = (claim.text, claim.spread, claim.limits, "holds" if claim.holds else "fails")
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
