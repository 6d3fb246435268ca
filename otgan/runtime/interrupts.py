"""Ctrl-C during long work: the first one asks it to stop with a valid result, the second one stops it at once."""

from __future__ import annotations

import _signal  # pyright: ignore[reportMissingImports] - as ``signal``, without enums that take longer than small solves
import signal
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Interrupts", "asked"]

SIGINT, SIGTERM = int(signal.SIGINT), int(signal.SIGTERM)

_inside = threading.local()  # .stack: the ``with`` blocks that a thread is in


class Interrupts:
    """Inside the ``with`` block the first Ctrl-C only sets :attr:`asked`, and the work ends by itself.

    The second one is a KeyboardInterrupt, and so is an error that ends the block after the first one: code that goes on
    after errors would not stop otherwise. Where the program has its own handler, inside another such block, or outside
    the main thread, nothing is changed. Code that opens a block must act on a Ctrl-C that was recorded.

    Parameters
    ----------
    terminate : bool, default False
        Treat SIGTERM, which batch systems send to end a job, as a Ctrl-C as well. It always is one where the program
        has made it one.

    Attributes
    ----------
    asked : bool
        Whether there was a Ctrl-C.

    Examples
    --------
    >>> with Interrupts() as interrupts:
    ...     signal.raise_signal(signal.SIGINT)
    ...     interrupts.asked, asked()
    (True, True)
    """

    def __init__(self, *, terminate: bool = False) -> None:
        self.asked = False
        self._terminate = terminate
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        _stack().append(self)
        main = threading.current_thread() is threading.main_thread()
        try:
            for number in (SIGINT, SIGTERM) if main else ():
                handler = _signal.getsignal(number)
                if handler is _signal.default_int_handler or (
                    number == SIGTERM and self._terminate and handler == _signal.SIG_DFL
                ):
                    _signal.signal(number, self._ask)
                    self._before[number] = handler
        except KeyboardInterrupt:  # one that came just before
            self._restore()
            _stack().pop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _stack().pop()
        self._restore()
        if self.asked and isinstance(error, Exception):
            raise KeyboardInterrupt from error

    def _restore(self) -> None:
        for number, handler in self._before.items():
            _signal.signal(number, handler)

    def _ask(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def asked() -> bool:
    """Whether there was a Ctrl-C in the innermost ``with`` block of :class:`Interrupts` that this thread is in.

    Long work looks here between two parts of itself. Blocks further out are not asked.
    """
    stack = _stack()
    return bool(stack) and stack[-1].asked


def _stack() -> list[Interrupts]:
    if not hasattr(_inside, "stack"):
        _inside.stack = []
    return _inside.stack
