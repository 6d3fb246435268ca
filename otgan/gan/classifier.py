"""A small classifier of digits, for Fréchet distances and class scores in its features.

It is trained by a fixed recipe on the whole built-in set, once in a process. It is the same for every run, so the
scores of two runs can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from otgan.critics.modes import own_modes
from otgan.data import load
from otgan.data.digits import labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DigitClassifier", "digit_classifier"]

STEPS, BATCH_SIZE, LEARNING_RATE, SEED = 400, 64, 2e-3, 0  # of Adam; images of a batch
FEATURES, CLASSES = 32, 10  # units of the last two layers


@dataclass(frozen=True, eq=False)
class DigitClassifier:
    """A classifier of digits: two strided convolutions and two dense layers.

    Attributes
    ----------
    body : torch.nn.Module
        From images (k, 1, h, w) in [-1, 1] to features (k, 32).
    head : torch.nn.Module
        From features to logits (k, 10).
    side : int
        Height and width of the images.
    """

    body: nn.Module
    head: nn.Module
    side: int

    @torch.no_grad()
    def predict(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Features (n, 32) and probabilities of the ten classes (n, 10) of flat images (n, side * side) in [0, 1]."""
        features = self.body(_images(points, self.side))
        return features.double().numpy(), self.head(features).double().softmax(dim=1).numpy()


@cache
@own_modes()
def digit_classifier(name: str) -> DigitClassifier:
    """The classifier for a built-in set.

    Parameters
    ----------
    name : {"digits", "mnist"}

    Raises
    ------
    OTError
        If the package that ships the set is not installed.

    Examples
    --------
    >>> points = load("digits").points
    >>> _, probabilities = digit_classifier("digits").predict(points)
    >>> bool((probabilities.argmax(axis=1) == labels("digits")).mean() > 0.95)
    True
    """
    whole = load(name)
    side = whole.shape[0]
    images, truth = _images(whole.points, side), torch.as_tensor(labels(name))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        body, head = _body(side), nn.Linear(FEATURES, CLASSES)
        optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=LEARNING_RATE)
        for _ in range(STEPS):
            drawn = torch.randint(len(images), (BATCH_SIZE,))
            loss = nn.functional.cross_entropy(head(body(images[drawn])), truth[drawn])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return DigitClassifier(body.requires_grad_(False), head.requires_grad_(False), side)


def _body(side: int) -> nn.Sequential:
    last = -(-side // 4)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * last * last, FEATURES),
        nn.ReLU(),
    )


def _images(points: NDArray[np.float64], side: int) -> torch.Tensor:
    return torch.as_tensor(2 * points - 1, dtype=torch.float32).reshape(-1, 1, side, side)
