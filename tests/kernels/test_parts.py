"""Kernels that are compiled together with what they call."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from otgan.kernels.jit import _compiled, inlined


def _square(value):
    return value * value


def _sum_of_squares(values):
    total = 0.0
    for value in values:
        total += square(value)
    return total


def _root(values, low):
    if values.size < low:
        raise ValueError("too few")
    return np.sqrt(sum_of_squares(values)), values[low:].copy()


square = inlined(_square)
sum_of_squares = _compiled(_sum_of_squares, cache=False)
root = _compiled(_root, cache=False)


def _call_root(values, low):
    norm, rest = root(values, low)
    return norm + sum_of_squares(rest)


call_root = _compiled(_call_root, cache=False)


def test_what_a_kernel_calls_gives_the_same_as_in_python() -> None:
    values = np.array([3.0, 4.0, 12.0])
    assert call_root(values, 1) == 13.0 + 16.0 + 144.0
    assert root(values, 3)[0] == 13.0  # the same functions, called from Python
    assert sum_of_squares(values) == 169.0
    assert square(7) == 49


def test_an_error_inside_of_a_part_is_raised() -> None:
    with pytest.raises(ValueError, match="too few"):
        call_root(np.ones(1), 2)


def test_parts_are_never_machine_code() -> None:
    call_root(np.ones(2), 1)
    (part,) = root.part.overloads.values()
    assert part.library.get_pointer_to_function(part.fndesc.llvm_func_name) == 0


@pytest.mark.parametrize("collects", [True, False])
def test_the_garbage_collector_is_left_as_it_was(collects: bool) -> None:
    double = _compiled(lambda value: 2 * value, cache=False)
    before = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        assert double(2) == 4
        assert gc.isenabled() is collects
    finally:
        (gc.enable if before else gc.disable)()
