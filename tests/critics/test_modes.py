"""Critics under whatever modes of torch a caller has set, and with whatever networks and points a caller brings."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from problems import gaussians
from torch import nn

import otgan
from otgan import InvalidInput
from otgan.critics import METHODS, fit, mlp
from otgan.critics.modes import own_modes

QUICK: dict[str, Any] = {"steps": 4, "width": 8, "depth": 1}


@contextmanager
def float64_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


MODES = {"float64": float64_by_default, "no_grad": torch.no_grad, "inference": torch.inference_mode}


def numbers(method: str, **options: Any) -> list[float]:
    x, y = gaussians(20)
    fitted = fit(x, y, method, **QUICK, **options)
    report = fitted.compare(otgan.solve(x, y))
    gradients = fitted.gradient(x), fitted.potentials.gradient(x)
    return [report.estimate, report.cosine, report.lipschitz_observed, *(float(one.sum()) for one in gradients)]


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("method", ["gp", "orthogonal", "sll", "c-transform", "prototypes", "mm-reversed"])
def test_modes_of_the_caller_change_no_number(method: str, mode: Callable[[], Any]) -> None:
    expected = numbers(method)
    with mode():
        assert numbers(method) == expected


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_networks_and_samplers_that_are_made_in_these_modes_are_trained(mode: Callable[[], Any]) -> None:
    with mode():
        assert np.isfinite(numbers("gp", network=mlp(2, 8, 1))).all()

        def normal(n: int, generator: torch.Generator) -> torch.Tensor:
            return torch.randn(n, 2, generator=generator)

        assert np.isfinite(fit(normal, normal, "gp", **QUICK).estimate)


def test_the_type_of_new_tensors_is_put_back_by_the_last_that_leaves() -> None:
    first, second = own_modes(), own_modes()
    with float64_by_default():
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert torch.get_default_dtype() == torch.float32
        second.__exit__(None, None, None)


class Pair(nn.Module):
    """A network that returns two tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, points: torch.Tensor) -> Any:
        return self.layer(points), points


class Broken(Pair):
    """A network with a mistake in it."""

    def forward(self, points: torch.Tensor) -> Any:
        return points.no_such_attribute  # type: ignore[attr-defined]


REFUSED = {
    "a tuple": (Pair, "one tensor"),
    "a mistake": (Broken, "raised AttributeError"),
    "no parameters": (nn.Flatten, "it has no parameters"),
    "frozen": (lambda: mlp(2, 4, 1).requires_grad_(False), "are frozen"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("method", ["gp", "clip"])
def test_networks_that_cannot_be_trained_are_refused(method: str, make: Callable[[], nn.Module], message: str) -> None:
    for network in (make(), lambda d: make()):
        with pytest.raises(InvalidInput, match=message):
            fit(*gaussians(), method, network=network, steps=2)


def test_networks_may_have_weights_that_hooks_compute() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch has newer ways, but users have old code
        for norm in (nn.utils.weight_norm, nn.utils.spectral_norm, nn.utils.parametrizations.weight_norm):
            network = nn.Sequential(norm(nn.Linear(2, 8)), nn.ReLU(), nn.Linear(8, 1))
            network(torch.zeros(3, 2))
            assert np.isfinite(numbers("gp", network=network, n_seeds=2)).all()


@pytest.mark.parametrize("method", METHODS)
def test_potentials_can_be_pickled(method: str) -> None:
    x, y = gaussians(10)
    potentials = fit(x, y, method, **QUICK).potentials
    again = pickle.loads(pickle.dumps(potentials))
    for name, points in (("f", x), ("g", y), ("gradient", x)):
        np.testing.assert_array_equal(getattr(again, name)(points), getattr(potentials, name)(points))


@pytest.mark.parametrize("method", METHODS)
def test_one_point_a_side_is_a_sample(method: str) -> None:
    x, y = gaussians(1)
    assert np.isfinite(fit(x, y, method, **QUICK).compare(otgan.solve(x, y)).estimate)


@pytest.mark.parametrize("method", ["gp", "prototypes", "discrete"])
def test_points_that_leave_float32_are_refused(method: str) -> None:
    x, y = gaussians(20)
    far = 1e60 * x
    fitted = fit(x, y, method, **QUICK)
    for use in (
        lambda: fit(far, y, method, unit=1, **QUICK),
        lambda: fit(x, y, method, held_out=(far, y), **QUICK),
        lambda: fitted.critic(far),
        lambda: fitted.gradient(far),
        lambda: fitted.potentials.f(far),
        lambda: fitted.estimates_on(far, y),
        lambda: fitted.compare(otgan.solve(far, y)),
    ):
        with pytest.raises(InvalidInput, match="beyond which float32 ends"):
            use()
    assert np.isfinite(fit(far, 1e60 * y, method, **QUICK).compare(otgan.solve(far, 1e60 * y)).estimate)


@pytest.mark.parametrize("options", [{"width": 10**9}, {"depth": 10**6}, {"width": 2000, "n_seeds": 10**6}], ids=str)
@pytest.mark.parametrize("method", ["gp", "orthogonal", "sll", "prototypes", "mm-reversed"])
def test_networks_that_would_not_fit_into_memory_are_refused_before_they_are_made(
    method: str, options: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match=r"weights, which take|depth must be at least 1 and at most 1000"):
        fit(*gaussians(), method, **options)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "auto"])  # which has its candidates'
def test_the_number_of_weights_is_no_less_than_there_are(method: str) -> None:
    chosen = METHODS[method].with_options({"width": 20, "depth": 3})
    made = sum(weight.numel() for weight in chosen.network(5).parameters())
    assert made <= chosen.weights(5) <= 2 * made + 20
