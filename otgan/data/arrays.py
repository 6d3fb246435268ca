"""Arrays from .npy, .npz and .pt files, read as data only: nothing in a file is ever run."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from otgan.data.limits import check_room
from otgan.errors import InvalidInput
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_numpy", "read_torch"]


def read_numpy(path: Path, key: str | None = None) -> NDArray[Any]:
    """The array in a .npy file, or one array of a .npz file.

    Parameters
    ----------
    path : Path
        The file.
    key : str, optional
        Which array of a .npz file; needed if it holds several.

    Returns
    -------
    ndarray, any shape and dtype but object
        As it was saved.

    Raises
    ------
    InvalidInput
        If the file is truncated, holds pickled objects, or does not hold exactly the one array asked for.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "x.npz")
    ...     np.savez(path, x=np.zeros((3, 2)), y=np.ones(4))
    ...     read_numpy(path, "y")
    array([1., 1., 1., 1.])
    """
    with path.open("rb") as file:
        start = file.read(6)
        # NumPy calls every unknown file a pickle. A cut magic is left to it: it says that the file is truncated.
        if start and not (start.startswith(b"PK") or b"\x93NUMPY".startswith(start)):
            raise InvalidInput(
                f"{path} must be in NumPy's .npy or .npz format, but starts with {start!r}; pickles and text are not "
                "read. Write it with numpy.save(path, array)."
            )
        file.seek(0)
        try:
            if not start.startswith(b"PK"):
                _without_key(None, key, path)
                return _read_array(file, path)
            with zipfile.ZipFile(file) as archive:
                # NumPy would give the bytes of whatever else is in there for arrays.
                names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
                with archive.open(f"{_pick(names, key, path)}.npy") as member:
                    return _read_array(member, path)
        except InvalidInput:
            raise
        # A broken file raises whatever its first wrong byte leads to: ValueError, EOFError, BadZipFile, zlib.error.
        except Exception as error:
            raise InvalidInput(_what_is_wrong(error, path)) from error


def read_torch(path: Path, key: str | None = None) -> NDArray[Any]:
    """The tensor in a .pt file, or one tensor of a dict in it.

    Parameters
    ----------
    path : Path
        The file, as ``torch.save`` wrote it.
    key : str, optional
        Which tensor of a dict; needed if it holds several.

    Returns
    -------
    ndarray, any shape
        The tensor's values; every floating dtype comes as float64.

    Raises
    ------
    InvalidInput
        If the file is truncated, holds other Python objects than tensors, or not exactly the one tensor asked for.
    OTError
        If torch is not installed.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> import tempfile, pathlib, torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "x.pt")
    ...     torch.save({"x": torch.ones(2, dtype=torch.bfloat16), "epoch": 3}, path)
    ...     read_torch(path)
    array([1., 1.])
    """
    with optional_dependency("torch", "torch", f"Reading {path}"):
        import torch
    loaded = _unpickle_weights(path)
    if isinstance(loaded, torch.Tensor):
        _without_key(loaded, key, path)
    elif isinstance(loaded, dict):
        tensors = {str(name): value for name, value in loaded.items() if isinstance(value, torch.Tensor)}
        loaded = _tensor(tensors, key, path)
    else:
        raise InvalidInput(
            f"{path} must hold a tensor or a dict with one tensor, but holds a {type(loaded).__name__}. Save "
            "the tensor itself."
        )
    if loaded.layout != torch.strided or loaded.is_quantized or loaded.is_complex() or loaded.is_meta:
        raise InvalidInput(
            f"{path} must hold a dense tensor of real numbers, but holds {loaded.dtype} with layout {loaded.layout} on "
            f"{loaded.device}. Convert it before you save it."
        )
    check_room(path, loaded.shape)  # a view that was expanded has far more values than the file
    # bfloat16 has no NumPy dtype, and float64 holds every float exactly.
    return (loaded.double() if loaded.is_floating_point() else loaded).detach().numpy()


def _read_array(file: IO[bytes], path: Path) -> NDArray[Any]:
    """An array in .npy format, if what its header says fits into memory."""
    version = np.lib.format.read_magic(file)
    # Version 3 differs from 2 in the letters of fields' names alone, which no shape depends on.
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    check_room(path, read_header(file)[0])
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _what_is_wrong(error: Exception, path: Path) -> str:
    """The message for an error of numpy.load."""
    if "allow_pickle" in str(error):
        return (
            f"{path} must hold plain numbers, but holds pickled Python objects, which are not read because loading "
            "them can run code. Save a float array."
        )
    return (
        f"{path} must be a whole .npy or .npz file, but it is truncated, damaged or too large "
        f"({type(error).__name__}: {error}). Save it again."
    )


def _unpickle_weights(path: Path) -> Any:
    """``torch.load`` that builds tensors and plain containers only."""
    import torch

    with path.open("rb") as file, warnings.catch_warnings():
        # Torch warns of files by other writers just before it refuses them; the error below says enough.
        warnings.simplefilter("ignore")
        start = file.read(6)
        if start and not start.startswith((b"PK", b"\x80")):
            raise InvalidInput(
                f"{path} must be written by torch.save, but starts with {start!r}, as another kind of file. Write it "
                "with torch.save(tensor, path)."
            )
        file.seek(0)
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            # Not chained: torch's own text advises to load again with weights_only=False.
            raise InvalidInput(
                f"{path} must hold a tensor or a dict with one tensor, but holds other Python objects, which are not "
                "read because loading them can run code. Write it with torch.save(tensor, path)."
            ) from None
        # A broken file raises whatever its first wrong byte leads to: RuntimeError, EOFError, KeyError.
        except Exception:
            raise InvalidInput(
                f"{path} must be a whole file written by torch.save, but it is truncated or damaged. Save it again "
                "with torch.save(tensor, path)."
            ) from None


def _without_key(array: Any, key: str | None, path: Path) -> Any:
    """``array``, which has no name inside its file, so no key can ask for it."""
    if key is not None:
        raise InvalidInput(f"{path} holds one array without a name, but {key!r} was asked for. Leave ':{key}' out.")
    return array


def _tensor(tensors: Mapping[str, Any], key: str | None, path: Path) -> Any:
    """The one tensor, or the one that ``key`` names."""
    return tensors[_pick(list(tensors), key, path)]


def _pick(names: list[str], key: str | None, path: Path) -> str:
    """Which of the arrays in a file is meant."""
    there = ", ".join(map(repr, names)) or "none"
    if key is not None and key not in names:
        raise InvalidInput(f"{path} must hold an array {key!r}, but holds {there}. Ask for one that is there.")
    if key is None and len(names) != 1:
        advice = f"Name one: {path}:{names[0]}" if names else "Save one into it."
        raise InvalidInput(f"{path} must hold exactly one array, but holds {len(names)}: {there}. {advice}")
    return names[0] if key is None else key
