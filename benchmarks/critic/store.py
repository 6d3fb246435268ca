"""Records of the critics' benchmark: one small file each, written whole as it ends."""

from __future__ import annotations

import ast
import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import otgan

if TYPE_CHECKING:
    from critic.cells import Cell
    from critic.methods import Setting

Record = dict[str, Any]

# An iteration a step keeps their weights orthonormal, where there were five of a free weight.
ORTHONORMAL = frozenset({"orthogonal", "orthogonal-abs", "prototypes"})
LATTICE = frozenset({"lattice", "lattice-y"})  # is smooth to begin with, and has no layer
AUTO = frozenset({"auto"})  # begins with other candidates now, or goes on with them in another way
# Version of otgan.critics -> older ones, each with the methods that train or judge in another way now: the records of
# all others are as good as its own, up to rounding. Older ones saw slopes in single precision: between points that are
# very close to each other, as some of 2048 in the plane are, lipschitz_observed is then rounding, and may be 30 for 1.
# Those from e5f512f4804e on did not search for steeper places than data and gradients show: a lower lipschitz_observed.
# The control "discrete" takes potentials of the exact solver, which are not unique: other ones now, and as good.
ALIKE: dict[str, dict[str, frozenset[str]]] = {
    "0bdd194e5099": {
        "266c383342c1": frozenset(),
        "bcdb9b1df679": AUTO,
        "ece0e001ede8": AUTO,
        "eb548f902fcd": AUTO | LATTICE,
        "9f37f36f778d": AUTO | LATTICE,
        "2fc96ac82bb9": AUTO | LATTICE,
        "e93299242f8d": AUTO | LATTICE,
        "8069b4b3c104": AUTO | LATTICE,
        "c18516150242": AUTO | LATTICE,
        "115ffdbdac86": AUTO | LATTICE,
        "8dc4dc6a8c0d": AUTO | LATTICE,
        "209738733943": AUTO | LATTICE,
        "55b8c4c5540d": AUTO | LATTICE,
        "b4439fd79f20": AUTO | LATTICE,
        "82ee06d311d0": AUTO | LATTICE,
        "d9fa5e9c64bf": AUTO | LATTICE,
        "2484bac38578": AUTO | LATTICE,
        "c9c1a4345aa0": AUTO | LATTICE,
        "ae8dd93850ac": AUTO | LATTICE,
        "cdcc56e816db": AUTO | LATTICE,
        "0123660cf21e": AUTO | LATTICE,
        "cfd12057d6e8": AUTO | LATTICE,
        "e5f512f4804e": AUTO | LATTICE,
        "03c574e3f605": AUTO | LATTICE | ORTHONORMAL,
        "41262278d4ad": AUTO | LATTICE | ORTHONORMAL,
        "5bacb8dd4e53": AUTO | LATTICE,
        "787bae8abf08": AUTO | LATTICE,
        "006a602e6fd3": AUTO | LATTICE,
    },
}


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
        tree = Bare().visit(ast.parse(path.read_text()))
        sha.update(f"{path.relative_to(folder).as_posix()}\0{ast.unparse(tree)}".encode())
    return sha.hexdigest()[:12]


def of_now(record: Record) -> bool:
    """Whether a record is what the code of now would give."""
    now = source("critics")
    alike = ALIKE.get(now, {})
    return record["source"] == now or (record["source"] in alike and record["method"] not in alike[record["source"]])


class Bare(ast.NodeTransformer):
    """Takes out what is for readers and type checkers alone: docstrings, signatures' types, and imports for those."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A string on its own is a docstring."""
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.copy_location(ast.Pass(), node) if text else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Without the type returned."""
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Without its type."""
        node.annotation = None
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        """Imports under TYPE_CHECKING are never made."""
        checking = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return ast.copy_location(ast.Pass(), node) if checking else self.generic_visit(node)


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
