"""What a metric says of itself: names and codes, and distances and gradients by their definitions."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from otgan.metric import METRICS, Metric, MetricName

DUAL = {"euclidean": 2, "cityblock": np.inf, "chebyshev": 1}  # orders of the dual norms


def test_names_are_those_that_type_checkers_know() -> None:
    assert tuple(METRICS) == get_args(MetricName)


def test_kernels_know_each_by_a_code_of_its_own() -> None:
    assert sorted(metric.code for metric in METRICS.values()) == list(range(len(METRICS)))


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
def test_a_gradient_has_length_one_in_the_dual_norm_and_gives_the_length(metric: Metric) -> None:
    differences = np.array([[3.0, -4.0, 0.0], [0.0, -2.0, 0.0], [-1.0, -1.0, 1.0]])
    gradients, lengths = metric.unit_gradients(differences), metric.lengths(differences)
    assert np.linalg.norm(gradients, DUAL.get(metric.name), axis=1) == pytest.approx(1.0)
    assert np.einsum("kd,kd->k", gradients, differences) == pytest.approx(lengths)  # Euler: norms are homogeneous
    assert not metric.unit_gradients(np.zeros((2, 3))).any()
    assert metric.diagonal([3.0, 4.0, 0.0]) == pytest.approx(lengths[0])
