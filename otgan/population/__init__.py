"""Confidence intervals for the W1 between the distributions that samples come from."""

from otgan.population.interval import population_interval
from otgan.population.result import Bound, PopulationInterval

__all__ = ["Bound", "PopulationInterval", "population_interval"]
