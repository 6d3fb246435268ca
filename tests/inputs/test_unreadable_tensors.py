"""Tensors with no values to read get one true sentence, and those that have them are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

import otgan
from otgan.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

X = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
Y = X + 1


def distance(x: Any) -> Any:
    return otgan.wasserstein(x, Y)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # by torch.func.jvp itself
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: torch.vmap(distance)(torch.stack([X, X])), "torch.vmap hides its values. Use otgan.wasserstein_batch"),
        (lambda: torch.func.grad(distance)(X), r"torch.func .* hides its values. Use torch.autograd.grad"),
        (lambda: torch.func.jvp(distance, (X,), (X,)), r"torch.func .* hides its values"),
        (lambda: torch.func.vmap(torch.func.grad(distance))(torch.stack([X, X])), "hides its values"),
        (lambda: distance(X.to("meta")), "a meta tensor came"),
        (lambda: distance(X.to(torch.float8_e4m3fn)), r"too coarse to hold a distance. Pass x.float\(\)"),
        (lambda: distance(X.to_sparse()), r"Make it dense: x.to_dense\(\)"),
        (lambda: distance(list(X)), r"a list of tensors came. Pass torch.stack\(x\)"),
        (lambda: distance(list(X.clone().requires_grad_())), r"torch.stack\(x\)"),
        (lambda: otgan.wasserstein(X, Y, a=tuple(torch.ones(4))), r"a tuple of tensors came. Pass torch.stack\(a\)"),
        (lambda: distance(torch.complex(X, X).conj()), "complex numbers came"),
    ],
)
def test_one_true_sentence(call: Callable[[], Any], message: str):
    with pytest.raises(InvalidInput, match=message) as caught:
        call()
    assert ("Make it dense" in str(caught.value)) == ("dense" in message)


def test_negated_and_conjugated_views_are_read():
    view = torch.complex(Y, -X).conj().imag
    assert view.is_neg()
    assert distance(view) == distance(X)
    view = torch.complex(X, Y).conj().real.requires_grad_()
    distance(view).backward()
    assert view.grad is not None


def test_a_device_may_be_a_torch_device():
    assert otgan.wasserstein(X, Y, device=torch.device("cpu")) == distance(X)
    assert otgan.solve(X, Y, device=torch.device("cpu")).value == otgan.solve(X, Y).value
    with pytest.raises(InvalidInput, match="device"):
        otgan.solve(X, Y, device=torch.device("meta"))
