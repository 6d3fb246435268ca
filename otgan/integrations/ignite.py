"""A handler for PyTorch-Ignite: the exact W1 of a GAN beside its critic's number, while an Engine trains it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otgan.integrations.numbers import logged_numbers
from otgan.runtime.optional import optional_dependency

with optional_dependency("pytorch-ignite", "ignite", "The handler for Ignite"):
    from ignite.engine import EventEnum, Events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ignite.engine import Engine

    from otgan.gan import Monitor

__all__ = ["MonitorEvents", "WassersteinMonitor"]


class MonitorEvents(EventEnum):
    """What happens to an engine with a monitor: loggers are attached to MEASURED."""

    MEASURED = "wasserstein_measured"


class WassersteinMonitor:
    """Measures before training and after iterations where it is due.

    The numbers of the last measurement are in ``engine.state.metrics``, by names such as "wasserstein/exact". After
    each the event ``MonitorEvents.MEASURED`` is fired, for loggers and checkpoints to be attached to. It has
    ``state_dict`` and ``load_state_dict``, as Ignite's ``Checkpoint`` wants of what it is to save.

    Parameters
    ----------
    monitor : otgan.gan.Monitor
        With ``every`` (iterations, or a time) and ``budget``.
    sample : callable
        ``sample(n)`` gives n samples in the units of the held-out ones.
    critic : torch.nn.Module or callable, optional
        From a batch to (k,) or (k, 1).
    name : str, default "wasserstein"
        What the names of numbers begin with.

    Examples
    --------
    >>> import torch
    >>> from ignite.engine import Engine
    >>> from otgan.gan import Monitor
    >>> net = torch.nn.Linear(1, 2)
    >>> handler = WassersteinMonitor(Monitor(torch.randn(50, 2)), lambda n: net(torch.randn(n, 1)))
    >>> trainer = Engine(lambda engine, batch: None)
    >>> handler.attach(trainer)
    >>> state = trainer.run(range(3))
    >>> state.metrics["wasserstein/exact"] == handler.monitor.history[-1]["exact"]
    True
    """

    def __init__(
        self, monitor: Monitor, sample: Callable[[int], Any], critic: Any = None, *, name: str = "wasserstein"
    ) -> None:
        self.monitor = monitor
        self.sample = sample
        self.critic = critic
        self.name = name

    def attach(self, engine: Engine) -> None:
        """Measure when the engine starts, and after iterations where it is due."""
        engine.register_events(*MonitorEvents)
        engine.add_event_handler(Events.STARTED, self)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Measure, if it is due."""
        step = engine.state.iteration
        if self.monitor.is_due(step):
            record = self.monitor.measure(self.sample, self.critic, step)
            engine.state.metrics.update(logged_numbers(record, self.name))
            engine.fire_event(MonitorEvents.MEASURED)

    def state_dict(self) -> dict[str, Any]:
        """The history, for a checkpoint."""
        return self.monitor.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from the history of a checkpoint."""
        self.monitor.load_state_dict(state_dict)
