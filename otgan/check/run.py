"""The function ``check``: draw the points, solve exactly, train the critics, compare them."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from otgan import inputs
from otgan.check.given import judged
from otgan.check.result import Check
from otgan.check.samples import alike, draw
from otgan.errors import InvalidInput, OTError
from otgan.runtime.optional import optional_dependency
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from otgan.critics import CriticFit, CriticReport

__all__ = ["check"]


def check(
    a: Any,
    b: Any,
    *,
    methods: Sequence[str] = ("clip", "gp"),
    critics: Mapping[str, Any] | None = None,
    n: int | None = None,
    seeds: int = 2,
    steps: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    rtol: float = 1e-9,
    device: Any = "auto",
    progress: bool = False,
    watch: Callable[[Check], None] | None = None,
) -> Check:
    """Solve W1 between two sample sets exactly, and train critics on the same points.

    Parameters
    ----------
    a, b : str, path, SampleSet or (k, d) array_like
        The sets, by anything that :func:`otgan.data.load` takes, or as points: also data frames, torch datasets and
        loaders. Columns are compared by name where both sides have names; samples must have one shape.
    methods : sequence of str, default ("clip", "gp")
        Critics to train, of ``otgan.critics.methods()``; may be empty where ``critics`` are given.
    critics : mapping of str to critic, optional
        Critics that are trained already, by what they are to be called: anything that :func:`otgan.critics.judge`
        takes. Images reach them with channels first, or flat where they take no others; in the data's own units.
    n : int, optional
        How many points of each set to use, drawn without replacement: those of ``load(spec, n=n, seed=seed)``. By
        default four fifths of the smaller set, and at most 1000. Of what is left at most n points a side are held out;
        distributions give n more.
    seeds : int, default 2
        Critics of each method, trained from ``seed``, ``seed + 1``, ...; two or more give a standard error.
    steps, batch_size : int, optional
        Training steps, and points of each side in a step; the methods' own if None.
    seed : int, default 0
        Everything random follows from it.
    rtol : float, default 1e-9
        Largest relative gap between the proven bounds.
    device : str or torch.device, default "auto"
        Where critics train.
    progress : bool, default False
        Show bars on a terminal.
    watch : callable, optional
        Called with what there is so far, when the exact distance is known and after each critic: it may print it, or
        keep it for the case that the rest is interrupted.

    Returns
    -------
    Check

    Raises
    ------
    InvalidInput
        If a set, a method or an option makes no sense.
    NotConverged
        If the exact solver cannot prove its answer to ``rtol``.
    OTError
        If a package is missing, or every critic diverges; those of one that does not are kept, and what the others
        said is in ``failed``.

    Examples
    --------
    >>> result = check("gaussians8", "swissroll", methods=["gp"], n=20, steps=20)
    >>> result.reports[0].method, len(result.a)
    ('gp', 20)
    >>> result.reports[0].lower_bound <= result.solution.upper
    True
    """
    start = time.perf_counter()
    with optional_dependency("torch", "torch", "Training critics"):
        from otgan.critics import fit as train
        from otgan.critics import methods as known
        from otgan.critics import torch_device
    given = dict(critics or {})
    methods, seeds = _distinct(methods, tuple(known()), given), inputs.count(seeds, "seeds")
    seed = inputs.seed(seed)
    n, steps, batch_size = _optional(n, "n"), _optional(steps, "steps"), _optional(batch_size, "batch_size")
    device = inputs.device_name(device)
    torch_device(device)  # before the long work, not after
    samples = alike(draw(a, b, n, seed))
    (first, second), held_out, whole = samples
    solution = solve(first.points, second.points, rtol=rtol, progress=progress)
    of_all = whole and solve(whole[0].points, whole[1].points, rtol=rtol, progress=progress)
    rest = held_out and (held_out[0].points, held_out[1].points)
    fit = partial(
        train,
        first.points,
        second.points,
        seed=seed,
        n_seeds=seeds,
        steps=steps,
        batch_size=batch_size,
        device=device,
        progress=progress,
        held_out=rest,
    )
    fits: list[CriticFit] = []
    reports: list[CriticReport] = []
    failed: dict[str, str] = {}
    settings = {
        "a": _spec(a),
        "b": _spec(b),
        "methods": methods,
        "n": len(first),
        "seeds": seeds,
        "steps": steps,
        "batch_size": batch_size,
        "seed": seed,
        "rtol": rtol,
        "device": device,
    }

    def so_far() -> Check:
        return Check(
            a=first,
            b=second,
            held_out=held_out,
            solution=solution,
            whole=of_all,
            fits=tuple(fits),
            reports=tuple(reports),
            failed={**failed},
            settings=settings,
            seconds=time.perf_counter() - start,
        )

    watch = watch or (lambda _: None)
    watch(so_far())
    for name, critic in given.items():
        reports.append(judged(critic, name, solution, first.shape, rest, device))
        watch(so_far())
    for method in methods:
        try:
            fitted = fit(method)
        except InvalidInput:
            raise
        except OTError as error:  # it diverged, which is a result
            failed[method] = str(error)
            continue
        reports.append(fitted.compare(solution))
        fits.append(fitted)
        watch(so_far())
    if not reports:
        raise OTError(" ".join(failed.values()))
    return so_far()


def _distinct(methods: Sequence[str], known: tuple[str, ...], given: Mapping[str, Any]) -> tuple[str, ...]:
    """``methods``, if each is known and none comes twice, nor as the name of a critic that is given."""
    chosen = (methods,) if isinstance(methods, str) else tuple(methods)
    if twice := [name for name in chosen if name in given]:
        raise InvalidInput(f"critics must have names of their own, but {twice[0]!r} is a method to train.")
    if not chosen and not given:
        raise InvalidInput(f"methods must name at least one critic. Choose from {', '.join(map(repr, known))}.")
    for method in chosen:
        inputs.choice(method, "methods", known)
    if len(set(chosen)) < len(chosen):
        raise InvalidInput(f"methods must name each critic once, but {', '.join(chosen)} came. Use seeds to repeat.")
    return chosen


def _optional(value: int | None, name: str) -> int | None:
    return None if value is None else inputs.count(value, name)


def _spec(source: Any) -> str | None:
    """How a set was named; None for points."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else None
