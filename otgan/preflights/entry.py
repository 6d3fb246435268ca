"""The function ``otgan.preflight``; what it needs, torch among it, is imported when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from otgan.preflights.result import Preflight

__all__ = ["preflight"]


def preflight(
    data: Any,
    *,
    critics: Mapping[str, Any] | None = None,
    methods: Sequence[str] | None = None,
    network: Callable[[int], nn.Module] | None = None,
    minutes: float = 10.0,
    n: int | None = None,
    seeds: int = 2,
    seed: int = 0,
    steps: int | None = None,
    device: str = "auto",
    folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
    watch: Callable[[Preflight], None] | None = None,
) -> Preflight:
    """Find out, before a GAN is trained, whether a critic can be trusted on data of one's own.

    Real samples are moved in four ways and by three sizes, from nearly there to far away, such that W1 between the real
    and the moved ones, the fakes, is known (:class:`otgan.pairs.Rays`). Critics are trained on these pairs, equally
    long. Their numbers are compared with W1, and their gradients at the fakes with the way that the fakes have to go.

    Parameters
    ----------
    data : str, path, SampleSet or array_like
        What :func:`otgan.data.load` reads: a folder of images, a file, a built-in name such as ``mnist:8``; or an array
        (n, d), (n, h, w) or (n, h, w, c). At least 20 samples.
    critics : mapping of str to critic, optional
        Critics that are trained already, by what they are to be called, judged as they are; high on real samples.
        Images reach them with channels first, or flat where they take no others.
    methods : sequence of str, optional
        Of ``otgan.critics.methods()``; by default clip, gp, lp and orthogonal, and none where ``critics`` are given.
    network : callable, optional
        ``network(d)`` gives a fresh module of yours, which methods that constrain any network train; it takes samples
        as ``critics`` do. By default three hidden layers of 128 units for every method.
    minutes : float, default 10
        For all of it.
    n : int, optional
        Real samples at most; by default 2000, or fewer of large images.
    seeds : int, default 2
        Critics of each method on each pair.
    seed : int, default 0
        Everything random follows from it.
    steps : int, optional
        Training steps on each pair, in place of what ``minutes`` allow.
    device : str, default "auto"
        Where critics train.
    folder : path, optional
        Each critic that is done is kept there, and not trained again where the same is asked for.
    progress : bool, default False
        Show a bar on a terminal.
    watch : callable, optional
        Called with what there is so far after each critic.

    Returns
    -------
    Preflight
        :meth:`~otgan.preflights.result.Preflight.explain` says it in plain sentences.

    Raises
    ------
    InvalidInput
        If the data, a method or an option makes no sense.
    OTError
        If a package is missing.

    Examples
    --------
    >>> import otgan
    >>> result = otgan.preflight("digits:8", methods=["clip", "gp"], steps=10)
    >>> sorted(place.method for place in result.ranking)
    ['clip', 'gp']
    """
    from otgan.preflights.run import Request, run
    from otgan.runtime.optional import optional_dependency

    with optional_dependency("torch", "torch", "Training critics"):
        import torch  # noqa: F401
    request = Request.checked(
        data=data,
        critics=critics,
        methods=methods,
        network=network,
        minutes=minutes,
        n=n,
        seeds=seeds,
        seed=seed,
        steps=steps,
        device=device,
    )
    return run(request, folder, progress=progress, watch=watch)
