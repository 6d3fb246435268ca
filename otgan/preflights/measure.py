"""How far critics are from the truth of a pair: their numbers, and their gradients where the generator gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from otgan.critics.critic import Critic
    from otgan.pairs import Rays

    Array = NDArray[np.float64]

__all__ = ["Fresh", "Measured", "fresh", "measured"]

POINTS, GRADIENTS = 2048, 1024
NUMBERS = 2**24  # that points may have in all
POINTS_SEED = 20_011  # of points that no critic is trained on


class Fresh(NamedTuple):
    """Fakes and the real samples that they were made of, (n, d) each, and the unit way back from some of them."""

    fake: Array
    real: Array
    back: Array

    def line(self) -> tuple[float, float]:
        """Number and mean cosine of the linear critic along the difference of means."""
        difference = (self.real - self.fake).mean(axis=0)
        length = float(np.linalg.norm(difference))
        return length, float((self.back @ difference).mean() / length) if length > 0 else 0.0


class Measured(NamedTuple):
    """A critic's number, mean cosine, mean gradient norm at fakes, and largest slope seen."""

    number: float
    cosine: float
    norm: float
    slope: float


def fresh(pair: Rays, seed: int) -> Fresh:
    """Points of a pair to judge critics on; fakes that do not move are left out of the gradients.

    Numbers are means over pairs of the optimal plan: a fake and the sample it was made of have much in common, so that
    the mean of their difference has a small error.
    """
    n = max(64, min(POINTS, NUMBERS // pair.dimension))
    fake, real = pair.coupled(n, np.random.default_rng([seed, POINTS_SEED]))
    apart = np.linalg.norm(real - fake, axis=1)
    order = np.argsort(apart <= 0, kind="stable")  # those that move come first
    fake, real, apart = fake[order], real[order], apart[order]
    moved = min(GRADIENTS, int((apart > 0).sum()))
    return Fresh(fake, real, (real - fake)[:moved] / apart[:moved, None])


def measured(critic: Critic, points: Fresh) -> Measured:
    """Judge a critic that is high on real samples.

    Examples
    --------
    >>> import otgan
    >>> from otgan.critics.given import given_critics
    >>> points = Fresh(np.array([[1.0, 0.0]]), np.array([[3.0, 0.0]]), np.array([[1.0, 0.0]]))
    >>> with given_critics([lambda x: 2 * x[:, 0]], 2) as (critic,):
    ...     measured(critic, points)
    Measured(number=4.0, cosine=1.0, norm=2.0, slope=2.0)
    """
    rise = critic(points.real) - critic(points.fake)
    at = points.fake[: len(points.back)]
    gradient = critic.gradient(at)
    norm = np.linalg.norm(gradient, axis=1)
    along = np.einsum("kd,kd->k", gradient, points.back)
    cosine = np.divide(along, norm, out=np.zeros_like(along), where=norm > 0)
    apart = np.linalg.norm(points.real - points.fake, axis=1)
    slopes = np.divide(np.abs(rise), apart, out=np.zeros_like(rise), where=apart > 0)
    others = np.linalg.norm(critic.gradient(points.real[: len(at)]), axis=1)
    slope = float(max(norm.max(initial=0.0), others.max(initial=0.0), slopes.max()))
    return Measured(float(rise.mean()), float(cosine.mean()), float(norm.mean()), slope)
