"""What a user passes to ``train`` beside the configuration: networks, data, loggers and a callback."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, Self

from otgan import inputs
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Given"]


@dataclass(frozen=True, eq=False)
class Given:
    """What training uses instead of its own, each as it is described at :func:`otgan.gan.train`."""

    generator: Any = None
    critic: Any = None
    data: Any = None
    channels: Literal["first", "last"] | None = None
    loggers: Sequence[Any] = ()
    callback: Callable[[int, Any], object] | None = None

    @classmethod
    def of(cls, generator: Any, critic: Any, data: Any, channels: Any, loggers: Any, callback: Any) -> Self:
        """The same, checked as far as that needs no data.

        Raises
        ------
        InvalidInput
            If loggers do not log, or the callback cannot be called.
        """
        loggers = () if loggers is None else loggers
        loggers = list(loggers) if isinstance(loggers, list | tuple) else [loggers]
        for logger in loggers:
            if not callable(getattr(logger, "log_metrics", None)):
                raise InvalidInput(
                    f"a logger must have a method log_metrics(numbers, step), as Lightning's have, but a "
                    f"{type(logger).__name__} came. Give it one, or pass another."
                )
        if callback is not None and not callable(callback):
            raise InvalidInput(f"callback must be a function callback(step, state), but {callback!r} came.")
        if channels is not None:
            inputs.choice(channels, "channels", ("first", "last"))
        return cls(generator, critic, data, channels, loggers, callback)

    def check_sendable(self, devices: int) -> None:
        """Refuse what cannot be sent to other processes.

        Raises
        ------
        InvalidInput
            That names it.
        """
        for field in fields(self):
            try:
                pickle.Pickler(_Nowhere()).dump(getattr(self, field.name))
            except Exception as error:  # whatever an object of the user's stumbles over
                raise InvalidInput(
                    f"{field.name} must be such that pickle can send it to the {devices} processes that train, but it "
                    f"is not ({type(error).__name__}: {error}). Define functions and classes at the top of a module, "
                    "or use devices=1."
                ) from None


class _Nowhere:
    """A file that keeps nothing: data may be large."""

    def write(self, _: Any) -> int:
        return 0
