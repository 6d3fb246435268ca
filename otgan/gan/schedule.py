"""When to measure: every so many steps or seconds, and never for more than a share of the time."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Schedule"]

LARGEST_STEP, MOST_SECONDS = 10**15, 1e12
UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}  # in seconds


class Schedule:
    """When the next measurement is due.

    Parameters
    ----------
    every : int, str or None
        Steps from one measurement to the next, or seconds, such as "30 s", "5 min" or "1 h"; None is as often as the
        budget allows.
    budget : float
        The largest share of the time since the first call that measuring may take, above 0 and at most 1. Measurements
        wait until the next one, if it takes as long as the last, would keep to it; the first one does not wait.

    Raises
    ------
    InvalidInput
        For other values.

    Attributes
    ----------
    spent : float
        Seconds that measurements have taken.
    """

    def __init__(self, every: int | str | None = None, budget: float = 0.05) -> None:
        self.steps, self.seconds = _interval(every)
        self.budget = inputs.real(budget, "budget", low=0.0, high=1.0, open_low=True)
        self.spent = 0.0
        self._cost = 0.0  # of the last measurement
        self._begun: float | None = None
        self._last: tuple[int | None, float] | None = None  # step and time of the last measurement

    @property
    def elapsed(self) -> float:
        """Seconds since the first call, those of the runs that it goes on from included."""
        return 0.0 if self._begun is None else time.perf_counter() - self._begun

    def begin(self) -> float:
        """Seconds since the first call, which this one is if there was none."""
        if self._begun is None:
            self._begun = time.perf_counter()
        return self.elapsed

    def is_due(self, step: int | None = None) -> bool:
        """Whether a measurement is due.

        Raises
        ------
        InvalidInput
            Where measurements come every so many steps, without a step.
        """
        step = None if step is None else inputs.count(step, "step", low=0, high=LARGEST_STEP)
        if self.steps is not None and step is None:
            raise InvalidInput(f"step must be given, since every = {self.steps} counts steps. Pass is_due(step).")
        now = self.begin()
        if self._last is None:
            return True
        last_step, last_time = self._last
        if self.steps is not None and step is not None and last_step is not None and step - last_step < self.steps:
            return False
        if self.seconds is not None and now - last_time < self.seconds:
            return False
        return self.spent + self._cost <= self.budget * (now + self._cost)

    def measured(self, step: int | None, cost: float) -> None:
        """Count a measurement that has just been made, and took ``cost`` seconds."""
        self.spent += cost
        self._cost = cost
        self._last = (step, self.elapsed)

    def state_dict(self) -> dict[str, Any]:
        """What a schedule that goes on needs, in plain numbers."""
        last = None if self._last is None else list(self._last)
        return {"spent": self.spent, "elapsed": self.elapsed, "cost": self._cost, "last": last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave.

        Raises
        ------
        InvalidInput, LookupError, TypeError
            If it is something else; nothing has changed then.
        """
        spent, elapsed, cost = (
            inputs.real(state[name], name, low=0.0, high=MOST_SECONDS) for name in ("spent", "elapsed", "cost")
        )
        last = None
        if state["last"] is not None:
            step, when = state["last"]
            last = (
                None if step is None else inputs.count(step, "step", low=0, high=LARGEST_STEP),
                inputs.real(when, "last", low=0.0, high=MOST_SECONDS),
            )
        self.spent, self._cost, self._last = spent, cost, last
        self._begun = None if last is None else time.perf_counter() - elapsed


def _interval(every: int | str | None) -> tuple[int | None, float | None]:
    """Steps and seconds between measurements, one of them None."""
    if every is None:
        return None, None
    if not isinstance(every, str):
        return inputs.count(every, "every", high=LARGEST_STEP), None
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(s|min|h)\s*", every)
    if found is None or not 0 < float(found[1]) <= MOST_SECONDS:
        raise InvalidInput(
            f"every must be a number of steps such as 500, or a time such as '30 s', '5 min' or '1 h', but {every!r} "
            "came."
        )
    return None, float(found[1]) * UNITS[found[2]]
