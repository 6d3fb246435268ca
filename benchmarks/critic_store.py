"""Records of the critics' benchmark: one small file each, written whole as it ends."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import otgan

if TYPE_CHECKING:
    from critic_cells import Cell
    from critic_methods import Setting

Record = dict[str, Any]


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text)
    os.replace(part, path)


@cache
def source(part: str) -> str:
    """A fingerprint of the code in ``otgan/<part>``: the package's version says too little while it is worked on."""
    folder = Path(otgan.__file__).parent / part
    sha = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        sha.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()[:12]


def digest(setting: Setting, pool_size: int) -> str:
    """A fingerprint of what a method was run with."""
    about = [setting.method, setting.all_options, pool_size]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Store:
    """The records of runs with one budget on one kind of device.

    Attributes
    ----------
    folder : Path
        ``<out>/<device>-<budget>s``; records are in ``records/<cell>/<name>-<settings>-<seed>.json``.
    """

    folder: Path

    def path(self, cell: Cell, name: str, settings: str, seed: int) -> Path:
        """Where a record is."""
        return self.folder / "records" / cell.key / f"{name}-{settings}-{seed}.json"

    def has(self, cell: Cell, name: str, settings: str, seed: int) -> bool:
        """Whether the record is there."""
        return self.path(cell, name, settings, seed).exists()

    def pace(self, cell: Cell, name: str, settings: str) -> tuple[int, int] | None:
        """Steps and entries of the history of another seed, if there is one: seeds train equally long."""
        for path in sorted(self.path(cell, name, settings, 0).parent.glob(f"{name}-{settings}-*.json")):
            record = json.loads(path.read_text())
            if "steps" in record:
                return record["steps"], record["records"]
        return None

    def add(self, cell: Cell, record: Record) -> None:
        """Keep a record."""
        path = self.path(cell, record["name"], record["settings"], record["seed"])
        write_whole(path, json.dumps(record, ensure_ascii=False) + "\n")

    def records(self) -> list[Record]:
        """All that is there, in a fixed order."""
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("records/*/*.json"))]
