"""Signals that wait until a kernel's result is whole.

Numba runs Python code of its own for each array that a kernel returns, and there Python calls the handler of a signal
that came while the kernel ran. Of Ctrl-C it raises KeyboardInterrupt; Numba does not look for it between two arrays,
and the process ends with a SystemError or a segmentation fault (seen with Numba 0.68). Kernels that return nothing,
numbers or one new array are safe as they are.
"""

from __future__ import annotations

import _signal  # pyright: ignore[reportMissingImports] - as ``signal``, without enums that take longer than small kernels
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Later"]

# Those that programs handle in Python: Ctrl-C, the end of a session or a container, alarms, and those left to them.
SIGNALS = tuple(
    int(getattr(signal, name))
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGBREAK")
    if hasattr(signal, name)
)


class Later:
    """Inside the ``with`` block signals wait; at its end their handlers are called.

    Python calls handlers in the main thread alone, so in others nothing is to be done.

    Examples
    --------
    >>> try:
    ...     with Later():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("still here")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    still here
    interrupted
    """

    __slots__ = ("handlers", "waiting")

    def __enter__(self) -> None:
        self.waiting: list[tuple[int, Any]] = []
        self.handlers: dict[int, Callable[[int, Any], Any]] = {}
        if threading.current_thread() is not threading.main_thread():
            return
        handlers = {number: _signal.getsignal(number) for number in SIGNALS}
        try:
            for number, handler in handlers.items():
                if callable(handler):  # not if it is the system's, or the signal is ignored
                    self.handlers[number] = handler
                    _signal.signal(number, self._wait)
        except BaseException:  # of a handler, since Python looks for signals before it sets one
            self._restore()
            raise

    def __exit__(self, *raised: object) -> None:
        self._restore()
        for number, frame in self.waiting:
            self.handlers[number](number, frame)

    def _wait(self, number: int, frame: Any) -> None:
        self.waiting.append((number, frame))

    def _restore(self) -> None:
        """Put every handler back, also where one that is back already raises meanwhile."""
        stopped: BaseException | None = None
        for number, handler in self.handlers.items():
            while _signal.getsignal(number) is not handler:
                try:
                    _signal.signal(number, handler)
                except BaseException as error:
                    stopped = error
        if stopped is not None:
            raise stopped
