"""The HTML page of a check: one file that refers to no other file or host."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from otgan import report
from otgan.check.advice import check_advice
from otgan.report.columns import shown
from otgan.report.numbers import NOTHING, percent, typeset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["check_page"]


def check_page(
    record: Mapping[str, Any], figures: Sequence[report.Figure] = (), methods: Mapping[str, str] | None = None
) -> str:
    """The HTML page of a check; every string in it is escaped.

    Parameters
    ----------
    record : mapping
        As :meth:`otgan.check.Check.as_dict` gives it: ``data``, ``exact``, ``critics``, ``failed``, ``settings``,
        ``environment``, ``command``.
    figures : sequence of Figure
        They are embedded.
    methods : mapping of str to str, optional
        What the names of critics mean, as ``otgan.critics.methods()`` says.

    Returns
    -------
    str
        A whole document, without any reference to another file or host.
    """
    a, b = record["data"]["a"], record["data"]["b"]
    title = f"{a['name']} against {b['name']}"
    distance, names = record["exact"]["distance"], [critic["method"] for critic in record["critics"]]
    meanings = {name: methods[name] for name in (*names, *record["failed"]) if methods and name in methods}
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">{escape(_samples(a, b))}</p>',
        _answer(record),
        *(f"<p>There is no {escape(method)}: {escape(why)}</p>" for method, why in record["failed"].items()),
        report.next_html(*check_advice(record)),
        "<h2>The numbers</h2>",
        _table(record["critics"], meanings, about_critic=False, exact=distance),
        report.truths_html(*report.truths_of_check(record)),
        "<h2>The figures</h2>",
        *(map(report.figure_html, figures) if figures else ['<p class="quiet">No figures: they need matplotlib.</p>']),
        "<h2>The critics as functions</h2>",
        _table(record["critics"], {}, about_critic=True),
        *(_in_words(critic) for critic in record["critics"] if critic.get("explained")),
        "<h2>The proof</h2>",
        _proof(record["exact"]),
        "<h2>The data</h2>",
        *(report.facts_html(_about(side, record["data"][side])) for side in ("a", "b")),
        "<h2>How to do it again</h2>",
        _again(record),
    ]
    return report.document(title, body)


def _samples(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    shape = a["shape"]
    product = f"{' × '.join(map(str, shape))} = " if len(shape) > 1 else ""
    sizes = f"{a['n']} points each" if a["n"] == b["n"] else f"{a['n']} and {b['n']} points"
    return f"{sizes}, of {product}{math.prod(shape)} numbers"


def _answer(record: Mapping[str, Any]) -> str:
    """The distance between the sets, and what that of the points drawn is where these are only a part."""
    exact, whole = record["exact"], record.get("whole")
    between, of_these = "the two samples", ""
    if whole:
        distance = _distance(exact["distance"], exact["distance"])
        between = f"all {whole['n']} and all {whole['m']} points"
        of_these = (
            f"<p>The critics got {record['data']['a']['n']} points of each set, drawn at random. The exact distance "
            f"between these is {distance}, and what critics are compared with.</p>"
        )
    head = whole or exact
    return (
        f'<div class="answer"><p class="number">W₁ = {head["distance"]:.7g}</p>'
        f"<p>The exact Wasserstein distance between {between}: a proven upper and a proven lower bound agree to "
        f"{_small(head['gap'])} of it.</p>{of_these}"
        f"<p>{escape(_verdict(record['critics'], exact['distance']))}</p></div>"
    )


def _verdict(critics: Sequence[Mapping[str, Any]], exact: float) -> str:
    """How close the critics come, in two sentences."""
    if not critics:
        return "No critic was trained to its end."
    best = min(critics, key=lambda critic: abs(critic["estimate"] - exact))
    bound = max(critics, key=lambda critic: critic["lower_bound"])
    error = best["estimate"] - exact
    share = f", {typeset(percent(abs(error) / exact))} too {'high' if error > 0 else 'low'}" if exact > 0 else ""
    says, proves = _distance(best["estimate"], exact), _distance(bound["lower_bound"], exact)
    warning = report.unsettled(critics)
    return (
        (f"{best['method']} says" if len(critics) == 1 else f"Of the critics, {best['method']} comes closest: it says")
        + f" {says}{share}. The best lower bound that a critic proves is {proves} ({bound['method']})"
        f"{_share(bound, exact)}." + (f" {typeset(warning)}" if warning else "")
    )


def _share(bound: Mapping[str, Any], exact: float) -> str:
    """What of a bound any critic would have proven."""
    constant = bound.get("constant_bound")
    return (
        "" if constant is None else f"; a constant one, repaired in the same way, proves {_distance(constant, exact)}"
    )


def _in_words(critic: Mapping[str, Any]) -> str:
    """What the numbers of a critic say."""
    return f"<p><b>{escape(critic['method'])}</b>: {escape(typeset(critic['explained']))}</p>"


def _distance(value: float, exact: float) -> str:
    """A distance with the decimals of the exact one."""
    return typeset(report.amount(value, exact))


def _table(
    critics: Sequence[Mapping[str, Any]],
    meanings: Mapping[str, str],
    *,
    about_critic: bool,
    exact: float | None = None,
) -> str:
    """Half of the columns, with what critics and columns mean below; the exact distance has a row of its own."""
    columns = [column for column in shown(critics) if column.about_critic == about_critic]
    head = _row(["critic", *(column.title for column in columns)], "th")
    rows = [_row([critic["method"], *(typeset(column.cell(critic)) for column in columns)], "td") for critic in critics]
    if exact is not None:
        rows.insert(0, _row(["exact", _distance(exact, exact), *[NOTHING] * (len(columns) - 1)], "td", "exact"))
    terms = report.terms_html({**meanings, **{column.title: column.meaning for column in columns}})
    body = "".join(rows)
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>{terms}'


def _row(cells: Iterable[str], tag: str, name: str = "") -> str:
    opening = f'<tr class="{name}">' if name else "<tr>"
    return opening + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"


def _proof(exact: Mapping[str, Any]) -> str:
    text = (
        "The transport plan moves exactly the masses of the two samples, so its cost cannot be below the truth. The "
        "potentials f and g satisfy f(x) + g(y) ≤ |x − y| for every pair of points, so their mean cannot be above it. "
        f"Here the two agree to {_small(exact['gap'])} of their value."
    )
    certificate = exact["certificate"]
    facts = {
        "upper bound": (f"{exact['upper']!r}", "what the plan costs"),
        "lower bound": (f"{exact['lower']!r}", "the mean of the potentials"),
        "relative gap": (_small(exact["gap"]), "the difference of the two bounds, as a share of the upper one"),
        "error of the marginals": (
            _small(certificate["marginal_error"]),
            "the share of the mass that the plan moves too much or too little",
        ),
        "violation of the potentials": (
            _small(certificate["dual_violation"]),
            "by how much f(x) + g(y) is above |x − y| at the worst pair; the lower bound already makes up for it",
        ),
        "largest slack": (
            _small(certificate["slackness"]),
            "by how much f(x) + g(y) is below |x − y| at the worst pair between which the plan moves mass; 0 where "
            "plan and potentials are both exactly optimal",
        ),
        "method": (f"{exact['method']}, {exact['stats']['seconds']:.1f} s", "the exact solver, and how long it took"),
    }
    return f"<p>{escape(text)}</p>{report.facts_html(facts)}"


def _small(value: float) -> str:
    """A number that ought to be nearly zero."""
    return typeset(format(value, ".0e")) if value else "0"


def _about(side: str, data: Mapping[str, Any]) -> dict[str, str]:
    held_out = data["held_out"]
    return {
        f"sample {side.upper()}": f"{data['name']} ({data['source']})",
        "points": f"{data['n']}, and {held_out} held out" if held_out else f"{data['n']}, none held out",
        "SHA-256": data["sha256"],
    }


def _again(record: Mapping[str, Any]) -> str:
    environment, command = report.environment_facts(record["environment"]), record.get("command")
    facts = {
        **{name.replace("_", " "): _setting(value) for name, value in record["settings"].items()},
        "made": environment["time"],
        "with": f"Python {environment['python']}, {environment['packages']}",
        "on": f"{environment['platform']}, {environment['cpus']} CPUs",
    }
    return report.command_html(command) + report.facts_html(facts)


def _setting(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "default" if value is None else f"{value}"
