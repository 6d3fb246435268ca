"""Value surfaces: level sets of clipped and penalised critics, beside the exact Kantorovich potential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otgan import plot
from otgan.critics import fit
from otgan.data import toys
from otgan.experiments.experiment import Claim, Experiment, Record, of_case
from otgan.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from otgan.critics import CriticFit
    from otgan.solution import Solution

__all__ = ["EXPERIMENT", "Settings", "correlation", "run", "surface"]

SETS = {"gaussians8": "8 Gaussians", "gaussians25": "25 Gaussians", "swiss_roll": "Swiss roll"}
ROWS = {"clip": "weight clipping", "gp": "gradient penalty", "exact": "exact potential"}
SHOWN_POINTS = 200  # of the data
LEVELS = 12  # contour lines


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes
    ----------
    n : int
        Points of each side: of the data, and of the generator, which is frozen at data + N(0, I).
    width, depth : int
        Hidden units and hidden layers; with the output four layers, as in the paper's code.
    steps, batch_size : int
        Of a critic's training.
    clip, clip_learning_rate : float
        Those of WGAN, Algorithm 1.
    gp_weight : float
        lambda; 0.1 is that of the paper's code for these sets.
    gp_learning_rate : float
        At first; it falls to zero as a cosine.
    grid : int
        Points on each side of the grid that surfaces are kept on.
    reach : float
        The grid covers ``[-reach, reach]^2``.
    """

    n: int = 2000
    width: int = 512
    depth: int = 3
    steps: int = 1000
    batch_size: int = 64
    clip: float = 0.01
    clip_learning_rate: float = 5e-5
    gp_weight: float = 0.1
    gp_learning_rate: float = 1e-3
    grid: int = 41
    reach: float = 2.0


def measure(settings: Settings, case: str, seed: int) -> Record:
    """Both critics of a set against the exact solution of the same points; surfaces of the first seed."""
    rng = np.random.default_rng(seed)
    draw_from = getattr(toys, case)
    x = draw_from(settings.n, rng)
    y = draw_from(settings.n, rng) + rng.standard_normal((settings.n, 2))
    exact = solve(x, y)
    truth = surface(exact.potentials.f, settings.reach, settings.grid)
    found: Record = {"W1": exact.distance, "gap": exact.gap}
    surfaces = {"exact": truth}
    for method, options in _options(settings).items():
        shared = {name: getattr(settings, name) for name in ("steps", "batch_size", "width", "depth")}
        critic = fit(x, y, method, seed=seed, device="cpu", unit=1.0, **shared, **options)
        surfaces[method] = surface(critic.critic, settings.reach, settings.grid)
        found[method] = _judge(critic, exact) | {"correlation": correlation(surfaces[method], truth)}
    if seed == 0:
        found["data"] = _short(x[:SHOWN_POINTS])
        found["surfaces"] = {name: _short(values) for name, values in surfaces.items()}
    return found


def _options(settings: Settings) -> dict[str, dict[str, Any]]:
    return {
        "clip": {"clip": settings.clip, "learning_rate": settings.clip_learning_rate},
        "gp": {"gp_weight": settings.gp_weight, "learning_rate": settings.gp_learning_rate, "decay": "cosine"},
    }


def _judge(critic: CriticFit, exact: Solution) -> dict[str, Any]:
    judged = critic.compare(exact).as_dict()
    return {name: judged[name] for name in ("estimate", "corrected", "normalised", "cosine", "gradient_norm")}


def surface(f: Callable[[Any], NDArray[np.float64]], reach: float, grid: int) -> NDArray[np.float64]:
    """Values of f on a grid over ``[-reach, reach]^2``, (grid, grid): rows are ordinates, from below.

    Examples
    --------
    >>> surface(lambda points: points[:, 0], reach=1.0, grid=3)
    array([[-1.,  0.,  1.],
           [-1.,  0.,  1.],
           [-1.,  0.,  1.]])
    """
    ticks = np.linspace(-reach, reach, grid)
    points = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    return f(points).reshape(grid, grid)


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's, over all points of the grid; critics are known up to a constant, clipped ones up to a factor.

    Examples
    --------
    >>> round(correlation(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[-2.0, -4.0], [-6.0, -8.0]])), 12)
    -1.0
    """
    one, other = (values.ravel() - values.mean() for values in (one, other))
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / scale if scale else 0.0


def _short(values: NDArray[np.float64]) -> list[list[float]]:
    """Four digits, which is what a figure shows."""
    return [[float(f"{value:.4g}") for value in row] for row in values]


def claims(settings: Settings, runs: Sequence[Record]) -> tuple[Claim, ...]:
    """The penalised critic's gradients point where the exact plan goes; the clipped one's less so."""
    text = "cosine of the critic's gradient to the exact plan"
    better = [
        Claim(f"{title}: {text}, gp less clip", _difference(runs, name, "cosine"), least=0.03)
        for name, title in SETS.items()
    ]
    return (
        Claim(f"{SETS['gaussians8']}: {text}, gp", _of(runs, "gaussians8", "gp", "cosine"), least=0.85),
        Claim(f"{SETS['gaussians25']}: {text}, gp", _of(runs, "gaussians25", "gp", "cosine"), least=0.55),
        Claim(f"{SETS['swiss_roll']}: {text}, gp", _of(runs, "swiss_roll", "gp", "cosine"), least=0.7),
        *better,
        Claim("correlation with the exact potential, gp, least over sets", _least(runs, "correlation"), least=0.7),
        Claim(
            f"{SETS['gaussians8']}: correlation with the exact potential, gp less clip",
            _difference(runs, "gaussians8", "correlation"),
            least=0.05,
        ),
        Claim("clip: estimate over exact W1, greatest over sets", _greatest(runs, "clip", "estimate"), most=0.2),
        Claim(
            "gp: relative error of the corrected estimate, greatest over sets",
            tuple(max(abs(run["gp"]["corrected"] / run["W1"] - 1) for run in group) for group in _by_seed(runs)),
            most=0.5,
        ),
    )


def _by_seed(runs: Sequence[Record]) -> list[list[Record]]:
    seeds = dict.fromkeys(run["seed"] for run in runs)
    return [[run for run in runs if run["seed"] == seed] for seed in seeds]


def _of(runs: Sequence[Record], case: str, method: str, name: str) -> tuple[float, ...]:
    return tuple(float(run[method][name]) for run in of_case(runs, case))


def _difference(runs: Sequence[Record], case: str, name: str) -> tuple[float, ...]:
    pairs = zip(_of(runs, case, "gp", name), _of(runs, case, "clip", name), strict=True)
    return tuple(gp - clip for gp, clip in pairs)


def _least(runs: Sequence[Record], name: str) -> tuple[float, ...]:
    return tuple(min(run["gp"][name] for run in group) for group in _by_seed(runs))


def _greatest(runs: Sequence[Record], method: str, name: str) -> tuple[float, ...]:
    return tuple(max(abs(run[method][name]) / run["W1"] for run in group) for group in _by_seed(runs))


def draw(settings: Settings, runs: Sequence[Record]) -> Figure:
    """Figure 2 of the paper, with the exact potential in a third row."""
    across = len(SETS)
    look = {"across": across, "narrow": across, "sharex": True, "sharey": True}
    figure, axes = plot.panels(len(ROWS) * across, 2.8, narrow_height=1.6, **look)
    panels = [axes[k : k + across] for k in range(0, len(axes), across)]
    shown = {run["case"]: run for run in runs if "surfaces" in run}
    for row, (method, label) in zip(panels, ROWS.items(), strict=True):
        for ax, name in zip(row, SETS, strict=True):
            _draw_surface(ax, settings, shown[name], method)
        row[0].set_ylabel(label, fontsize="medium" if plot.is_narrow() else "large")
    for ax, (name, title) in zip(panels[0], SETS.items(), strict=True):
        points = np.abs(shown[name]["data"])
        outside = int(np.any(points > settings.reach, axis=1).sum())
        ax.set_title("\n".join([title, *_cropped(outside, len(points)), ax.get_title()]), fontsize="medium")
    return figure


def _cropped(outside: int, n: int) -> list[str]:
    """What is said of points of the data that lie beyond the surface."""
    if not outside:
        return []
    return [f"{outside} of {n} outside" if plot.is_narrow() else f"{outside} of {n} points outside"]


def _draw_surface(ax: Axes, settings: Settings, run: Record, method: str) -> None:
    ticks = np.linspace(-settings.reach, settings.reach, settings.grid)
    ax.contourf(ticks, ticks, run["surfaces"][method], LEVELS, cmap="viridis")
    ax.contour(ticks, ticks, run["surfaces"][method], LEVELS, colors="white", linewidths=0.3, linestyles="solid")
    ax.plot(*np.array(run["data"]).T, ".", color="#ff8c42", markersize=1.5)
    ax.set_xlim(-settings.reach, settings.reach)
    ax.set_ylim(-settings.reach, settings.reach)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(_says(run, method), fontsize="medium")


def _says(run: Record, method: str) -> str:
    if method == "exact":
        return f"W1 {run['W1']:.3f}"
    judged = run[method]
    lines = [f"says {plot.number(judged['estimate'], '.2g')}", f"cosine {plot.number(judged['cosine'], '.2f')}"]
    if judged["corrected"] is not None:
        lines.insert(1, f"corrected {plot.number(judged['corrected'], '.2f')}")
    return "\n".join(lines if plot.is_narrow() else [", ".join(lines)])


EXPERIMENT = Experiment(
    name="value_surfaces",
    title="Value surfaces beside the exact potential",
    source="Gulrajani et al. 2017, Improved Training of Wasserstein GANs, figure 2",
    about=(
        "The generator is frozen at the data plus noise N(0, I), and a critic is trained between them by clipping and "
        "by a gradient penalty. What the paper could not show is the truth: a Kantorovich potential of the same "
        "points, whose gradient points along the optimal plan. The penalised critic's does so more than the clipped "
        "one's, and its number, corrected for the penalty's known bias, is near the exact W1."
    ),
    full=Settings(),
    quick=Settings(n=1000, width=128, steps=400, clip_learning_rate=1e-3, gp_learning_rate=6e-3, grid=21),
    cases=lambda settings: tuple(SETS),
    measure=measure,
    claims=claims,
    draw=draw,
)
run = EXPERIMENT.run
