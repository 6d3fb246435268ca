"""Advice after a check: what to do next, from what it found."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING, Any

from otgan.report import percent, settled

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_advice", "with_option"]

CLOSE = 0.1  # of the exact distance: estimates that are no further off can be used
OVERFIT = 0.2  # of the exact distance: a critic that says so much less on other points has learnt the sample by heart
LONGER = 4  # times as many steps
ALTERNATIVES = ("gp", "orthogonal")


def check_advice(record: Mapping[str, Any]) -> tuple[str, str | None]:
    """Two sentences on a check: which critic can be used, and what to do next; and the command that does it.

    Parameters
    ----------
    record : mapping
        As :meth:`otgan.check.Check.as_dict` gives it.

    Returns
    -------
    text : str
    command : str or None
        None where a side was not given by name.

    Examples
    --------
    >>> critic = {"method": "gp", "estimate": 1.05, "held_out": 1.04, "steps": 900}
    >>> record = {"exact": {"distance": 1.0}, "critics": [critic], "failed": {}, "command": "otgan check a b --seed 0"}
    >>> text, command = check_advice(record)
    >>> print(text)
    Use gp: on these points its estimate is 5.0 % too high, and it can be trusted to about that. W₁ is that of these
    points alone, so look at others before you conclude (--seed 1).
    >>> command
    'otgan check a b --seed 1'
    """
    exact = float(record["exact"]["distance"])
    critics = [critic for critic in record["critics"] if math.isfinite(float(critic["estimate"]))]
    first, (second, changes) = _which(critics, exact), _next(record, critics, exact)
    command = record.get("command")
    for option, value in changes.items():
        command = command and with_option(command, option, *value.split())
    return f"{first} {second}", command


def with_option(command: str, option: str, *values: str) -> str:
    """A command with another value of an option, which is added where it is missing.

    Examples
    --------
    >>> with_option("otgan check a b --methods clip gp --n 100", "--methods", "gp")
    'otgan check a b --methods gp --n 100'
    >>> with_option("otgan check a b", "--steps", "400")
    'otgan check a b --steps 400'
    """
    words = shlex.split(command)
    if option not in words:
        return shlex.join([*words, option, *values])
    start = words.index(option) + 1
    end = next((k for k in range(start, len(words)) if words[k].startswith("--")), len(words))
    return shlex.join([*words[:start], *values, *words[end:]])


def _which(critics: list[Mapping[str, Any]], exact: float) -> str:
    """Which critic can be used."""
    if not critics:
        return "No critic can be used: none was trained to its end."
    if exact == 0:
        return "The two samples are the same, and a critic has nothing to measure."
    best = _closest(critics, exact)
    error = float(best["estimate"]) / exact - 1
    off = f"{percent(abs(error))} too {'high' if error > 0 else 'low'}"
    if abs(error) <= CLOSE:
        return f"Use {best['method']}: on these points its estimate is {off}, and it can be trusted to about that."
    return f"Use no critic's number as it is: even the closest, {best['method']}, is {off}."


def _next(record: Mapping[str, Any], critics: list[Mapping[str, Any]], exact: float) -> tuple[str, dict[str, str]]:
    """What to do next, and the options that do it."""
    if record["failed"] and not critics:
        return "Train others (--methods).", {"--methods": " ".join(ALTERNATIVES)}
    if exact == 0 or not critics:
        return "Compare it with another set.", {}
    best = _closest(critics, exact)
    moving = [critic for critic in critics if settled(critic) is False]
    if moving and best["estimate"] < (1 + CLOSE) * exact:
        names, steps = _listed([critic["method"] for critic in moving]), LONGER * max(c["steps"] for c in moving)
        verb = "was" if len(moving) == 1 else "were"
        return f"Train longer, since {names} {verb} still changing at the end (--steps {steps}).", {
            "--steps": f"{steps}"
        }
    held_out, side = best.get("held_out"), record.get("data", {}).get("a", {})
    if held_out is not None and best["estimate"] - held_out > OVERFIT * exact:
        text = (
            f"On points held out {best['method']} says much less, {percent(held_out / exact)} of W₁: the sample is too"
        )
        if not side.get("n"):
            return f"{text} small for it, so take more points.", {}
        n = side["n"] + min(record["data"][name]["held_out"] for name in ("a", "b"))
        return f"{text} small for it, so take more points (--n {n}).", {"--n": f"{n}"}
    if abs(best["estimate"] / exact - 1) > CLOSE:
        there = {critic["method"] for critic in critics} | {*record["failed"]}
        others = [name for name in ALTERNATIVES if name not in there]
        if others:
            return f"Try another method ({_listed(others)}).", {"--methods": " ".join(others)}
        return "Take the exact distance, which needs no critic, or look at other methods (--methods).", {}
    seed = record.get("settings", {}).get("seed", 0) + 1
    return (
        f"W₁ is that of these points alone, so look at others before you conclude (--seed {seed}).",
        {"--seed": f"{seed}"},
    )


def _closest(critics: list[Mapping[str, Any]], exact: float) -> Mapping[str, Any]:
    return min(critics, key=lambda critic: abs(critic["estimate"] - exact))


def _listed(names: list[str]) -> str:
    return " and ".join(([", ".join(names[:-1])] if names[1:] else []) + names[-1:])
