"""The monitor: exact W1 beside the critic's estimate, on the same points, while a GAN is trained in any loop.

Everything is measured on the same held-out samples over the whole run, so that only the networks change. Numbers are in
the data's own units.
"""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from otgan import inputs
from otgan.critics.given import given_critics
from otgan.data.drawing import choose, stream
from otgan.errors import InvalidInput
from otgan.gan.correlation import rank_correlation
from otgan.gan.critic_numbers import MeasuredCritic
from otgan.gan.feature_scores import FeatureScores
from otgan.gan.intervals import distance_interval
from otgan.gan.layout import Layout, drawn_from
from otgan.gan.log import check_record
from otgan.gan.monitor_page import monitor_page
from otgan.gan.patches import LEAST_SIDE, patches
from otgan.gan.run import NotFinite
from otgan.gan.schedule import LARGEST_STEP, Schedule
from otgan.gan.sliced import sliced_distances
from otgan.gan.user_functions import Features, undisturbed
from otgan.report import plain, write_files
from otgan.sliced import random_directions
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["NOISE_SEED_OFFSET", "Monitor"]

NOISE_SEED_OFFSET = 10**6  # from the seed, so that the noise of measurements was never trained with
DIRECTIONS = 64  # of lines that samples are projected onto
FORMAT = "otgan monitor 1"  # of a state
REQUIRED = ("n", "exact", "lower", "upper", "cost", "seconds")  # of each record of a state


class Monitor:
    """Measures generated samples, and the critic, while a GAN is trained in a loop of your own.

    Parameters
    ----------
    held_out : array_like, tensor, torch Dataset or DataLoader, SampleSet
        Real samples that are not trained on: points (n, d), or images (n, h, w), (n, c, h, w) or (n, h, w, c). In the
        units that generator and critic have, such as pixels in [-1, 1]. Items of a dataset may be tuples that start
        with the sample.
    trained_on : the same, optional
        Real samples that are trained on, for the floor and for what the critic says of these. Without them the floor
        is taken from other held-out samples, if there are at least 2 n.
    n : int, default 500
        How many samples of each side are used: a seeded choice where there are more, and all where there are fewer.
    shape : sequence of int, optional
        One sample as the networks see it, such as (1, 28, 28), if that is not the shape that ``held_out`` has. Grey
        images (n, h, w) are seen as (1, h, w), and channels first.
    features : torch.nn.Module or callable, optional
        From a batch as the networks see it to (k, features): then Fréchet distance, precision and recall are measured.
        Modules are copied, or put in evaluation mode and back where a function calls them.
    patches : bool, optional
        Whether W1 between patches of images is measured too; by default of images of at least 4 x 4 pixels.
    seed : int, default 0
        Of every choice, and of the noise of generators.
    every : int or str, optional
        For :meth:`is_due`: steps from one measurement to the next, or a time such as "30 s", "5 min" or "1 h".
    budget : float, default 0.05
        For :meth:`is_due`: the largest share of the time since the first call that measuring may take.

    Attributes
    ----------
    history : list of dict
        What :meth:`measure` returned, each with its ``step`` and ``kind`` "monitor".
    n : int
        Samples of each side.
    floor : Solution or None
        Exact W1 between held-out samples and as many others: what a generator as good as the data itself would get.
    patch_floor : float or None
        The same between patches.

    Raises
    ------
    InvalidInput
        If the samples are none, are not finite or do not fit together, or an option makes no sense.
    NotFinite
        If features are not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> monitor = Monitor(rng.normal(size=(100, 2)), rng.normal(size=(400, 2)), n=80)
    >>> for step, shift in enumerate((3.0, 2.0, 1.0), start=1):
    ...     record = monitor.measure(rng.normal(size=(80, 2)) + shift, critic=lambda x: -x[:, 0], step=step)
    >>> record["lower_bound"] <= record["exact"] <= monitor.history[0]["exact"]
    True
    >>> record["rank_correlation"]
    1.0
    """

    def __init__(
        self,
        held_out: Any,
        trained_on: Any = None,
        *,
        n: int = 500,
        shape: Sequence[int] | None = None,
        features: Any = None,
        patches: bool | None = None,
        seed: int = 0,
        every: int | str | None = None,
        budget: float = 0.05,
    ) -> None:
        self.seed = inputs.seed(seed)
        self.schedule = Schedule(every, budget)
        n = inputs.count(n, "n")
        with undisturbed(self.seed):  # datasets may draw, as loaders do
            held_out = drawn_from(held_out, 2 * n, stream(self.seed, "held out"), "held_out")
            trained_on = drawn_from(trained_on, n, stream(self.seed, "trained on"), "trained_on")
            self.layout, real = Layout.of(held_out, "held_out", shape)
            others = None if trained_on is None else self.layout.read(trained_on, "trained_on")
        self.n = min(n, len(real), len(real if others is None else others))
        self.held_out, rest = self._split(real, "held-out samples")
        self.trained_on = None if others is None else self._split(others, "samples trained on")[0]
        floor = rest if others is None else self.trained_on
        self._patches = _has_patches(patches, self.layout)
        self._directions = random_directions(self.held_out.shape[1], DIRECTIONS, stream(self.seed, "directions"))
        self.floor = None if floor is None else solve(self.held_out, floor, throw=False)
        self.patch_floor = None if floor is None else self._patch_distance(floor)
        self._sliced_floor = None if floor is None else sliced_distances(self.held_out, floor, self._directions)[0]
        self._features = None if features is None else Features(features)
        self._scores = None if self._features is None else self._feature_scores(self._features, floor)
        self.history: list[dict[str, Any]] = []
        self.generated: NDArray[np.float64] | None = None  # of the last measurement

    def is_due(self, step: int | None = None) -> bool:
        """Whether the next measurement is due, by ``every`` and ``budget``; the first one always is.

        A measurement waits until all of them, it included if it takes as long as the last, take no larger share of the
        time since the first call than the budget. Which steps are measured then depends on the clock: with
        ``budget=1`` and steps it does not.

        Raises
        ------
        InvalidInput
            If ``every`` counts steps and no step came, or it is no whole number of at least 0.
        """
        return self.schedule.is_due(step)

    def measure(self, fake: Any, critic: Any = None, step: int | None = None) -> dict[str, Any]:
        """Measure generated samples and the critic.

        Parameters
        ----------
        fake : array_like, tensor, torch Dataset or DataLoader, SampleSet, or callable
            At least n generated samples in the shape that the networks see or the one that ``held_out`` has; or a
            function of n that makes them. It is called with the same random numbers every time, whatever torch, NumPy
            and Python draw, so that only the generator changes; the caller's random numbers stay what they are, and so
            do the buffers of modules. In training mode batch norm takes its means over the n samples.
        critic : torch.nn.Module, callable or Critic, optional
            From a batch as the networks see it to (k,) or (k, 1), larger at real samples. It is called in evaluation
            mode, and left as it was (:func:`~otgan.critics.given.given_critics`).
        step : int, optional
            Of the training; by default one more than at the last measurement. Step 0 is before training.

        Returns
        -------
        dict
            ``kind``, ``step``; ``n``; ``exact``, W1 between held-out and generated samples, with its proof, ``lower``
            and ``upper``; ``floor``; ``patch`` and ``patch_floor``; ``sliced``, the mean of W1 along 64 lines, its
            ``sliced_floor``, and ``sliced_max``, the largest: lower bounds on W1
            (:func:`~otgan.gan.sliced.sliced_distances`).

            With a critic: ``critic``, ``E f(real) - E f(fake)`` on the same points, and ``critic_trained_on``, the same
            with samples trained on; ``lower_bound``, what the critic proves about ``exact`` once repaired to
            1-Lipschitz, and ``constant_bound``, what a constant one does.

            With features: ``frechet_distance``, ``frechet_floor``, ``precision``, ``recall``.

            ``intervals`` of 95 %, for the mean over samples of the same sizes; ``rank_correlation`` of ``critic`` and
            ``exact`` over the run; ``cost``, the seconds that this took, and ``seconds`` since the first call.

        Raises
        ------
        InvalidInput
            If samples are too few, not finite or of another shape, or the critic gives anything but a number for each.
        NotFinite
            If a generator's samples, a critic's values or features are not finite.
        """
        begun = self.schedule.begin()
        step = self._next_step() if step is None else inputs.count(step, "step", low=0, high=LARGEST_STEP)
        points = self._generated(fake)
        if critic is None:
            measured = self.measure_points(points)
        else:
            with given_critics([critic], points.shape[1], self.layout.network_shape) as (called,):
                measured = self.measure_points(points, MeasuredCritic(lambda x: called(self.layout.flat(x))))
        record: dict[str, Any] = {"kind": "monitor", "step": step, **measured}
        if self._features is not None and self._scores is not None:
            features = self._features(self.layout.batch(points))
            scores = self._scores.measure(features, stream(self.seed, "resampled"))
            record |= {**scores, "intervals": {**record["intervals"], **scores["intervals"]}}
        record["rank_correlation"] = rank_correlation([*self.history, record])
        record["cost"] = self.schedule.elapsed - begun
        self.schedule.measured(step, record["cost"])
        record = plain({**record, "seconds": self.schedule.elapsed})
        self.history.append(record)
        self.generated = points
        return record

    def measure_points(self, points: NDArray[np.float64], critic: MeasuredCritic | None = None) -> dict[str, Any]:
        """Distances of generated points (n, d), and the critic's numbers; nothing is kept.

        Points are flat samples in the layout of ``layout.shape``, finite and as many as are held out.
        """
        solution = solve(self.held_out, points, throw=False)
        distances = {"exact": solution} | ({} if self.floor is None else {"floor": self.floor})
        mean, largest = sliced_distances(self.held_out, points, self._directions)
        return {
            "n": len(points),
            **{name: distance.distance for name, distance in distances.items()},
            "lower": solution.lower,
            "upper": solution.upper,
            "patch": self._patch_distance(points),
            "patch_floor": self.patch_floor,
            "sliced": mean,
            "sliced_max": largest,
            "sliced_floor": self._sliced_floor,
            **({} if critic is None else critic.measure(self.held_out, self.trained_on, points)),
            "intervals": {name: distance_interval(distance) for name, distance in distances.items()},
        }

    def report(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``report.html`` into a folder, one page that needs nothing beside itself, and its figures.

        Parameters
        ----------
        folder : path
            Made where it is missing.

        Returns
        -------
        Path
            Where the page lies.

        Raises
        ------
        OSError
            If it cannot be written; files that were there are as they were.
        """
        folder = inputs.path(folder, "folder")
        files = monitor_page(self).files()
        folder.mkdir(parents=True, exist_ok=True)
        write_files(folder, files)
        return folder / "report.html"

    def state_dict(self) -> dict[str, Any]:
        """What a run that is resumed needs: the history, and the time spent. JSON, and ``torch.save``, can hold it."""
        return {
            "format": FORMAT,
            "samples_sha256": self._sha256,
            "history": plain(self.history),
            "schedule": self.schedule.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave, as if the run had never stopped.

        Raises
        ------
        InvalidInput
            If it is no such thing, or of a monitor with other samples; the monitor is as it was then.
        """
        try:
            if state["format"] != FORMAT:
                raise ValueError(f"format {state['format']!r}")
            history = [dict(record) for record in state["history"]]
            for record in history:
                check_record(record, REQUIRED)
                if record["kind"] != "monitor":
                    raise ValueError(f"kind {record['kind']!r}")
            if state["samples_sha256"] != self._sha256:
                raise InvalidInput(
                    "state must be of a monitor with the same held-out and trained-on samples and seed, but these are "
                    "others: its numbers cannot be compared. Pass the same, or start a new history."
                )
            self.schedule.load_state_dict(state["schedule"])
        except InvalidInput:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"state must be what state_dict() of a Monitor gave, but is not ({error}).") from None
        self.history = history

    def facts(self) -> dict[str, Any]:
        """What was measured with, for a report."""
        return {
            "held-out samples": self.n,
            "samples trained on": 0 if self.trained_on is None else len(self.trained_on),
            "shape": " x ".join(map(str, self.layout.network_shape)),
            "sha256": self._sha256,
            "seed": self.seed,
            "seconds of measuring": round(self.schedule.spent, 3),
            "seconds in all": round(self.schedule.elapsed, 3),
        }

    @cached_property
    def _sha256(self) -> str:
        """Of the samples that everything is compared with, and of the seed."""
        digest = hashlib.sha256(repr((self.layout, self.seed)).encode())
        for points in (self.held_out, self.trained_on):
            digest.update(b"none" if points is None else np.ascontiguousarray(points, dtype="<f8").data)
        return digest.hexdigest()

    def _next_step(self) -> int:
        return self.history[-1]["step"] + 1 if self.history else 1

    def _split(self, points: NDArray[np.float64], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Choose n points, all in their order where there are no more; and n others where there are."""
        if len(points) == self.n:
            return points, None
        order = choose(len(points), len(points), stream(self.seed, name), name)
        return points[order[: self.n]], points[order[self.n : 2 * self.n]] if len(points) >= 2 * self.n else None

    def _generated(self, fake: Any) -> NDArray[np.float64]:
        """N generated samples as points (n, d)."""
        if isinstance(fake, nn.Module):
            raise InvalidInput(
                "fake must be samples or a function of their number, but a module came. Pass a function that draws its "
                "noise: lambda n: generator(torch.randn(n, latent))."
            )
        if callable(fake):
            with undisturbed(self.seed + NOISE_SEED_OFFSET):
                fake = fake(self.n)
            if not _is_finite(fake):
                raise NotFinite("the generator makes samples that are not finite.")
        points = self.layout.read(fake, "fake")
        if len(points) < self.n:
            raise InvalidInput(
                f"fake must hold at least {self.n} samples, as many as are held out, but holds {len(points)}. Generate "
                f"more, or make the Monitor with n={len(points)}."
            )
        return self._split(points, "generated samples")[0]

    def _feature_scores(self, features: Features, others: NDArray[np.float64] | None) -> FeatureScores:
        floor = None if others is None else features(self.layout.batch(others))
        return FeatureScores(features(self.layout.batch(self.held_out)), floor)

    def _patch_distance(self, points: NDArray[np.float64]) -> float | None:
        """Exact W1 between patches of held-out images and of others; None for points."""
        if not self._patches:
            return None
        ours = patches(self.held_out, self.layout.shape, stream(self.seed, "patches of held-out images"))
        theirs = patches(points, self.layout.shape, stream(self.seed, "patches of other images"))
        return solve(ours, theirs, throw=False).distance


def _is_finite(samples: Any) -> bool:
    """Whether an array or a tensor of numbers has neither NaN nor inf; what is none of these is refused elsewhere."""
    if isinstance(samples, torch.Tensor):
        return samples.is_meta or samples.layout != torch.strided or bool(samples.isfinite().all())
    return not isinstance(samples, np.ndarray) or samples.dtype.kind != "f" or bool(np.isfinite(samples).all())


def _has_patches(given: bool | None, layout: Layout) -> bool:
    """Whether patches are compared."""
    possible = layout.is_image and min(layout.shape[:2]) >= LEAST_SIDE
    if given is None:
        return possible
    if inputs.flag(given, "patches") and not possible:
        raise InvalidInput(
            f"patches are cut from images of at least {LEAST_SIDE} x {LEAST_SIDE} pixels, but samples have the shape "
            f"{layout.shape}. Leave patches out, or pass shape=(c, h, w)."
        )
    return given
