"""A trained GAN: what :func:`otgan.gan.train` returns, and what a checkpoint is read as."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from otgan import inputs
from otgan.critics.modes import own_modes
from otgan.errors import InvalidInput, OTError
from otgan.gan import checkpoint as checkpoints
from otgan.gan.ema import averaged_model, with_recalibrated_batch_norm
from otgan.gan.log import NAME as LOG
from otgan.gan.log import read_log
from otgan.gan.networks import OwnNetworks, unwrapped
from otgan.gan.page import run_figures, run_page
from otgan.report import write_files
from otgan.runtime.device import torch_device

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import nn

    from otgan.gan.config import Config
    from otgan.gan.scaling import SampleScaling

__all__ = ["NotFinite", "Run", "generate", "load"]

CHUNK = 500  # samples that are generated at a time


class NotFinite(OTError):
    """A network gives NaN or infinity where it was asked for numbers."""


@dataclass(frozen=True, eq=False)
class Run:
    """A GAN after some steps of training.

    Attributes
    ----------
    config : Config
        Resolved: every default is written out.
    step : int
        Steps of the generator that were made.
    generator : torch.nn.Module
        With averaged weights, in evaluation mode: from noise (n, latent) to samples as networks see them.
    critic : torch.nn.Module
        From samples as networks see them to (n,), in evaluation mode; one of yours as you gave it, with its own output.
    scaling : SampleScaling
        From samples as networks see them to samples as the data came.
    history : list of dict
        The log: records of kind "losses" and "monitor", each with its step.
    folder : Path or None
        Where the run is kept.
    """

    config: Config
    step: int
    generator: nn.Module = field(repr=False)
    critic: nn.Module = field(repr=False)
    scaling: SampleScaling
    history: list[dict[str, Any]] = field(repr=False)
    folder: Path | None

    @property
    def measurements(self) -> list[dict[str, Any]]:
        """What the monitor found, as :meth:`~otgan.gan.monitor.Monitor.measure` says, each with its step."""
        return [record for record in self.history if record["kind"] == "monitor"]

    @own_modes()
    def sample(self, n: int, seed: int = 0) -> NDArray[np.float64]:
        """Generate samples in the data's own units.

        Parameters
        ----------
        n : int
        seed : int, default 0

        Returns
        -------
        ndarray of float64, shape (n, d), (n, h, w) or (n, h, w, c)
            As the data came, with channels last.

        Raises
        ------
        InvalidInput
            If n is not a whole number of at least 1.
        OTError
            If the generator makes NaN or infinity.
        """
        drawn = torch.Generator().manual_seed(inputs.seed(seed))
        noise = torch.randn(inputs.count(n, "n"), self.config.latent, generator=drawn)
        return generate(self.generator, noise, self.scaling).reshape(n, *self.scaling.shape)

    def write_report(self) -> Path:
        """Write ``report.html`` into the run's folder, one page that needs nothing beside itself, and its figures.

        Returns
        -------
        Path
            Where it lies.

        Raises
        ------
        InvalidInput
            If the run has no folder.
        OSError
            If it cannot be written.
        """
        if self.folder is None:
            raise InvalidInput("a run without a folder has no place for a report. Pass train a folder.")
        figures = run_figures(self)
        drawn = {f"{figure.name}.png": figure.light for figure in figures}
        write_files(self.folder, {**drawn, "report.html": run_page(self, figures).encode("utf-8", "replace")})
        return self.folder / "report.html"


def generate(
    generator: nn.Module, noise: torch.Tensor, scaling: SampleScaling, size: int = CHUNK
) -> NDArray[np.float64]:
    """Samples (n, d) in the data's own units from noise (n, latent), ``size`` at a time.

    Raises
    ------
    NotFinite
        If one of them is not.
    """
    device = next(generator.parameters()).device
    with torch.no_grad():
        samples = np.concatenate([scaling.from_network(generator(part.to(device))) for part in noise.split(size)])
    if not np.isfinite(samples).all():
        raise NotFinite("the generator makes samples that are not finite. Use the checkpoint of an earlier step.")
    return samples


@own_modes()
def load(
    path: str | os.PathLike[str],
    *,
    generator: nn.Module | Callable[[tuple[int, ...]], nn.Module] | None = None,
    critic: nn.Module | Callable[[tuple[int, ...]], nn.Module] | None = None,
    device: str | torch.device = "auto",
) -> Run:
    """Read a run from its folder or from a checkpoint. Nothing in the file is ever run.

    Parameters
    ----------
    path : path
    generator, critic : torch.nn.Module or callable, optional
        What :func:`otgan.gan.train` was given, where it was: a checkpoint holds weights, and no code.
    device : str or torch.device, default "auto"
        Where to put the networks.

    Raises
    ------
    InvalidInput
        If there is no checkpoint, or it is cut, damaged or of another kind; if a network of yours is missing, or is not
        the one that was trained.

    Examples
    --------
    >>> import tempfile
    >>> from otgan.gan import Config, load, train
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(Config(data="gaussians8", n=100, steps=2, width=8), folder)
    ...     again = load(folder)
    >>> again.step, bool((again.sample(5) == run.sample(5)).all())
    (2, True)
    """
    path = inputs.path(path, "path")
    kept = checkpoints.read(path)
    shape, where = kept.scaling.network_shape, torch_device(device)
    own = OwnNetworks.made(generator, critic, kept.config, shape, where)
    own.check_same(kept)
    averaged = averaged_model(own.made_generator(kept.config, shape, 0), kept.config)
    trained = own.made_critic(kept.config, shape, 0)
    checkpoints.load_module(averaged, kept.part("ema"), "ema")
    checkpoints.load_module(trained, kept.part("critic"), "critic")
    folder = path if path.is_dir() else path.parent
    return Run(
        config=kept.config,
        step=kept.step,
        generator=with_recalibrated_batch_norm(averaged.to(where), kept.config),
        critic=unwrapped(trained.to(where).eval()),
        scaling=kept.scaling,
        history=read_log(folder / LOG, kept.log_bytes) if (folder / LOG).is_file() else [],
        folder=folder,
    )
