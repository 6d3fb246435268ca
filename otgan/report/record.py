"""Records in strict JSON, and the environment of a run."""

from __future__ import annotations

import json
import math
import os
import platform
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from otgan.solution import Solution

__all__ = ["describe", "distance_bounds", "environment", "plain", "to_json"]

PACKAGES = ("otgan", "numpy", "scipy", "pot", "numba", "torch", "matplotlib")


def plain(value: Any) -> Any:
    """``value`` made of dicts, lists, strings, numbers, booleans and None alone.

    JSON has no infinity and no NaN. They become the strings "Infinity", "-Infinity" and "NaN", which ``float`` in
    Python and ``Number`` in JavaScript turn back; None stays for what does not exist.

    Parameters
    ----------
    value : dataclass, mapping, sequence, array, enum, path, number or None
        What to convert.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> plain({"shape": (2, 3), "cost": np.array([0.5, np.inf]), "n": np.int64(4)})
    {'shape': [2, 3], 'cost': [0.5, 'Infinity'], 'n': 4}
    """
    if value is None or isinstance(value, bool | str | int):
        return value.name if isinstance(value, Enum) else value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _not_finite(value)
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    raise TypeError(f"a {type(value).__name__} has no place in a record: {value!r}")


def to_json(record: Any) -> str:
    """``record`` as strict JSON, indented, with lists of numbers on one line.

    Examples
    --------
    >>> print(to_json({"step": [0, 1], "estimate": float("nan")}))
    {
      "step": [0, 1],
      "estimate": "NaN"
    }
    """
    return _indented(plain(record), "\n")


def environment() -> dict[str, Any]:
    """The time, the machine, and the versions of the packages that the numbers depend on.

    Returns
    -------
    dict
        ``time`` (UTC, ISO 8601), ``platform``, ``machine``, ``cpus``, ``python`` and ``packages``, a dict from name to
        version, None for what is not installed.

    Examples
    --------
    >>> sorted(environment())
    ['cpus', 'machine', 'packages', 'platform', 'python', 'time']
    """
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def describe(solution: Solution) -> dict[str, Any]:
    """A solution's numbers and what proves them, without the plan and the potentials.

    Returns
    -------
    dict
        ``distance``, and ``distance_bounds`` with the same unit; ``value``, ``lower``, ``upper`` and ``gap`` of the
        cost; ``status``, ``message``, ``method``, ``certificate`` and ``stats``.

    Examples
    --------
    >>> import otgan
    >>> describe(otgan.solve([0.0, 1.0], [5.0, 6.0], p=2))["distance"]
    5.0
    """
    return {
        "distance": solution.distance,
        "distance_bounds": list(distance_bounds(solution, solution.problem.p)),
        "value": solution.value,
        "lower": solution.lower,
        "upper": solution.upper,
        "gap": solution.gap,
        "status": solution.status.name,
        "message": solution.status.message,
        "method": solution.method,
        "certificate": asdict(solution.certificate),
        "stats": solution.stats,
    }


def distance_bounds(solution: Solution, p: float) -> tuple[float, float]:
    """The proven bounds on the distance, of order p, for which nothing but the bounds on the cost is needed.

    Examples
    --------
    >>> import otgan
    >>> low, high = distance_bounds(otgan.solve([0.0, 1.0], [5.0, 6.0], p=2), 2)
    >>> low <= 5.0 <= high
    True
    """
    low, high = (max(bound, 0.0) ** (1.0 / p) for bound in (solution.lower, solution.upper))
    return low, high


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _indented(value: Any, line: str) -> str:
    """``value`` as JSON; ``line`` is the line break and the indent in force."""
    deeper = line + "  "
    if isinstance(value, dict) and value:
        return "{" + ",".join(f"{deeper}{_dump(key)}: {_indented(v, deeper)}" for key, v in value.items()) + line + "}"
    if isinstance(value, list) and any(isinstance(entry, dict | list) for entry in value):
        return "[" + ",".join(deeper + _indented(entry, deeper) for entry in value) + line + "]"
    return _dump(value)


def _dump(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
