"""Optional dependencies: a missing package becomes an error that names the extra to install."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from otgan.errors import MissingDependency, OTError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["optional_dependency"]


@contextmanager
def optional_dependency(package: str, extra: str, purpose: str) -> Iterator[None]:
    """Turn a failed import in the ``with`` block into an error that says what to install.

    Parameters
    ----------
    package : str
        The package, as people call it.
    extra : str
        The extra of otgan that installs it.
    purpose : str
        What needs it; the message begins with these words.

    Raises
    ------
    MissingDependency
        If an import in the block fails.

    Examples
    --------
    >>> with optional_dependency("a_missing_package", "images", "This example"):
    ...     import a_missing_package
    Traceback (most recent call last):
    ...
    otgan.errors.MissingDependency: This example needs a_missing_package, which does not import (No module named
    'a_missing_package'). Run: pip install 'otgan[images]'
    """
    try:
        yield
    except OTError:  # of a block inside this one, which has said what is missing
        raise
    except ImportError as error:
        raise MissingDependency(
            f"{purpose} needs {package}, which does not import ({error}). Run: pip install 'otgan[{extra}]'"
        ) from error
