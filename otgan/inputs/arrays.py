"""Arrays of real numbers, points and cost matrices, from whatever holds them."""

from __future__ import annotations

import math
import sys
from operator import countOf
from struct import error as struct_error
from struct import pack_into
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import frames
from otgan.errors import InvalidInput
from otgan.inputs.ranges import LARGEST, SMALLEST
from otgan.inputs.tensors import is_dataset, is_tensor
from otgan.runtime import memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["cost_matrix", "points", "real_array", "vector"]

BYTES_A_VALUE = 9  # in float64, and of a mask
LARGEST_WHOLE, LARGEST_SQUARE = 2**53, 2.0**106  # float64 can tell whole numbers apart up to here
QUICK = 2**16  # values, up to which converting is quicker than checking first whether memory will do
NUMBERS = {float, int, bool, np.float64}  # types in lists that are read without a closer look
EXACT = "?bBhHiIlLqQefd"  # codes of the types that float64 holds exactly, but for large whole numbers of 8 bytes


def _kind(x: object) -> str:
    """A short name for what came, for messages."""
    if x is None:
        return "None"
    dtype, shape = getattr(x, "dtype", None), getattr(x, "shape", None)
    if dtype is not None and shape is not None:
        return f"an array of {dtype} with shape {tuple(shape)}"
    return f"a {type(x).__name__}"


def real_array(
    x: Any, name: str, *, allow_inf: bool = False, columns: Sequence[str] | None = None
) -> NDArray[np.float64]:
    """``x`` as a float64 array of real finite numbers, whatever its shape.

    Messages name a column by ``columns``, or by a data frame's own names.

    Raises
    ------
    InvalidInput
        If ``x`` is ragged, empty, complex, sparse, masked, not numeric, holds NaN or (by default) inf, or would not
        fit into memory.
    """
    return _real_array(x, name, allow_inf, columns)[0]


def _real_array(
    x: Any, name: str, allow_inf: bool = False, columns: Sequence[str] | None = None
) -> tuple[NDArray[np.float64], float, float]:
    """What :func:`real_array` returns, its least value and its greatest."""
    expected = f"{name} must be an array of real numbers"
    if is_tensor(x):
        x = _numpy(x, name, expected)
    elif frames.is_frame(x) or frames.is_series(x):
        columns = [str(column) for column in frames.columns(x) or ()]
        x = frames.values(x, name)
    elif not hasattr(x, "__array__"):
        x = _unwrapped(x, name, expected)
    if hasattr(x, "toarray"):
        raise InvalidInput(f"{expected}, but a sparse {type(x).__name__} came. Pass {name}.toarray().")
    if isinstance(x, np.ma.MaskedArray):
        raise InvalidInput(f"{expected}, but a masked array came. Drop the masked rows, or fill them.")
    try:
        array = np.asarray(x)
    except (ValueError, TypeError):
        raise InvalidInput(
            f"{expected}, but the rows that came have different lengths or do not convert. Pass rows of one length."
        ) from None
    if array.dtype.kind == "O" and array.size:
        raise InvalidInput(f"{expected}, but {_kind(array)} came. Convert it to floats; rows must have one length.")
    if array.dtype.kind == "c":
        raise InvalidInput(f"{expected}, but complex numbers came. Pass real and imaginary parts as columns.")
    if array.dtype.kind not in "fiub":
        raise InvalidInput(f"{expected}, but {_kind(array)} came. Convert it to floats.")
    if array.size == 0:
        raise InvalidInput(f"{name} must hold at least one value, but it is empty (shape {array.shape}).")
    if not memory.fits(BYTES_A_VALUE * array.size):  # of a view by broadcasting, a few bytes stand for all
        raise InvalidInput(
            f"{name} must fit into memory as float64, but its {array.size} values (shape {array.shape}) take "
            f"{memory.gib(BYTES_A_VALUE * array.size)}, and {memory.gib(memory.available())} are to be had here. Pass "
            "fewer; for many points, pass the points and not their costs."
        )
    clean = array.astype(np.float64)
    # Compared as whole numbers: 2**53 + 1 would round to 2**53 first, and the least int64 has no absolute value.
    if array.dtype.kind in "iu" and array.itemsize == 8 and max(int(array.max()), -int(array.min())) > LARGEST_WHOLE:
        raise InvalidInput(
            f"{name} holds integers above 2**53, which float64 cannot tell apart. Of points, subtract an offset from "
            "both sides; divide weights by a common factor, or pass them as floats."
        )
    least, greatest = float(clean.min()), float(clean.max())  # NaN where there is one
    if math.isnan(least):
        raise _not_finite(np.isnan(clean), "NaN", "Drop or fill them.", name, columns)
    if not (allow_inf or (math.isfinite(least) and math.isfinite(greatest))):
        raise _not_finite(np.isinf(clean), "infinite", "Drop them, or use a large finite value.", name, columns)
    return clean, least, greatest


def _not_finite(
    bad: NDArray[np.bool_], kind: str, advice: str, name: str, columns: Sequence[str] | None
) -> InvalidInput:
    return InvalidInput(
        f"{name} must be finite, but {int(bad.sum())} of {bad.size} values are {kind}{_where(bad, columns)}. {advice}"
    )


def vector(x: Any) -> NDArray[np.float64] | None:
    """``x`` as a float64 vector if it is a plain one of another type, or a plain list, and not long; NaN and inf pass.

    None for all else, and for whole numbers that float64 may not tell apart: :func:`real_array` reads those, or says
    what is wrong. A float64 vector comes back as it is, however long.
    """
    if type(x) is list or type(x) is tuple:
        return _listed(x) if 0 < len(x) <= QUICK else None
    if type(x) is not np.ndarray or x.ndim != 1 or x.size == 0:
        return None
    if x.dtype == np.float64:
        return x
    if x.size > QUICK or x.dtype.char not in EXACT:
        return None
    clean = x.astype(np.float64)
    # No square is above the sum of all, which is the quickest thing to find.
    return clean if x.itemsize < 8 or clean.dot(clean) < LARGEST_SQUARE else None


def _listed(x: list[Any] | tuple[Any, ...]) -> NDArray[np.float64] | None:
    """A list of Python's or NumPy's numbers as a vector; None if it holds anything else, or whole numbers too large.

    Types are looked at first, as fractions, tensors and others have a value as floats too.
    """
    n, kind = len(x), type(x[0])
    alike = kind is type(x[n // 3]) is type(x[-1]) and countOf(map(type, x), kind) == n  # quicker than a set of types
    if not ((alike and kind in NUMBERS) or NUMBERS.issuperset(map(type, x))):
        return None
    if alike and kind is int:
        try:
            return _packed(x, "i", np.intc).astype(np.float64)
        except struct_error:
            pass
    try:
        clean = _packed(x, "d", np.float64)
    except (OverflowError, struct_error):  # whole numbers beyond all floats
        return None
    if alike and kind is not int:
        return clean
    # Half the time of min and max; NaN compares with nothing.
    return clean if clean[clean.argmin()] > -LARGEST_WHOLE and clean[clean.argmax()] < LARGEST_WHOLE else None


def _packed(x: list[Any] | tuple[Any, ...], code: str, dtype: type) -> NDArray[Any]:
    """``x`` as an array of the type with this code: half the time that NumPy takes."""
    values: Any = np.empty(len(x), dtype)  # whose type does not say that it is a buffer
    pack_into(f"{len(x)}{code}", values, 0, *x)
    return values


def _where(bad: NDArray[np.bool_], columns: Sequence[str] | None) -> str:
    """Where the bad values are: their columns by name, or the first of them by its index."""
    if bad.ndim == 2 and columns is not None and len(columns) == bad.shape[1]:
        named = [repr(column) for column, is_bad in zip(columns, np.any(bad, axis=0).tolist(), strict=True) if is_bad]
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        return f", in column{'s' if len(named) > 1 else ''} {', '.join(named[:3])}{more}"
    index = np.argwhere(bad)[0].tolist()
    return f", the first at index {index[0] if len(index) == 1 else tuple(index)}" if index else ""


def _unwrapped(x: Any, name: str, expected: str) -> Any:
    """What is inside of things that NumPy would take apart or not read: DLPack, lists of tensors, datasets of torch."""
    if hasattr(x, "__dlpack__"):
        try:
            return np.from_dlpack(x)
        except Exception as error:  # of a device, a type or a library that NumPy does not know: whatever that raises
            raise InvalidInput(
                f"{expected}, but NumPy cannot read the {type(x).__name__} that came ({error}). Copy it to the CPU "
                "as float64."
            ) from None
    if isinstance(x, list | tuple) and any(map(is_tensor, x)):
        raise InvalidInput(f"{expected}, but a {type(x).__name__} of tensors came. Pass torch.stack({name}).")
    if is_dataset(x):
        pass_it = f"{name}.tensors[0]" if hasattr(x, "tensors") else "its samples as one tensor"
        raise InvalidInput(f"{expected}, but a {type(x).__name__} came. Pass {pass_it}.")
    return x


def _numpy(tensor: Any, name: str, expected: str) -> NDArray[Any]:
    if (came := _unreadable(tensor, name)) is not None:
        raise InvalidInput(f"{expected}, but {came}")
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    try:
        return tensor.float().numpy() if "bfloat16" in str(tensor.dtype) else tensor.numpy()
    except (TypeError, RuntimeError):
        raise InvalidInput(
            f"{expected}, but a tensor of {tensor.dtype} came, which NumPy cannot read. Pass {name}.double()."
        ) from None


def _unreadable(tensor: Any, name: str) -> str | None:
    """What a tensor is that has no values to read here, and what to do; None if it has them."""
    functorch = sys.modules["torch"]._C._functorch
    if functorch.is_batchedtensor(tensor):
        return (
            "torch.vmap hides its values. Use otgan.wasserstein_batch, or on the line otgan.wasserstein_1d, which take "
            "batches."
        )
    if functorch.is_functorch_wrapped_tensor(tensor):
        return (
            "torch.func (grad, vjp, jvp, ...) hides its values. Use torch.autograd.grad, .backward() or "
            "torch.autograd.forward_ad."
        )
    if tensor.is_meta:
        return "a meta tensor came, which has a shape and no values. Pass one that is on a real device."
    if tensor.is_quantized:
        return f"a quantized tensor came. Pass {name}.dequantize()."
    if "strided" not in str(tensor.layout):
        return f"a tensor with layout {tensor.layout} came. Make it dense: {name}.to_dense()."
    if "float8" in str(tensor.dtype) or "float4" in str(tensor.dtype):
        return f"a tensor of {tensor.dtype} came, too coarse to hold a distance. Pass {name}.float()."
    return None


def points(x: Any, name: str, columns: Sequence[str] | None = None) -> NDArray[np.float64]:
    """``x`` as points, float64 of shape (n, d); a 1-D array is n points on the line."""
    array = real_array(x, name, columns=columns)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        hint = "pass a list of points" if array.ndim == 0 else f"flatten them: {name}.reshape(len({name}), -1)"
        raise InvalidInput(
            f"{name} must have shape (n, d), or (n,) for points on the line, but has shape {array.shape}; {hint}."
        )
    return np.ascontiguousarray(array)


def cost_matrix(C: Any, name: str = "C") -> tuple[NDArray[np.float64], float, float]:
    """``C`` as a finite cost matrix of shape (n, m), its least entry and its greatest."""
    array, least, greatest = _real_array(C, name)
    if array.ndim != 2:
        raise InvalidInput(f"{name} must be a matrix of shape (n, m), but has shape {array.shape}.")
    largest = max(-least, greatest)
    if largest > LARGEST or 0 < largest < SMALLEST:
        raise InvalidInput(f"the costs {name} go up to {largest:.3g}, which leaves float64; rescale them to about 1.")
    return np.ascontiguousarray(array), least, greatest
