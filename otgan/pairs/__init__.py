"""Pairs of distributions whose W1 is known, and whose optimal critic has a known gradient."""

from otgan.pairs.cones import Funnels, MaxCones, random_funnels, random_max_cones
from otgan.pairs.pair import Pair
from otgan.pairs.shells import SphericalShells
from otgan.pairs.translations import ShiftedGaussians, Translation

__all__ = [
    "Funnels",
    "MaxCones",
    "Pair",
    "ShiftedGaussians",
    "SphericalShells",
    "Translation",
    "random_funnels",
    "random_max_cones",
]
