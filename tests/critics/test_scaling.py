"""Units and offsets do not matter: what is said of s x and s y is s times what is said of x and y, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from problems import gaussians
from torch import nn

import otgan
from otgan import InvalidInput
from otgan.critics import METHODS, CriticFit, fit, mlp
from otgan.critics.networks import values
from otgan.critics.networks.ensemble import ModuleEnsemble
from otgan.critics.scaling import Scaling
from otgan.critics.slopes import in_double, largest_slope

CPU = torch.device("cpu")
QUICK: dict[str, Any] = {"steps": 5, "width": 16, "depth": 2, "batch_size": 32, "device": "cpu"}


def on_a_grid(points: np.ndarray) -> np.ndarray:
    """Points to 16 binary digits after the point, so that offsets up to 2^35 are added without rounding."""
    return np.rint(points * 2**16) / 2**16


def quick(method: str, x: Any, y: Any, **options: Any) -> CriticFit:
    return fit(x, y, method, **{**QUICK, **({"steps": 1} if method == "discrete" else {}), **options})


@given(
    exponent=st.integers(-400, 400), units=st.integers(-(2**26), 2**26), seed=st.integers(0, 99), n=st.integers(1, 9)
)
def test_a_scaling_follows_the_data_exactly(exponent: int, units: int, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (on_a_grid(rng.normal(size=(k, 2)) * 10 ** rng.uniform(-2, 2)) for k in (n, 3))
    scaling, scale = Scaling.of(x, y), 2.0**exponent
    offset = units * scaling.unit  # in whole units, so that float64 holds points and centre out there
    other = Scaling.of(scale * (x + offset), scale * (y + offset))
    assert other == Scaling(scale * (scaling.center + offset), scale * scaling.unit)
    assert np.array_equal(other.inward(scale * (x + offset)), scaling.inward(x))
    assert np.array_equal(other.outward(scaling.inward(x)), scale * (x + offset))


@pytest.mark.parametrize(
    ("reach", "unit"), [(1.0, 1.0), (1.8, 1.0), (0.95, 1.0), (0.9, 0.5), (1.95, 2.0), (0.5, 0.5), (127.5, 128.0)]
)
def test_data_that_reach_about_one_are_left_alone(reach: float, unit: float) -> None:
    x, y = np.array([[-reach, 0.0], [reach, 0.0]]), np.array([[0.0, reach], [0.0, -reach]])
    scaling = Scaling.of(x, y)
    assert scaling.unit == unit
    np.testing.assert_allclose(scaling.center, 0, atol=1e-6 * unit)
    offset = Scaling.of(x + 0.1, y + 0.1)  # rounds the extent, which must not halve the unit
    assert offset.unit == unit


def test_the_centre_of_few_points_is_rough_and_that_of_a_single_point_itself() -> None:
    x = np.random.default_rng(0).normal(size=(100, 2))
    assert Scaling.about(x).center.tolist() == [0.0, 0.0]
    assert Scaling.about(x + 1e9).center.tolist() == pytest.approx([1e9, 1e9], abs=32)
    assert Scaling.of(np.array([[3.0]])) == Scaling(np.array([3.0]), 1.0)
    huge = Scaling.of(np.full((50, 1), 1.7e308))  # whose sum is beyond float64
    assert huge == Scaling(np.array([1.7e308]), 1.0)
    assert len({huge, Scaling(np.array([1.7e308]), 1.0)}) == 1


@pytest.mark.parametrize("method", METHODS)
def test_every_number_of_a_fit_scales_with_the_data(method: str) -> None:
    x, y = (on_a_grid(side) for side in gaussians(n=30, d=3))
    held_out = (x[:5] + 0.5, y[:5])
    first = quick(method, x, y, held_out=held_out)
    for scale in (2.0**-1, 2.0**-100, 2.0**300):
        other = quick(method, scale * x, scale * y, held_out=tuple(scale * side for side in held_out))
        assert np.array_equal(other.estimates, scale * first.estimates)
        assert np.array_equal(other.history["estimate"], scale * first.history["estimate"])
        assert other.held_out == scale * (first.held_out or 0.0)
        assert other.corrected == (None if first.corrected is None else scale * first.corrected)
        assert np.array_equal(other.critic(scale * x), scale * first.critic(x))
        assert np.array_equal(other.potentials.g(scale * y), scale * first.potentials.g(y))
        assert np.array_equal(other.gradient(scale * x), first.gradient(x))
        assert other.lower_bound(scale * x, scale * y) == scale * first.lower_bound(x, y)
        assert other.lipschitz == first.lipschitz
    far = quick(method, x + 2.0**30, y + 2.0**30)
    assert np.array_equal(far.estimates, first.estimates)
    assert np.array_equal(far.critic(x + 2.0**30), first.critic(x))


@pytest.mark.parametrize("offset", [1e9, -3.7e6])
def test_an_offset_changes_no_more_than_it_rounds(offset: float) -> None:
    x, y = gaussians(n=30)
    first, far = quick("orthogonal", x, y), quick("orthogonal", x + offset, y + offset)
    assert far.estimate == pytest.approx(first.estimate, rel=1e-4)
    assert far.lipschitz.observed == pytest.approx(first.lipschitz.observed, rel=1e-3)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("method", ["orthogonal", "prototypes"])
def test_a_certified_critic_says_no_more_than_the_distance_in_any_units(method: str, scale: float) -> None:
    """In units of 1e-8 float32 made 1.32 times the distance of a critic with a certified constant of 1."""
    x, y = (scale * side for side in gaussians(n=40, shift=3.0))
    result = fit(x, y, method, steps=100, width=32, batch_size=64, device="cpu")
    truth = otgan.solve(x, y)
    assert 0.5 * truth.value <= result.estimate <= truth.upper * (1 + 1e-5)


def population(scale: float, offset: float, kind: torch.dtype) -> Any:
    def sampler(n: int, generator: torch.Generator) -> torch.Tensor:
        drawn = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        return (scale * (torch.round(drawn * 2**16) / 2**16 + offset)).to(kind)

    return sampler


def test_populations_scale_too() -> None:
    def trained(scale: float, offset: float = 0.0, kind: torch.dtype = torch.float64) -> CriticFit:
        return quick("gp", population(scale, offset, kind), population(scale, offset + 1, kind))

    first = trained(1.0)
    assert first.critic.scaling.center.tolist() == [0.0, 0.0]
    assert np.array_equal(trained(2.0**-60).estimates, 2.0**-60 * first.estimates)
    assert np.array_equal(trained(2.0**200).estimates, 2.0**200 * first.estimates)
    assert np.array_equal(trained(1.0, 2.0**30).estimates, first.estimates)
    assert np.array_equal(trained(1.0, kind=torch.float32).estimates, first.estimates)
    half = quick("gp", population(1.0, 0.0, torch.float16), gaussians()[1])  # a sample beside a population
    assert np.isfinite(half.estimate)


def test_a_network_of_ones_own_is_called_with_what_is_scaled() -> None:
    seen: list[torch.Tensor] = []

    class Watched(nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            seen.append(input.detach().clone())
            return super().forward(input)

    x, y = (8 * side + 100 for side in gaussians())
    result = fit(x, y, "clip", network=Watched(2, 1), steps=3, device="cpu")
    scaling = result.critic.scaling
    assert scaling.unit > 2
    assert max(float(points.abs().max()) for points in seen) <= 3.8
    module = result.critic.network.get_submodule("members.0")
    with torch.no_grad():
        expected = scaling.unit * module(torch.as_tensor((x - scaling.center) / scaling.unit).float())[:, 0]
    np.testing.assert_allclose(result.critic(x), expected, rtol=1e-6)
    plain = fit(x, y, "clip", network=mlp(2, 4, 1), steps=3, unit=1.0, device="cpu")
    assert plain.critic.scaling.unit == 1.0


@pytest.mark.parametrize("unit", [0.0, -1.0, np.inf, np.nan, "1"])
def test_a_unit_that_is_no_length_is_refused(unit: Any) -> None:
    with pytest.raises(InvalidInput, match="unit must"):
        fit(*gaussians(), "gp", unit=unit)


EXACT = [name for name, method in METHODS.items() if method.exact_lipschitz]


@pytest.mark.parametrize("method", EXACT)
def test_no_slope_is_seen_above_the_certified_one(method: str) -> None:
    """Float32 saw up to 84 between points 1e-9 apart, 42 in units of 1e-8 and 2 beside a point at 1e8."""
    rng = np.random.default_rng(1)
    x, y = gaussians(n=30)
    close = np.vstack([x, x + 1e-9 * rng.normal(size=x.shape), x + 1e-15])
    far = np.vstack([x, [[1e8, 0.0]]])
    for side, other in ((x, y), (close, y), (1e-8 * x, 1e-8 * y), (far, np.vstack([y, [[1e8, 1.0]]])), (x + 1e6, y)):
        lipschitz = quick(method, side, other).lipschitz
        assert lipschitz.certified is not None
        assert 0.0 < lipschitz.observed <= lipschitz.certified


@pytest.mark.parametrize("d", [1, 3, 200])
def test_the_slope_of_a_linear_map_is_found_and_never_passed(d: int) -> None:
    rng = np.random.default_rng(d)
    layer = nn.Linear(d, 1)
    norm = float(layer.weight.detach().double().norm())
    points = rng.normal(size=(40, d))
    network = ModuleEnsemble([nn.Sequential(layer)]).eval()
    close, far = np.vstack([points, points + 1e-10]), np.vstack([points, 1e7 + points])
    for z in (points, points[:1], 1e-3 * points, close, far):
        assert norm * (1 - 1e-5) <= largest_slope(network, z, CPU) <= norm * (1 + 1e-15)


def test_pairs_that_cannot_be_told_apart_prove_nothing() -> None:
    constant = nn.Linear(2, 1)
    nn.init.zeros_(constant.weight)
    network = ModuleEnsemble([constant]).eval()
    points = np.random.default_rng(0).normal(size=(20, 2))
    assert largest_slope(network, np.vstack([points, points, points + 1e-300]), CPU) == 0.0


class Single(nn.Module):
    """A module that only works in single precision."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[3.0], [4.0]]))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return torch.einsum("ki,ij->kj", points, torch.eye(2)) @ self.weight


def test_a_module_without_double_precision_is_seen_less_sharply() -> None:
    points = np.random.default_rng(0).normal(size=(30, 2))
    found = largest_slope(ModuleEnsemble([Single()]).eval(), np.vstack([points, points + 1e-7]), CPU)
    assert 5 * (1 - 1e-2) <= found <= 5


@pytest.mark.parametrize("method", ["orthogonal", "sll", "spectral", "aol", "prototypes", "gp"])
def test_a_network_in_double_precision_multiplies_by_the_same_numbers(method: str) -> None:
    network = quick(method, *gaussians()).critic.network
    points = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    single = values(network, points)
    twin = in_double(network)
    torch.testing.assert_close(values(twin, points.double()), single, rtol=0, atol=3e-6)
    for layer, copied in zip(network.modules(), twin.modules(), strict=True):
        if getattr(layer, "held", None) is not None:
            assert torch.equal(layer.cached.double(), copied.cached)  # type: ignore[union-attr, operator, arg-type]
