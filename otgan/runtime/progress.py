"""A progress bar on a terminal, where one is asked for and tqdm is installed."""

from __future__ import annotations

from typing import Any

__all__ = ["bar"]


def bar(total: int, shown: bool, *, name: str, unit: str) -> Any:
    """A progress bar for a ``with`` block, whose ``update(count)`` says that so many more are done.

    Examples
    --------
    >>> with bar(3, False, name="example", unit="pairs") as progress:
    ...     _ = progress.update(2)
    """
    try:
        from tqdm import tqdm
    except ImportError:  # a bar is a convenience, and tqdm no dependency of the core
        return _NoBar()
    return tqdm(total=total, desc=name, unit=f" {unit}", disable=None if shown else True)


class _NoBar:
    """What takes the place of a bar where there is none."""

    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, count: int) -> None:
        pass
