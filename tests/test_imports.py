"""The modules of otgan import each other in one direction, also inside functions; annotations alone may look back."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import otgan

PACKAGE = Path(otgan.__file__).parent


def modules(package: Path) -> dict[str, Path]:
    """Module name -> file."""
    files = {file.relative_to(package.parent).with_suffix(""): file for file in package.rglob("*.py")}
    return {".".join(path.parts).removesuffix(".__init__"): file for path, file in files.items()}


def imported(tree: ast.AST, names: set[str]) -> set[str]:
    """Those of ``names`` that code imports, at its top or inside functions, but not for type checkers."""
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test):
        return set().union(*(imported(node, names) for node in tree.orelse))
    found: set[str] = set().union(*(imported(node, names) for node in ast.iter_child_nodes(tree)))
    if isinstance(tree, ast.Import):
        found |= {alias.name for alias in tree.names}
    elif isinstance(tree, ast.ImportFrom):
        members = {f"{tree.module}.{alias.name}" for alias in tree.names}
        found |= members if members <= names else members | {tree.module or ""}
    elif isinstance(tree, ast.Call) and ast.unparse(tree.func) == "import_module":
        found |= {ast.unparse(node).strip("'") for node in tree.args}
    return found & names


def circle(package: Path) -> list[str]:
    """Modules that import each other in a circle, first and last the same; empty if there is none."""
    files = modules(package)
    graph = {name: imported(ast.parse(file.read_text()), {*files} - {name}) for name, file in files.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(PACKAGE) == []


@pytest.mark.parametrize(
    "back",
    ["import toy.b", "from toy import b", "def late():\n    from toy.b import f", "import_module('toy.b')"],
)
def test_a_circle_is_found_however_it_is_closed(tmp_path: Path, back: str) -> None:
    package = tmp_path / "toy"
    package.mkdir()
    for name, text in {"__init__": "", "a": back, "b": "from toy.a import g"}.items():
        Path(package, f"{name}.py").write_text(text)
    assert {*circle(package)} == {"toy.a", "toy.b"}


def test_imports_for_annotations_are_no_circle(tmp_path: Path) -> None:
    package = tmp_path / "toy"
    package.mkdir()
    Path(package, "a.py").write_text("if TYPE_CHECKING:\n    from toy.b import f")
    Path(package, "b.py").write_text("from toy.a import g")
    assert circle(package) == []
