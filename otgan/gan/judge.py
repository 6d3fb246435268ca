"""What else is known about samples of some sets: classes of digits, modes of mixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otgan.data import toys
from otgan.data.builtin import DIGITS
from otgan.gan.classifier import digit_classifier
from otgan.gan.metrics import class_score, classes_covered, frechet_distance, mixture_modes, precision_recall

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Judge"]

FEWEST = 10  # samples that features are compared of


class Judge:
    """Judges samples by what is known about the set that they are to be like.

    Parameters
    ----------
    name : str
        Of the set, such as ``mnist:8`` or ``gaussians25``; for others there is nothing to say.
    held_out, trained_on : (n, d) ndarray
        Real samples, the second to compare the first with.
    """

    def __init__(self, name: str, held_out: NDArray[np.float64], trained_on: NDArray[np.float64]) -> None:
        plain = name.partition(":")[0]
        self.mixture = toys.modes(plain)
        self.classifier = digit_classifier(plain) if plain in DIGITS and len(held_out) >= FEWEST else None
        if self.classifier is not None and self.classifier.side**2 != held_out.shape[1]:
            self.classifier = None  # samples of the user's that bear the name of a set
        if self.classifier is not None:
            self.real = self.classifier.judge(held_out)[0]
            self.floor = frechet_distance(self.real, self.classifier.judge(trained_on)[0])

    def measure(self, points: NDArray[np.float64]) -> dict[str, Any]:
        """Judge samples (n, d).

        Returns
        -------
        dict
            For digits ``frechet_distance`` to held-out digits in the classifier's features, and ``frechet_floor``, that
            of digits trained on; ``precision``, ``recall``, ``class_score``, and ``modes``, classes covered. For
            mixtures ``modes`` and ``in_modes``, the share of samples in any. Empty for other sets.
        """
        if self.mixture is not None:
            modes, share = mixture_modes(points, *self.mixture)
            return {"modes": modes, "in_modes": share}
        if self.classifier is None:
            return {}
        features, probabilities = self.classifier.judge(points)
        precision, recall = precision_recall(self.real, features)
        return {
            "frechet_distance": frechet_distance(self.real, features),
            "frechet_floor": self.floor,
            "precision": precision,
            "recall": recall,
            "class_score": class_score(probabilities),
            "modes": classes_covered(probabilities),
        }
