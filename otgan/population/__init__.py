"""From samples to their distributions: confidence intervals for W1, and the permutation test."""

from otgan.population.interval import population_interval
from otgan.population.permutation import PermutationTestResult, permutation_test
from otgan.population.result import Bound, PopulationInterval

__all__ = ["Bound", "PermutationTestResult", "PopulationInterval", "permutation_test", "population_interval"]
