"""Signals during compiled code: whatever a kernel returns, the handler is called, and the process lives."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

from otgan.kernels.jit import Kernel, kernel
from otgan.kernels.signals import SIGNALS, Later


@kernel
def two_arrays(x, k):
    """Long enough for a signal to come, then more than one array."""
    total = 0.0
    for i in range(k):
        total += np.sqrt(total + i)
    return x + total, x - total


@kernel
def one_array(x, k):
    total = 0.0
    for i in range(k):
        total += np.sqrt(total + i)
    return x + total


@kernel
def nothing(x, k):
    for i in range(k):
        x[0] += np.sqrt(x[0] + i)


class Stop(Exception):
    """What a handler of a program may raise."""


def stop(*_: Any) -> None:
    raise Stop


def raise_soon_after(begun: threading.Event, number: int) -> None:
    begun.wait()
    time.sleep(0.01)
    signal.raise_signal(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("function", [two_arrays, one_array, nothing])
def test_a_handler_that_raises_while_a_kernel_runs(function: Any, number: int) -> None:
    x = np.zeros(3)
    function(x, 10)
    before = signal.signal(number, stop)
    try:
        for _ in range(3):
            begun = threading.Event()
            thread = threading.Thread(target=raise_soon_after, args=(begun, number))
            thread.start()
            begun.set()
            with pytest.raises(Stop):
                function(x, 10_000_000)
            thread.join()
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)


def test_only_kernels_that_return_tuples_are_guarded() -> None:
    x = np.zeros(3)
    for function, guarded in ((two_arrays, True), (one_array, False), (nothing, False)):
        function(x, 1)
        assert (type(function) is Kernel) is guarded


def test_signals_come_when_the_block_is_over_in_order() -> None:
    seen: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda n, _: seen.append(n)) for number in numbers}
    try:
        with Later():
            for number in numbers:
                signal.raise_signal(number)
            assert not seen
        assert seen == list(numbers)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_an_error_inside_leaves_the_handlers_as_they_were() -> None:
    handlers = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(ZeroDivisionError), Later():
        raise ZeroDivisionError
    assert [signal.getsignal(number) for number in SIGNALS] == handlers


def test_other_threads_have_nothing_to_do() -> None:
    def work() -> None:
        with Later():
            found.append(signal.getsignal(signal.SIGINT))

    found: list[Any] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]
