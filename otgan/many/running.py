"""Where blocks of pairs are solved: in threads here, or by the workers of joblib; and what is read back from files."""

from __future__ import annotations

import sys
from concurrent.futures import BrokenExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from otgan import inputs
from otgan.many.blocks import SIDE, prove, raise_for
from otgan.runtime.cores import cores
from otgan.runtime.progress import bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from otgan.many.blocks import Block, Proven
    from otgan.many.cache import Cache

__all__ = ["run", "size_of_tiles", "workers"]

BLOCKS_A_WORKER = 4  # so that no worker waits long for the last one
DEATHS = 3  # of workers in a row, with no block done in between: a block that kills its worker is not tried for ever


def workers(n_jobs: Any) -> int:
    """How many threads of this process, or workers of the backend that joblib was told to use."""
    checked = None if n_jobs is None else n_jobs if n_jobs == -1 else inputs.count(n_jobs, "n_jobs")
    if (parallel := _joblib()) is not None:
        return parallel.effective_n_jobs(checked)
    return cores() if checked in (None, -1) else checked


def size_of_tiles(points: int, n_jobs: Any, kept: bool) -> float:
    """Points on each side of a tile of a matrix of ``points`` x ``points``.

    Tiles that are ``kept`` in files must not depend on the workers, or other workers would not find them. Threads of
    this process share each block, which then may be the whole.
    """
    if kept:
        return SIDE
    if _joblib() is None:
        return float("inf")
    enough = points / (2 * BLOCKS_A_WORKER * workers(n_jobs)) ** 0.5
    return min(SIDE, max(SIDE / 8, enough))  # an eighth is a few hundredths of a second, what a task may cost


def run(blocks: list[Block], n_jobs: Any, cache: Cache | None, progress: bool) -> list[NDArray[np.float64]]:
    """Costs, lower and upper bounds of the pairs of each block, (k, 3).

    Raises
    ------
    NotConverged
        After all blocks, if the bounds of a pair do not meet.
    """
    found = [None if cache is None else cache.read(block) for block in blocks]
    left = {i: block for i, block in enumerate(blocks) if found[i] is None}
    unproven: list[Proven] = []
    with bar(sum(block.pairs.shape[1] for block in blocks), progress, name="pairwise", unit="pairs") as shown:
        shown.update(sum(len(values) for values in found if values is not None))
        for i, proven in _solved(left, n_jobs, shown.update):
            found[i] = proven.found
            if proven.failed > 0:
                unproven.append(proven)
            elif cache is not None:
                cache.write(blocks[i], proven.found)
    raise_for(unproven)
    return [values for values in found if values is not None]


def _solved(blocks: dict[int, Block], n_jobs: Any, done: Callable[[int], Any]) -> Iterator[tuple[int, Proven]]:
    """The blocks as they are solved, with their numbers."""
    if _joblib() is None:
        for i, block in blocks.items():
            yield i, prove(block, workers(n_jobs), done)
        return
    left, deaths = dict(blocks), 0
    while left:
        try:
            for i, proven in _through_joblib(list(left.items()), n_jobs):
                del left[i]
                deaths = 0
                done(len(proven.found))
                yield i, proven
        except BrokenExecutor:  # a worker died, and took the blocks under way with it
            deaths += 1
            if deaths == DEATHS:
                raise


def _through_joblib(blocks: list[tuple[int, Block]], n_jobs: Any) -> Iterator[tuple[int, Proven]]:
    """One pass over blocks in the workers of the backend that joblib was told to use, as they end if it can say so."""
    parallel = _joblib()
    backend = parallel.get_active_backend()[0]
    if hasattr(backend, "client"):
        yield from _through_dask(blocks, backend, 2 * workers(n_jobs))
        return
    calls = [(_task, block, {}) for block in blocks]
    if getattr(backend, "supports_return_generator", False):
        yield from parallel.Parallel(n_jobs, return_as="generator_unordered", batch_size=1)(calls)
        return
    together = BLOCKS_A_WORKER * workers(n_jobs)
    with parallel.Parallel(n_jobs, batch_size=1) as pool:
        for start in range(0, len(calls), together):
            yield from pool(calls[start : start + together])


def _through_dask(blocks: list[tuple[int, Block]], backend: Any, together: int) -> Iterator[tuple[int, Proven]]:
    """Blocks by the client of joblib's backend for Dask, so many on their way at a time.

    ``joblib.Parallel`` (1.6.0) waits for ever for what Dask gives up: a block whose workers have died several times.
    """
    waiting, client = iter(blocks), backend.client

    def sent(count: int) -> list[Any]:
        some = islice(waiting, count)
        return [client.submit(_task, *block, pure=False, **backend.submit_kwargs) for block in some]

    blocks_are_no_graphs = sys.modules["dask"].config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"})
    # Inside of a task of Dask, its place among the workers is free meanwhile.
    with blocks_are_no_graphs, backend.retrieval_context():
        under_way = sys.modules["distributed"].as_completed(sent(together))
        try:
            for future in under_way:
                under_way.update(sent(1))
                yield future.result()
        finally:
            client.cancel(list(under_way.futures))


def _task(i: int, block: Block) -> tuple[int, Proven]:
    """What a worker does."""
    return i, prove(block)


def _joblib() -> Any:
    """``joblib.parallel``, inside a block of ``joblib.parallel_config`` that says how to run; None otherwise.

    It is not imported: who configures it has done so.
    """
    parallel: Any = sys.modules.get("joblib.parallel")
    unset = getattr(parallel, "default_parallel_config", None)
    if unset is None:
        return None
    config = getattr(parallel._backend, "config", unset)
    said = any(config[key] is not unset[key] for key in ("backend", "n_jobs", "prefer", "require"))
    return parallel if said else None
