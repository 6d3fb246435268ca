"""Types of options that may be None; the help of the command line shows them without None."""

from __future__ import annotations

from typing import Annotated, Any, Literal

__all__ = ["OptionalBool", "OptionalFloat", "OptionalInt", "OptionalOptimizer"]


def _shown_as(metavar: str) -> Any:
    """What tyro reads; without tyro there is no command line, and nobody reads it."""
    try:
        from tyro.conf import arg
    except ImportError:
        return metavar
    return arg(metavar=metavar, help_behavior_hint="")  # what None means is said in the words of each option


OptionalInt = Annotated[int | None, _shown_as("INT")]
OptionalFloat = Annotated[float | None, _shown_as("FLOAT")]
OptionalBool = Annotated[bool | None, _shown_as("{True,False}")]
OptionalOptimizer = Annotated[Literal["adam", "rmsprop"] | None, _shown_as("{adam,rmsprop}")]
