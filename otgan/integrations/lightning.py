"""A callback for Lightning: the exact W1 of a GAN beside its critic's number, while a Trainer trains it.

It is one of ``lightning.pytorch``, or of ``pytorch_lightning`` where that is what is imported or installed.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from otgan.errors import InvalidInput
from otgan.integrations.numbers import logged_numbers
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from collections.abc import Callable

    from otgan.gan import Monitor

__all__ = ["WassersteinMonitor"]


def _package() -> Any:
    """The Lightning that is in use."""
    first, second = sorted(("lightning.pytorch", "pytorch_lightning"), key=lambda name: name not in sys.modules)
    with suppress(ModuleNotFoundError):
        return import_module(first)
    return import_module(second)


with optional_dependency("lightning", "lightning", "The callback for Lightning"):
    Callback: Any = _package().Callback


class WassersteinMonitor(Callback):
    """Measures before training and after batches where it is due, and logs the numbers.

    Loggers get them at every measurement, whatever ``log_every_n_steps`` is; ``trainer.callback_metrics`` has the last
    ones, for ``ModelCheckpoint(monitor="wasserstein/exact")`` and the like. Steps are those of ``trainer.global_step``,
    which counts every step of every optimizer. Of several processes the first one measures, and it alone has the
    numbers. The history is part of Lightning's checkpoints.

    Parameters
    ----------
    monitor : otgan.gan.Monitor
        With ``every`` and ``budget``.
    sample : callable, optional
        ``sample(module, n)`` gives n samples in the units of the held-out ones. By default ``module.sample(n)``; of
        modules without it ``module(noise)``, noise being standard normal in the shape of ``example_input_array``.
    critic : str or callable, optional
        The attribute of the module that is the critic, such as "critic" or "networks.critic", or a function of the
        module that gives it; None for none.
    name : str, default "wasserstein"
        What logged numbers begin with.

    Raises
    ------
    InvalidInput
        When training begins, if the module has no such critic or nothing to sample from.

    Examples
    --------
    >>> from otgan.gan import Monitor
    >>> held_out = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    >>> callback = WassersteinMonitor(Monitor(held_out, every="30 s"), sample=lambda module, n: module.draw(n))
    >>> callback.monitor.history
    []
    """

    def __init__(
        self,
        monitor: Monitor,
        *,
        sample: Callable[[Any, int], Any] | None = None,
        critic: str | Callable[[Any], Any] | None = "critic",
        name: str = "wasserstein",
    ) -> None:
        self.monitor = monitor
        self.sample = _sample if sample is None else sample
        self.critic = critic
        self.name = name
        self._unseen = True  # whether callback_metrics lacks the last record

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Measure before the first step."""
        self._critic_of(pl_module)  # what is wrong is said even where this process does not measure
        self._unseen = True  # of a history that goes on, too
        self._measure(trainer, pl_module)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *batch: Any) -> None:
        """Measure where it is due, and let callbacks see what was measured last."""
        self._measure(trainer, pl_module)
        if trainer.is_global_zero and self._unseen and self.monitor.history:
            numbers = logged_numbers(self.monitor.history[-1], self.name)
            pl_module.log_dict(numbers, logger=False, rank_zero_only=True, batch_size=1)
            self._unseen = False

    def state_dict(self) -> dict[str, Any]:
        """The history, for Lightning's checkpoints."""
        return self.monitor.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the history of a checkpoint."""
        self.monitor.load_state_dict(state_dict)

    def _measure(self, trainer: Any, module: Any) -> None:
        step = trainer.global_step
        if not trainer.is_global_zero or not self.monitor.is_due(step):
            return
        record = self.monitor.measure(lambda n: self.sample(module, n), self._critic_of(module), step)
        self._unseen = True
        for logger in trainer.loggers:
            logger.log_metrics(logged_numbers(record, self.name), step=step)

    def _critic_of(self, module: Any) -> Any:
        if self.critic is None or callable(self.critic):
            return None if self.critic is None else self.critic(module)
        try:
            return attrgetter(self.critic)(module)
        except AttributeError:
            raise InvalidInput(
                f"critic must be an attribute of the module, but {type(module).__name__} has no {self.critic!r}. Name "
                "it, as in WassersteinMonitor(monitor, critic='discriminator'), or pass None."
            ) from None


def _sample(module: Any, n: int) -> Any:
    """N samples of a module that is given no other way to sample."""
    import torch

    if callable(getattr(module, "sample", None)):
        return module.sample(n)
    example = getattr(module, "example_input_array", None)
    if not isinstance(example, torch.Tensor):
        raise InvalidInput(
            f"sample must be given, since {type(module).__name__} has neither sample(n) nor a tensor as "
            "example_input_array. Pass sample=lambda module, n: module(torch.randn(n, latent, device=module.device))."
        )
    return module(torch.randn(n, *example.shape[1:], device=module.device))
