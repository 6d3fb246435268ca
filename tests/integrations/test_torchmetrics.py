"""The metric of torchmetrics: the exact distance of what was seen, in one process or several, in bounded memory."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import otgan
from otgan import InvalidInput

torchmetrics = pytest.importorskip("torchmetrics")
from otgan.integrations.torchmetrics import WassersteinDistance  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

GENERATOR = torch.Generator().manual_seed(0)
REAL, FAKE = torch.randn(90, 2, 3, generator=GENERATOR), torch.randn(70, 2, 3, generator=GENERATOR) + 1
EXACT = otgan.wasserstein(REAL.double().flatten(1), FAKE.double().flatten(1))


def filled(metric: Any, real: torch.Tensor = REAL, fake: torch.Tensor = FAKE, size: int = 32) -> Any:
    for samples, is_real in ((real, True), (fake, False)):
        for batch in samples.split(size):
            metric.update(batch, real=is_real)
    return metric


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("p", [1, 2])
def test_it_is_the_exact_distance_of_all_samples_however_they_come(p: int, size: int) -> None:
    found = filled(WassersteinDistance(p), size=size).compute()
    assert found.shape == ()
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(otgan.wasserstein(REAL.flatten(1), FAKE.flatten(1), p).item(), rel=1e-6)


def test_sides_may_take_turns_and_reset_forgets() -> None:
    metric = WassersteinDistance()
    metric.update(FAKE + 9, real=True)
    metric.update(REAL, real=False)
    metric.reset()
    for k in range(0, 90, 10):
        metric.update(REAL[k : k + 10], real=True)
        if k < 70:
            metric.update(FAKE[k : k + 10], real=False)
    assert metric.compute().item() == pytest.approx(EXACT.item(), rel=1e-6)
    metric.reset()
    metric.update(torch.zeros(2, 5), real=True)
    metric.update(torch.ones(2, 5), real=False)
    assert metric.compute().item() == pytest.approx(5**0.5, rel=1e-6)


def test_what_is_kept_is_bounded_uniform_and_seeded() -> None:
    """Of 0, 1, ..., 999 the mean of a uniform choice of 100 is within 4 sd of 499.5: the sd is 27."""
    line = torch.arange(1000.0)
    means = []
    for seed in range(3):
        metric = filled(WassersteinDistance(n=100, seed=seed), line, line[:1])
        kept = metric.real[0][:, 0]
        assert len(kept) == len(kept.unique()) == 100
        again = filled(WassersteinDistance(n=100, seed=seed), line, line[:1])
        assert torch.equal(kept, again.real[0][:, 0])
        means.append(float(kept.mean()))
        assert metric.compute().item() == pytest.approx(means[-1], rel=1e-6)
    assert all(abs(mean - 499.5) < 4 * 27.4 for mean in means)
    assert len(set(means)) == 3
    early = 0
    for seed in range(50):
        few = filled(WassersteinDistance(n=10, seed=seed), line, line[:1])
        early += int((few.real[0] < 500).sum())
    assert abs(early - 250) < 4 * 125**0.5, "the first half is kept as often as the second"


def test_double_precision_is_asked_for() -> None:
    metric = WassersteinDistance()
    metric.set_dtype(torch.float64)
    found = filled(metric, REAL.double(), FAKE.double()).compute()
    assert found.dtype == torch.float64
    assert found.item() == pytest.approx(EXACT.item(), rel=1e-14)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.uint8])
def test_samples_of_any_type(dtype: torch.dtype) -> None:
    real, fake = ((samples * 20 + 100).to(dtype) for samples in (REAL, FAKE))
    exact = otgan.wasserstein(real.double().flatten(1), fake.double().flatten(1))
    assert filled(WassersteinDistance(), real, fake).compute().item() == pytest.approx(exact.item(), rel=1e-6)


def test_it_is_copied_pickled_and_saved_with_what_it_holds() -> None:
    metric = filled(WassersteinDistance())
    metric.persistent(True)
    loaded = WassersteinDistance()
    loaded.persistent(True)
    loaded.load_state_dict(metric.state_dict())
    for other in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric)), metric.clone(), loaded):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nothing was updated since it was loaded
            assert other.compute() == metric.compute()


def test_metrics_of_a_collection_share_samples_only_where_they_keep_the_same() -> None:
    """A collection updates one metric for all that hold the same after their first batch."""
    options: dict[str, dict[str, Any]] = {
        "all": {},
        "few": {"n": 40},
        "others": {"n": 40, "seed": 1},
        "square": {"p": 2},
    }
    together = filled(torchmetrics.MetricCollection({k: WassersteinDistance(**o) for k, o in options.items()}), size=10)
    for name, value in together.compute().items():
        assert value == filled(WassersteinDistance(**options[name]), size=10).compute()
    assert sorted(map(len, together.compute_groups.values())) == [1, 1, 2]


def test_it_lives_in_a_collection() -> None:
    both = torchmetrics.MetricCollection({"one": WassersteinDistance(), "two": WassersteinDistance(2)})
    found = filled(both).compute()
    assert found["one"] < found["two"]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([[1.0]], "samples must be a tensor .* list came"),
        (torch.zeros(0, 2, 3), r"not empty, but shape \(0, 2, 3\) came"),
        (torch.tensor(1.0), r"but shape \(\) came"),
        (torch.full((2, 2, 3), torch.nan), "finite real numbers"),
        (torch.zeros(2, 2, 3, dtype=torch.complex64), "finite real numbers"),
        (torch.zeros(2, 3, 2), r"one shape, but \(2, 3\) and \(3, 2\) came"),
    ],
)
def test_what_are_no_samples_is_refused(samples: Any, message: str) -> None:
    metric = WassersteinDistance()
    metric.update(REAL, real=True)
    with pytest.raises(InvalidInput, match=message):
        metric.update(samples, real=False)


def test_options_that_make_no_sense_are_refused() -> None:
    for options, message in (({"p": 0.5}, "p must"), ({"n": 0}, "n must"), ({"seed": -1}, "seed must")):
        with pytest.raises(InvalidInput, match=message):
            WassersteinDistance(**options)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="real must be True or False"):
        WassersteinDistance().update(REAL, real="yes")  # type: ignore[arg-type]


def test_one_side_alone_has_no_distance() -> None:
    metric = WassersteinDistance()
    metric.update(REAL, real=True)
    with pytest.raises(InvalidInput, match=r"none came with real=False. Call update\(samples, real=False\)"):
        metric.compute()
    metric.update(FAKE, real=False)
    assert metric.compute().item() == pytest.approx(EXACT.item(), rel=1e-6)


def test_without_torchmetrics_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    monkeypatch.delitem(sys.modules, "otgan.integrations.torchmetrics")
    with pytest.raises(otgan.OTError, match=r"pip install 'otgan\[torchmetrics\]'"):
        importlib.import_module("otgan.integrations.torchmetrics")


def process(rank: int, folder: str) -> None:
    """One of two processes: each sees other samples, and only the first sees generated ones."""
    torch.distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    everything: Any = WassersteinDistance()
    some: Any = WassersteinDistance(n=50)
    for metric in (everything, some):
        for batch in REAL[rank * 30 : 30 + rank * 60].split(8):
            metric.update(batch, real=True)
        if rank == 0:
            metric.update(FAKE, real=False)
    before = [len(everything.real[0]), len(some.real[0])]
    found = [everything.compute().item(), some.compute().item()]
    after = [len(everything.real[0]), len(some.real[0])]
    np.save(f"{folder}/{rank}.npy", [*found, *before, *after])
    torch.distributed.destroy_process_group()


@pytest.mark.long
def test_two_processes_find_what_one_does(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(process, (str(tmp_path),), nprocs=2)  # type: ignore[attr-defined]
    first, second = np.load(tmp_path / "0.npy"), np.load(tmp_path / "1.npy")
    assert first[0] == second[0] == pytest.approx(filled(WassersteinDistance()).compute().item(), rel=1e-6)
    assert first[1] == second[1], "the same choice in both"
    assert first[1] == pytest.approx(EXACT.item(), rel=0.3)
    assert first[2:].tolist() == [30, 30] * 2, "each has its own samples afterwards"
    assert second[2:].tolist() == [60, 50] * 2
