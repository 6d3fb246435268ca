"""A run as one page of HTML that needs nothing beside itself."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from otgan.report.columns import NOTHING, amount, shown, unsettled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Figure", "document", "environment_facts", "facts_html", "figure_html", "page"]

# The browser itself refuses every request: the page is what it is, offline and years later.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Figure:
    """A picture for light paper and the same for dark paper.

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
    """

    light: bytes
    dark: bytes
    alt: str
    caption: str
    name: str = "figure"


def page(record: Mapping[str, Any], figures: Sequence[Figure] = ()) -> str:
    """The HTML page of a check; every string in it is escaped.

    Parameters
    ----------
    record : mapping
        As :meth:`otgan.check.Check.as_dict` gives it: ``data``, ``exact``, ``critics``, ``failed``, ``settings``,
        ``environment``, ``command``.
    figures : sequence of Figure
        They are embedded.

    Returns
    -------
    str
        A whole document, without any reference to another file or host.
    """
    a, b = record["data"]["a"], record["data"]["b"]
    title = f"{a['name']} against {b['name']}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">{escape(_samples(a, b))}</p>',
        _answer(record),
        *(f"<p>There is no {escape(method)}: {escape(why)}</p>" for method, why in record["failed"].items()),
        *(map(figure_html, figures) if figures else ['<p class="quiet">No figures: they need matplotlib.</p>']),
        "<h2>The numbers</h2>",
        _table(record["critics"], about_critic=False, exact=record["exact"]["distance"]),
        "<h2>The critics as functions</h2>",
        _table(record["critics"], about_critic=True),
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
    between, drawn = "the two samples", ""
    if whole:
        between = f"all {whole['n']} and all {whole['m']} points"
        drawn = (
            f"<p>The critics got {record['data']['a']['n']} points of each set, drawn at random. The exact distance "
            f"between these is {amount(exact['distance'], exact['distance'])}, and what critics are held against.</p>"
        )
    head = whole or exact
    return (
        f'<div class="answer"><p class="number">W₁ = {head["distance"]:.7g}</p>'
        f"<p>The exact Wasserstein distance between {between}: a proven upper and a proven lower bound agree to "
        f"{head['gap']:.0e}.</p>{drawn}<p>{escape(_verdict(record['critics'], exact['distance']))}</p></div>"
    )


def _verdict(critics: Sequence[Mapping[str, Any]], exact: float) -> str:
    """How close the critics come, in two sentences."""
    if not critics:
        return "No critic was trained to its end."
    best = min(critics, key=lambda critic: abs(critic["estimate"] - exact))
    bound = max(critics, key=lambda critic: critic["lower_bound"])
    error = best["estimate"] - exact
    share = f", {abs(error) / exact:.1%} too {'high' if error > 0 else 'low'}" if exact > 0 else ""
    warning = unsettled(critics)
    return (
        f"Of the critics, {best['method']} comes closest with an estimate of {amount(best['estimate'], exact)}{share}. "
        f"The best lower bound that a critic proves is {amount(bound['lower_bound'], exact)} ({bound['method']})"
        f"{_merit(bound, exact)}." + (f" {warning}" if warning else "")
    )


def _merit(bound: Mapping[str, Any], exact: float) -> str:
    """What of a bound any critic would have proven."""
    constant = bound.get("constant_bound")
    return "" if constant is None else f"; a constant one, repaired in the same way, proves {amount(constant, exact)}"


def figure_html(figure: Figure) -> str:
    """A figure for light and for dark paper, with its caption."""
    # Two images that CSS chooses from: a <picture> would keep the dark one when a dark page is printed.
    pictures = "".join(
        f'<img class="{paper}" alt="{escape(figure.alt)}" '
        f'src="data:image/png;base64,{base64.b64encode(data).decode("ascii")}">'
        for paper, data in (("light", figure.light), ("dark", figure.dark))
    )
    return f"<figure>{pictures}<figcaption>{escape(figure.caption)}</figcaption></figure>"


def _table(critics: Sequence[Mapping[str, Any]], *, about_critic: bool, exact: float | None = None) -> str:
    """Half of the columns, with what they mean below; the exact distance in a row of its own, if given."""
    columns = [column for column in shown(critics) if column.about_critic == about_critic]
    head = _row(["critic", *(column.title for column in columns)], "th")
    rows = [_row([critic["method"], *(column.cell(critic) for column in columns)], "td") for critic in critics]
    if exact is not None:
        rows.insert(0, _row(["exact", amount(exact, exact), *[NOTHING] * (len(columns) - 1)], "td", "exact"))
    terms = "".join(f"<dt>{escape(column.title)}</dt><dd>{escape(column.meaning)}</dd>" for column in columns)
    body = "".join(rows)
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{body}</tbody></table></div><dl>{terms}</dl>'


def _row(cells: Iterable[str], tag: str, name: str = "") -> str:
    opening = f'<tr class="{name}">' if name else "<tr>"
    return opening + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"


def _proof(exact: Mapping[str, Any]) -> str:
    text = (
        "The transport plan moves exactly the masses of the two samples, so its cost cannot be below the truth. The "
        "potentials f and g satisfy f(x) + g(y) ≤ |x − y| for every pair of points, so their mean cannot be above it. "
        f"Here the two agree to {exact['gap']:.0e} of their value."
    )
    certificate = exact["certificate"]
    facts = {
        "upper bound": f"{exact['upper']!r}",
        "lower bound": f"{exact['lower']!r}",
        "relative gap": f"{exact['gap']:.2g}",
        "error of the marginals": f"{certificate['marginal_error']:.2g} of the mass",
        "violation of the potentials": f"{certificate['dual_violation']:.2g}",
        "largest slack": f"{certificate['slackness']:.2g}",
        "method": f"{exact['method']}, {exact['stats']['seconds']:.3g} s",
    }
    return f"<p>{escape(text)}</p>{facts_html(facts)}"


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
    return (f"<pre><code>{escape(command)}</code></pre>" if command else "") + facts_html(facts)


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
    """A table of names and values, all escaped."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items())
    return f'<div><table class="facts"><tbody>{rows}</tbody></table></div>'
