"""Wasserstein distances on the line and on the circle: distances, their gradients, and batches of both."""

from otgan.line.circle import wasserstein_circle
from otgan.line.distance import wasserstein_1d

__all__ = ["wasserstein_1d", "wasserstein_circle"]
