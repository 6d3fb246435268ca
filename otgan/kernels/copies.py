"""Arrays copied into arrays. Numba's own ``target[:] = source`` takes a third of a second to compile for each type."""

from __future__ import annotations

from otgan.kernels.jit import kernel

__all__ = ["copy_into"]


@kernel
def copy_into(target, source):
    """Copy a source (k,) into the first k entries of a target."""
    for i in range(source.size):
        target[i] = source[i]
