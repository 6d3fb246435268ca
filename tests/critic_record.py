"""What the report on a critic holds."""

from __future__ import annotations

from typing import Any

__all__ = ["CRITIC"]

CRITIC: dict[str, Any] = {
    "method": "gp",
    "truth": "sample",
    "exact": 1.0,
    "estimate": 1.1,
    "stderr": 0.02,
    "n_seeds": 2,
    "relative_error": 0.1,
    "corrected": 1.03,
    "trend": 0.002,
    "lipschitz_observed": 1.25,
    "lipschitz_certified": None,
    "normalised": 0.88,
    "lower_bound": 0.9,
    "cosine": 0.95,
    "gradient_norm": 1.02,
    "held_out": None,
    "steps": 900,
    "seconds": 3.5,
}
