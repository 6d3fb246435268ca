"""The start of the command ``otgan``, before otgan is imported, which takes a second."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command of this process; an interrupt is one line, also while modules are imported."""
    try:
        from otgan.cli import main as run

        return run()
    except KeyboardInterrupt:
        print("otgan: interrupted.", file=sys.stderr)
        return 130
