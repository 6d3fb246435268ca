"""Hypothesis strategies for optimal transport: point clouds, weights, problems, and problems with their answers.

Everything is built from integers, so examples shrink to short lists of small numbers; nothing is filtered.
All coordinates are whole multiples of a power of two with at most 40 significant bits: differences between points
are exact in float64, which is what lets a theorem's answer hold to :data:`EXACT_RTOL`.

Problems drawn by default do not depend on the rounding of weights. Those of :data:`HARD_MASSES` and
:data:`HARD_THEOREMS` do, and are drawn only where they are asked for. They have masses below the rounding of the total,
and distances (of more than 40 bits in "nearly balanced blocks") that are large enough for these masses to matter.
"""

from __future__ import annotations

from otgan.runtime.optional import optional_dependency

with optional_dependency("hypothesis", "testing", "otgan.testing.strategies"):
    import hypothesis as _hypothesis  # noqa: F401

from otgan.testing.strategies.clouds import CLOUDS, point_clouds
from otgan.testing.strategies.masses import HARD_MASSES, MASSES, weights
from otgan.testing.strategies.problems import TransportProblem, problems
from otgan.testing.strategies.theorems import EXACT_RTOL, HARD_THEOREMS, THEOREMS, SolvedProblem, solved_problems

__all__ = [
    "CLOUDS",
    "EXACT_RTOL",
    "HARD_MASSES",
    "HARD_THEOREMS",
    "MASSES",
    "THEOREMS",
    "SolvedProblem",
    "TransportProblem",
    "point_clouds",
    "problems",
    "solved_problems",
    "weights",
]
