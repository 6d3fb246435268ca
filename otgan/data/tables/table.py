"""The numbers of a table of any format, and the choice of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

__all__ = ["ALL_COLUMNS", "Chosen", "Table", "some"]


@dataclass(frozen=True, eq=False)
class Table:
    """The numbers of a table.

    Attributes
    ----------
    values : (n, d) ndarray of float64
    columns : tuple of str, or None
        The name of each column, if the table has names.
    weights : (n,) ndarray of float64, or None
        The column that was asked for as weights.
    notes : tuple of str
        How the table was read, for people.
    """

    values: Values
    columns: tuple[str, ...] | None
    weights: Values | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Chosen:
    """Which columns are coordinates, and which holds weights."""

    columns: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    weights: str | None = None

    def split(self, names: Sequence[str] | None, path: Path) -> tuple[list[int] | None, int | None]:
        """The positions of the coordinates, None for all columns, and of the weights."""
        asked = (*(self.columns or ()), *self.drop, *(() if self.weights is None else (self.weights,)))
        if names is None and asked:
            raise InvalidInput(
                f"{path} must name its columns for {asked[0]!r} to be found, but has no header. Write one as its first "
                "line."
            )
        if names is None:
            return None, None
        for name in asked:
            if names.count(name) != 1:
                came = "none is called so" if name not in names else "several are called so"
                raise InvalidInput(
                    f"{path} must have one column {name!r}, but {came}; its columns are {some(names)}. "
                    "Ask for one that is there."
                )
        left_out = {*self.drop} if self.weights is None else {*self.drop, self.weights}
        if self.columns is not None and (both := [name for name in self.columns if name in left_out]):
            raise InvalidInput(f"a column is either a coordinate or not, but {both[0]!r} was asked for as both.")
        if self.columns is None:
            kept = [k for k, name in enumerate(names) if name not in left_out]
        else:
            kept = [names.index(name) for name in self.columns]
        if not kept:
            raise InvalidInput(f"{path} must keep at least one column of coordinates, but all were left out. Keep one.")
        return kept, None if self.weights is None else names.index(self.weights)


ALL_COLUMNS = Chosen()


def some(names: Sequence[str]) -> str:
    """The names, or of many the first and the last."""
    shown = [*names] if len(names) <= 8 else [*names[:3], "...", names[-1]]
    return ", ".join(shown) + ("" if len(names) <= 8 else f" ({len(names)} columns)")
