"""Pairs of distributions whose W1 is known, and whose optimal critic has a known gradient."""

from otgan.pairs.cones import Funnels, MaxCones, random_funnels, random_max_cones
from otgan.pairs.families import by_name, families
from otgan.pairs.jitter import Jitter
from otgan.pairs.pair import Pair
from otgan.pairs.potentials import (
    Blocks,
    GreatestCones,
    LeastCones,
    LipschitzNetwork,
    MinMaxTree,
    Planes,
    RayField,
    RayPotential,
)
from otgan.pairs.rays import Rays
from otgan.pairs.shells import SphericalShells
from otgan.pairs.translations import ShiftedGaussians, Translation

__all__ = [
    "Blocks",
    "Funnels",
    "GreatestCones",
    "Jitter",
    "LeastCones",
    "LipschitzNetwork",
    "MaxCones",
    "MinMaxTree",
    "Pair",
    "Planes",
    "RayField",
    "RayPotential",
    "Rays",
    "ShiftedGaussians",
    "SphericalShells",
    "Translation",
    "by_name",
    "families",
    "random_funnels",
    "random_max_cones",
]
