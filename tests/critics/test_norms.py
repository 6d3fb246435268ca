"""Certified constants against exact rational arithmetic: never below the true norm, and never far above it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from otgan.critics import certified_lipschitz
from otgan.critics.networks import AlmostOrthogonal, Dense, Orthogonal, Residual, Spectral, feedforward
from otgan.critics.networks.norms import UNIT_ROUNDOFF, product_bound, spectral_norms

Exact = list[list[Fraction]]


def exact(matrix: Any) -> Exact:
    """The rational numbers that floats are."""
    return [[Fraction(value) for value in row] for row in np.asarray(matrix, dtype=np.float64).tolist()]


def gram(rows: Exact) -> Exact:
    return [[sum((a * b for a, b in zip(left, right, strict=True)), Fraction()) for right in rows] for left in rows]


def is_semidefinite(matrix: Exact) -> bool:
    """Whether a symmetric rational matrix has no negative eigenvalue, by elimination."""
    rest = [row[:] for row in matrix]
    for k in range(len(rest)):
        if rest[k][k] < 0 or (rest[k][k] == 0 and any(rest[k][k + 1 :])):
            return False
        for i in range(k + 1, len(rest) if rest[k][k] else 0):
            share = rest[i][k] / rest[k][k]
            for j in range(k, len(rest)):
                rest[i][j] -= share * rest[k][j]
    return True


def is_above_norm(bound: Fraction, matrix: Any) -> bool:
    """Whether ``bound^2 I - W W^T`` is positive semidefinite, without rounding."""
    product = gram(exact(matrix))
    return is_semidefinite([[bound**2 * (i == j) - v for j, v in enumerate(row)] for i, row in enumerate(product)])


def slack(rows: int, cols: int) -> Fraction:
    """The factor that the bound is stated to be within."""
    n, k = sorted((rows, cols))
    return 1 + Fraction(8 * n * (k + 4)) * Fraction(UNIT_ROUNDOFF)


def check(matrix: np.ndarray) -> None:
    bound = float(spectral_norms(torch.from_numpy(matrix[None])))
    assert is_above_norm(Fraction(bound), matrix)
    if matrix.any() and np.abs(matrix).max() > 1e-290:  # denormal numbers are rounded more
        assert not is_above_norm(Fraction(bound) / slack(*matrix.shape) * (1 - Fraction(1, 2**60)), matrix)


def orthonormal(n: int, seed: int = 0) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    spread=st.sampled_from([0, 3, 40]),
    scale=st.sampled_from([1.0, 1e-37, 1e38, 1e-150, 1e200, 1e307]),
)
def test_the_bound_is_above_the_norm_of_rational_numbers(
    seed: int, shape: tuple[int, int], spread: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=shape) * 2.0 ** rng.integers(-spread, 1, size=shape) * scale
    if scale in (1.0, 1e-37):
        matrix = matrix.astype(np.float32)
    check(matrix)


@pytest.mark.parametrize("n", [2, 5, 8])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_nearly_orthonormal_matrices(n: int, kind: Any) -> None:
    for seed in range(5):
        check(orthonormal(n, seed).astype(kind))
        check((orthonormal(n, seed)[:2] / 3).astype(kind))


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((3, 2)),
        np.full((3, 4), 0.1),
        np.array([[1e-8, 1.0], [1.0, -1e-8]]),
        np.array([[1.0, 1.0], [1.0, 1.0 + 2.0**-52]]),
        np.array([[5e-324, 0.0], [0.0, 5e-324]]),
        np.array([[1.0, 5e-324], [2e-308, 1.0]]),
        np.array([[1.7e308, 1.7e308]]) / 2,
        np.diag([1.0, 1.0, 1.0, 1.0 - 2.0**-53]),
    ],
)
def test_matrices_where_rounding_hits(matrix: np.ndarray) -> None:
    check(matrix)


def test_a_long_sum_whose_every_step_is_rounded_down() -> None:
    """All entries c: the norm is ``c sqrt(k)``, a float, and sums of c^2 lose the same share of it at every step."""
    k = 2**20
    # What c^2 has beyond multiples of 2^-36, which is where the digits of the sums end, in units of 2^-46.
    lost = {m: (2**23 + m) ** 2 % 2**10 for m in range(4000)}
    c = 1 + max((m for m in lost if lost[m] < 2**9), key=lambda m: lost[m]) / 2**23
    row = torch.full((1, 1, k), c, dtype=torch.float32)
    for matrix in (row, row.mT):
        bound = float(spectral_norms(matrix))
        assert c * 1024 <= bound <= c * 1024 * (1 + 1e-8)
    layer = nn.Linear(k, 1, bias=False)
    nn.init.constant_(layer.weight, c)
    certified = certified_lipschitz(layer)
    assert certified is not None
    assert c * 1024 <= certified


def test_a_nearly_orthonormal_matrix_of_width_784() -> None:
    """Against the exact length of the image of the foremost singular vector, in whole numbers."""
    index = np.arange(784) + 0.5
    whole = np.rint(np.sqrt(2 / 784) * np.cos(np.pi / 784 * np.outer(index, index)) * 2**26).astype(np.int64)
    matrix = (whole / 2**26).astype(np.float32)
    assert (matrix.astype(np.float64) * 2**26 == whole).all()
    vectors = np.linalg.eigh(matrix.astype(np.float64).T @ matrix.astype(np.float64))[1]
    vector = np.rint(vectors[:, -1] * 2**24).astype(np.int64)
    image = whole @ vector  # below 2^51, so nothing overflows
    square = Fraction(sum(v * v for v in image.tolist()), sum(v * v for v in vector.tolist())) / 2**52
    bound = Fraction(float(spectral_norms(torch.from_numpy(matrix)[None])))
    assert square <= bound**2 <= square * (1 + Fraction(1, 10**9)) ** 2


def test_an_orthogonal_matrix_of_floats_has_a_bound_of_just_above_one() -> None:
    reflection = torch.eye(256) - 2 / 256
    assert 1 <= float(spectral_norms(reflection[None])) <= 1 + 1e-10


def test_what_is_apart_is_added_and_what_is_not_finite_has_no_bound() -> None:
    matrix = torch.tensor([[[3.0]], [[math.nan]], [[math.inf]]])
    bounds = spectral_norms(matrix, apart=0.5)
    assert 3.5 <= float(bounds[0]) <= 3.5 + 1e-13
    assert bounds[1:].tolist() == [math.inf, math.inf]


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=30))
def test_products_are_never_below_the_exact_product(factors: list[float]) -> None:
    bound, product = torch.ones(1, dtype=torch.float64), Fraction(1)
    for factor in factors:
        bound, product = product_bound(bound, torch.tensor([factor], dtype=torch.float64)), product * Fraction(factor)
    assert product <= Fraction(float(bound)) <= product * (1 + Fraction(1, 2**44))


@pytest.mark.parametrize("slope", [1.1, -1.3, 0.2])
def test_activations_multiply_by_the_slope_that_their_floats_hold(slope: float) -> None:
    network = nn.Sequential(*[nn.LeakyReLU(slope) for _ in range(20)])
    each = max(Fraction(1), abs(Fraction(slope)), abs(Fraction(float(np.float32(slope)))))
    certified = certified_lipschitz(network)
    assert certified is not None
    assert each**20 <= Fraction(certified) <= each**20 * (1 + Fraction(1, 10**14))


def test_networks_of_torch_and_of_the_house_multiply_bounds_of_their_layers() -> None:
    weights = [np.array([[0.1], [0.7]]), np.array([[0.3, -0.9]])]
    ensemble = feedforward(Dense, 1, 2, 1, "relu")
    plain = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    for layers in ((ensemble.layers[0], ensemble.layers[2]), (plain[0], plain[2])):
        for layer, weight in zip(layers, weights, strict=True):
            with torch.no_grad():
                layer.get_parameter("weight").copy_(torch.from_numpy(weight))
    squares = [sum((Fraction(float(v)) ** 2 for v in np.float32(w).ravel()), Fraction()) for w in weights]
    for network in (ensemble, plain):
        bound = certified_lipschitz(network)
        assert bound is not None
        truth = squares[0] * squares[1]
        assert truth <= Fraction(bound) ** 2 <= truth * (1 + Fraction(1, 10**12))


class Tripled(nn.Sequential):
    """Three times what its layers give, though it is a sequence of layers."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return 3 * super().forward(input)


class Linear(nn.Linear):
    """A linear layer in name."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return 3 * super().forward(input)


def test_modules_that_do_something_else_with_known_layers_are_not_certified() -> None:
    hooked, replaced = nn.Linear(2, 1), nn.Linear(2, 1)
    hooked.register_forward_hook(lambda layer, points, out: out + points[0].sum())
    replaced.forward = lambda points: points.sum(dim=1, keepdim=True)  # type: ignore[method-assign]
    for network in (Linear(2, 1), hooked, replaced):
        assert certified_lipschitz(network) is None
        assert certified_lipschitz(nn.Sequential(network)) is None
    assert certified_lipschitz(nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))) is not None
    layer = nn.Linear(2, 1)
    alone, tripled = certified_lipschitz(layer), certified_lipschitz(Tripled(layer))
    assert alone is not None
    assert tripled is not None
    assert 3 * alone <= tripled <= 3 * alone * (1 + 1e-15)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("kind", [Orthogonal, AlmostOrthogonal, Spectral])
def test_what_layers_multiply_by_is_certified_as_it_is(kind: Any, scale: float) -> None:
    for seed in range(5):
        layer = kind(5, 4, torch.Generator().manual_seed(seed))
        with torch.no_grad():
            layer.weight.mul_(scale).add_(scale * torch.randn(4, 5, generator=torch.Generator().manual_seed(seed)))
        layer.eval()
        bound = Fraction(float(layer.lipschitz()))
        assert bound <= Fraction(1.000001)
        assert is_above_norm(bound, layer.matrix()[0].detach())


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_residual_layers_satisfy_their_condition_exactly(scale: float) -> None:
    """``W^T W <= T`` (Araujo et al. 2023, theorem 3), for the numbers that are multiplied."""
    for seed in range(5):
        layer = Residual(5, torch.Generator().manual_seed(seed))
        with torch.no_grad():
            layer.weight.copy_(scale * torch.randn(1, 5, 5, generator=torch.Generator().manual_seed(seed)) ** 3)
        layer.eval()(torch.zeros(1, 1, 5))
        assert float(layer.lipschitz()) == 1.0
        products = gram(exact(layer.weight[0].detach().T))
        diagonal = [1 / Fraction(value) for value in layer.cached[0].double().tolist()]
        rest = [[d * (i == j) - v for j, v in enumerate(row)] for i, (d, row) in enumerate(zip(diagonal, products))]  # noqa: B905
        assert is_semidefinite(rest)


@pytest.mark.parametrize("size", [(2, 2), (3, 4), (5, 2)])
@pytest.mark.parametrize("side", [(4, 4), (6, 8)])
def test_the_norm_of_a_convolution_with_positive_weights_is_that_at_frequency_zero(
    size: tuple[int, int], side: tuple[int, int]
) -> None:
    from otgan.critics.networks.convolution_norm import convolution_norm

    for seed in range(5):
        kernel = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(seed))
        phases = [[Fraction(), Fraction()], [Fraction(), Fraction()]]
        for i in range(size[0]):
            for j in range(size[1]):
                phases[i % 2][j % 2] += Fraction(float(kernel[0, 0, i, j]))
        square = sum((phase**2 for row in phases for phase in row), Fraction())
        bound = Fraction(convolution_norm(kernel, side, 2))
        assert square <= bound**2 <= square * (1 + Fraction(1, 10**12))
