"""The only place where arrays and options are checked.

Each function takes what a user passed and its name, and returns clean float64 NumPy or raises
:class:`~otgan.errors.InvalidInput`. Nothing after this module checks its input again.
"""

from __future__ import annotations

import math
import numbers
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import frames
from otgan.errors import InvalidInput
from otgan.metric import METRICS
from otgan.runtime import memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "choice",
    "cost_matrix",
    "count",
    "device_name",
    "equal_mass",
    "exponent",
    "extent",
    "extent_fits",
    "flag",
    "floating",
    "has_tangent",
    "is_dataset",
    "is_tensor",
    "like",
    "mass_tolerance",
    "masses",
    "metric_name",
    "normalized",
    "path",
    "points",
    "reach",
    "real",
    "real_array",
    "same_dimension",
    "seed",
    "tolerance",
    "total",
    "value_fits",
    "wants_gradient",
    "weights",
]

# Totals that differ by no more than this (relative) are taken to be equal up to rounding, and b is rescaled.
MASS_RTOL = {"float64": 1e-9, "float32": 1e-5, "float16": 1e-2, "bfloat16": 2e-2}
# Squares of the data's extent must stay inside float64, ...
LARGEST, SMALLEST = 1e140, 1e-140
# ... and so must powers of it, and masses times those, with room for sums over all points and products with a slope.
DECADES = 290
BYTES_A_VALUE = 9  # in float64, and of a mask
LARGEST_POWER = 1e9  # an ulp of a distance is 1e-7 of it to this power
_LINE = ", or p = inf, which needs no power (wasserstein, wasserstein_1d and wasserstein_circle take it)"


def is_tensor(x: object) -> bool:
    """Whether ``x`` is a torch tensor, found out without importing torch."""
    return type(x).__module__.partition(".")[0] == "torch" and hasattr(x, "detach")


def is_dataset(x: object) -> bool:
    """Whether ``x`` is a dataset or a loader of torch, found out without importing torch."""
    return any(base.__module__.startswith("torch.utils.data") for base in type(x).__mro__)


def wants_gradient(x: Any) -> bool:
    """Whether ``x`` is a torch tensor that takes part in differentiation, in reverse or in forward mode."""
    return is_tensor(x) and (x.requires_grad or has_tangent(x))


def has_tangent(tensor: Any) -> bool:
    """Whether a torch tensor takes part in differentiation in forward mode."""
    return sys.modules["torch"].autograd.forward_ad.unpack_dual(tensor).tangent is not None


def floating(tensor: Any) -> Any:
    """``tensor`` itself, or as doubles if it holds whole numbers, which could not hold a distance."""
    return tensor if tensor.is_floating_point() else tensor.double()


def like(tensor: Any, values: Any) -> Any:
    """``values`` as a tensor of the dtype and on the device of ``tensor``."""
    return floating(tensor).new_tensor(values)


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
    if array.dtype.kind in "iu" and array.itemsize == 8 and max(int(array.max()), -int(array.min())) > 2**53:
        raise InvalidInput(
            f"{name} holds integers above 2**53, which float64 cannot tell apart. Of points, subtract an offset from "
            "both sides; divide weights by a common factor, or pass them as floats."
        )
    for is_bad, kind, advice in (
        (np.isnan, "NaN", "Drop or fill them."),
        (np.isinf, "infinite", "Drop them, or use a large finite value."),
    ):
        if allow_inf and is_bad is np.isinf:
            continue
        if (bad := is_bad(clean)).any():
            raise InvalidInput(
                f"{name} must be finite, but {int(bad.sum())} of {clean.size} values are {kind}{_where(bad, columns)}. "
                f"{advice}"
            )
    return clean


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
            "torch.vmap hides its values. Loop over the batch, or on the line use otgan.wasserstein_1d, which takes "
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


def same_dimension(x: NDArray[np.float64], y: NDArray[np.float64], p: float = 1.0, metric: str = "euclidean") -> float:
    """Check that both point sets live in one space, and that their distances and p-th powers fit into float64.

    Returns a bound on the distances, see :func:`reach`.
    """
    if x.shape[1] != y.shape[1]:
        raise InvalidInput(
            f"x and y must have the same number of columns, but x has {x.shape[1]} and y has {y.shape[1]}. "
            "Pass points of one space, one point a row."
        )
    if p > LARGEST_POWER:
        raise InvalidInput(
            f"p must be at most {LARGEST_POWER:g} here, but {p:g} came: distances to that power have no digits left. "
            f"Use a smaller p{_LINE if x.shape[1] == 1 else ''}."
        )
    largest = reach(x, y, metric)
    extent_fits(largest, p, line=x.shape[1] == 1)
    return largest


def _sides(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sides of the box around the points of both sets, (d,)."""
    low = np.minimum(x.min(axis=0), y.min(axis=0))
    high = np.maximum(x.max(axis=0), y.max(axis=0))
    with np.errstate(over="ignore"):
        return high - low


def extent(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The largest difference of two coordinates in one column of x or y, (n, d) and (m, d)."""
    return float(_sides(x, y).max())


def reach(x: NDArray[np.float64], y: NDArray[np.float64], metric: str) -> float:
    """The diagonal of the box around x and y, (n, d) and (m, d): no two points are further apart in this metric."""
    return METRICS[metric].diagonal(_sides(x, y).tolist())


def extent_fits(extent: float, p: float = 1.0, *, line: bool = True) -> None:
    """Check that distances up to ``extent``, their squares and their p-th powers fit into float64.

    On the ``line``, as on the circle, p = inf is a way out.
    """
    if extent > LARGEST or 0 < extent < SMALLEST:
        by = _factor(extent, 1.0) if extent < math.inf else "2**1000"
        raise InvalidInput(
            f"the data span {extent:.3g}, and powers of that leave float64; divide the data by {by} and "
            "multiply the distance that comes out by it."
        )
    if extent > 0 and p != math.inf and not _power_fits(extent, p):
        raise InvalidInput(
            f"distances of up to {extent:.3g} to the power p = {p:g} leave float64; divide the data by "
            f"{_factor(extent, p)} and multiply the distance that comes out by it, or use a smaller p"
            f"{_LINE if line else ''}."
        )


def _power_fits(extent: float, p: float) -> bool:
    return -DECADES < p * math.log10(extent) < DECADES


def _factor(extent: float, p: float) -> str:
    """What to divide data of this extent by for its p-th power to be about 1: a power of two, where that is enough."""
    k = round(math.log2(extent))
    return f"2**{k}" if _power_fits(math.ldexp(extent, -k), p) else f"{extent:.17g}"


def value_fits(mass: float, largest: float) -> None:
    """Check that a mass times costs up to ``largest`` fits into float64."""
    if largest > 0 and not -DECADES < math.log10(mass) + math.log10(largest) < DECADES:
        raise InvalidInput(
            f"masses of {mass:.3g} times costs of up to {largest:.3g} leave float64; normalise the weights to sum to "
            f"1 and multiply the value that comes out by {mass:.3g}."
        )


def weights(a: Any, n: int, name: str, points_name: str = "the points") -> NDArray[np.float64]:
    """``a`` as n non-negative masses with a positive sum; None means 1/n each."""
    if a is None:
        return np.full(n, 1.0 / n)
    array = real_array(a, name)
    if array.shape != (n,):
        raise InvalidInput(
            f"{name} must have one weight for each of {points_name}, shape ({n},), but has shape {array.shape}."
        )
    if array.min() < 0:
        raise InvalidInput(
            f"{name} must be non-negative, but {int((array < 0).sum())} weights are below zero, the least "
            f"{array.min():.6g}. Masses cannot be negative."
        )
    with np.errstate(over="ignore"):
        mass = float(array.sum())
    if mass == 0:
        raise InvalidInput(f"{name} must have a positive total mass, but sums to 0. Normalise it.")
    if not SMALLEST < mass < LARGEST:
        raise InvalidInput(
            f"{name} must have a total mass between {SMALLEST:.3g} and {LARGEST:.3g}, but sums to {mass:.6g}. Divide "
            f"it by its largest weight, {array.max():.6g}."
        )
    return array


def normalized(a: Any, name: str, axis: Any = -1) -> Any:
    """Weights divided by their sums along an axis: a tensor as a tensor, differentiably, and None as None.

    What has no sum to divide by is left as it is, for :func:`weights` to refuse.
    """
    if a is None:
        return None
    array = real_array(a, name)
    if array.ndim == 0 or isinstance(axis, bool) or not isinstance(axis, numbers.Integral):
        return a
    along = int(axis) if array.ndim > 1 else 0
    if not -array.ndim <= along < array.ndim:
        return a
    with np.errstate(over="ignore"):
        sums = array.sum(axis=along, keepdims=True)
    if array.min() < 0 or not ((sums > SMALLEST) & (sums < LARGEST)).all():
        return a
    if is_tensor(a):
        clean = floating(a)
        double = clean.cpu().double()  # in this order, as not every device has float64
        return (double / double.sum(along, keepdim=True)).to(clean.dtype).to(clean.device)
    return array / sums


def masses(a: Any, b: Any, normalize: Any, axis: Any = -1) -> tuple[Any, Any]:
    """Both weights, divided by their sums if that is asked for."""
    if not flag(normalize, "normalize"):
        return a, b
    return normalized(a, "a", axis), normalized(b, "b", axis)


def device_name(device: Any) -> Any:
    """A ``torch.device`` as its name; anything else as it is."""
    return str(device) if type(device).__module__ == "torch" and type(device).__name__ == "device" else device


def flag(value: Any, name: str) -> bool:
    """``value`` as True or False."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput(f"{name} must be True or False, but {value!r} came.")
    return bool(value)


def total(masses: NDArray[np.float64]) -> float:
    """The sum of masses, correctly rounded where that is quick, and to more than float64 otherwise."""
    return math.fsum(masses.tolist()) if len(masses) < 10_000 else float(masses.sum(dtype=np.longdouble))


def mass_tolerance(*given: Any) -> float:
    """How far apart two totals may be: the rounding of the coarsest dtype among the weights given."""
    names = [str(getattr(a, "dtype", "float64")).replace("torch.", "") for a in given]
    return max(MASS_RTOL.get(name, MASS_RTOL["float64"]) for name in names)


def equal_mass(
    a: NDArray[np.float64], b: NDArray[np.float64], rtol: float, names: tuple[str, str] = ("a", "b")
) -> NDArray[np.float64]:
    """``b`` rescaled to the total of ``a``, if the two totals agree up to rounding."""
    first, second = names
    total_a, total_b = total(a), total(b)
    if abs(total_a - total_b) > rtol * max(total_a, total_b):
        raise InvalidInput(
            f"{second} must have the same total mass as {first}: sum({first}) = {total_a:.10g}, "
            f"sum({second}) = {total_b:.10g}. "
            "Normalise both, as normalize=True of otgan.wasserstein does, or pass the masses you mean."
        )
    return b if total_a == total_b else b * (total_a / total_b)


def cost_matrix(C: Any, name: str = "C") -> NDArray[np.float64]:
    """``C`` as a finite cost matrix of shape (n, m)."""
    array = real_array(C, name)
    if array.ndim != 2:
        raise InvalidInput(f"{name} must be a matrix of shape (n, m), but has shape {array.shape}.")
    largest = float(np.abs(array).max())
    if largest > LARGEST or 0 < largest < SMALLEST:
        raise InvalidInput(f"the costs {name} go up to {largest:.3g}, which leaves float64; rescale them to about 1.")
    return np.ascontiguousarray(array)


def real(value: Any, name: str, *, low: float = -math.inf, high: float = math.inf, open_low: bool = False) -> float:
    """``value`` as a float within [low, high] (or (low, high] with ``open_low``)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InvalidInput(f"{name} must be a real number, but {value!r} came.")
    number = float(value)
    if not low <= number <= high or (open_low and number == low):
        bracket = "(" if open_low else "["
        raise InvalidInput(f"{name} must lie in {bracket}{_shown(low)}, {_shown(high)}], but {_shown(number)} came.")
    return number


def _shown(number: float) -> str:
    """In six digits where they are exact, and in all otherwise: a limit of 1 - 1e-9 must not read as 1."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def count(value: Any, name: str, *, low: int = 1, high: int | None = None) -> int:
    """``value`` as an integer of at least ``low``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InvalidInput(f"{name} must be a whole number, but {value!r} came.")
    number = int(value)
    if number < low or (high is not None and number > high):
        upper = "" if high is None else f" and at most {high}"
        raise InvalidInput(f"{name} must be at least {low}{upper}, but {number} came.")
    return number


def seed(value: Any, name: str = "seed") -> int:
    """``value`` as a whole number that every random generator takes, also with a little added to it."""
    return count(value, name, low=0, high=2**62)


def path(value: Any, name: str) -> Path:
    """``value`` as a path."""
    if not isinstance(value, str | os.PathLike) or not os.fspath(value) or "\0" in os.fsdecode(value):
        raise InvalidInput(f"{name} must be a path, but {value!r} came.")
    return Path(os.fsdecode(value))


def exponent(p: Any, *, allow_inf: bool = False) -> float:
    """The order p of a Wasserstein distance: at least 1, and finite unless ``allow_inf``."""
    number = real(p, "p", low=1.0)
    if math.isinf(number) and not allow_inf:
        raise InvalidInput(
            "p must be finite here, but inf came: W_inf has no cost <P, C>. On the line, use "
            "otgan.wasserstein_1d(x, y, p=math.inf)."
        )
    return number


def tolerance(rtol: Any) -> float:
    """The relative gap at which a solution counts as optimal."""
    return real(rtol, "rtol", low=0.0, high=1.0, open_low=True)


def metric_name(value: Any) -> str:
    """The name of a metric."""
    return choice(value, "metric", tuple(METRICS))


def choice(value: Any, name: str, options: tuple[str, ...]) -> str:
    """``value`` if it is one of ``options``."""
    if not isinstance(value, str) or value not in options:
        raise InvalidInput(f"{name} must be one of {', '.join(map(repr, options))}, but {value!r} came.")
    return value
