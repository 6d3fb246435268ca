"""Numbers from tables: .csv, .tsv and .parquet files, with the names of their columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otgan.data.tables.parquet import read_parquet
from otgan.data.tables.table import Chosen, Table
from otgan.data.tables.text import read_csv

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Table", "is_table", "read_csv", "read_parquet", "read_table"]

NAME = re.compile(r"\.((csv|tsv)(\.gz)?|parquet)$", re.IGNORECASE)


def is_table(path: Path) -> bool:
    """Whether a file is a table, by its name.

    Examples
    --------
    >>> from pathlib import Path
    >>> [is_table(Path(name)) for name in ("x.csv", "x.tsv.gz", "x.parquet", "x.npy")]
    [True, True, True, False]
    """
    return NAME.search(path.name) is not None


def read_table(
    path: Path, columns: tuple[str, ...] | None = None, drop: tuple[str, ...] = (), weights: str | None = None
) -> Table:
    """The numbers of a table, by the end of its name; see :func:`read_csv` and :func:`read_parquet`."""
    read = read_parquet if path.suffix.lower() == ".parquet" else read_csv
    return read(path, Chosen(columns, drop, weights))
