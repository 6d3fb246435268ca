"""What docs/testing.md says, run as it is written: also the defects of other libraries that it reports."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
FIXED = "no defect is found any more: say so in docs/testing.md, with the version that is right"


def blocks(language: str) -> list[str]:
    """The code blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def documented() -> dict[str, Any]:
    """The names that the page's Python blocks define."""
    names: dict[str, Any] = {"__name__": "documented"}
    exec(compile("\n".join(blocks("python")), str(PAGE), "exec"), names)
    return names


@pytest.mark.parametrize("name", ["test_my_solver", "test_my_distance"])
def test_examples_pass(documented: dict[str, Any], name: str) -> None:
    documented[name]()


@pytest.mark.parametrize("name", ["test_pot", "test_scipy"])
def test_defects_are_still_there(documented: dict[str, Any], name: str) -> None:
    try:
        documented[name]()
    except AssertionError:
        return
    pytest.fail(f"{name}: {FIXED}")


def test_every_example_is_run(documented: dict[str, Any]) -> None:
    tests = {name for name in documented if name.startswith("test_")}
    assert tests == {"test_my_solver", "test_my_distance", "test_pot", "test_scipy"}


@pytest.mark.parametrize("session", blocks("pycon"))
def test_sessions_print_what_they_say(session: str) -> None:
    example = doctest.DocTestParser().get_doctest(session, {}, PAGE.name, str(PAGE), 0)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append)
    assert not said, "".join(said) + f"\nIf the numbers are right now, {FIXED}."
