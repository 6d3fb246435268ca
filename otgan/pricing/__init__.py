"""Pricing: the least reduced costs ``C_ij - f_i`` over all rows, of points and of matrices."""

from otgan.pricing.matrix import MatrixPricing
from otgan.pricing.points import Index, Pricing, check_device, cost_matrix

__all__ = ["Index", "MatrixPricing", "Pricing", "check_device", "cost_matrix"]
