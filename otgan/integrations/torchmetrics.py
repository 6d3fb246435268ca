"""The exact Wasserstein distance as a metric of torchmetrics: over batches, over epochs and over processes."""

from __future__ import annotations

from typing import Any

import numpy as np

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.runtime.optional import optional_dependency
from otgan.solve import wasserstein

with optional_dependency("torchmetrics", "torchmetrics", "The metric of torchmetrics"):
    import torch
    from torchmetrics import Metric

__all__ = ["WassersteinDistance"]

SIDES = ("fake", "real")
KEYS_BELOW = 2**63 - 1
MOST = 2**62  # samples of a side, which a tensor can hold the number of


class WassersteinDistance(Metric):
    """Exact W_p between all real and all generated samples of an epoch, or as many of each as are kept.

    It is that of the samples, which is above that of their distributions: compare it with the distance between real
    samples and as many other real ones. Samples are flattened, and held in the metric's dtype, float32 unless
    ``set_dtype(torch.float64)`` says otherwise. In several processes, those of all of them are gathered.

    Of more than ``n`` samples of a side, n are kept that are drawn uniformly without replacement: each sample gets a
    random key, and those with the n least are kept, in every process and of all of them together. Keys follow from the
    seed, the rank of the process, and how many samples have come before.

    Parameters
    ----------
    p : float, default 1
    n : int or None, default 2000
        Largest number of samples of each side that are kept; None for all. 2,000 take seconds, 5,000 up to a minute.
    seed : int, default 0
        Of the choice among more samples than n.
    **options
        Of every metric, such as ``sync_on_compute`` or ``dist_sync_on_step``.

    Raises
    ------
    InvalidInput
        If p, n or the seed make no sense.
    OTError
        If torchmetrics is not installed.

    Examples
    --------
    >>> import torch
    >>> from otgan.integrations.torchmetrics import WassersteinDistance
    >>> metric = WassersteinDistance()
    >>> for k in range(3):  # over the batches of an epoch
    ...     metric.update(torch.full((4, 1), float(k)), real=True)
    ...     metric.update(torch.full((4, 1), float(k) + 5), real=False)
    >>> metric.compute()
    tensor(5.)
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = True
    plot_lower_bound = 0.0

    def __init__(self, p: float = 1, *, n: int | None = 2000, seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.p = inputs.exponent(p)
        self.n = None if n is None else inputs.count(n, "n", high=MOST)
        self.seed = inputs.seed(seed)
        self.sample_shape: tuple[int, ...] | None = None
        # A state, so that collections do not let metrics that keep other samples share theirs.
        self.add_state("choice", default=torch.tensor([self.n or 0, self.seed]), dist_reduce_fx="max")
        for side in SIDES:
            self.add_state(side, default=[], dist_reduce_fx=_joined)
            self.add_state(f"{side}_keys", default=[], dist_reduce_fx=_joined)
            self.add_state(f"{side}_seen", default=torch.tensor(0), dist_reduce_fx="sum")
        self._hold_nothing()

    def update(self, samples: torch.Tensor, real: bool) -> None:
        """Take samples of one side.

        Parameters
        ----------
        samples : (k, ...) tensor
            Points (k, d), or images of any layout, which must be the same for both sides.
        real : bool
            Whether they are real, or generated.

        Raises
        ------
        InvalidInput
            If they are no finite samples, or have another shape than those before.
        """
        points = self._points(samples)
        side = SIDES[inputs.flag(real, "real")]
        keys = self._keys(side, len(points)).to(points.device)
        held, held_keys = self._held(side)
        points, keys = _joined([held, points]), torch.cat([held_keys.to(points.device), keys])
        self._hold(side, *_least(points, keys, self.n))
        setattr(self, f"{side}_seen", getattr(self, f"{side}_seen") + len(samples))

    def compute(self) -> torch.Tensor:
        """The distance, a tensor of no axes in the metric's dtype.

        Raises
        ------
        InvalidInput
            If a side has no samples, as after ``forward``, which gives the value of a batch of one side alone.
        """
        sides = []
        for side in SIDES:
            points, _ = _least(*self._held(side), self.n)
            if not len(points):
                raise InvalidInput(
                    f"the distance needs samples of both sides, but none came with real={side == 'real'}. Call "
                    f"update(samples, real={side == 'real'}) before compute()."
                )
            sides.append(points.cpu().double().numpy())  # in this order: not every device has float64
        fake, real = sides
        return inputs.representable(torch.tensor(wasserstein(real, fake, self.p), dtype=self.dtype, device=self.device))

    def reset(self) -> None:
        """Forget all samples."""
        super().reset()
        self.sample_shape = None
        self._hold_nothing()

    def _points(self, samples: Any) -> torch.Tensor:
        """Samples as points (k, d) of the metric's dtype."""
        if not isinstance(samples, torch.Tensor) or samples.ndim == 0 or not samples.numel():
            came = f"shape {tuple(samples.shape)}" if isinstance(samples, torch.Tensor) else type(samples).__name__
            raise InvalidInput(f"samples must be a tensor (k, ...) that is not empty, but {came} came.")
        if samples.is_complex() or not bool(samples.isfinite().all()):
            raise InvalidInput("samples must be finite real numbers, but NaN, inf or complex ones came. Drop them.")
        shape = tuple(samples.shape[1:])
        if self.sample_shape not in (None, shape):
            raise InvalidInput(
                f"all samples must have one shape, but {self.sample_shape} and {shape} came. Reshape one of the sides."
            )
        self.sample_shape = shape
        return samples.detach().reshape(len(samples), -1).to(self.dtype)

    def _keys(self, side: str, k: int) -> torch.Tensor:
        """Random keys (k,) of the next samples of a side in this process."""
        here = torch.distributed.is_available() and torch.distributed.is_initialized()
        rank = torch.distributed.get_rank() if here else 0
        stream = [self.seed, rank, SIDES.index(side), int(getattr(self, f"{side}_seen"))]
        return torch.from_numpy(np.random.default_rng(stream).integers(KEYS_BELOW, size=k))

    def _held(self, side: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Points (k, d) and keys (k,) of a side, of this process or, while states are gathered, of all."""
        points, keys = (
            held if isinstance(held, torch.Tensor) else held[0]
            for held in (getattr(self, side), getattr(self, f"{side}_keys"))
        )
        return points, keys

    def _hold(self, side: str, points: torch.Tensor, keys: torch.Tensor) -> None:
        """Hold one tensor of points and one of keys, so that every process has as many to gather."""
        setattr(self, side, [points])
        setattr(self, f"{side}_keys", [keys])

    def _hold_nothing(self) -> None:
        for side in SIDES:
            self._hold(
                side,
                torch.empty(0, 0, dtype=self.dtype, device=self.device),
                torch.empty(0, dtype=torch.int64, device=self.device),
            )


def _joined(parts: Any) -> torch.Tensor:
    """Tensors one after the other, but for empty ones: a process without samples does not know their dimension."""
    return torch.cat([part for part in parts if len(part)] or [parts[0]])


def _least(points: torch.Tensor, keys: torch.Tensor, n: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The n points with the least keys, in their order."""
    if n is None or len(keys) <= n:
        return points, keys
    kept = keys.topk(n, largest=False).indices.sort().values
    return points[kept], keys[kept]
