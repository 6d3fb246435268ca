"""The monitor of a run of :func:`otgan.gan.train`, which knows its data, its objective and its averaged generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from otgan.critics.networks import copied, values
from otgan.data import SampleSet
from otgan.gan.correlation import rank_correlation
from otgan.gan.critic_numbers import MeasuredCritic
from otgan.gan.ema import with_recalibrated_batch_norm
from otgan.gan.intervals import distance_interval
from otgan.gan.monitor import NOISE_SEED_OFFSET, Monitor
from otgan.gan.run import generate
from otgan.gan.sample_metrics import SampleMetrics
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from otgan.gan.config import Config
    from otgan.gan.dataset import Dataset
    from otgan.gan.objectives import Objective
    from otgan.gan.train_state import TrainState

__all__ = ["RunMonitor"]


class RunMonitor:
    """Measures both networks while they are trained.

    Networks are measured as they are trained: batch norm takes means over batches of the size trained with, the
    generator's and, where it has any, the critic's. With running means a generator makes other samples than the critic
    knows, and the critic's number says little about them.

    Parameters
    ----------
    config : Config
    samples : Dataset
    objective : Objective

    Attributes
    ----------
    monitor : Monitor
        Measures samples and critics, in the data's own units.
    noise : (n, latent) tensor
        The same over the whole run.
    """

    def __init__(self, config: Config, samples: Dataset, objective: Objective) -> None:
        n = min(config.monitor_n, len(samples.held_out), len(samples.train_points))
        held_out, trained_on = samples.held_out[:n], samples.train_points[:n]
        shape = samples.scaling.shape
        self.monitor = Monitor(
            SampleSet("held-out samples", held_out, shape, samples.name),
            SampleSet("samples trained on", trained_on, shape, samples.name),
            n=n,
            seed=config.seed,
        )
        drawn = torch.Generator().manual_seed(config.seed + NOISE_SEED_OFFSET)
        self.noise = torch.randn(n, config.latent, generator=drawn)
        self.config, self.scaling, self.objective = config, samples.scaling, objective
        self.device = samples.train.device
        self.batch_size, self.batch_norm = config.recipe.batch_size, bool(config.batch_norm)
        self.sample_metrics = SampleMetrics(samples.name, held_out, trained_on, config.seed)

    def measure(self, state: TrainState, before: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Measure both networks.

        Parameters
        ----------
        state : TrainState
            Left unchanged.
        before : sequence of dict
            The records of the run so far, for the rank correlation.

        Returns
        -------
        dict
            What :meth:`Monitor.measure <otgan.gan.monitor.Monitor.measure>` says of the generator and the critic in
            training; ``critic_estimates``, what the critic's number is for; ``critic_corrected``, without a bias that
            theory predicts; ``exact_ema``, W1 of the averaged generator; and what
            :class:`~otgan.gan.sample_metrics.SampleMetrics` says of this one.
        """
        # A copy: in training mode running means of batch norm move.
        generated = generate(copied(state.generator), self.noise, self.scaling, self.batch_size)
        averaged = generate(with_recalibrated_batch_norm(state.ema, self.config), self.noise, self.scaling)
        measured = self.monitor.measure_points(generated, self._critic(state.critic))
        ema = solve(self.monitor.held_out, averaged, throw=False)
        metrics = self.sample_metrics.measure(averaged)
        record = {
            **measured,
            "exact_ema": ema.distance,
            **metrics,
            "intervals": {
                **measured["intervals"],
                "exact_ema": distance_interval(ema),
                **metrics.get("intervals", {}),
            },
        }
        return {**record, "rank_correlation": rank_correlation([*before, {"kind": "monitor", **record}])}

    def _critic(self, critic: nn.Module) -> MeasuredCritic:
        """The critic of points in the data's own units; with batch norm in batches of the size trained with."""
        network = copied(critic).train(self.batch_norm)

        def found(points: NDArray[np.float64]) -> NDArray[np.float64]:
            samples = self.scaling.to_network(points).to(self.device)
            size = self.batch_size if self.batch_norm else len(samples)
            with torch.no_grad():
                return torch.cat([values(network, part) for part in samples.split(size)]).cpu().numpy()

        return MeasuredCritic(found, self.objective, self.scaling.scale)
