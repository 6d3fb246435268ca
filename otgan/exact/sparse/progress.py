"""Progress of a long solve: seconds and rounds, the bar on a terminal, and what may end it early."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from otgan.runtime.interrupts import asked

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Progress"]


@dataclass
class Progress:
    """Seconds by part, rounds, limits and the progress bar of one solve.

    Attributes
    ----------
    rtol : float
    max_steps : int or None
        Rounds of pricing on the finest level at most.
    shown : bool
        Whether a bar shows on a terminal.
    stats : dict
        ``rounds`` and ``seconds_<part>``, and what the solver adds.
    """

    rtol: float
    max_steps: int | None = None
    shown: bool = False
    stats: dict[str, Any] = field(default_factory=lambda: {"rounds": 0})
    _bar: Any = None
    _inside: bool = False

    def __enter__(self) -> Progress:
        if self.shown:
            try:
                from tqdm import tqdm
            except ImportError:  # a bar is a convenience, and tqdm no dependency of the core
                return self
            self._bar = tqdm(desc="sparse", unit=" rounds", disable=None)
        return self

    def __exit__(self, *raised: Any) -> None:
        if self._bar is not None:
            self._bar.close()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Charge the seconds inside to a part of the whole; of nested parts, to the outermost."""
        if self._inside:
            yield
            return
        begin, self._inside = time.perf_counter(), True
        try:
            yield
        finally:
            self._inside = False
            key = f"seconds_{name}"
            self.stats[key] = self.stats.get(key, 0.0) + time.perf_counter() - begin

    @property
    def interrupted(self) -> bool:
        """Whether there was a Ctrl-C: the solver comes to the end of what it is doing and certifies what it has."""
        return asked()

    @property
    def exhausted(self) -> bool:
        """Whether the limit of rounds is reached, or the user has interrupted."""
        return self.interrupted or (self.max_steps is not None and self.stats["rounds"] >= self.max_steps)

    def record_round(self, *, arcs: int, gap: float) -> None:
        """A round on the finest level has ended with so many arcs, and an estimated gap."""
        self.stats["rounds"] += 1
        self.stats["arcs"] = arcs
        if self._bar is not None and not self._bar.disable:
            self._bar.set_postfix(arcs=arcs, gap=f"{max(gap, 0.0):.1e}", refresh=False)
            self._bar.update()
