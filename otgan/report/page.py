"""A run as one page of HTML that needs nothing beside itself."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from otgan.report.advice import check_advice
from otgan.report.columns import amount, shown, unsettled
from otgan.report.numbers import NOTHING, percent, typeset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Figure",
    "document",
    "environment_facts",
    "facts_html",
    "figure_html",
    "next_html",
    "note_html",
    "page",
    "terms_html",
]

# The browser itself refuses every request: the page is what it is, offline and years later.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Figure:
    """A picture for a light background and the same for a dark one, wide and, where it is drawn for that too, narrow.

    Attributes
    ----------
    light, dark : bytes
        PNG files.
    alt : str
        What it shows, for those who do not see it.
    caption : str
        What stands below.
    name : str
        What its file is called, without ".png".
    narrow : (bytes, bytes), optional
        PNG files for narrow screens, light and dark.
    """

    light: bytes
    dark: bytes
    alt: str
    caption: str
    name: str = "figure"
    narrow: tuple[bytes, bytes] | None = None


def page(record: Mapping[str, Any], figures: Sequence[Figure] = (), methods: Mapping[str, str] | None = None) -> str:
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
        next_html(*check_advice(record)),
        "<h2>The numbers</h2>",
        _table(record["critics"], meanings, about_critic=False, exact=distance),
        "<h2>The figures</h2>",
        *(map(figure_html, figures) if figures else ['<p class="quiet">No figures: they need matplotlib.</p>']),
        "<h2>The critics as functions</h2>",
        _table(record["critics"], {}, about_critic=True),
        "<h2>The proof</h2>",
        _proof(record["exact"]),
        "<h2>The data</h2>",
        *(facts_html(_about(side, record["data"][side])) for side in ("a", "b")),
        "<h2>How to do it again</h2>",
        _again(record),
    ]
    return document(title, body)


def document(title: str, body: Sequence[str]) -> str:
    """A whole page without any reference to another file or host.

    Parameters
    ----------
    title : str
        It is escaped.
    body : sequence of str
        HTML, in which everything that came from outside is escaped.

    Examples
    --------
    >>> document("a < b", ["<p>text</p>"]).splitlines()[-5:]
    ['</head>', '<body>', '<p>text</p>', '</body>', '</html>']
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_css()}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n"
        "</body>\n</html>\n"
    )


@cache
def _css() -> str:
    return files("otgan.report").joinpath("style.css").read_text(encoding="utf-8")


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
    warning = unsettled(critics)
    return (
        f"Of the critics, {best['method']} comes closest with an estimate of {says}{share}. "
        f"The best lower bound that a critic proves is {proves} ({bound['method']})"
        f"{_share(bound, exact)}." + (f" {typeset(warning)}" if warning else "")
    )


def _share(bound: Mapping[str, Any], exact: float) -> str:
    """What of a bound any critic would have proven."""
    constant = bound.get("constant_bound")
    return (
        "" if constant is None else f"; a constant one, repaired in the same way, proves {_distance(constant, exact)}"
    )


def _distance(value: float, exact: float) -> str:
    """A distance with the decimals of the exact one."""
    return typeset(amount(value, exact))


def figure_html(figure: Figure) -> str:
    """A figure for light and dark backgrounds, wide and narrow, with its caption.

    Examples
    --------
    >>> figure_html(Figure(b"", b"", "alt", "caption")).count("<img")
    2
    """
    # Images that CSS chooses from: a <picture> would keep the dark one when a dark page is printed.
    images = {"light": figure.light, "dark": figure.dark}
    if figure.narrow is not None:
        narrow_light, narrow_dark = figure.narrow
        images = {"light broad": figure.light, "dark broad": figure.dark}
        images |= {"light narrow": narrow_light, "dark narrow": narrow_dark}
    pictures = "".join(
        f'<img class="{kind}" alt="{escape(figure.alt)}" '
        f'src="data:image/png;base64,{base64.b64encode(data).decode("ascii")}">'
        for kind, data in images.items()
    )
    return f"<figure>{pictures}<figcaption>{escape(figure.caption)}</figcaption></figure>"


def next_html(text: str, command: str | None = None) -> str:
    """What to do next, with the command that does it.

    Examples
    --------
    >>> next_html("Train longer.", "otgan train")[42:]
    '<p>Train longer.</p><pre><code><span>otgan</span> <span>train</span></code></pre></div>'
    """
    return f'<div class="next"><h2>What to do next</h2><p>{escape(typeset(text))}</p>{_command(command)}</div>'


def _command(command: str | None) -> str:
    """A command that is broken between its words alone, not within "--option"; nothing where there is none."""
    words = "</span> <span>".join(map(escape, command.split(" "))) if command else ""
    return f"<pre><code><span>{words}</span></code></pre>" if words else ""


def note_html(head: str, text: str) -> str:
    """Something that must be known before the numbers are read.

    Examples
    --------
    >>> note_html("A quick run.", "Its figures are rougher.")
    '<div class="note"><p><strong>A quick run.</strong> Its figures are rougher.</p></div>'
    """
    return f'<div class="note"><p><strong>{escape(head)}</strong> {escape(typeset(text))}</p></div>'


def terms_html(terms: Mapping[str, str]) -> str:
    """Words of this package and what they mean, typeset and escaped; nothing where there are none.

    Examples
    --------
    >>> terms_html({"gp": "gradient penalty"}), terms_html({})
    ('<dl><dt>gp</dt><dd>gradient penalty</dd></dl>', '')
    """
    listed = "".join(
        f"<dt>{escape(typeset(word))}</dt><dd>{escape(typeset(meaning))}</dd>" for word, meaning in terms.items()
    )
    return f"<dl>{listed}</dl>" if listed else ""


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
    terms = terms_html({**meanings, **{column.title: column.meaning for column in columns}})
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
    return f"<p>{escape(text)}</p>{facts_html(facts)}"


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
    environment, command = environment_facts(record["environment"]), record.get("command")
    facts = {
        **{name.replace("_", " "): _setting(value) for name, value in record["settings"].items()},
        "made": environment["time"],
        "with": f"Python {environment['python']}, {environment['packages']}",
        "on": f"{environment['platform']}, {environment['cpus']} CPUs",
    }
    return _command(command) + facts_html(facts)


def _setting(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "default" if value is None else f"{value}"


def environment_facts(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`~otgan.report.environment` says, with the packages in one line.

    Examples
    --------
    >>> environment_facts({"cpus": 2, "packages": {"numpy": "2.4.6", "torch": None, "pot": "0.9.7"}})
    {'cpus': 2, 'packages': 'numpy 2.4.6, pot 0.9.7'}
    """
    listed = ", ".join(f"{name} {number}" for name, number in environment.get("packages", {}).items() if number)
    return {**environment, "packages": listed}


def facts_html(facts: Mapping[str, Any]) -> str:
    """A table of names and values, all escaped; a value may be a pair of itself and what it means.

    Examples
    --------
    >>> facts_html({"gap": (0, "the difference")})[34:]
    'tr><th>gap</th><td>0 <span class="quiet">the difference</span></td></tr></tbody></table></div>'
    """
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{_fact(value)}</td></tr>" for name, value in facts.items())
    return f'<div><table class="facts"><tbody>{rows}</tbody></table></div>'


def _fact(value: Any) -> str:
    if not isinstance(value, tuple):
        return escape(str(value))
    value, meaning = value
    return f'{escape(str(value))} <span class="quiet">{escape(typeset(meaning))}</span>'
