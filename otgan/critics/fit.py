"""Train critics on two samples or two populations, from one or several seeds."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import torch

from otgan import frames, inputs
from otgan.critics.choice import train_best
from otgan.critics.critic import TRAINED_ON, Critic, prepare
from otgan.critics.methods import METHODS, Auto
from otgan.critics.modes import own_modes
from otgan.critics.networks import ModuleEnsemble, check_shape, given_network, join_members, member, n_members
from otgan.critics.result import CriticFit, with_estimates
from otgan.critics.room import check_weights
from otgan.critics.source import sources
from otgan.critics.training import Job, go_on, history_of, shares, trainings
from otgan.errors import InvalidInput
from otgan.runtime.device import torch_device

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from otgan.critics.methods.method import Method

__all__ = ["EVALUATION", "fit", "held_out_points", "methods"]

EVALUATION = 4096  # fresh points of a population that an estimate averages over


def methods() -> dict[str, str]:
    """Every method's name, and one line about it.

    Examples
    --------
    >>> import otgan
    >>> otgan.critics.methods()["gp"]
    'two-sided gradient penalty: WGAN-GP, Algorithm 1 (Gulrajani et al. 2017)'
    """
    return {name: method.summary for name, method in METHODS.items()}


@own_modes()
def fit(
    x: Any,
    y: Any,
    method: str = "gp",
    *,
    seed: int = 0,
    n_seeds: int = 1,
    steps: int | None = None,
    network: Callable[[int], nn.Module] | nn.Module | None = None,
    batch_size: int | None = None,
    device: str = "auto",
    progress: bool = False,
    held_out: tuple[Any, Any] | None = None,
    unit: float | None = None,
    **options: Any,
) -> CriticFit:
    """Train critics whose ``E f(x) - E f(y)`` estimates W1 between two sides.

    Networks see ``z = (x - center) / unit`` in place of the data x, and a critic is ``f(x) = unit * N((x - center) /
    unit)``, with the same slopes as its network N. The centre is the mean of both sides' means, and the unit the power
    of two that lets coordinates reach between 0.95 and 1.9: data within [-1, 1] have unit 1. So units do not matter:
    for s x and s y, s a power of two, every number is s times that for x and y, to the bit, and an offset changes no
    more than it rounds. A method's options, such as ``gp_weight`` or ``epsilon``, are in these units. A sampler's
    centre and unit come from 1024 draws of each side, its centre as a multiple of 16 units: a population about the
    origin is not moved.

    Parameters
    ----------
    x : (n, d) array_like, or sampler
        A fixed sample, or a population ``sampler(n, generator) -> tensor (n, d)``. 1-D arrays are points on the line.
    y : (m, d) array_like, or sampler
    method : str, default "gp"
        One of :func:`methods`. "auto" begins several that are 1-Lipschitz by construction, and ends the best.
    seed : int, default 0
    n_seeds : int, default 1
        Train from ``seed, seed + 1, ...``.
    steps : int, optional
        Optimiser steps of each; the method's default if None. With "auto" it is the work of so many of the dearest
        candidate, trials included: cheaper ones take more.
    network : callable or torch.nn.Module, optional
        ``network(d)`` gives a fresh module from (k, d) to (k, 1); a module is copied for each seed as it stands. It is
        the N from above: :attr:`CriticFit.critic` calls it with ``(x - center) / unit``, and so does training. The
        method's own if None. Networks are trained in float32, whatever they came in.
    batch_size : int, optional
        Points of each side in a step; the method's default if None.
    device : str, default "auto"
        A torch device; "auto" is the first GPU, or else the CPU.
    progress : bool, default False
        Show a bar on a terminal.
    held_out : (x, y), optional
        Points never trained on, to judge the estimate by; nor does "auto" choose by them.
    unit : float, optional
        What distances are divided by before networks see them, instead of what the data suggest: 1 for numbers that
        were published for data as they are.
    **options
        The method's own, for instance ``clip`` or ``gp_weight``; an unknown one is refused.

    Returns
    -------
    CriticFit

    Raises
    ------
    InvalidInput
        For unusable data, an unknown method or option, or a network that does not fit.
    OTError
        If training diverges to NaN or inf.

    References
    ----------
    Arjovsky, Chintala & Bottou, Wasserstein GAN (2017). Gulrajani et al., Improved Training of Wasserstein GANs (2017).

    Examples
    --------
    >>> import numpy as np, otgan
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 3
    >>> fit = otgan.critics.fit(x, y, "gp", steps=50, width=32, learning_rate=1e-2)
    >>> truth = otgan.solve(x, y)
    >>> fit.lower_bound(x, y) <= truth.upper
    True
    """
    chosen = _method(method, steps, batch_size, options)
    seed, n_seeds = inputs.seed(seed), inputs.count(n_seeds, "n_seeds")
    where = torch_device(device)
    unit = None if unit is None else inputs.real(unit, "unit", low=0.0, high=inputs.LARGEST, open_low=True)
    source_x, source_y, scaling = sources(x, y, where, unit)
    dimension, columns = len(scaling.center), frames.columns(x) or frames.columns(y)
    held = None if held_out is None else held_out_points(held_out, dimension, columns)
    if network is None:
        check_weights(n_seeds * chosen.weights(dimension), f"{n_seeds} x {method!r}", "Lower width, depth or n_seeds.")
    start, choice = time.perf_counter(), None
    if isinstance(chosen, Auto) and network is not None:
        chosen.check_network(given_network(network, dimension, seed))

    def ensembles(of: Method) -> list[nn.Module]:
        return [
            _ensemble(of, network, dimension, [seed + int(k) for k in part]).to(where)
            for part in shares(of, n_seeds, where)
        ]

    made = [] if isinstance(chosen, Auto) else ensembles(chosen)
    drawn = torch.Generator(where).manual_seed(seed + 10**6)
    judged = {"estimate": (source_x.evaluation(EVALUATION, drawn), source_y.evaluation(EVALUATION, drawn))}
    judged |= {} if held is None else {"held_out": held}
    tensors = {name: (prepare(a, scaling, where), prepare(b, scaling, where)) for name, (a, b) in judged.items()}
    job = Job(chosen, source_x, source_y, tensors, where, progress)
    if isinstance(chosen, Auto):
        trained, choice = train_best(chosen, job, ensembles, seed, scaling.unit)
        chosen = replace(trained[0].job.method, steps=trained[0].done)
    else:
        trained = trainings(job, made, seed)
        go_on(trained, chosen.steps)
    history = history_of(trained)
    history |= {name: scaling.unit * history[name] for name in judged}
    found = CriticFit(
        method=method,
        options={option.name: getattr(chosen, option.name) for option in fields(chosen)},
        critics=tuple(
            Critic(member(one.network, k).eval(), scaling, columns)
            for one in trained
            for k in range(n_members(one.network))
        ),
        estimates=history["estimate"][:, -1],
        held_out_estimates=None,
        history=history,
        x=judged["estimate"][0],
        y=judged["estimate"][1],
        steps=chosen.steps,
        seconds=time.perf_counter() - start,
        seed=seed,
        _method=chosen,
        choice=choice,
    )
    found = with_estimates(found, held)
    history["estimate"][:, -1] = found.estimates
    if held is not None:
        history["held_out"][:, -1] = found.held_out_estimates
    return found


def _method(name: str, steps: int | None, batch_size: int | None, options: dict[str, Any]) -> Method:
    chosen = METHODS[inputs.choice(name, "method", tuple(METHODS))]
    given = {key: value for key, value in (("steps", steps), ("batch_size", batch_size)) if value is not None}
    return chosen.with_options({**given, **options})


def held_out_points(
    pair: Any, dimension: int, columns: tuple[Hashable, ...] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both sides of points that were not trained on, (k, d) and (l, d), checked."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InvalidInput("held_out must be a pair (x, y) of point sets that were not trained on.")
    columns = columns or frames.columns(pair[0])
    names = ("held_out[0]", "held_out[1]")
    sides = (frames.in_order(side, columns, (TRAINED_ON, name)) for side, name in zip(pair, names, strict=True))
    x, y = (inputs.points(side, name) for side, name in zip(sides, names, strict=True))
    for points in (x, y):
        if points.shape[1] != dimension:
            raise InvalidInput(f"held_out points must have {dimension} columns, but {points.shape[1]} came.")
    return x, y


def _ensemble(method: Method, given: Any, dimension: int, seeds: Sequence[int]) -> nn.Module:
    """The networks of some seeds side by side, each drawn from its own."""
    if given is None:
        return join_members([method.network(dimension, torch.Generator().manual_seed(one)) for one in seeds])
    modules = [given_network(given, dimension, one) for one in seeds]
    for module in modules:
        method.check_network(module)
        check_shape(module, dimension)
    return ModuleEnsemble(modules)
