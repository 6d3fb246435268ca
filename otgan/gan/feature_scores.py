"""Scores of generated samples in features of a network: Fréchet distance, precision and recall, with intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from otgan.errors import InvalidInput
from otgan.gan.intervals import bootstrap
from otgan.gan.metrics import NEIGHBOURS, frechet_distance, near

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from otgan.gan.intervals import Interval

    Score = tuple[Callable[..., float], tuple[NDArray[Any], ...], tuple[float, float]]

__all__ = ["FeatureScores", "score_intervals", "score_values"]

MOST_FEATURES = 128  # of which a Fréchet distance is quick enough for 200 of them


class FeatureScores:
    """Scores of generated samples against real ones.

    Parameters
    ----------
    real : (n, k) ndarray
        Features of held-out samples, at least four.
    trained_on : (m, k) ndarray, optional
        Of other real samples, for the floor of the Fréchet distance.

    Raises
    ------
    InvalidInput
        For fewer samples.
    """

    def __init__(self, real: NDArray[np.float64], trained_on: NDArray[np.float64] | None = None) -> None:
        if len(real) <= NEIGHBOURS:
            raise InvalidInput(f"features need at least {NEIGHBOURS + 1} samples held out, but {len(real)} came.")
        self.real = real
        self.floor = None if trained_on is None else frechet_distance(real, trained_on)

    def scores(self, features: NDArray[np.float64]) -> dict[str, Score]:
        """Each score of generated samples: the statistic, the samples it is of, and what it can be."""
        generated_near, real_near = near(self.real, features)
        return {
            "frechet_distance": (frechet_distance, (self.real, features), (0.0, math.inf)),
            "precision": (_share, (generated_near,), (0.0, 1.0)),
            "recall": (_share, (real_near,), (0.0, 1.0)),
        }

    def measure(self, features: NDArray[np.float64], rng: np.random.Generator) -> dict[str, Any]:
        """Scores of generated samples from their features (m, k).

        Returns
        -------
        dict
            ``frechet_distance`` and, where other real samples were given, ``frechet_floor``; ``precision``, ``recall``;
            and ``intervals`` of 95 %. The Fréchet distance has one for up to 128 features: it takes 200 of them.
        """
        scores = self.scores(features)
        found = score_values(scores) | ({} if self.floor is None else {"frechet_floor": self.floor})
        if features.shape[1] > MOST_FEATURES:
            del scores["frechet_distance"]
        return {**found, "intervals": score_intervals(scores, rng)}


def score_values(scores: Mapping[str, Score]) -> dict[str, float]:
    """The value of each score."""
    return {name: statistic(*samples) for name, (statistic, samples, _) in scores.items()}


def score_intervals(scores: Mapping[str, Score], rng: np.random.Generator) -> dict[str, Interval | None]:
    """A 95 % interval for each score, over other samples of the same sizes."""
    return {name: bootstrap(score, samples, rng, *ends) for name, (score, samples, ends) in scores.items()}


def _share(near: NDArray[np.bool_]) -> float:
    return float(near.mean())
