"""Helpers that several commands share."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from otgan.data import SampleSet

__all__ = [
    "Count",
    "FirstSet",
    "Flag",
    "Names",
    "Program",
    "SecondSet",
    "Several",
    "Target",
    "Text",
    "listed",
    "on_terminal",
    "size",
]

FirstSet = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="A", help_behavior_hint="")]
SecondSet = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="B", help_behavior_hint="")]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")]
# What None means is said in the words of each option.
Count = Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")]
Text = Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
Program = Annotated[str | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
Several = Annotated[str | None, tyro.conf.arg(metavar="NAME,NAME", help_behavior_hint="")]
Target = Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")]
Flag = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]


def listed(names: str | None) -> tuple[str, ...] | None:
    """Names parted by commas, in a column's own spelling where it is quoted.

    Examples
    --------
    >>> listed('height,"width, cm"'), listed(None)
    (('height', 'width, cm'), None)
    """
    return None if names is None else tuple(next(csv.reader([names], skipinitialspace=True), []))


def on_terminal() -> bool:
    """Whether progress bars are shown on a terminal."""
    return sys.stderr.isatty()


def size(*sides: SampleSet) -> str:
    """How many points of what kind.

    Examples
    --------
    >>> from otgan.data import load
    >>> size(load("digits:3"), load("digits:8"))
    '183 and 174 points of 8 x 8 numbers'
    """
    return points_of(*map(len, sides), shape=sides[0].shape)


def points_of(*counts: int, shape: tuple[int, ...]) -> str:
    """So many points of numbers in a shape."""
    return f"{' and '.join(map(str, counts))} points of {' x '.join(map(str, shape))} numbers"
