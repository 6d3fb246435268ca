"""Files and folders: round trips, files that try to run code, and files that are broken."""

from __future__ import annotations

import gzip
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from otgan.data import idx, images, load
from otgan.errors import InvalidInput, OTError
from otgan.runtime import memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

POINTS = np.random.default_rng(0).normal(size=(7, 3))


def same(samples_path: str | Path, expected: NDArray[Any], shape: tuple[int, ...]) -> None:
    samples = load(samples_path)
    assert samples.shape == shape
    assert samples.points.dtype == np.float64
    assert (samples.points == np.asarray(expected, dtype=np.float64).reshape(len(expected), -1)).all()


# --- round trips --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "kept"),
    [((6,), (1,)), ((6, 3), (3,)), ((6, 4, 5), (4, 5)), ((6, 4, 5, 3), (4, 5, 3))],
    ids=["line", "points", "grey images", "colour images"],
)
@pytest.mark.parametrize("dtype", ["f8", ">f4", "f2", "u1", "i8", "?"])
def test_npy_keeps_values_and_shape(tmp_path: Path, shape: tuple[int, ...], kept: tuple[int, ...], dtype: str):
    array = (np.random.default_rng(0).random(shape) * 9).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    same(str(tmp_path / "x.npy"), array, kept)


def test_npy_in_fortran_order(tmp_path: Path):
    np.save(tmp_path / "x.npy", np.asfortranarray(POINTS))
    same(tmp_path / "x.npy", POINTS, (3,))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_with_one_array_and_with_a_key(tmp_path: Path, save: Callable[..., None]):
    save(tmp_path / "one.npz", x=POINTS)
    same(tmp_path / "one.npz", POINTS, (3,))
    same(f"{tmp_path}/one.npz:x", POINTS, (3,))
    save(tmp_path / "two.npz", x=POINTS, y=POINTS + 1)
    same(f"{tmp_path}/two.npz:y", POINTS + 1, (3,))


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool]
)
def test_pt_tensors_of_every_dtype(tmp_path: Path, dtype: torch.dtype):
    tensor = torch.arange(12).reshape(6, 2).to(dtype)
    torch.save(tensor, tmp_path / "x.pt")
    same(tmp_path / "x.pt", tensor.to(torch.float64).numpy(), (2,))


def test_pt_dicts_parameters_and_the_older_format(tmp_path: Path):
    tensor = torch.from_numpy(POINTS)
    torch.save({"x": tensor, "epoch": 3}, tmp_path / "one.pt")
    torch.save({"x": tensor, "y": tensor + 1}, tmp_path / "two.pt")
    torch.save(torch.nn.Parameter(tensor), tmp_path / "parameter.pt")
    torch.save(tensor, tmp_path / "older.pt", _use_new_zipfile_serialization=False)
    for name in ("one.pt", "one.pt:x", "two.pt:x", "parameter.pt", "older.pt"):
        same(f"{tmp_path}/{name}", POINTS, (3,))


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,-4.5e-1\n",
        "1,2\n3,-4.5e-1",
        "1,2\r\n3,-4.5e-1\r\n",
        "height,width\n1,2\n3,-4.5e-1\n",
        '"height, m","width"\n"1","2"\n3,-4.5e-1\n',
        "\ufeffheight,width\n\n1 , 2\n\n3, -4.5e-1\n\n",
        "# height,width\n1,2\n3,-4.5e-1\n",
    ],
    ids=["plain", "no last newline", "windows", "header", "quotes", "mark and blanks", "comment as header"],
)
def test_csv_in_its_spellings(tmp_path: Path, text: str):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8", newline="")
    same(tmp_path / "x.csv", np.array([[1, 2], [3, -0.45]]), (2,))


def test_csv_round_trip_is_exact(tmp_path: Path):
    np.savetxt(tmp_path / "x.csv", POINTS, delimiter=",", header="a,b,c")
    np.savetxt(tmp_path / "column.csv", POINTS[:, 0])
    same(tmp_path / "x.csv", POINTS, (3,))
    same(tmp_path / "column.csv", POINTS[:, 0], (1,))


def save_images(folder: Path, images: dict[str, NDArray[np.uint8]]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, image in images.items():
        Image.fromarray(image).save(folder / name)
    return folder


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(len(shape)).integers(0, 256, size=shape, dtype=np.uint8)


def test_grey_folder_is_read_in_the_order_of_names(tmp_path: Path):
    pixels = noise(3, 4, 5)
    folder = save_images(tmp_path / "grey", {"b.png": pixels[1], "c.bmp": pixels[2], "a.png": pixels[0]})
    (folder / "labels.csv").write_text("1")
    (folder / ".hidden.png").write_text("not an image")
    same(folder, pixels / 255, (4, 5))
    same(f"{folder}/", pixels / 255, (4, 5))


def test_one_colour_image_makes_the_folder_rgb_whatever_part_is_taken(tmp_path: Path):
    grey, colour = noise(4, 5), noise(4, 5, 3)
    folder = save_images(tmp_path / "mixed", {"a.png": grey, "b.png": colour})
    same(folder, np.stack([np.repeat(grey[:, :, None], 3, axis=2), colour]) / 255, (4, 5, 3))
    assert {load(folder, n=1, seed=seed).shape for seed in range(4)} == {(4, 5, 3)}


def test_transparency_palettes_and_lossy_files_are_read(tmp_path: Path):
    colour = np.full((4, 5, 3), [255, 0, 255], dtype=np.uint8)
    image = Image.fromarray(colour)
    image.convert("RGBA").save(tmp_path / "a.png")
    image.quantize(2).save(tmp_path / "b.png", transparency=b"\x80\xff")
    image.save(tmp_path / "c.JPG", quality=100)
    image.save(tmp_path / "d.gif")
    image.save(tmp_path / "e.tiff")
    points = load(tmp_path).points
    assert points.shape == (5, 60)
    np.testing.assert_allclose(points, np.tile(colour.ravel() / 255, (5, 1)), atol=0.02)


def test_n_of_a_folder_is_a_part_of_it(tmp_path: Path):
    pixels = noise(9, 2, 2)
    folder = save_images(tmp_path / "many", {f"{k}.png": image for k, image in enumerate(pixels)})
    part = load(folder, n=4, seed=1)
    assert len({row.tobytes() for row in part.points} & {row.tobytes() for row in load(folder).points}) == 4
    assert load(folder, n=4, seed=1).sha256 == part.sha256 != load(folder, n=4, seed=2).sha256
    with pytest.raises(InvalidInput, match="at most 9"):
        load(folder, n=10)


def test_paired_files_with_one_seed_are_independent_draws(tmp_path: Path):
    for name in ("x.npy", "y.npy"):
        np.save(tmp_path / name, np.arange(500.0))
    assert (load(tmp_path / "x.npy", n=50).points != load(tmp_path / "y.npy", n=50).points).any()


def test_a_file_named_like_a_set_needs_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    save_images(tmp_path / "digits", {"a.png": noise(2, 2)})
    assert len(load("digits")) == 1797
    assert len(load("./digits")) == len(load(Path("digits"))) == 1


def test_names_with_colons_and_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    np.save(tmp_path / "a:b.npy", POINTS)
    same("~/a:b.npy", POINTS, (3,))


# --- files that try to run code -----------------------------------------------------------------------------------


class Trap:
    """An object whose unpickling creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def pickled_npy(path: Path, trap: Trap) -> None:
    np.save(path, np.array([trap, 1], dtype=object), allow_pickle=True)


def pickled_npz(path: Path, trap: Trap) -> None:
    np.savez(path, x=np.array([trap, 1], dtype=object))


def raw_pickle(path: Path, trap: Trap) -> None:
    path.write_bytes(pickle.dumps(trap))


def dict_with_tensor(path: Path, trap: Trap) -> None:
    torch.save({"x": torch.zeros(3, 2), "trap": trap}, path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("object.npy", pickled_npy),
        ("raw.npy", raw_pickle),
        ("object.npz", pickled_npz),
        ("raw.npz", raw_pickle),
        ("saved.pt", lambda path, trap: torch.save(trap, path)),
        ("older.pt", lambda path, trap: torch.save(trap, path, _use_new_zipfile_serialization=False)),
        ("dict.pt", dict_with_tensor),
        ("raw.pt", raw_pickle),
        ("raw.csv", raw_pickle),
    ],
)
def test_pickles_are_refused_and_never_run(tmp_path: Path, name: str, write: Callable[[Path, Trap], None]):
    mark = tmp_path / "ran"
    write(tmp_path / name, Trap(mark))
    with pytest.raises(InvalidInput, match=name) as caught:
        load(tmp_path / name)
    assert not mark.exists()
    assert "weights_only" not in str(caught.value)
    assert "allow_pickle" not in str(caught.value)


def test_the_trap_works(tmp_path: Path):
    pickle.loads(pickle.dumps(Trap(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()


def test_postscript_that_calls_itself_an_image_is_not_interpreted(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n%%EndComments\nshowpage\n")
    with pytest.raises(InvalidInput, match=r"a\.png must be a whole image"):
        load(tmp_path)


# --- broken files -------------------------------------------------------------------------------------------------


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.pt"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.99])
def test_truncated_files_are_refused(tmp_path: Path, name: str, share: float):
    path, array = tmp_path / name, np.zeros((300, 2))
    if name == "x.pt":
        torch.save(torch.from_numpy(array), path)
    else:
        (np.save if name == "x.npy" else np.savez)(path, array)
    cut(path, int(share * path.stat().st_size))
    with pytest.raises(InvalidInput, match="truncated"):
        load(path)


def test_a_flipped_bit_in_an_npz_is_noticed(tmp_path: Path):
    np.savez(tmp_path / "x.npz", np.zeros((30, 2)))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[300] ^= 1
    (tmp_path / "x.npz").write_bytes(bytes(content))
    with pytest.raises(InvalidInput, match="CRC"):
        load(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one row"),
        ("\n \n", "at least one row"),
        ("a,b\n", "at least one row"),
        ("a,b\n1,2\n3,four\n", r"line 3, column 2 \('b'\) holds 'four'. Fill or drop the row"),
        ("1,2\nthree,4\n", r"line 2, column 1 holds 'three'"),
        ("x,2\n3,4\n", r"line 1, column 1 holds 'x'"),
        ("1,2\n3,\n", r"line 2, column 2 holds an empty cell"),
        ("1,2\n\n3,NA\n", r"line 3, column 2 holds 'NA'"),
        ("1,2\n3,4,5\n", r"2 cells in every row, as its first line has, but line 2 has 3"),
        ("a,b\n1,2\n3\n", r"2 cells in every row, as its first line has, but line 3 has 1"),
        ("a,b,c\n1,2\n3,4\n", r"3 cells in every row, as its first line has, but line 2 has 2"),
        ("a,,c\n1,2,3\n", r"name every column or none, but column 2 has no name"),
        ("# no numbers\n# at all\n", "at least one row"),
        ("id,u\nx,1\ny,2\n", r"line 2, column 1 \('id'\) holds 'x'. Leave the column out \(--drop id"),
        ("x,1\ny,2\n", "line 1, column 1 holds 'x'. Write a header line to leave the column out"),
        ('"1,5",2\n"2,5",3\n', "holds '1,5'. Write decimals with points, or part cells by semicolons"),
        ("1,5;2\n1.5;3\n", r"decimals in one way, but line 1 holds '1,5' and line 2 holds '1.5'"),
        ("1.234,5;2\n", r"decimals in one way, but line 1 holds '1.234,5'"),
        ("1,2\n3,nan\n", r"x\.csv must be finite, but 1 of 4 values are NaN, the first at index \(1, 1\)"),
        ("u,v\n1,2\n3,nan\n", r"1 of 4 values are NaN, in column 'v'"),
        ("1,2\n3,1e999\n", r"x\.csv must be finite, but 1 of 4 values are infinite"),
        ("1_0,2\n", "does not read as one"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, text: str, message: str):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InvalidInput, match=message):
        load(tmp_path / "x.csv")


def test_a_table_that_is_not_text_is_refused(tmp_path: Path):
    (tmp_path / "x.csv").write_bytes(b"1,2\n\xff\xfe,4\n")
    with pytest.raises(InvalidInput, match="UTF-8, but byte 4 is not"):
        load(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[1.0, np.nan]]), r"x\.npy must be finite, but 1 of 2 values are NaN"),
        (np.array([[1.0, -np.inf]]), r"x\.npy must be finite"),
        (np.zeros((0, 2)), r"x\.npy must hold at least one value"),
        (np.zeros((0, 2, 2)), r"x\.npy must hold at least one value"),
        (np.float64(3), r"x\.npy must have shape .* but has shape \(\)"),
        (np.zeros((1, 1, 1, 1, 1)), "Reshape it"),
        (np.array(["a", "b"]), r"x\.npy must be an array of real numbers"),
        (np.array([1j]), "complex"),
        (np.zeros(2, dtype=[("u", "f8"), ("v", "i4")]), "array of real numbers"),
        (np.array([2**60]), r"2\*\*53"),
    ],
)
def test_arrays_that_are_no_points_are_refused(tmp_path: Path, array: NDArray[Any], message: str):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(InvalidInput, match=message):
        load(tmp_path / "x.npy")


def test_an_array_larger_than_memory_is_refused(tmp_path: Path):
    header = {"descr": "<f8", "fortran_order": False, "shape": (2**45,)}
    with (tmp_path / "x.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(InvalidInput, match="says that it holds values of shape"):
        load(tmp_path / "x.npy")


def small_image(path: Path) -> None:
    save_images(path, {"a.png": noise(90, 90)})


SMALL_FILES: dict[str, Callable[[Path], object]] = {
    "x.npy": lambda path: np.save(path, np.zeros((50, 90))),
    "x.npz": lambda path: np.savez_compressed(path, x=np.zeros((50, 90))),
    "x.pt": lambda path: torch.save(torch.zeros(1).expand(50, 90), path),
    "x-idx2-ubyte.gz": lambda path: path.write_bytes(
        gzip.compress(bytes([0, 0, 8, 2, 0, 0, 0, 50, 0, 0, 0, 90]) + bytes(50 * 90))
    ),
    "images": small_image,
}


@pytest.mark.parametrize("name", SMALL_FILES)
def test_what_is_small_in_a_file_and_large_in_memory_is_refused_before_it_is_decoded(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    SMALL_FILES[name](tmp_path / name)
    load(tmp_path / name)
    for module, decode in (
        (np.lib.format, "read_array"),
        (torch.Tensor, "double"),
        (idx, "_at_most"),
        (images, "_pixels"),
    ):
        monkeypatch.setattr(module, decode, None)
    monkeypatch.setattr(memory, "fits", lambda size: size < 50_000)
    with pytest.raises(InvalidInput, match="says that it holds values of shape"):
        load(tmp_path / name)


def test_large_images_are_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    save_images(tmp_path / "images", {"a.png": noise(9, 9)})
    assert load(tmp_path / "images").shape == (9, 9)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("name", ["x.npy", "x.pt", "x.csv", "x.idx", "x.npz"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, name: str):
    os.mkfifo(tmp_path / name)
    with pytest.raises(InvalidInput, match="but is a pipe"):
        load(tmp_path / name)


def test_members_of_an_npz_that_are_no_arrays_are_passed_over(tmp_path: Path):
    np.savez(tmp_path / "x.npz", x=POINTS)
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("notes.txt", "not an array")
    same(tmp_path / "x.npz", POINTS, (3,))
    with pytest.raises(InvalidInput, match=r"must hold an array 'notes.txt', but holds 'x'"):
        load(f"{tmp_path}/x.npz:notes.txt")
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("y.npy", "not an array")
    with pytest.raises(InvalidInput, match=r"whole \.npy or \.npz file"):
        load(f"{tmp_path}/x.npz:y")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.zeros(2)], "but holds a list"),
        ({}, "holds 0: none. Save one into it"),
        ({"epoch": 3}, "holds 0: none"),
        ({"x": torch.zeros(2), "y": torch.zeros(2)}, r"holds 2: 'x', 'y'. Name one: .*x\.pt:x"),
        (torch.zeros(2, 2).to_sparse(), "dense tensor of real numbers"),
        (torch.zeros(2, dtype=torch.complex64), "dense tensor of real numbers"),
        (torch.full((2,), torch.nan), r"x\.pt must be finite"),
    ],
    ids=["list", "empty dict", "no tensor", "two tensors", "sparse", "complex", "nan"],
)
def test_pt_files_without_the_one_tensor_are_refused(tmp_path: Path, content: object, message: str):
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(InvalidInput, match=message):
        load(tmp_path / "x.pt")


def test_npz_files_without_the_one_array_are_refused(tmp_path: Path):
    np.savez(tmp_path / "two.npz", x=POINTS, y=POINTS)
    np.savez(tmp_path / "none.npz")
    np.save(tmp_path / "x.npy", POINTS)
    (tmp_path / "x.npy").rename(tmp_path / "bare.npz")
    for spec, message in {
        "two.npz": r"exactly one array, but holds 2: 'x', 'y'. Name one: .*two\.npz:x",
        "two.npz:z": "must hold an array 'z', but holds 'x', 'y'",
        "none.npz": "holds 0: none",
        "bare.npz:x": "holds one array without a name, but 'x' was asked for",
    }.items():
        with pytest.raises(InvalidInput, match=message):
            load(f"{tmp_path}/{spec}")


def test_text_in_an_npy_or_pt_is_called_by_its_name(tmp_path: Path):
    for suffix, message in {
        ".npy": "starts with b'1,2",
        ".pt": "another kind of file",
        ".txt": "a file must end in",
    }.items():
        (tmp_path / f"x{suffix}").write_text("1,2\n3,4\n")
        with pytest.raises(InvalidInput, match=message):
            load(tmp_path / f"x{suffix}")


# --- broken folders -----------------------------------------------------------------------------------------------


def test_folders_without_images_are_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="none of the 0 names in it"):
        load(tmp_path)
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(InvalidInput, match="none of the 1 names in it"):
        load(tmp_path)
    (tmp_path / "cats").mkdir()
    with pytest.raises(InvalidInput, match=r"none of the 2 names in it is one, nor a folder with one"):
        load(tmp_path)


def test_folders_of_classes_are_read_in_the_order_of_their_names(tmp_path: Path):
    pixels = noise(3, 4, 5)
    save_images(tmp_path / "dogs", {"a.png": pixels[2]})
    save_images(tmp_path / "cats", {"b.png": pixels[1], "a.png": pixels[0]})
    save_images(tmp_path / ".hidden", {"a.png": noise(9, 9)})
    (tmp_path / "classes.txt").write_text("cats, dogs")
    same(tmp_path, pixels / 255, (4, 5))
    assert len(load(tmp_path, n=2)) == 2


@pytest.mark.parametrize("size", [0, 5, 40, 120])
def test_a_broken_image_is_named(tmp_path: Path, size: int):
    folder = save_images(tmp_path / "images", {"a.png": noise(9, 9), "b.png": noise(9, 9)})
    cut(folder / "b.png", size)
    with pytest.raises(InvalidInput, match=r"b\.png must be a whole image, but it is broken"):
        load(folder)


def test_two_images_of_different_sizes_are_named(tmp_path: Path):
    folder = save_images(tmp_path / "images", {"a.png": noise(4, 5), "b.png": noise(5, 4)})
    with pytest.raises(InvalidInput, match=r"a\.png is 5 x 4 and b\.png is 4 x 5"):
        load(folder)


def test_deep_images_are_refused_rather_than_clipped(tmp_path: Path):
    Image.fromarray(np.full((2, 2), 1000, dtype=np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(InvalidInput, match=r"a\.png must have 8 bits a channel, but its mode is I;16"):
        load(tmp_path)


@pytest.mark.parametrize(("colour", "channels", "mode"), [(2, 3, "RGB;16"), (4, 2, "RGBA;16"), (6, 4, "RGBA;16")])
def test_deep_colours_are_refused_rather_than_rounded(tmp_path: Path, colour: int, channels: int, mode: str):
    """A PNG of one pixel, written by hand: Pillow reads such files and does not write them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" + b"\x12\x34" * channels))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b""))
    with pytest.raises(InvalidInput, match=rf"a\.png must have 8 bits a channel, but its mode is {mode}"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["a.ppm", "a.bmp"])
def test_other_formats_are_as_deep_as_they_are(tmp_path: Path, name: str):
    """16 bits a channel in a PPM; 16 bits in all, which is less than 8 a channel, in a BMP."""
    if name == "a.ppm":
        (tmp_path / name).write_bytes(b"P6 1 1 65535 " + b"\x12\x80" * 3)
        with pytest.raises(InvalidInput, match="must have 8 bits a channel"):
            load(tmp_path)
    else:
        header = struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 16, 0, 4, 0, 0, 0, 0)
        (tmp_path / name).write_bytes(b"BM" + struct.pack("<IHHI", 58, 0, 0, 54) + header + b"\xff\x7f\0\0")
        assert load(tmp_path).points.tolist() == [[1.0, 1.0, 1.0]]


# --- packages that are not there ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "module", "extra"), [("x.pt", "torch", "torch"), ("a.png", "PIL.Image", "images")])
def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: str, extra: str):
    (tmp_path / name).touch()
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(OTError, match=rf"pip install 'otgan\[{extra}\]'"):
        load(tmp_path / name if name == "x.pt" else tmp_path)
