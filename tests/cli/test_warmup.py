"""``otgan warmup``; that nothing is left to be compiled after it, ``benchmarks/first_call.py`` shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from otgan.cli import main, warmup

if TYPE_CHECKING:
    from collections.abc import Callable


class InThisProcess(ThreadPoolExecutor):
    """One thread in place of processes, which would know nothing of what is patched here."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(1)


def test_it_calls_and_says_that_it_is_done(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    called: list[int] = []
    monkeypatch.setattr(warmup, "calls", lambda: [lambda: called.append(1), lambda: called.append(2)])
    monkeypatch.setattr(warmup, "ProcessPoolExecutor", InThisProcess)
    assert main(["warmup"]) == 0
    assert called == [1, 2]
    assert capsys.readouterr().out.startswith("compiled")


@pytest.mark.long
@pytest.mark.parametrize("call", warmup.calls())
def test_what_it_calls_works(call: Callable[[], object]) -> None:
    call()
