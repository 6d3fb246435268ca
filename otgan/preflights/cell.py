"""What was measured of one critic on one pair, and the files that keep it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan.report import plain, to_json, write_files

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Cell", "Store"]

FOLDER = "cells"


@dataclass(frozen=True)
class Cell:
    """A critic on a pair whose W1 is known.

    Attributes
    ----------
    method : str
    options : dict
        Those of the method that are not its defaults.
    stage : {"settings", "pairs", "moves"}
        Whether it was trained to choose settings, to be compared, or to see how soon it follows fakes that move.
    family, size : str
        Of the pair.
    w1, share : float
        The truth, and how much of the typical distance between two real samples it is.
    line_number, line_cosine : float
        Of the linear critic along the difference of means, which needs no training.
    numbers, cosines, norms, slopes : tuple of float
        For each seed: ``E f(real) - E f(fake)``; mean cosine of the gradient at the fakes with the way they have to go;
        its mean norm there; the largest slope seen.
    steps : int
        0 for a critic that was not trained here.
    settled : int or None
        The step from which on its number stayed within 10 % of its last; where fakes moved, counted from there.
    seconds : float
    failed : str or None
        Why there are no numbers.
    """

    method: str
    options: dict[str, Any]
    stage: str
    family: str
    size: str
    w1: float
    share: float
    line_number: float
    line_cosine: float
    numbers: tuple[float, ...] = ()
    cosines: tuple[float, ...] = ()
    norms: tuple[float, ...] = ()
    slopes: tuple[float, ...] = ()
    steps: int = 0
    settled: int | None = None
    seconds: float = 0.0
    failed: str | None = None

    @property
    def ratio(self) -> float:
        """The critic's number as a multiple of the truth: 1 is right."""
        return float(np.mean(self.numbers)) / self.w1 if self.numbers else 0.0

    @property
    def by_slope(self) -> float:
        """The same of the number divided by the critic's largest slope seen."""
        pairs = zip(self.numbers, self.slopes, strict=True)
        return float(np.mean([number / slope if slope else 0.0 for number, slope in pairs] or [0.0])) / self.w1

    @property
    def cosine(self) -> float:
        """How far the gradient points the right way: 1 is all of it, 0 none."""
        return float(np.mean(self.cosines)) if self.cosines else 0.0

    @property
    def score(self) -> float:
        """Half for the number and half for the direction: 1 where both are right, 0 as a constant critic has."""
        return score(self.ratio, self.cosine)

    @property
    def line_score(self) -> float:
        """The same of the linear critic."""
        return score(self.line_number / self.w1, self.line_cosine)


def score(ratio: float, cosine: float) -> float:
    """The mean of how near a number is to the truth and of a cosine, neither below 0.

    Examples
    --------
    >>> score(1.0, 1.0), score(0.0, 0.0), score(2.5, 0.5)
    (1.0, 0.0, 0.25)
    """
    return (max(0.0, 1.0 - abs(ratio - 1.0)) + max(0.0, cosine)) / 2


class Store:
    """Cells by what was asked, in files of a folder; in memory alone without one."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = None if folder is None else folder / FOLDER
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    def get(self, question: Mapping[str, Any]) -> Cell | None:
        """The cell that answers a question, if it is there whole."""
        if self.folder is None:
            return None
        try:
            record = json.loads((self.folder / _name(question)).read_text(encoding="utf-8"))
            if record["question"] != plain(dict(question)):
                return None
            known = {field.name for field in fields(Cell)}
            found: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in record["cell"].items()
            }
            return Cell(**found) if set(found) == known else None
        except (OSError, ValueError, KeyError, TypeError):  # not there, or not ours
            return None

    def put(self, question: Mapping[str, Any], cell: Cell) -> None:
        """Keep a cell."""
        if self.folder is not None:
            record = {"question": dict(question), "cell": asdict(cell)}
            write_files(self.folder, {_name(question): to_json(record).encode() + b"\n"})


def _name(question: Mapping[str, Any]) -> str:
    asked = json.dumps(plain(dict(question)), sort_keys=True).encode()
    return f"{hashlib.sha256(asked).hexdigest()[:20]}.json"
