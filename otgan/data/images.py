"""Images from a folder, as arrays in [0, 1]."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from otgan.data.limits import check_room
from otgan.errors import InvalidInput
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = ["common_mode", "image_files", "read_images"]

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
# Decoders that only decode. Pillow would pick by content, and for EPS would start Ghostscript, whatever the suffix.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
GREY, COLOUR = {"1", "L", "LA"}, {"P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}


def image_files(folder: Path) -> list[Path]:
    """The images that lie directly in ``folder``, or if there are none in the folders in it, one a class.

    They are sorted by the names of their folders and their own; other files are passed over.

    Raises
    ------
    InvalidInput
        If there are none.
    OSError
        If the folder cannot be listed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = pathlib.Path(name)
    ...     for file in ["b.png", "a.jpg", "notes.txt", ".hidden.png"]:
    ...         (folder / file).touch()
    ...     [path.name for path in image_files(folder)]
    ['a.jpg', 'b.png']
    """
    files = _images_in(folder)
    if files:
        return files
    inside = sorted(folder.iterdir(), key=lambda path: path.name)
    files = [file for path in inside if path.is_dir() and not path.name.startswith(".") for file in _images_in(path)]
    if not files:
        raise InvalidInput(
            f"{folder} must hold images ({', '.join(SUFFIXES)}), but none of the {len(inside)} names in it is one, nor "
            "a folder with one. Put the images right into it, or into a folder for each class."
        )
    return files


def _images_in(folder: Path) -> list[Path]:
    """The images that lie directly in a folder, sorted by name."""
    # Hidden files are leftovers of file systems (such as ._a.png), not images.
    files = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".") and p.is_file()]
    return sorted(files, key=lambda path: path.name)


def common_mode(files: Sequence[Path]) -> str:
    """The mode that holds every image, from the files' headers alone: "L" if all are grey, else "RGB".

    Raises
    ------
    InvalidInput
        If a file is not an image or has more than 8 bits a channel, or two differ in size.
    OTError
        If Pillow is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     grey, red = pathlib.Path(folder, "grey.png"), pathlib.Path(folder, "red.png")
    ...     Image.new("L", (3, 2)).save(grey)
    ...     Image.new("RGB", (3, 2), color="red").save(red)
    ...     common_mode([grey]), common_mode([grey, red])
    ('L', 'RGB')
    """
    headers = [_header(path) for path in files]
    size = headers[0][1]
    for path, (mode, other) in zip(files, headers, strict=True):
        if other != size:
            raise InvalidInput(
                f"all images in a folder must have one size, but {files[0].name} is {size[0]} x {size[1]} and "
                f"{path.name} is {other[0]} x {other[1]} (in {path.parent}). Resize them, or move them apart."
            )
        if mode not in GREY | COLOUR:
            # Pillow would clip deeper values at 255.
            raise InvalidInput(
                f"{path} must have 8 bits a channel, but its mode is {mode}. Convert it, or save the values as .npy."
            )
    return "L" if all(mode in GREY for mode, _ in headers) else "RGB"


def read_images(files: Sequence[Path], mode: str) -> NDArray[np.float64]:
    """The pixels of images of one size, in [0, 1].

    Transparency is dropped, and of a file with several pictures the first is read.

    Parameters
    ----------
    files : sequence of Path
        At least one file, all of one size.
    mode : {"L", "RGB"}
        What to convert them to: grey or colour.

    Returns
    -------
    ndarray of float64, shape (n, h, w) for "L" or (n, h, w, 3) for "RGB"
        The pixels.

    Raises
    ------
    InvalidInput
        If a file is broken, or all of them would not fit into memory.
    OTError
        If Pillow is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "white.png")
    ...     Image.new("L", (3, 2), color=255).save(path)
    ...     read_images([path], "L").tolist()
    [[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]]
    """
    width, height = _header(files[0])[1]
    check_room(files[0].parent, (len(files), height, width, 3)[: 4 if mode == "RGB" else 3], "Use fewer images: n.")
    return np.stack([_pixels(path, mode) for path in files]) / 255.0


def _header(path: Path) -> tuple[str, tuple[int, int]]:
    """Mode and (width, height) of an image; its pixels are not decoded."""
    with _open(path) as image:
        return f"{image.mode};16" if image.mode in GREY | COLOUR and _is_deep(image) else image.mode, image.size


def _is_deep(image: Image) -> bool:
    """Whether the file has more than 8 bits a channel, of which Pillow reads 8 where there are several channels."""
    tiles = str(getattr(image, "tile", ""))
    if image.format == "PPM":
        return any(int(number) > 255 for number in re.findall(r"args=\('[^']*', (\d+)\)", tiles))
    return image.format in ("PNG", "TIFF") and ";16" in tiles


def _pixels(path: Path, mode: str) -> NDArray[np.uint8]:
    """One image, 0 to 255: shape (h, w) for mode "L", (h, w, 3) for "RGB"."""
    with _open(path) as image:
        # By way of RGBA: Pillow warns of palettes with transparency when they become RGB at once.
        return np.asarray((image.convert("RGBA") if image.mode == "P" else image).convert(mode))


@contextmanager
def _open(path: Path) -> Iterator[Image]:
    """Open an image; whatever goes wrong while it is open is the file's fault."""
    with optional_dependency("Pillow", "images", f"Reading {path}"):
        from PIL.Image import DecompressionBombWarning
        from PIL.Image import open as open_image
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DecompressionBombWarning)  # large images are asked for room, see above
            image = open_image(path, formats=FORMATS)
        with image:
            yield image
    # A broken image raises whatever its decoder stumbles over: OSError, SyntaxError, struct.error, ValueError.
    except Exception as error:
        raise InvalidInput(
            f"{path} must be a whole image, but it is broken or of another kind ({error}). Replace it, or move it away."
        ) from error
