"""Parts of HTML pages that refer to no other file or host."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from otgan.report.numbers import typeset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Figure",
    "command_html",
    "document",
    "environment_facts",
    "facts_html",
    "figure_html",
    "next_html",
    "note_html",
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
    return f'<div class="next"><h2>What to do next</h2><p>{escape(typeset(text))}</p>{command_html(command)}</div>'


def command_html(command: str | None) -> str:
    """A command that is broken between its words alone, not within "--option"; nothing where there is none.

    Examples
    --------
    >>> command_html("otgan train"), command_html(None)
    ('<pre><code><span>otgan</span> <span>train</span></code></pre>', '')
    """
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


def environment_facts(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`~otgan.report.environment` says, with the packages in one line.

    Examples
    --------
    >>> environment_facts({"cpus": 2, "packages": {"numpy": "2.4.6", "torch": None, "pot": "0.9.7"}})
    {'cpus': 2, 'packages': 'numpy 2.4.6, pot 0.9.7'}
    """
    listed = ", ".join(f"{name} {number}" for name, number in environment.get("packages", {}).items() if number)
    return {**environment, "packages": listed}
