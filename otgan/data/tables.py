"""Numbers from .csv files: one sample a row, cells parted by commas, a header line if you like."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_csv"]

Line = tuple[int, str]  # number in the file, from 1, and text


def read_csv(path: Path) -> NDArray[np.float64]:
    r"""The numbers of a .csv file.

    The first line is a header if none of its cells is a number. Blank lines are skipped.

    Parameters
    ----------
    path : Path
        The file, in UTF-8.

    Returns
    -------
    ndarray of float64, shape (n, d)
        One row a line.

    Raises
    ------
    InvalidInput
        If a cell is empty or text, or the rows have different lengths; the message names the line.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "x.csv")
    ...     _ = path.write_text("height,width\n1,2\n3,4.5\n")
    ...     read_csv(path)
    array([[1. , 2. ],
           [3. , 4.5]])
    """
    lines = _lines(path)
    header = _header(lines, path)
    rows = lines if header is None else lines[1:]
    if not rows:
        raise InvalidInput(f"{path} must hold at least one row of numbers, but it is empty. Write one sample a line.")
    try:
        table = np.loadtxt(
            [text for _, text in rows], delimiter=",", quotechar='"', comments=None, ndmin=2, dtype=np.float64
        )
    except ValueError as error:
        _complain(rows, len(header or _cells(rows[0][1])), path, str(error))
    if header is not None and len(header) != table.shape[1]:
        raise InvalidInput(
            f"{path} must have a column name for each of its {table.shape[1]} columns, but the header has "
            f"{len(header)}. Mend the header, or leave it out."
        )
    return table


def _lines(path: Path) -> list[Line]:
    """The lines of the file that are not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # a mark that spreadsheets put in front is dropped
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} must be text in UTF-8, but byte {error.start} is not. Save it as CSV in UTF-8."
        ) from None
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _cells(line: str) -> list[str]:
    """The cells of a line, without quotes and spaces around them."""
    try:
        return [cell.strip() for cell in next(csv.reader([line]))]
    except csv.Error:
        return [line]


def _is_number(cell: str) -> bool:
    """Whether ``cell`` reads as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _header(lines: list[Line], path: Path) -> list[str] | None:
    """The column names, if the first line has any: a single number in it makes it data."""
    names = _cells(lines[0][1]) if lines else []
    if not any(names) or any(map(_is_number, names)):
        return None
    if not names[0]:
        # The columns behind such a name are row numbers, which would silently count as a coordinate.
        raise InvalidInput(
            f"{path} must name every column or none, but the first column has no name, so it seems to hold row "
            "numbers. Write the file without them, such as with pandas' to_csv(index=False)."
        )
    return names


def _complain(rows: list[Line], width: int, path: Path, reason: str) -> NoReturn:
    """Raise for the first row that is not ``width`` numbers."""
    for number, line in rows:
        cells = _cells(line)
        if len(cells) != width:
            raise InvalidInput(
                f"{path} must have {width} cells in every row, but line {number} has {len(cells)}. Fill it or drop it."
            )
        for column, cell in enumerate(cells, 1):
            if not _is_number(cell):
                came = repr(cell[:40]) if cell else "an empty cell"
                advice = "Part cells by commas." if {";", "\t"} & set(cell) else "Fill or drop the row."
                raise InvalidInput(
                    f"{path} must hold numbers, but line {number}, column {column} holds {came}. {advice}"
                )
    raise InvalidInput(f"{path} must be a table of numbers, but it does not read as one ({reason}). Mend that row.")
