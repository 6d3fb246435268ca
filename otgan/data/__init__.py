"""Sample sets by name or from files, and toy distributions to sample from."""

from otgan.data.builtin import names
from otgan.data.loading import load
from otgan.data.sampleset import SampleSet
from otgan.data.toys import gaussians8, gaussians25, swiss_roll, two_lines

__all__ = ["SampleSet", "gaussians8", "gaussians25", "load", "names", "swiss_roll", "two_lines"]
