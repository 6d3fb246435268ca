"""Wasserstein distances of many pairs of point clouds: matrices and batches, each distance proven like any other."""

from otgan.many.batch import wasserstein_batch
from otgan.many.matrix import pairwise

__all__ = ["pairwise", "wasserstein_batch"]
