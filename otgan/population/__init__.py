"""From samples to the distributions that they come from: an interval for the W1 between these."""

from otgan.population.interval import population_interval
from otgan.population.result import Bound, PopulationInterval

__all__ = ["Bound", "PopulationInterval", "population_interval"]
