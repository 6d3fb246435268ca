"""Data frames, of pandas or of a library with the same interface, read without importing one.

Two frames are compared by the names of their columns, as pandas itself does in arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

__all__ = ["aligned", "columns", "in_order", "is_frame", "is_series", "is_table", "order", "values"]


def is_frame(x: object) -> bool:
    """Whether ``x`` is a data frame: a table whose columns have names."""
    return hasattr(x, "columns") and hasattr(x, "iloc") and hasattr(x, "dtypes")


def is_series(x: object) -> bool:
    """Whether ``x`` is one column of a data frame."""
    return hasattr(x, "iloc") and hasattr(x, "dtype") and hasattr(x, "isna") and not is_frame(x)


def values(x: Any, name: str) -> NDArray[Any]:
    """The numbers of a frame, (n, d), or of a column, (n,); NaN stands for what is missing.

    Column by column, as NumPy makes objects of a frame that mixes whole numbers with booleans, or has nullable types.

    Raises
    ------
    InvalidInput
        If a column holds anything but numbers.
    """
    if is_series(x):
        return _column(x, name, "it", "Encode it as numbers")
    found = [
        _column(
            x.iloc[:, k],
            name,
            f"its column {label!r}",
            f"Leave the column out ({name}.drop(columns={label!r})), or encode it as numbers",
        )
        for k, label in enumerate(x.columns)
    ]
    return np.stack(found, axis=1) if found else np.zeros((len(x), 0))


def _column(series: Any, name: str, what: str, advice: str) -> NDArray[np.float64]:
    kind = getattr(series.dtype, "kind", "O")
    if kind == "c":
        raise InvalidInput(
            f"{name} must be an array of real numbers, but {what} holds complex numbers. Pass real and imaginary parts "
            "as columns."
        )
    if kind not in "fiub":
        raise InvalidInput(f"{name} must be an array of real numbers, but {what} holds {series.dtype}. {advice}.")
    missing = bool(series.isna().any())
    if kind in "iu" and not missing:
        whole = series.to_numpy(dtype=f"{kind}8")
        if whole.size and max(int(whole.max()), -int(whole.min())) > 2**53:
            raise InvalidInput(
                f"{name} holds integers above 2**53, which float64 cannot tell apart: {what} does. Subtract an offset "
                "from both sides."
            )
    return series.to_numpy(dtype=np.float64, na_value=np.nan) if missing else series.to_numpy(dtype=np.float64)


def aligned(x: Any, y: Any, names: tuple[str, str] = ("x", "y")) -> Any:
    """``y`` with its columns in the order of those of ``x``, where both are frames and name their columns.

    Raises
    ------
    InvalidInput
        If their names differ.
    """
    return in_order(y, columns(x), names)


def is_table(x: object) -> bool:
    """Whether ``x`` is a frame of polars or a table of pyarrow: NumPy reads both, and both select columns by name."""
    return hasattr(x, "select") and isinstance(_table_columns(x), list) and hasattr(x, "__array__")


def _table_columns(x: Any) -> Any:
    return getattr(x, "column_names", None) or getattr(x, "columns", None)


def columns(x: Any) -> tuple[Hashable, ...] | None:
    """The names of the columns of a frame or a table; None of anything else."""
    if is_frame(x):
        return tuple(x.columns)
    return tuple(_table_columns(x)) if is_table(x) else None


def in_order(x: Any, first: Sequence[Hashable] | None, names: tuple[str, str]) -> Any:
    """``x`` with its columns in the order of the names ``first``, where both have names.

    Raises
    ------
    InvalidInput
        If the names differ.
    """
    second = columns(x)
    if first is None or second is None:
        return x
    if set(first) != set(second) and _are_positions(first, second):
        return x
    moved = order(first, second, names)
    if moved is None:
        return x
    return x.iloc[:, moved] if is_frame(x) else x.select([second[k] for k in moved])


def _are_positions(first: Sequence[Hashable], second: Sequence[Hashable]) -> bool:
    """Whether the names of one side are the 0, 1, 2, ... that pandas gives to columns without names."""
    return any(list(side) == list(range(len(side))) for side in (first, second))


def order(first: Sequence[Hashable], second: Sequence[Hashable], names: tuple[str, str]) -> list[int] | None:
    """Where each of the columns ``first`` is among ``second``; None if they are in one order.

    Raises
    ------
    InvalidInput
        If their names differ.

    Examples
    --------
    >>> order(["u", "v"], ["v", "u"], ("x", "y"))
    [1, 0]
    """
    if list(first) == list(second):
        return None
    if set(first) != set(second) or len(set(first)) < len(first) or len(first) != len(second):
        left, right = names
        raise InvalidInput(
            f"{left} and {right} must have the same columns, but {left} has {_listed(first, second)} and {right} has "
            f"{_listed(second, first)}. Keep the columns that both have, or rename them; arrays without names are "
            "compared by position."
        )
    return [list(second).index(column) for column in first]


def _listed(columns: Sequence[Hashable], others: Sequence[Hashable]) -> str:
    """The names, or of many the first that the other side lacks."""
    if len(columns) <= 6:
        return ", ".join(map(repr, columns))
    lacking = [column for column in columns if column not in set(others)] or list(columns)
    more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
    return f"{len(columns)} columns, of which {', '.join(map(repr, lacking[:3]))}{more}"
