"""Which truths critics and generators are compared with: the one place for these sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otgan.report.html import terms_html

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TRUTHS", "truths_html", "truths_of_check", "truths_of_measurement"]

TRUTHS = {
    "samples": "The exact W1 between the very points that the numbers are about, with a proof. It says nothing certain "
    "of the distributions behind them: in many dimensions two samples of one distribution are far apart.",
    "held out": "The exact W1 to points, or a critic's number on points, that nothing was trained on. What is learnt "
    "by heart does not count there.",
    "known W1": "The W1 of distributions that were made such that it is known: samples moved along the rays of a "
    "function whose slope is 1, so that it is the mean move. So is the way that the best gradient points.",
}


def truths_of_check(record: Mapping[str, object]) -> tuple[str, ...]:
    """Those of a check, from its record.

    Examples
    --------
    >>> truths_of_check({"critics": [{"held_out": 1.5}]}), truths_of_check({"critics": []})
    (('samples', 'held out'), ('samples',))
    """
    critics = record.get("critics")
    held_out = isinstance(critics, list) and any(critic.get("held_out") is not None for critic in critics)
    return ("samples", "held out") if held_out else ("samples",)


def truths_of_measurement(measured: Mapping[str, object]) -> tuple[str, ...]:
    """Those of a measurement of a generator, from its record.

    Examples
    --------
    >>> truths_of_measurement({"exact": 1.0}), truths_of_measurement({"modes": 8})
    (('samples', 'held out'), ())
    """
    return ("samples", "held out") if measured.get("exact") is not None else ()


def truths_html(*truths: str) -> str:
    """Which of :data:`TRUTHS` a page uses, in its words; nothing where it uses none.

    Examples
    --------
    >>> truths_html("samples").startswith("<h2>What is taken for the truth</h2><dl><dt>samples</dt><dd>The exact W")
    True
    >>> truths_html()
    ''
    """
    said = terms_html({name: TRUTHS[name] for name in truths})
    return f"<h2>What is taken for the truth</h2>{said}" if truths else ""
