"""Proven upper bounds on the Lipschitz constant of a network: a walk along what it computes."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn

from otgan.critics.networks.layer_slopes import JOINED, layer_slope, multiplier_slope, rounded_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["CERTIFIED", "CertifiesItself", "certified_lipschitz", "certify", "own_bound"]

CERTIFIED = 1 + 1e-5  # a bound up to here counts as one: what float32 leaves of it
POINTS = 13  # that the shapes are found with: a number that no axis of a sample is likely to have
FEWER = 5  # of these, whose values must be the same without the others

# What a function, or a method of a tensor, multiplies the slope of its first argument by.
ACTIVATIONS = {"relu": 1.0, "tanh": 1.0, "sigmoid": 0.25, "softplus": 1.0, "gelu": 1.13, "silu": 1.1, "abs": 1.0}
COPIES = ("neg", "contiguous", "clone")
SHAPES = ("flatten", "view", "reshape", "squeeze", "unsqueeze")
SIZES = ("size", "dim", "ndimension", "shape", "ndim", "dtype", "device")  # what does not depend on the numbers
SUMS = (operator.add, operator.sub, torch.add, torch.sub, "add", "sub")
PRODUCTS = (operator.mul, operator.truediv, torch.mul, torch.div, "mul", "div")


@torch.no_grad()
def certified_lipschitz(network: nn.Module, shape: Sequence[int] | None = None) -> float | None:
    """A proven upper bound on the Lipschitz constant, or None where nothing is known.

    The bound is what the network's own ``lipschitz()`` proves for each member (the largest counts). Of other modules
    torch.fx finds what they compute, and bounds are multiplied along the layers (Szegedy et al. 2014, section 4.3), and
    added where branches are, as in residual networks. Known are torch's own layers whose bound is finite: linear ones
    and convolutions, activation functions, pooling, batch norm with running means. Not known are attention, layer and
    instance norms, products of branches, modules with hooks, and code that torch.fx cannot follow.

    It is a bound for the function that the network's weights define in exact arithmetic, in evaluation mode, the
    weights being the numbers that the floats are. Rounding on the way to it is accounted for, and makes it larger, by a
    share that grows with the layers' sizes (:func:`~otgan.critics.networks.norms.spectral_norms`): 1e-9 for some
    hundred units. The values that float32 gives for that function are rounded, so that between points very close to
    each other they may rise more.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    shape : sequence of int, optional
        One sample as the network takes it; convolutions need it. By default what a linear first layer takes.

    Examples
    --------
    >>> from otgan.critics.networks import certified_lipschitz
    >>> layer = nn.Linear(2, 1)
    >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    >>> 5 <= certified_lipschitz(layer) <= 5 + 1e-13
    True
    """
    return certify(network, shape)[0]


@torch.no_grad()
def certify(network: nn.Module, shape: Sequence[int] | None = None) -> tuple[float | None, str | None]:
    """The bound of :func:`certified_lipschitz`, and where there is none what nothing is known of.

    Examples
    --------
    >>> certify(nn.Sequential(nn.Linear(2, 8), nn.LayerNorm(8), nn.Linear(8, 1)))
    (None, 'layer 1 (LayerNorm)')
    """
    if isinstance(network, CertifiesItself):
        return network.certify(shape)
    bound = own_bound(network)
    if bound is not None:
        return (bound, None) if math.isfinite(bound) else (None, type(network).__name__)
    for name, part in network.named_modules():
        if _does_something_else(part):
            return None, f"{_layer(name, part)}, which has hooks or a forward of its own"
        if part.training and isinstance(part, nn.modules.batchnorm._BatchNorm | nn.modules.dropout._DropoutNd):
            return None, f"{_layer(name, part)}, which is in training mode"
        if shape is None and isinstance(part, nn.Conv1d | nn.Conv2d):
            return None, f"{_layer(name, part)}, whose bound needs the shape of a sample"
    if shape is None:
        shape = next(((part.in_features,) for part in network.modules() if isinstance(part, nn.Linear)), (1,))
    weights = (*network.parameters(), *network.buffers())
    like = next((tensor for tensor in weights if tensor.is_floating_point()), torch.zeros(1))
    try:
        whole = nn.Sequential(network)  # a layer alone would be looked into
        walk = Walk(fx.GraphModule(whole, _Tracer().trace(whole)))
        drawn = torch.randn(POINTS, *shape, generator=torch.Generator().manual_seed(0))
        return walk.bound(drawn.to(like), network), None
    except Unknown as error:
        return None, str(error).splitlines()[0]  # torch.fx adds to it
    except Exception as error:  # whatever the code of a user's module stumbles over while it is followed
        return None, f"{type(network).__name__}, which torch.fx cannot follow ({str(error).splitlines()[0][:200]})"


class CertifiesItself(nn.Module):
    """A wrapper that knows what to certify of what it holds."""

    def certify(self, shape: Sequence[int] | None = None) -> tuple[float | None, str | None]:
        """As :func:`certify` of this module."""
        raise NotImplementedError


class Unknown(Exception):
    """A layer or an operation of which nothing is known."""


class _Tracer(fx.Tracer):
    """Looks into modules, but for torch's own layers and those that prove a bound themselves."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return callable(getattr(m, "lipschitz", None)) or super().is_leaf_module(m, module_qualified_name)


class Walk(fx.Interpreter):
    """Runs a network, and bounds the slope of each intermediate result in the network's input on the way.

    A result that does not depend on the input has no bound. Each result must keep the points of the batch apart, as its
    first axis.
    """

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.slopes: dict[Any, float] = {}

    def bound(self, points: torch.Tensor, network: nn.Module) -> float:
        """The bound for the output of the network, if its code gives what was followed.

        It may not: torch.fx takes ``h += x`` for ``h = h + x``, though other names of h see the change.
        """
        found, truth = self.run(points.clone()), network(points.clone())
        if not _alike(found, truth):
            raise Unknown(f"{type(network).__name__}, which changes tensors in place")
        if not _alike(found[:FEWER], network(points[:FEWER].clone())):
            raise Unknown(f"{type(network).__name__}, whose values depend on the rest of a batch")
        slope = self._of(self.result)
        if not math.isfinite(slope):
            raise Unknown("a weight that is not finite")
        return slope

    def run_node(self, n: Any) -> Any:
        """Run one operation, and bound its slope."""
        value = super().run_node(n)
        if n.op == "placeholder":
            self.slopes[n] = 1.0
        elif n.op == "output":
            self.result = n.args[0]
        elif any(node in self.slopes for node in n.all_input_nodes) and not _is_size(n):
            for part in value if isinstance(value, tuple | list) else (value,):
                if not isinstance(part, torch.Tensor) or part.ndim == 0 or len(part) != POINTS:
                    raise Unknown(f"the operation {_name(n)}, which may not keep the points of a batch apart")
            self.slopes[n] = self._slope(n, value)
        return value

    def _slope(self, n: Any, value: Any) -> float:
        if n.op == "call_module":
            return self._layer(n)
        rule = self._rule(n)
        slope = rule(n, value) if rule else None
        if slope is None:
            raise Unknown(f"the operation {_name(n)}")
        return slope

    def _layer(self, n: Any) -> float:
        layer: Any = self.fetch_attr(str(n.target))
        factor = own_bound(layer)
        if factor is None:
            factor = layer_slope(layer, self.env[n.all_input_nodes[0]].shape[1:])
        if math.isinf(factor) or (factor > 1 and getattr(layer, "inplace", False)):
            raise Unknown(_layer(str(n.target).removeprefix("0").removeprefix("."), layer))
        return _product(factor, self._of(n.args[0]))

    def _rule(self, n: Any) -> Callable[[Any, Any], float | None] | None:
        name = _name(n)
        if (getattr(n.target, "__module__", None) or "torch").partition(".")[0] not in (
            "torch",
            "_operator",
            "builtins",
        ):
            return None  # a function of the user's, whatever its name
        if "out" in n.kwargs:
            return None  # another result changes
        if n.target in SUMS:
            return self._sum
        if n.target in PRODUCTS:
            return self._multiple
        if name.removesuffix("_") in ACTIVATIONS:
            return self._activation
        rules: dict[str, Callable[[Any, Any], float | None]] = {
            **dict.fromkeys(COPIES, lambda n, value: self._of(n.args[0])),
            **dict.fromkeys(SHAPES, self._reshaped),
            **dict.fromkeys(("chunk", "split", "sort"), self._parts),
            **dict.fromkeys(("max", "min", "maximum", "minimum"), self._extreme),
            **dict.fromkeys(("cat", "concat", "concatenate"), self._joined),
            "leaky_relu": self._leaky_relu,
            "getitem": self._item,
            "mean": self._mean,
            "movedim": self._moved,
        }
        return rules.get(name)

    def _of(self, argument: Any) -> float:
        """The slope of an argument: 0 for what is constant."""
        return self.slopes.get(argument, 0.0) if isinstance(argument, fx.Node) else 0.0

    def _activation(self, n: Any, value: torch.Tensor) -> float | None:
        factor = ACTIVATIONS[_name(n).removesuffix("_")]
        in_place = _name(n).endswith("_") or n.kwargs.get("inplace")
        if (factor > 1 and in_place) or n.kwargs.get("threshold", JOINED) < JOINED:
            return None
        return _product(factor, self._of(n.args[0]))

    def _sum(self, n: Any, value: torch.Tensor) -> float | None:
        if n.kwargs or len(n.args) > 2 or not self._same_shape(n.args, value):
            return None  # multiplied, or repeated along an axis
        slopes = [self._of(term) for term in n.args]
        return max(slopes) if 0.0 in slopes else rounded_up(sum(slopes))

    def _multiple(self, n: Any, value: torch.Tensor) -> float | None:
        first, second = n.args
        divided = n.target in (operator.truediv, torch.div, "div")
        if self._of(second) and not divided:
            first, second = second, first
        if self._of(second) or n.kwargs or self.env[first].shape != value.shape:
            return None
        factor = self.env[second] if isinstance(second, fx.Node) else second
        if not isinstance(factor, int | float | torch.Tensor):
            return None
        if not divided:
            return _product(multiplier_slope(factor), self._of(first))
        least = float(torch.as_tensor(factor).detach().double().abs().min())
        return rounded_up(self._of(first) * (1 + 2.0**-22) / least) if least else None  # by what float32 holds

    def _leaky_relu(self, n: Any, value: torch.Tensor) -> float | None:
        negative = n.args[1] if len(n.args) > 1 else n.kwargs.get("negative_slope", 0.01)
        if not isinstance(negative, int | float) or n.kwargs.get("inplace"):
            return None
        return _product(max(1.0, multiplier_slope(negative)), self._of(n.args[0]))

    def _reshaped(self, n: Any, value: torch.Tensor) -> float | None:
        before = self.env[n.args[0]]
        return self._of(n.args[0]) if (value.dtype, value.numel()) == (before.dtype, before.numel()) else None

    def _parts(self, n: Any, value: Any) -> float | None:
        """Parts of numbers, or the same ones in order."""
        place, default = (1, -1) if _name(n) == "sort" else (2, 0)
        axis = n.args[place] if len(n.args) > place else n.kwargs.get("dim", default)
        return self._of(n.args[0]) if isinstance(axis, int) and axis % self.env[n.args[0]].ndim else None

    def _item(self, n: Any, value: torch.Tensor) -> float | None:
        """Parts, and slices, which repeat nothing, as lists of indices may."""
        whole, index = n.args
        if isinstance(whole, fx.Node) and not isinstance(self.env[whole], torch.Tensor):
            values = isinstance(index, int) and (index == 0 or _name(whole) in ("chunk", "split"))
            return self._of(whole) if values else None  # and not the places of what was sorted
        index = index if isinstance(index, tuple) else (index,)
        plain = all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in index)
        return self._of(whole) if plain and index[0] in (slice(None), Ellipsis) else None

    def _moved(self, n: Any, value: torch.Tensor) -> float | None:
        whole, *places = n.args
        fixed = all(isinstance(place, int) and place % self.env[whole].ndim for place in places)
        return self._of(whole) if fixed and not n.kwargs else None

    def _extreme(self, n: Any, value: Any) -> float | None:
        """The larger or smaller of two, or the largest or smallest along an axis."""
        first, second = (*n.args, n.kwargs.get("dim"))[:2]
        if isinstance(second, fx.Node):
            return self._side_by_side(first, second) if self._same_shape((first, second), value) else None
        whole = self.env[first]
        return self._of(first) if isinstance(second, int) and second % whole.ndim else None

    def _mean(self, n: Any, value: torch.Tensor) -> float | None:
        axes = n.args[1] if len(n.args) > 1 else n.kwargs.get("dim")
        axes = axes if isinstance(axes, tuple | list) else (axes,)
        n_axes = self.env[n.args[0]].ndim
        fixed = all(isinstance(axis, int) and axis % n_axes for axis in axes)
        return self._of(n.args[0]) if fixed else None  # of k numbers it is less, by sqrt(k)

    def _joined(self, n: Any, value: torch.Tensor) -> float | None:
        """The root of the sum of squares; what is joined may be a pair in order (MaxMin)."""
        parts: Any = n.args[0]
        if not isinstance(parts, tuple | list):
            return None
        sorted_pair = self._sorted_pair(*parts) if len(parts) == 2 else None
        return self._side_by_side(*parts) if sorted_pair is None else sorted_pair

    def _sorted_pair(self, first: Any, second: Any) -> float | None:
        """The slope of the larger and the smaller of two side by side: a permutation, which keeps norms."""
        kinds = {_name(node).removesuffix("imum") for node in (first, second)}
        if kinds != {"max", "min"} or first.args != second.args or not isinstance(first.args[-1], fx.Node):
            return None
        one, other = first.args
        halves = (
            isinstance(one, fx.Node)
            and isinstance(other, fx.Node)
            and _name(one) == _name(other) == "getitem"
            and one.args[0] is other.args[0]
            and one.args[1] != other.args[1]
            and _name(one.args[0]) in ("chunk", "split")
        )
        return self._of(one.args[0]) if halves else self._side_by_side(one, other)

    def _same_shape(self, terms: Iterable[Any], value: torch.Tensor) -> bool:
        """Whether none of the terms that depend on the input is repeated along an axis."""
        return all(self.env[term].shape == value.shape for term in terms if self._of(term))

    def _side_by_side(self, *parts: Any) -> float:
        """The root of the sum of squares."""
        return rounded_up(math.hypot(*map(self._of, parts)) * (1 + 2.0**-50))


def _name(n: Any) -> str:
    """What an operation is called."""
    return n.target if isinstance(n.target, str) else getattr(n.target, "__name__", str(n.target))


def _is_size(n: Any) -> bool:
    """Whether a result says something of a tensor that does not depend on its numbers."""
    return _name(n) in SIZES or (n.target is getattr and n.args[1] in SIZES)


def own_bound(module: nn.Module) -> float | None:
    """What ``lipschitz()`` of a module proves; None where there is none, or another thing of that name."""
    own: Any = getattr(module, "lipschitz", None)
    try:
        return float(torch.as_tensor(own()).max())
    except Exception:  # whatever another thing of that name may be, or stumble over
        return None


def _alike(found: torch.Tensor, truth: torch.Tensor) -> bool:
    return torch.allclose(found, truth, rtol=1e-3, atol=1e-3 * float(truth.abs().max()), equal_nan=True)


def _product(first: float, second: float) -> float:
    """The product or the next number above; exact where a factor is one or zero."""
    return first * second if {first, second} & {0.0, 1.0} else rounded_up(first * second)


def _does_something_else(module: nn.Module) -> bool:
    """Whether hooks, or a forward or call that only this module has, change what is computed."""
    hooks = module._forward_hooks or module._forward_pre_hooks
    return bool(hooks) or "forward" in vars(module) or type(module).__call__ is not nn.Module.__call__


def _layer(name: str, layer: nn.Module) -> str:
    return f"layer {name} ({type(layer).__name__})" if name else type(layer).__name__
