"""The command ``otgan sample RUN``."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from otgan.cli.common import Flag, Target
from otgan.cli.say import say
from otgan.errors import InvalidInput

__all__ = ["Sample"]


@dataclass(frozen=True)
class Sample:
    """Draw samples of a trained GAN."""

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN", help_behavior_hint="")]
    """Folder of a run, or its checkpoint."""
    n: int = 64
    """How many."""
    out: Target = None
    """A .png file (one grid of images, or points of the plane as dots), a .npy file (values in the data's units), or a
    folder (one .png for each image); by default samples.png in the run's folder, samples.npy for points."""
    seed: int = 0
    """Seed of the noise."""
    device: str = "auto"
    """Where to generate: auto, cpu, cuda, ..."""
    debug: Flag = False
    """Print the traceback of an error."""

    def run(self) -> int:
        """Load the run, generate samples and write them."""
        import numpy as np

        from otgan import report
        from otgan.gan import load
        from otgan.gan.grid import image_pngs, picture
        from otgan.runtime.optional import optional_dependency

        run = load(self.source, device=self.device)
        out = self.out or Path(run.folder or ".", "samples.png" if run.scaling.is_image else "samples.npy")
        if out.suffix not in ("", ".png", ".npy"):
            raise InvalidInput(f"--out must end in .png or .npy or be a folder, but {str(out)!r} came.")
        in_plane = run.scaling.shape == (2,)
        if out.suffix != ".npy" and not (run.scaling.is_image or (in_plane and out.suffix)):
            ends = ".npy or .png" if in_plane else ".npy"
            raise InvalidInput(f"the run made points, not images, so --out must end in {ends}, but {str(out)!r} came.")
        if in_plane and out.suffix == ".png":
            with optional_dependency("matplotlib", "plots", "Drawing points"):
                import matplotlib  # noqa: F401
        if out.suffix:
            report.check_writable(out)
        else:
            report.check_folder(out)
        samples = run.sample(self.n, self.seed)
        flat = samples.reshape(len(samples), -1)
        if out.suffix == ".npy":
            buffer = io.BytesIO()
            np.save(buffer, samples)
            report.write_files(out.parent, {out.name: buffer.getvalue()})
        elif out.suffix == ".png":
            report.write_files(out.parent, {out.name: picture(flat, np.empty((0, 2)), run.scaling) or b""})
        else:
            out.mkdir(parents=True, exist_ok=True)
            report.write_files(out, {f"{k:06d}.png": png for k, png in enumerate(image_pngs(flat, run.scaling))})
        say(f"{len(samples)} samples after {run.step} steps: {out}")
        return 0
