"""Text for a terminal without control characters: names in files could otherwise send commands to the terminal."""

from __future__ import annotations

import unicodedata
from typing import TextIO

__all__ = ["say", "shown"]


def say(text: str, file: TextIO | None = None) -> None:
    """Print lines, with every character that is not to be seen as its escape; to stdout by default."""
    print(shown(text), file=file, flush=True)


def shown(text: str) -> str:
    r"""``text`` without control characters, such as those that start a command to the terminal.

    Examples
    --------
    >>> print(shown("two\nlines, \x1b[31mred"))
    two
    lines, \x1b[31mred
    """
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
