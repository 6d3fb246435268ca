"""Numbers from .csv and .tsv files."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from otgan.data.tables.table import ALL_COLUMNS, Table, some
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from otgan.data.tables.table import Chosen

    Values = NDArray[np.float64]

__all__ = ["read_csv"]

WHOLE, DECIMAL_COMMA = re.compile(r"[+-]?\d+"), re.compile(r"[+-]?\d*,\d*([eE][+-]?\d+)?")

Line = tuple[int, str]  # number in the file, from 1, and text


def read_csv(path: Path, chosen: Chosen = ALL_COLUMNS) -> Table:
    r"""The numbers of a .csv or .tsv file, which may be compressed by gzip.

    The first line is a header if none of its cells is a number, or if its cells are the whole numbers 0, 1, 2, ... that
    pandas writes for columns without names. Blank lines and lines that start with # are skipped, but a comment right
    above the numbers that names every column is a header. A first column without a name, which is how pandas and R
    write row numbers, is left out. Cells are parted by commas or, where the first line has them, by semicolons or tabs;
    between those, decimals may have commas.

    Parameters
    ----------
    path : Path
        The file, in UTF-8.
    chosen : Chosen, optional

    Returns
    -------
    Table
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
    ...     table = read_csv(path)
    >>> table.columns, table.values.tolist()
    (('height', 'width'), [[1.0, 2.0], [3.0, 4.5]])
    """
    lines = _lines(path)
    delimiter = _delimiter(lines, path)
    names, rows = _header(lines, delimiter)
    if not rows:
        raise InvalidInput(f"{path} must hold at least one row of numbers, but it is empty. Write one sample a line.")
    width = len(_cells(rows[0][1], delimiter)) if names is None else len(names)
    _check_widths(rows, width, delimiter, path)
    first, notes = 0, ["no header"]  # the column that coordinates start at, and how the file was read
    if names is not None:
        first = int(not names[0] and width > 1)
        notes = [f"header {some(names[first:])}"]
        if first:
            notes.append("the first column, which has no name, is left out as row numbers")
        if "" in names[first:]:
            blank = names.index("", first) + 1
            raise InvalidInput(f"{path} must name every column or none, but column {blank} has no name. Name it.")
    kept, weights = chosen.split(None if names is None else names[first:], path)
    positions = [*range(width)] if kept is None else [first + k for k in kept]
    used = positions if weights is None else [*positions, first + weights]
    if delimiter != "," and any("," in line for _, line in rows) and _has_decimal_commas(rows, used, delimiter, path):
        notes.append("commas are decimal")
        rows = [(number, line.replace(",", ".")) for number, line in rows]
    values = _numbers(rows, used, delimiter, names, path)
    return Table(
        values[:, : len(positions)],
        None if names is None else tuple(names[k] for k in positions),
        None if weights is None else values[:, -1],
        tuple(notes),
    )


def _lines(path: Path) -> list[Line]:
    """The lines of the file that are not blank."""
    content = path.read_bytes()
    if path.suffix.lower() == ".gz":
        try:
            content = gzip.decompress(content)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InvalidInput(f"{path} must be a whole gzip file, but it is cut or damaged ({error}).") from None
    try:
        text = content.decode("utf-8-sig")  # a mark that spreadsheets put in front is dropped
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} must be text in UTF-8, but byte {error.start} is not. Save it as CSV in UTF-8."
        ) from None
    lines = io.StringIO(text, newline=None)  # of Windows and of old Macs too
    return [(number, line.rstrip("\n")) for number, line in enumerate(lines, 1) if line.strip()]


def _is_comment(line: Line) -> bool:
    return line[1].lstrip().startswith("#")


def _delimiter(lines: list[Line], path: Path) -> str:
    """What parts the cells: tabs in a .tsv, else what the first line that is no comment has."""
    if re.search(r"\.tsv(\.gz)?$", path.name, re.IGNORECASE):
        return "\t"
    first = next((text for _, text in lines if not text.lstrip().startswith("#")), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return ";" if ";" in bare else "\t" if "\t" in bare.strip() and "," not in bare else ","


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line, without quotes and spaces around them."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]
    except csv.Error:
        return [line]


def _is_number(cell: str) -> bool:
    """Whether ``cell`` reads as a number."""
    try:
        float(cell)
    except ValueError:
        return DECIMAL_COMMA.fullmatch(cell) is not None and cell != ","
    return True


def _header(lines: list[Line], delimiter: str) -> tuple[list[str] | None, list[Line]]:
    """The column names, if there are any, and the rows behind them."""
    rows = [line for line in lines if not _is_comment(line)]
    if not rows:
        return None, []
    first = _cells(rows[0][1], delimiter)
    if (any(first) and not any(map(_is_number, first))) or _is_counted(first, rows[1:]):
        return first, rows[1:]
    above = [text.lstrip().lstrip("#").strip() for number, text in lines if number < rows[0][0]]
    names = _cells(above[-1], delimiter) if above else []
    # With one column, any remark would be its name.
    if len(first) > 1 and len(names) == len(first) and all(names) and not any(map(_is_number, names)):
        return names, rows
    return None, rows


def _is_counted(first: list[str], others: list[Line]) -> bool:
    """Whether a first row is 0, 1, 2, ..., which pandas writes for columns without names, behind those of row numbers.

    A lone 0 is a name only if what follows is no column of whole numbers.
    """
    names = first[1:] if not first[0] else first
    if not others or not names or names != [str(k) for k in range(len(names))]:
        return False
    return len(first) > 1 or not all(WHOLE.fullmatch(text.strip()) for _, text in others)


def _check_widths(rows: list[Line], width: int, delimiter: str, path: Path) -> None:
    for number, line in rows:
        count = len(_cells(line, delimiter)) if '"' in line else line.count(delimiter) + 1
        if count != width:
            raise InvalidInput(
                f"{path} must have {width} cells in every row, as its first line has, but line {number} has {count}. "
                "Fill it or drop it."
            )


def _has_decimal_commas(rows: list[Line], used: list[int], delimiter: str, path: Path) -> bool:
    """Whether the cells in these columns write decimals with commas."""
    cells = [(number, row[k]) for number, line in rows for row in (_cells(line, delimiter),) for k in used]
    comma = next((cell for cell in cells if "," in cell[1]), None)
    point = next((cell for cell in cells if "." in cell[1]), None)
    if comma and point:
        raise InvalidInput(
            f"{path} must write decimals in one way, but line {comma[0]} holds {comma[1][:40]!r} and line {point[0]} "
            f"holds {point[1][:40]!r}. Write all of them with points, and no marks between thousands."
        )
    return comma is not None


def _numbers(rows: list[Line], used: list[int], delimiter: str, names: Sequence[str] | None, path: Path) -> Values:
    """The cells in these columns as numbers, (n, len(used))."""
    options: Any = {"delimiter": delimiter, "quotechar": '"', "comments": None, "ndmin": 2, "dtype": np.float64}
    try:
        return np.loadtxt([text for _, text in rows], usecols=used, **options)
    except ValueError as error:
        _complain(rows, used, delimiter, names, path, str(error))


def _complain(
    rows: list[Line], used: list[int], delimiter: str, names: Sequence[str] | None, path: Path, reason: str
) -> NoReturn:
    """Raise for the first cell in these columns that is no number."""
    cells = [(number, _cells(line, delimiter)) for number, line in rows]
    for number, row in cells:
        for k in used:
            if row[k] and _is_number(row[k]) and "," not in row[k]:
                continue
            came = repr(row[k][:40]) if row[k] else "an empty cell"
            column = f"column {k + 1}" if names is None else f"column {k + 1} ({names[k]!r})"
            has_numbers = any(_is_number(other[k]) for _, other in cells)
            advice = _advice(row[k], None if names is None else names[k], has_numbers)
            raise InvalidInput(f"{path} must hold numbers, but line {number}, {column} holds {came}. {advice}")
    raise InvalidInput(f"{path} must be a table of numbers, but it does not read as one ({reason}). Mend that row.")


def _advice(cell: str, name: str | None, has_numbers: bool) -> str:
    """What to do about a cell that is no number, in a column of this name that has numbers too or none."""
    if DECIMAL_COMMA.fullmatch(cell):
        return "Write decimals with points, or part cells by semicolons."
    if has_numbers:
        return "Fill or drop the row."
    if name is None:
        return "Write a header line to leave the column out by its name, or encode it as numbers."
    return f"Leave the column out (--drop {name}, or drop={name!r}), or encode it as numbers."
