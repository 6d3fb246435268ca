"""The log of a run: one JSON object a line, written as it comes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.gan.config import LARGEST_COUNT
from otgan.report import plain
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

__all__ = ["NAME", "Board", "Log", "check_record", "read_log"]

NAME = "log.jsonl"
KINDS = ("run", "losses", "monitor")
REQUIRED_FIELDS = ("n", "exact", "exact_ema", "floor", "critic", "critic_estimates", "lower_bound", "cost", "seconds")
TEXT_FIELDS = ("kind", "critic_estimates")
SECONDS_FIELDS, MOST_SECONDS = ("cost", "seconds"), 1e18
LARGEST_INTEGER = 2**1000  # that is a float
NOT_FINITE = ("NaN", "Infinity", "-Infinity")


class Log:
    """The records of a run in memory, and in ``log.jsonl`` where there is a folder.

    Parameters
    ----------
    folder : Path or None
        Where ``log.jsonl`` is; None keeps records in memory alone.
    length : int, default 0
        Bytes of the file that count; what is behind them was written after the checkpoint that a run goes on from.
    loggers : sequence
        That get every number too, by ``log_metrics(numbers, step)``. What one of them raises is kept in ``failure``.

    Raises
    ------
    InvalidInput
        If the file is shorter than that, or what counts is not a log.
    OSError
        If the file cannot be written.
    """

    def __init__(self, folder: Path | None, length: int = 0, loggers: Sequence[Any] = ()) -> None:
        self.records: list[dict[str, Any]] = []
        self.failure: tuple[str, Exception] | None = None  # which call of a logger raised, and what
        self._loggers = loggers
        self._file = None
        if folder is None:
            return
        path = folder / NAME
        if length:
            self.records = read_log(path, length)
        self._file = path.open("r+b" if length else "wb")
        self._file.truncate(length)
        self._file.seek(length)

    def write(self, kind: str, step: int, entries: dict[str, Any]) -> None:
        """Append one record, and flush it."""
        record = plain({"kind": kind, "step": step, **entries})
        self.records.append(record)
        if self._file is not None:
            self._file.write(json.dumps(record, allow_nan=False).encode() + b"\n")
            self._file.flush()
        numbers = {f"{kind}/{name}": value for name, value in entries.items() if isinstance(value, int | float)}
        if numbers:
            self._tell("log_metrics", numbers, step)

    def save(self) -> None:
        """Let loggers write what they hold: Lightning's do it every so many steps otherwise."""
        self._tell("save")

    def _tell(self, method: str, *what: Any) -> None:
        """Call a method of every logger that has it, until one has failed: the step ends before the run does."""
        for logger in self._loggers:
            if self.failure is None and hasattr(logger, method):
                try:
                    getattr(logger, method)(*what)
                except Exception as error:
                    self.failure = (f"{type(logger).__name__}.{method}", error)

    def settle(self) -> int:
        """Sync the file to the disk, and return its length in bytes."""
        self.save()
        if self._file is None:
            return 0
        os.fsync(self._file.fileno())
        return self._file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.save()  # also what came before an error
        if self._file is not None:
            self._file.close()


class Board:
    """A TensorBoard in the folder of a run, as a logger; entries after ``step`` are dropped.

    Raises
    ------
    InvalidInput
        If there is no folder.
    OTError
        If tensorboard is not installed.
    """

    def __init__(self, folder: Path | None, step: int) -> None:
        if folder is None:
            raise InvalidInput("tensorboard needs a folder to write to. Pass train a folder.")
        with optional_dependency("tensorboard", "tensorboard", "The option tensorboard"):
            from torch.utils.tensorboard import SummaryWriter
        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Write numbers by their names."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is held, and close the files."""
        self._writer.close()


def read_log(path: Path, length: int | None = None) -> list[dict[str, Any]]:
    r"""The records of a log, or of its first bytes.

    Raises
    ------
    InvalidInput
        If the file is shorter, cannot be read, or a line of it is no record. A last line that was cut is left out.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.jsonl")
    ...     _ = path.write_text('{"kind": "losses", "step": 1}\n{"ki')
    ...     read_log(path)
    [{'kind': 'losses', 'step': 1}]
    """
    there = path.stat().st_size if path.is_file() else 0  # asked first: no room is made for what is not there
    if length is not None and there < length:
        raise InvalidInput(
            f"{path} must hold the {length} bytes that were there at the checkpoint, but holds {there}. Put the "
            "file back as it was, or start the run anew in another folder."
        )
    try:
        with path.open("rb") as file:
            data = file.read(-1 if length is None else length)
    except OSError as error:
        raise InvalidInput(f"{path} must be readable, but is not: {error.strerror or error}.") from None
    try:
        records = [json.loads(line) for line in data.split(b"\n")[:-1]]
        if length is not None and not data.endswith(b"\n"):
            raise ValueError("a line is cut")
        for record in records:
            check_record(record)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise InvalidInput(
            f"{path} must hold what otgan train logs, a JSON object a line, but does not ({error})."
        ) from None
    return records


def check_record(record: Mapping[str, Any], required: Sequence[str] = REQUIRED_FIELDS) -> None:
    """Refuse what :meth:`Log.write` does not write: whoever reads a log counts on numbers where there are numbers.

    Parameters
    ----------
    record : mapping
    required : sequence of str
        Fields that a record of kind "monitor" must have.

    Raises
    ------
    InvalidInput, LookupError, TypeError, ValueError
        If it is something else.
    """
    kind = record["kind"]
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}")
    inputs.count(record["step"], "step", low=0, high=LARGEST_COUNT)
    if kind == "run":
        for part in ("config", "data", "environment"):
            if not isinstance(record.get(part, {}), dict):
                raise TypeError(f"{part} is no object")
        if not isinstance(record.get("environment", {}).get("packages", {}), dict):
            raise TypeError("packages is no object")
        return
    for name, value in record.items():
        if name in TEXT_FIELDS:
            fits = isinstance(value, str)
        elif name == "intervals":
            fits = isinstance(value, dict) and all(_is_interval(ends) for ends in value.values())
        else:
            fits = _is_number(value) or (value is None and name not in required)
        if not fits:
            raise TypeError(f"{name} is {value!r} at step {record['step']}")
    for name in required if kind == "monitor" else ():
        record[name]
    for name in SECONDS_FIELDS:
        inputs.real(record.get(name, 0.0), name, low=0.0, high=MOST_SECONDS)


def _is_interval(ends: Any) -> bool:
    return ends is None or (isinstance(ends, list) and len(ends) in (0, 2) and all(map(_is_number, ends)))


def _is_number(value: Any) -> bool:
    """Whether it is a number, or a string that stands for NaN or infinity, which JSON does not have."""
    if isinstance(value, str):
        return value in NOT_FINITE
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < LARGEST_INTEGER)
