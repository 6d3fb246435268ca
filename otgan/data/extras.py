"""Says which extra to install when an optional package is missing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from otgan.errors import OTError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["needs"]


@contextmanager
def needs(package: str, extra: str, purpose: str) -> Iterator[None]:
    """Turn a failed import of ``package`` into an error that names the extra.

    Raises
    ------
    OTError
        If an import in the ``with`` block fails.

    Examples
    --------
    >>> with needs("a_missing_package", "images", "This example"):
    ...     import a_missing_package
    Traceback (most recent call last):
    ...
    otgan.errors.OTError: This example needs a_missing_package, which does not import (No module named
    'a_missing_package'). Run: pip install 'otgan[images]'
    """
    try:
        yield
    except ImportError as error:
        raise OTError(
            f"{purpose} needs {package}, which does not import ({error}). Run: pip install 'otgan[{extra}]'"
        ) from error
