"""Tables on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from otgan.report.columns import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["print_table", "print_tables"]

GAP = 2  # spaces between two columns
Rows = list[list[str]]


def print_tables(reports: Sequence[Mapping[str, Any]], width: int = 80) -> None:
    """Print one row a critic: one table where the terminal is wide enough, else two below each other.

    Columns that are empty for every critic are left out.

    Parameters
    ----------
    reports : sequence of mappings
        As ``CriticReport.as_dict()`` gives them.
    width : int, default 80
        Characters in a line.

    Examples
    --------
    >>> report = dict(method="gp", exact=1.0, estimate=1.1, stderr=0.02, n_seeds=2, relative_error=0.1, corrected=1.03,
    ...               lower_bound=0.9, critic_share=0.5, held_out=None, lipschitz_observed=1.25, cosine=0.95,
    ...               lipschitz_certified=None, normalised=0.88, gradient_norm=1.02, trend=0.001, steps=900,
    ...               seconds=3.5)
    >>> print_tables([report])
    critic       estimate    error  corrected  lower bound   share
    ------  -------------  -------  ---------  -----------  ------
    gp      1.100 ± 0.020  +10.0 %      1.030        0.900  50.0 %
    <BLANKLINE>
    critic  Lipschitz  normalised  cosine  gradient  steps  seconds
    ------  ---------  ----------  ------  --------  -----  -------
    gp          1.250       0.880   0.950     1.020    900      3.5
    """
    whole = _rows(reports, (False, True))
    if sum(_widths(whole)) + GAP * (len(whole[0]) - 1) <= width:
        print_table(whole)
        return
    print_table(_rows(reports, (False,)))
    print()
    print_table(_rows(reports, (True,)))


def print_table(rows: Rows, *, left: int = 1) -> None:
    """Print ``rows``, the first of them the head: with rich on a terminal, else as plain text.

    Parameters
    ----------
    rows : list of lists of str
        All of one length.
    left : int, default 1
        So many first columns are flush left, the others flush right.

    Examples
    --------
    >>> print_table([["name", "n"], ["digits", "1797"]])
    name       n
    ------  ----
    digits  1797
    """
    if not (sys.stdout.isatty() and _print_rich(rows, left)):
        print(_plain(rows, left))


def _rows(reports: Sequence[Mapping[str, Any]], halves: tuple[bool, ...]) -> Rows:
    columns = [column for column in shown(reports) if column.about_critic in halves]
    head = ["critic", *(column.title for column in columns)]
    return [head, *([str(report["method"]), *(column.cell(report) for column in columns)] for report in reports)]


def _widths(rows: Rows) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _plain(rows: Rows, left: int) -> str:
    widths = _widths(rows)
    lines = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join(
        (" " * GAP)
        .join(
            cell.ljust(width) if k < left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        .rstrip()
        for line in lines
    )


def _print_rich(rows: Rows, left: int) -> bool:
    """Print with rich; False if it is not installed."""
    try:
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    # The gap is one space of padding and one that rich puts between columns.
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold")
    for k, title in enumerate(rows[0]):
        # Text, because a cell in square brackets would be read as a style.
        table.add_column(Text(title), justify="left" if k < left else "right", overflow="fold")
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)
    return True
