"""``pairwise`` beyond one process and beyond one day: joblib's workers, and a folder from which a job goes on."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import otgan
from otgan.errors import InvalidInput, NotConverged
from otgan.many import blocks, running
from otgan.many.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

joblib = pytest.importorskip("joblib")


def clouds(count: int = 12, points: int = 9, d: int = 3, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)) + rng.normal(size=d) for n in rng.integers(1, points + 1, count)]


def unusual() -> dict[str, Any]:
    """Clouds of which the compiled way leaves some pairs: a weight is zero, and units are extreme."""
    X = [1e30 * x for x in clouds(8)]
    a = [np.full(len(x), 1 / len(x)) for x in X]
    a[3] = np.eye(len(X[3]))[0]
    return {"X": X, "a": a}


GIVEN: list[dict[str, Any]] = [{"X": clouds()}, {"X": clouds(), "Y": clouds(5, seed=1)}, unusual()]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of three clouds or so, and thus ten to twenty of them."""
    monkeypatch.setattr(running, "SIDE", 40)


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of pairs in the blocks that are solved."""
    counts: list[int] = []

    def counted(block: blocks.Block, *rest: Any) -> blocks.Proven:
        counts.append(block.pairs.shape[1])
        return blocks.prove(block, *rest)

    monkeypatch.setattr(running, "prove", counted)
    return counts


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


class NoGenerators(joblib.parallel.BACKENDS["threading"]):
    """A backend that cannot say when a task is done, as those of Ray and multiprocessing."""

    supports_return_generator = False


@pytest.fixture(scope="module")
def loky() -> Iterator[Callable[[], Any]]:
    """Two processes, and what tells their numbers."""
    from joblib.externals.loky import get_reusable_executor

    yield lambda: {*joblib.Parallel(2)([joblib.delayed(os.getpid)()] * 8)}
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of two workers of Dask, each a process."""
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",  # any port that is free
        local_directory=str(tmp_path_factory.mktemp("dask")),
    )
    with cluster, distributed.Client(cluster) as client:
        yield client


def check_equal(backend: Any, *, jobs: int | None = None, n_jobs: int | None = None) -> None:
    """Distances and bounds are those found in this process, to the last bit, for usual and unusual clouds."""
    for given in GIVEN:
        alone = otgan.pairwise(**given, p=2, bounds=True)
        with joblib.parallel_config(backend=backend, n_jobs=jobs):
            got = otgan.pairwise(**given, p=2, bounds=True, n_jobs=n_jobs)
        np.testing.assert_array_equal(got, alone)


@pytest.mark.usefixtures("small_blocks")
class TestBackends:
    """Whoever solves a block, the matrix is the same."""

    @pytest.mark.parametrize(
        "backend", ["threading", "sequential", NoGenerators()], ids=["threading", "sequential", "lists"]
    )
    def test_of_threads(self, backend: Any, solved: list[int]) -> None:
        for n_jobs in (None, 3):
            check_equal(backend, jobs=2, n_jobs=n_jobs)
        assert len(solved) > 40

    def test_of_processes(self, loky: Any) -> None:
        check_equal("loky", jobs=2)

    def test_of_dask(self, dask: Any) -> None:
        check_equal("dask")

    def test_a_setting_of_the_number_of_jobs_alone_counts(self, solved: list[int]) -> None:
        with joblib.parallel_config(n_jobs=1):
            otgan.pairwise(clouds())
        assert len(solved) > 8

    def test_what_makes_no_sense_is_refused_there_too(self, loky: Any) -> None:
        X = clouds()
        X[5] = 1e200 * X[5]
        with joblib.parallel_config(backend="loky", n_jobs=2), pytest.raises(InvalidInput, match="leave float64"):
            otgan.pairwise(X, p=2)

    def test_an_unproven_pair_is_named_by_its_place_in_the_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(blocks, "RTOL", 1e-18)
        X = [x for x in clouds(9, 12) if len(x) > 3]
        for backend in ("threading", NoGenerators()):
            with (
                joblib.parallel_config(backend=backend, n_jobs=2),
                pytest.raises(NotConverged, match=r"the pair \(0, 1\) and \d+ other pairs could not be") as caught,
            ):
                otgan.pairwise(X)
            assert caught.value.solution.problem.shape == (len(X[0]), len(X[1]))


def heavy() -> np.ndarray:
    """Clouds whose distances take seconds."""
    return np.random.default_rng(0).normal(size=(160, 100, 3))


@pytest.fixture
def at_the_first_block(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Run something as soon as the first block is done, with many more to come."""
    monkeypatch.setattr(running, "SIDE", 1500)

    def arrange(act: Callable[[], None]) -> None:
        todo, write = [act], Cache.write

        def acting(self: Cache, block: blocks.Block, found: np.ndarray) -> None:
            write(self, block, found)
            while todo:
                todo.pop()()

        monkeypatch.setattr(Cache, "write", acting)

    return arrange


class TestDeaths:
    """A worker that dies takes nothing with it but time."""

    @pytest.mark.long
    def test_of_processes(self, loky: Any, at_the_first_block: Any, tmp_path: Path) -> None:
        pid = max(loky())
        at_the_first_block(lambda: os.kill(pid, signal.SIGKILL))
        with joblib.parallel_config(backend="loky", n_jobs=2):
            got = otgan.pairwise(heavy(), cache=tmp_path)
        assert pid not in loky()
        np.testing.assert_array_equal(got, otgan.pairwise(heavy()))

    @pytest.mark.long
    def test_of_dask(self, dask: Any, at_the_first_block: Any, tmp_path: Path) -> None:
        pid = max(dask.run(os.getpid).values())
        at_the_first_block(lambda: os.kill(pid, signal.SIGKILL))
        with joblib.parallel_config(backend="dask"):
            got = otgan.pairwise(heavy(), cache=tmp_path)
        dask.wait_for_workers(2, timeout=60)
        assert pid not in dask.run(os.getpid).values()
        np.testing.assert_array_equal(got, otgan.pairwise(heavy()))

    @pytest.mark.usefixtures("small_blocks")
    @pytest.mark.parametrize("deaths", [1, 2])
    def test_blocks_that_were_done_are_not_solved_again(
        self, monkeypatch: pytest.MonkeyPatch, solved: list[int], deaths: int
    ) -> None:
        left = [*range(deaths)]

        def dying(todo: list[Any], n_jobs: Any) -> Iterator[Any]:
            for i, block in todo:
                yield i, running.prove(block)
                if left:
                    left.pop()
                    raise running.BrokenExecutor

        monkeypatch.setattr(running, "_through_joblib", dying)
        with joblib.parallel_config(backend="sequential"):
            otgan.pairwise(clouds())
        assert sum(solved) == 12 * 11 // 2

    @pytest.mark.parametrize("kind", ["loky", pytest.param("dask", marks=pytest.mark.long)])
    def test_a_block_that_kills_every_worker_is_given_up(
        self, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request.getfixturevalue(kind)
        monkeypatch.setattr(running, "_task", lambda *_: os._exit(1))
        jobs = {"n_jobs": 2} if kind == "loky" else {}
        with (
            joblib.parallel_config(backend=kind, **jobs),
            pytest.raises(Exception, match=r"unexpectedly terminated|workers died"),
        ):
            otgan.pairwise(clouds())


class TestCache:
    """A folder from which a job goes on."""

    @pytest.fixture(autouse=True)
    def in_small_blocks(self, small_blocks: None) -> None:
        pass

    def test_a_second_call_reads_what_the_first_has_solved(self, tmp_path: Path, solved: list[int]) -> None:
        for given in GIVEN:
            expected = otgan.pairwise(**given, bounds=True)
            folder = tmp_path / "made" / str(len(solved))
            first = otgan.pairwise(**given, bounds=True, cache=folder)
            solved.clear()
            second = otgan.pairwise(**given, bounds=True, cache=str(folder), n_jobs=1)
            assert solved == []
            np.testing.assert_array_equal(first, expected)
            np.testing.assert_array_equal(second, expected)

    def test_only_what_is_missing_is_solved(self, tmp_path: Path, solved: list[int]) -> None:
        expected = otgan.pairwise(clouds(), cache=tmp_path)
        files = sorted(tmp_path.iterdir())
        assert len(files) == len(solved) > 8
        solved.clear()
        for file in files[::3]:
            file.unlink()
        np.testing.assert_array_equal(otgan.pairwise(clouds(), cache=tmp_path), expected)
        assert len(solved) == len(files[::3])
        assert sorted(tmp_path.iterdir()) == files

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: b"",
            lambda data: data[: len(data) // 2],
            lambda data: data[:-1],
            lambda data: b"no arrays at all",
            lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
            lambda data: npz(found=np.zeros((1, 3))),
            lambda data: npz(other=np.zeros((1, 3))),
            lambda data: npz(found=np.array([{}])),
        ],
        ids=["empty", "half", "cut", "text", "a bit", "other pairs", "other names", "pickled"],
    )
    def test_a_damaged_file_is_solved_again(
        self, tmp_path: Path, solved: list[int], damage: Callable[[bytes], bytes]
    ) -> None:
        expected = otgan.pairwise(clouds(), cache=tmp_path)
        whole = {file: file.read_bytes() for file in tmp_path.iterdir()}
        victim = max(whole, key=lambda file: len(whole[file]))
        victim.write_bytes(damage(whole[victim]))
        solved.clear()
        np.testing.assert_array_equal(otgan.pairwise(clouds(), cache=tmp_path), expected)
        assert len(solved) == 1
        assert {file: file.read_bytes() for file in tmp_path.iterdir()}.keys() == whole.keys()
        np.testing.assert_array_equal(otgan.pairwise(clouds(), cache=tmp_path), expected)
        assert len(solved) == 1

    def test_other_data_find_nothing_there(self, tmp_path: Path) -> None:
        X = clouds()
        moved = [*X[:-1], X[-1] + 1e-9]
        a = [np.linspace(1, 2, len(x)) / np.linspace(1, 2, len(x)).sum() for x in X]
        calls: list[dict[str, Any]] = [
            {"X": X},
            {"X": moved},
            {"X": X[::-1]},
            {"X": X, "p": 2},
            {"X": X, "metric": "cityblock"},
            {"X": X, "a": a},
            {"X": X, "Y": X},
            {"X": X, "Y": X, "b": a},
        ]
        for call in calls:
            np.testing.assert_array_equal(otgan.pairwise(**call, cache=tmp_path), otgan.pairwise(**call))

    def test_another_version_finds_nothing_there(
        self, tmp_path: Path, solved: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        otgan.pairwise(clouds(), cache=tmp_path)
        once = len(solved)
        monkeypatch.setattr("otgan.many.cache.version", lambda name: "another")
        otgan.pairwise(clouds(), cache=tmp_path)
        assert len(solved) == 2 * once

    def test_clouds_added_at_the_end_cost_what_is_new(self, tmp_path: Path, solved: list[int]) -> None:
        X = clouds(20)
        otgan.pairwise(X[:15], cache=tmp_path)
        solved.clear()
        np.testing.assert_array_equal(otgan.pairwise(X, cache=tmp_path), otgan.pairwise(X))
        new, all_pairs = sum(solved) - 190, 190  # the call without a folder solves them all
        assert new <= all_pairs - 12 * 11 // 2  # of the first 15 the last three at most are in an incomplete group

    def test_ctrl_c_loses_what_is_under_way(
        self, tmp_path: Path, solved: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected, solve = otgan.pairwise(clouds()), running.prove
        solved.clear()

        def interrupted(block: blocks.Block, *rest: Any) -> blocks.Proven:
            if len(solved) == 4:
                signal.raise_signal(signal.SIGINT)
            return solve(block, *rest)

        with monkeypatch.context() as patch:
            patch.setattr(running, "prove", interrupted)
            with pytest.raises(KeyboardInterrupt):
                otgan.pairwise(clouds(), cache=tmp_path)
        assert len([*tmp_path.iterdir()]) == 4
        np.testing.assert_array_equal(otgan.pairwise(clouds(), cache=tmp_path), expected)
        assert sum(solved) == 12 * 11 // 2

    def test_a_block_with_an_unproven_pair_is_not_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(blocks, "RTOL", 1e-18)
            with pytest.raises(NotConverged):
                otgan.pairwise(clouds(), cache=tmp_path)
        kept = len([*tmp_path.iterdir()])
        otgan.pairwise(clouds(), cache=tmp_path)
        assert len([*tmp_path.iterdir()]) > kept

    def test_threads_and_processes_share_a_folder(self, tmp_path: Path, loky: Any) -> None:
        expected, call = otgan.pairwise(clouds(30)), joblib.delayed(otgan.pairwise)
        for backend in ("threading", "loky"):
            got = joblib.Parallel(2, backend)([call(clouds(30), cache=tmp_path)] * 4)
            np.testing.assert_array_equal(got, [expected] * 4)
        assert all(file.suffix == ".npz" and not file.name.startswith(".") for file in tmp_path.iterdir())

    def test_workers_of_joblib_find_what_threads_have_left(self, tmp_path: Path, solved: list[int]) -> None:
        expected = otgan.pairwise(clouds(), cache=tmp_path)
        solved.clear()
        with joblib.parallel_config(backend="threading", n_jobs=2):
            np.testing.assert_array_equal(otgan.pairwise(clouds(), cache=tmp_path), expected)
        assert solved == []

    def test_a_folder_that_cannot_be_written_is_refused_before_the_work(
        self, tmp_path: Path, solved: list[int]
    ) -> None:
        (tmp_path / "file").write_text("in the way")
        for folder in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(
                InvalidInput, match=r"cache must be a folder into which files can be written, but .*file"
            ):
                otgan.pairwise(clouds(), cache=folder)
        for nothing in (3, "", True):
            with pytest.raises(InvalidInput, match="cache must be a path"):
                otgan.pairwise(clouds(), cache=nothing)
        assert solved == []


def test_joblib_is_not_imported_where_nobody_asks_for_it() -> None:
    code = "import sys, otgan; otgan.pairwise([[[0.0, 1.0]], [[2.0, 3.0]]]); sys.exit('joblib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("d", [1, 3, 500])
@pytest.mark.parametrize("size", [1, 30, 1000])
def test_tiles_cover_the_matrix_once_with_the_clouds_they_need(d: int, size: int) -> None:
    from otgan.many.sides import Side

    left, right = (
        Side([np.full((n, d), float(i)) for i, n in enumerate(sizes)], None) for sizes in ([5, 1, 40, 9, 2], [3, 30, 7])
    )
    for other, wanted in ((right, np.ones((5, 3))), (None, np.triu(np.ones((5, 5)), 1))):
        count = np.zeros(wanted.shape)
        for block in blocks.tiles(left, other, 1, "euclidean", size):
            rows, columns = block.places()
            count[rows, columns] += 1
            for side, places, within in ((block.left, rows, block.pairs[0]), (block.right, columns, block.pairs[1])):
                assert [int(side.clouds[i][0, 0]) for i in within] == places.tolist()
        np.testing.assert_array_equal(count, wanted)
