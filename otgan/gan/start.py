"""Training, in this process or in several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.gan.config import Config
from otgan.gan.loop import train_alone

if TYPE_CHECKING:
    import os

    from otgan.gan.run import Run

__all__ = ["train"]


def train(
    config: Config,
    folder: str | os.PathLike[str] | None = None,
    *,
    data: Any = None,
    resume: bool = False,
    progress: bool = False,
    tensorboard: bool = False,
) -> Run:
    """Train a GAN, with the exact distance measured beside the critic's number.

    Parameters
    ----------
    config : Config
    folder : path, optional
        Where the run is kept: ``log.jsonl``, ``checkpoint.safetensors`` and grids of samples. Made where it is missing;
        nothing is written without one.
    data : array_like, SampleSet, torch Dataset or DataLoader, optional
        Samples (n, d), (n, h, w) or (n, h, w, c) to train on, instead of those that ``config.data`` names. Items of a
        dataset may be tuples that start with the sample, such as (image, label), and images (c, h, w).
    resume : bool, default False
        Go on from the checkpoint in ``folder``, as if the run had never stopped; on a CPU to the last bit. The
        configuration must be that of the run, but for ``steps``. With more of those the networks become what they had
        become at once; the log keeps the measurement and the losses of the old end, which is otherwise no step to log
        at, so that the next means of losses are over the steps since then, and rank correlations count it.
    progress : bool, default False
        Show a bar on a terminal.
    tensorboard : bool, default False
        Write every number of the log to ``folder/tensorboard`` too.

    Returns
    -------
    Run

    Raises
    ------
    InvalidInput
        For data, networks or options that do not go together; if ``folder`` already holds a run, or none to resume, or
        another process trains there.
    OTError
        If training diverges; the message names the last good checkpoint.
    OSError
        If something cannot be written. The last checkpoint is as it was.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, when the step is made and a checkpoint is written; at once after a second one, and
        where several processes train.

    Examples
    --------
    >>> from otgan.gan import Config, train
    >>> run = train(Config(data="gaussians25", n=200, steps=3, width=16, monitor_every=3))
    >>> measured = run.history[-1]
    >>> measured["lower_bound"] <= measured["exact"] and measured["critic_estimates"]
    'W1'
    """
    if not isinstance(config, Config):
        raise InvalidInput(f"config must be an otgan.gan.Config, but {config!r} came. Write Config(data={config!r}).")
    folder = None if folder is None else inputs.path(folder, "folder")
    options = {"data": data, "resume": resume, "progress": progress, "tensorboard": tensorboard}
    if config.devices == 1:
        return train_alone(config, folder, **options)
    from otgan.gan.processes import train_together

    return train_together(config, folder, **options)
