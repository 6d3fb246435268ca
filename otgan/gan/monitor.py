"""The monitor: exact W1 beside the critic's estimate, on the same points, while a GAN is trained.

Everything is measured on samples that were never trained on, with noise and real samples that stay the same over the
whole run, so that only the networks change. Numbers are in the data's own units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan.critics.networks import copied, values
from otgan.critics.repair import constant_bound, repaired_bound
from otgan.data.drawing import stream
from otgan.gan.ema import with_recalibrated_batch_norm
from otgan.gan.intervals import distance_interval
from otgan.gan.run import NotFinite, generate
from otgan.gan.sample_metrics import SampleMetrics
from otgan.problem import Problem
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from otgan.gan.config import Config
    from otgan.gan.dataset import Dataset
    from otgan.gan.objectives import Objective
    from otgan.gan.train_state import TrainState

__all__ = ["Monitor", "patches", "rank_correlation"]

FEWEST_MEASUREMENTS = 3  # that make a correlation
NOISE_SEED_OFFSET = 10**6  # from the seed of training, so that the noise of measurements was never trained with


class Monitor:
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
    floor : Solution
        Exact W1 between held-out samples and as many trained on: what a generator as good as the data itself would get.
    patch_floor : float or None
        The same between patches; None for points.
    """

    def __init__(self, config: Config, samples: Dataset, objective: Objective) -> None:
        n = min(config.monitor_n, len(samples.held_out), len(samples.train_points))
        self.scaling = samples.scaling
        self.objective = objective
        self.device = samples.train.device
        self.held_out, self.trained_on = samples.held_out[:n], samples.train_points[:n]
        self.noise = torch.randn(
            n, config.latent, generator=torch.Generator().manual_seed(config.seed + NOISE_SEED_OFFSET)
        )
        self.config = config
        self.batch_size, self.batch_norm = config.recipe.batch_size, bool(config.batch_norm)
        self.floor = solve(self.held_out, self.trained_on, throw=False)
        self.patch_floor = self._patch_distance(self.trained_on)
        self.sample_metrics = SampleMetrics(samples.name, self.held_out, self.trained_on, config.seed)

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
            ``n``; ``exact``, W1 between generated and held-out samples, with its proof, ``lower`` and ``upper``;
            ``exact_ema``, that of the averaged generator; ``floor``; ``patch`` and ``patch_floor``; ``critic``, the
            critic's number on the same points, and ``critic_trained_on``, on samples trained on; ``critic_estimates``,
            what that is a number for; ``critic_corrected``; ``lower_bound``, what the critic proves once repaired to
            1-Lipschitz, and ``constant_bound``, what a constant one does; ``intervals``, 95 % for the mean over samples
            of the same sizes; ``rank_correlation`` of ``critic`` and ``exact`` over the run; and what
            :class:`~otgan.gan.sample_metrics.SampleMetrics` says of the averaged generator.
        """
        # A copy: in training mode running means of batch norm move.
        generated = generate(copied(state.generator), self.noise, self.scaling, self.batch_size)
        averaged = generate(with_recalibrated_batch_norm(state.ema, self.config), self.noise, self.scaling)
        critic = self._critic(copied(state.critic).train(self.batch_norm), generated)
        solution, ema = (solve(self.held_out, samples, throw=False) for samples in (generated, averaged))
        distances = {"exact": solution, "exact_ema": ema, "floor": self.floor}
        metrics = self.sample_metrics.measure(averaged)
        intervals = {name: distance_interval(distance) for name, distance in distances.items()}
        record = {
            "n": len(generated),
            **{name: distance.distance for name, distance in distances.items()},
            "lower": solution.lower,
            "upper": solution.upper,
            "patch": self._patch_distance(generated),
            "patch_floor": self.patch_floor,
            **critic,
            **metrics,
            "intervals": {**intervals, **metrics.get("intervals", {})},
        }
        return {**record, "rank_correlation": rank_correlation([*before, {"kind": "monitor", **record}])}

    def _critic(self, critic: nn.Module, generated: NDArray[np.float64]) -> dict[str, Any]:
        """The critic's estimates on held-out and trained-on samples, and the lower bound that it proves."""
        f_real, f_trained, f_fake = (
            self._values(critic, points) for points in (self.held_out, self.trained_on, generated)
        )
        scale = self.scaling.scale if self.objective.estimates == "W1" else 1.0
        estimate = self.objective.estimate(f_real, f_fake)
        corrected = self.objective.corrected(estimate)
        problem = Problem.from_points(self.held_out, generated, 1)
        return {
            "critic": estimate * scale,
            "critic_trained_on": self.objective.estimate(f_trained, f_fake) * scale,
            "critic_estimates": self.objective.estimates,
            "critic_corrected": None if corrected is None else corrected * scale,
            "lower_bound": repaired_bound(problem, f_real.numpy(), -f_fake.numpy()),
            "constant_bound": constant_bound(problem),
        }

    def _values(self, critic: nn.Module, points: NDArray[np.float64]) -> torch.Tensor:
        """The critic's values at points (n, d), float64 (n,); with batch norm in batches of the size trained with."""
        samples = self.scaling.to_network(points).to(self.device)
        size = self.batch_size if self.batch_norm else len(samples)
        found = torch.cat([values(critic, part) for part in samples.split(size)]).cpu()
        if not found.isfinite().all():
            raise NotFinite("the critic's values are not finite.")
        return found

    def _patch_distance(self, points: NDArray[np.float64]) -> float | None:
        """Exact W1 between patches of held-out images and of others; None for points."""
        if not self.scaling.is_image or min(self.scaling.shape[:2]) < 4:
            return None
        ours = patches(self.held_out, self.scaling.shape, stream(self.config.seed, "patches of held-out images"))
        theirs = patches(points, self.scaling.shape, stream(self.config.seed, "patches of other images"))
        return solve(ours, theirs, throw=False).distance


def patches(points: NDArray[np.float64], shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """One square patch of each image, a quarter of its shorter side wide, from a place drawn uniformly.

    What convolutional critics compare is rather the distribution of patches than of images (Elnekave & Weiss 2025).

    Parameters
    ----------
    points : (n, d) ndarray
        Flat images.
    shape : (h, w) or (h, w, c)
        With sides of at least 4.
    rng : numpy.random.Generator

    Returns
    -------
    (n, k * k * c) ndarray

    Examples
    --------
    >>> patches(np.zeros((3, 28 * 28)), (28, 28), np.random.default_rng(0)).shape
    (3, 49)
    """
    size = min(shape[:2]) // 4
    images = points.reshape(-1, *shape)
    tops = rng.integers(shape[0] - size + 1, size=len(images))
    lefts = rng.integers(shape[1] - size + 1, size=len(images))
    cut = [image[i : i + size, j : j + size] for image, i, j in zip(images, tops, lefts, strict=True)]
    return np.stack(cut).reshape(len(images), -1)


def rank_correlation(records: Sequence[dict[str, Any]]) -> float | None:
    """Spearman's rank correlation of the critic's estimate and the exact distance over a run.

    Parameters
    ----------
    records : sequence of dict
        Of a log; those of kind "monitor" count, but for step 0, at which the critic has not learnt anything.

    Returns
    -------
    float or None
        None for fewer than three measurements, or where one of the two never changed.

    Examples
    --------
    >>> records = [{"kind": "monitor", "critic": c, "exact": w} for c, w in [(3, 9), (2, 5), (1, 4)]]
    >>> rank_correlation(records)
    1.0
    """
    from scipy.stats import spearmanr

    measured = [record for record in records if record["kind"] == "monitor" and record.get("step") != 0]
    pairs = np.array([(float(record["critic"]), float(record["exact"])) for record in measured])
    if len(pairs) < FEWEST_MEASUREMENTS or not np.isfinite(pairs).all() or (np.ptp(pairs, axis=0) == 0).any():
        return None
    correlation: Any = spearmanr(pairs[:, 0], pairs[:, 1])
    return round(float(correlation.statistic), 12)
