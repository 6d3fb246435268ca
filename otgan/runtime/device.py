"""Torch devices by their names: where critics train, and where pairs are priced."""

from __future__ import annotations

import torch

from otgan.errors import InvalidInput

__all__ = ["torch_device"]


def torch_device(name: str | torch.device, *, float64: bool = False) -> torch.device:
    """The device called ``name``, such as "cuda:1"; "auto" is the first GPU, or else the CPU.

    Parameters
    ----------
    name : str or torch.device
    float64 : bool, default False
        Whether costs are proven there, which needs float64. "torch:cpu" then is the CPU as torch sees it, and nothing
        is chosen automatically.

    Raises
    ------
    InvalidInput
        If nothing can be placed there, or no float64 where that is needed.

    Examples
    --------
    >>> torch_device("cpu")
    device(type='cpu')
    >>> torch_device("torch:cpu", float64=True)
    device(type='cpu')
    """
    if name == "auto" and not float64:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if str(name).startswith("mps") and float64:
        raise InvalidInput(
            f"device {name!r} has no float64, in which costs are computed to prove the answer. Use device='cpu'."
        )
    instead = "device='cpu'" if float64 else "'auto'"
    try:
        device = torch.device(str(name).removeprefix("torch:") if float64 else name)
        torch.zeros(1, dtype=torch.float64 if float64 else torch.float32, device=device).item()
    except (RuntimeError, AssertionError, TypeError, ImportError) as error:
        reason = str(error).splitlines()[0].rstrip(".")[:150]
        raise InvalidInput(f"device {name!r} cannot be used here ({reason}). Use {instead}.") from None
    return device
