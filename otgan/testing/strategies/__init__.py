"""Hypothesis strategies for optimal transport: point clouds, weights, problems, and problems with their answers.

Everything is built from small integers, so examples shrink to short lists of small numbers; nothing is filtered.
All coordinates are whole multiples of a power of two with at most 40 significant bits: differences between points
are exact in float64, which is what lets a theorem's answer hold to :data:`EXACT_RTOL`.
"""

from __future__ import annotations

try:
    import hypothesis as _hypothesis  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"otgan.testing.strategies needs hypothesis, which does not import ({error}). Run: pip install 'otgan[testing]'"
    ) from error

from otgan.testing.strategies.clouds import CLOUDS, point_clouds
from otgan.testing.strategies.masses import MASSES, weights
from otgan.testing.strategies.problems import TransportProblem, problems
from otgan.testing.strategies.theorems import EXACT_RTOL, THEOREMS, SolvedProblem, solved_problems

__all__ = [
    "CLOUDS",
    "EXACT_RTOL",
    "MASSES",
    "THEOREMS",
    "SolvedProblem",
    "TransportProblem",
    "point_clouds",
    "problems",
    "solved_problems",
    "weights",
]
