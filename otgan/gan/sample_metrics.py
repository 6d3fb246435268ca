"""Metrics of generated samples whose data are known: Fréchet distance and classes of digits, modes of mixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otgan import inputs
from otgan.data import toys
from otgan.data.builtin import DIGITS
from otgan.data.drawing import stream
from otgan.errors import InvalidInput
from otgan.gan.classifier import CLASSES, digit_classifier
from otgan.gan.feature_scores import FeatureScores, score_intervals, score_values
from otgan.gan.metrics import class_score, classes_covered, mixture_modes, share_outside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SampleMetrics"]

FEWEST_SAMPLES = 10  # held out, for features to be compared


class SampleMetrics:
    """Metrics that need to know the data set: of digits in features of a classifier, of mixtures by their modes.

    Parameters
    ----------
    name : str
        Of the set, such as ``mnist:8`` or ``gaussians25``; for others there is nothing to say.
    held_out, trained_on : (n, d) ndarray
        Real samples, the second to compare the first with.
    seed : int
        Of what is resampled for intervals.

    Raises
    ------
    InvalidInput
        For samples that are not finite, or of different width.
    """

    def __init__(
        self, name: str, held_out: NDArray[np.float64], trained_on: NDArray[np.float64], seed: int = 0
    ) -> None:
        held_out, trained_on = inputs.points(held_out, "held_out"), inputs.points(trained_on, "trained_on")
        inputs.same_dimension(held_out, trained_on)
        self.width = held_out.shape[1]
        self.seed = inputs.seed(seed)
        plain, _, digit = name.partition(":")
        self.mixture = toys.modes(plain)
        self.classifier = digit_classifier(plain) if plain in DIGITS and len(held_out) >= FEWEST_SAMPLES else None
        if self.classifier is not None and self.classifier.side**2 != held_out.shape[1]:
            self.classifier = None  # samples of the user's that bear the name of a set
        self.classes = [c for c in range(CLASSES) if digit in ("", str(c))]  # that the data have
        if self.classifier is not None:
            real, others = (self.classifier.predict(points)[0] for points in (held_out, trained_on))
            self.features = FeatureScores(real, others)

    def measure(self, points: NDArray[np.float64]) -> dict[str, Any]:
        """Measure generated samples (n, d).

        Returns
        -------
        dict
            For digits ``frechet_distance`` to held-out digits in the classifier's features, and ``frechet_floor``, that
            of digits trained on; ``precision``, ``recall`` and ``class_score``, whose bootstrap intervals of 95 %, as
            that of the first, are in ``intervals``: over generated samples and, where the metric depends on them, real
            ones. For digits ``modes``, how many of the data's classes are covered, of ``modes_of`` that there are, and
            where the data do not have all ten, ``outside``, the share of samples in the others. For mixtures ``modes``,
            of ``modes_of``, and ``in_modes``, the share of samples in any. Empty for other sets.

        Raises
        ------
        InvalidInput
            For samples that are not finite, or of another width than those held out.
        """
        points = inputs.points(points, "points")
        if points.shape[1] != self.width:
            raise InvalidInput(
                f"points must have {self.width} columns as the samples held out, but have {points.shape[1]}."
            )
        if self.mixture is not None:
            modes, share = mixture_modes(points, *self.mixture)
            return {"modes": modes, "modes_of": len(self.mixture[0]), "in_modes": share}
        if self.classifier is None:
            return {}
        features, probabilities = self.classifier.predict(points)
        scores = {
            **self.features.scores(features),
            "class_score": (class_score, (probabilities,), (1.0, float(probabilities.shape[1]))),
        }
        return {
            **score_values(scores),
            "frechet_floor": self.features.floor,
            **self._modes(probabilities),
            "intervals": score_intervals(scores, stream(self.seed, "resampled")),
        }

    def _modes(self, probabilities: NDArray[np.float64]) -> dict[str, Any]:
        """The number of classes of the data that are covered, and the share of samples in other classes."""
        modes: dict[str, Any] = {"modes": classes_covered(probabilities, self.classes), "modes_of": len(self.classes)}
        if len(self.classes) < CLASSES:
            modes["outside"] = share_outside(probabilities, self.classes)
        return modes
