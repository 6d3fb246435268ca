"""Torch's default dtype and gradient modes while networks are trained or differentiated, restored afterwards.

Networks are float32 and need gradients. A caller may have made float64 the type of new tensors, or call from inside
``torch.no_grad()`` or ``torch.inference_mode()``, as evaluation code does. All of it is restored afterwards.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["own_modes"]


class _DefaultType:
    """float32 as the type of new tensors, which belongs to the process: the first that comes sets it, the last resets.

    Were it set and reset by each alone, two threads could leave it as neither has found it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.before = torch.float32

    def enter(self) -> None:
        with self.lock:
            if self.inside == 0:
                self.before = torch.get_default_dtype()
                _set_type(torch.float32)
            self.inside += 1

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                _set_type(self.before)


_DEFAULT_TYPE = _DefaultType()


@contextmanager
def own_modes() -> Iterator[None]:
    """Make new tensors float32 and record gradients, as a ``with`` block or a decorator.

    Examples
    --------
    >>> with torch.inference_mode(), own_modes():
    ...     torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()
    (True, False, torch.float32)
    """
    _DEFAULT_TYPE.enter()
    try:
        with torch.inference_mode(mode=False), torch.enable_grad():
            yield
    finally:
        _DEFAULT_TYPE.leave()


def _set_type(dtype: torch.dtype) -> None:
    if torch.get_default_dtype() != dtype:
        torch.set_default_dtype(dtype)
