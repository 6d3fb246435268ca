"""The command ``otgan data``."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import dataclass
from typing import Annotated

import tyro

from otgan.cli.common import Flag
from otgan.cli.say import say

__all__ = ["Data"]


@dataclass(frozen=True)
class Data:
    """The built-in sample sets, or what is in one set."""

    name: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="[NAME]", help_behavior_hint="")] = None
    """A built-in name, a file or a folder to describe; by default all built-in names are listed."""
    debug: Flag = False
    """Print the traceback of an error."""

    def run(self) -> int:
        """List all sets, or describe one."""
        say(_all() if self.name is None else _one(self.name))
        return 0


def _all() -> str:
    from otgan.data import names

    lines = names()
    indent = max(map(len, lines)) + 2
    width = min(shutil.get_terminal_size().columns, 100)
    return "\n".join(
        textwrap.fill(f"{name:{indent}}{line}", width, subsequent_indent=" " * indent) for name, line in lines.items()
    )


def _one(spec: str) -> str:
    from otgan.data import load

    samples = load(spec)
    facts = {
        "name": samples.name,
        "samples": len(samples),
        "shape": " x ".join(map(str, samples.shape)),
        "values": f"{samples.points.min():.6g} to {samples.points.max():.6g}",
        "source": samples.source,
        **({"read as": "; ".join(samples.notes)} if samples.notes else {}),
        "sha256": samples.sha256,
    }
    return "\n".join(f"{key:9}{value}" for key, value in facts.items())
