"""Where critics train."""

from __future__ import annotations

import torch

from otgan.errors import InvalidInput

__all__ = ["torch_device"]


def torch_device(name: str) -> torch.device:
    """The device called ``name``; "auto" is the first GPU, or else the CPU.

    Raises
    ------
    InvalidInput
        If nothing can be placed there.

    Examples
    --------
    >>> torch_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InvalidInput(f"device {name!r} cannot be used here ({str(error).splitlines()[0]}). Use 'auto'.") from None
    return device
