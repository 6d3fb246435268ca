"""The one decorator of the house for compiled code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kernel"]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function``: cached on disk, without the GIL, with IEEE arithmetic (NaN and ties matter)."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return numba.njit(nogil=True, error_model="numpy")(function)
