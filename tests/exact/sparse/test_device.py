"""Solving with all pairs priced on a torch device: the same answers, and a reason where there is none."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest
import torch

import otgan
from otgan.errors import InvalidInput
from otgan.metric import METRICS

X, Y = np.random.default_rng(1).normal(size=(2, 300, 2))
PLACES = ["torch:cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]


@pytest.mark.parametrize("device", PLACES)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "m", "d"), [(260, 210, 2), (240, 240, 3), (200, 200, 12), (150, 170, 12)])
def test_the_solution_is_that_of_the_cpu(n: int, m: int, d: int, metric: str, device: str) -> None:
    rng = np.random.default_rng(d)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5
    for p in (1, 2):
        here = otgan.solve(x, y, p, metric=metric, method="sparse")
        there = otgan.solve(x, y, p, metric=metric, method="sparse", device=device)
        assert (there.value, there.lower, there.upper) == (here.value, here.lower, here.upper)
        np.testing.assert_array_equal(there.plan.toarray(), here.plan.toarray())


@pytest.mark.parametrize("device", PLACES)
@pytest.mark.parametrize("p", [1.5, 3])
def test_other_powers_are_proven_as_well(p: float, device: str) -> None:
    here, there = (otgan.solve(X, Y[:250], p, method="sparse", device=place) for place in ("cpu", device))
    assert there.status is otgan.Status.OPTIMAL
    assert there.value == pytest.approx(here.value, rel=2e-9)


def test_auto_is_sparse_on_a_device_except_on_the_line() -> None:
    assert otgan.solve(X, Y, device="torch:cpu").method == "sparse"
    assert otgan.solve(X[:, 0], Y[:, 0], device="torch:cpu").method == "line"
    assert otgan.wasserstein(X, Y, 2, device="torch:cpu") == pytest.approx(otgan.wasserstein(X, Y, 2), rel=2e-9)
    assert otgan.wasserstein(X[:, 0], Y[:, 0], np.inf, device="torch:cpu") == otgan.wasserstein(
        X[:, 0], Y[:, 0], np.inf
    )


REFUSED = [
    ({"device": "mps"}, "has no float64"),
    ({"device": "gpu"}, "cannot be used here"),
    ({"device": "meta"}, "cannot be used here"),
    ({"device": "torch:"}, "cannot be used here"),
    ({"device": None}, "must be 'cpu' or the name of a torch device, but None came"),
    ({"device": "torch:cpu", "method": "network-simplex"}, "is for method='sparse' or 'auto'"),
    ({"device": "torch:cpu", "method": "line"}, "is for method='sparse' or 'auto'"),
    ({"device": "torch:cpu", "method": "sinkhorn"}, "method must be one of"),
]


@pytest.mark.parametrize(("options", "reason"), REFUSED)
def test_refused(options: dict[str, Any], reason: str) -> None:
    for door in (otgan.solve, otgan.wasserstein):
        with pytest.raises(InvalidInput, match=re.escape(reason)):
            door(X, Y, **options)


def test_without_torch_a_device_is_refused_and_the_cpu_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("otgan.runtime.device", "otgan.pricing.device"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InvalidInput, match=r"needs torch, which is not installed. Run: pip install 'otgan\[torch\]'"):
        otgan.solve(X, Y, device="cuda")
    assert otgan.solve(X[:50], Y[:50], method="sparse").status is otgan.Status.OPTIMAL
