"""Numbers from .parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.data.tables.table import ALL_COLUMNS, Table, some
from otgan.errors import InvalidInput
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from otgan.data.tables.table import Chosen

    Values = NDArray[np.float64]

__all__ = ["read_parquet"]


def read_parquet(path: Path, chosen: Chosen = ALL_COLUMNS) -> Table:
    """The numbers of a .parquet file.

    A column in which pandas keeps row labels is left out.

    Parameters
    ----------
    path : Path
    chosen : Chosen, optional

    Returns
    -------
    Table

    Raises
    ------
    InvalidInput
        If the file is damaged, or a column holds anything but numbers.
    OTError
        If pyarrow is not installed.
    """
    with optional_dependency("pyarrow", "tables", f"Reading {path}"):
        from pyarrow import ArrowException, parquet  # pyright: ignore[reportMissingImports]
    try:
        with path.open("rb") as file:
            table = parquet.read_table(file)
    except (ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise InvalidInput(
            f"{path} must be a whole Parquet file, but it is damaged or of another kind ({error}). Write it again."
        ) from error
    named, notes = list(table.column_names), []
    names = [name for name in named if name not in _labels(table)]
    if len(names) < len(named):
        notes.append("the column of row labels is left out")
    if not names or not table.num_rows:
        raise InvalidInput(f"{path} must hold at least one row of numbers, but it is empty.")
    kept, weights = chosen.split(names, path)
    kept = kept or list(range(len(names)))

    def column(k: int) -> Values:
        return _arrow_numbers(table.column(names[k]), names[k], path)

    return Table(
        np.stack([column(k) for k in kept], axis=1),
        tuple(names[k] for k in kept),
        None if weights is None else column(weights),
        (f"columns {some(names)}", *notes),
    )


def _labels(table: Any) -> set[str]:
    """The columns that pandas wrote for the index of a frame."""
    pandas = table.schema.pandas_metadata or {}
    return {label for label in pandas.get("index_columns", ()) if isinstance(label, str)}


def _arrow_numbers(column: Any, name: str, path: Path) -> Values:
    """A column of Arrow as float64, NaN for what is missing."""
    import pyarrow as pa  # pyright: ignore[reportMissingImports]

    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise InvalidInput(
            f"{path} must hold numbers, but its column {name!r} holds {kind}. Leave the column out (--drop {name}, "
            f"drop={name!r}), or encode it as numbers."
        )
    values = column.to_numpy()
    if values.dtype.kind in "iu" and values.size and max(int(values.max()), -int(values.min())) > 2**53:
        raise InvalidInput(
            f"{path} holds integers above 2**53 in column {name!r}, which float64 cannot tell apart. Subtract an "
            "offset first."
        )
    return values.astype(np.float64)  # None, which stands for what is missing, becomes NaN
