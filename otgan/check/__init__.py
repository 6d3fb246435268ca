"""The check of critics: the exact distance of two sample sets beside every critic's estimate, on the same points."""

from otgan.check.result import Check
from otgan.check.run import check

__all__ = ["Check", "check"]
