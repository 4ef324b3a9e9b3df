"""Odd images: each is decided once, and none ends the process."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vistaql.engines.tensorflow import decode as decoding
from vistaql.engines.tensorflow.decode import Undecodable, decode

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def quarters() -> Image.Image:
    """Red and green above blue and white."""
    image = Image.new("RGB", (64, 64))
    for place, color in (((0, 0), RED), ((32, 0), GREEN), ((0, 32), BLUE), ((32, 32), WHITE)):
        image.paste(color, (*place, place[0] + 32, place[1] + 32))
    return image


def corners(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """The colours near the four corners, of pictures that JPEG has changed a little."""
    height, width, _ = pixels.shape
    places = [(4, 4), (4, width - 5), (height - 5, 4), (height - 5, width - 5)]
    return [tuple(int(round(value / 255) * 255) for value in pixels[place]) for place in places]


def test_every_odd_image_does_what_its_manifest_says(test_data: Path) -> None:
    folder = test_data / "odd-images"
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 50
    wrong = []
    for row in rows:
        path = folder / row["file"]
        found = [attempt(str(path)), attempt(path.read_bytes())]
        # A path and its bytes are the same pixels, or the same reason.
        assert np.array_equal(found[0], found[1]), row["file"]
        assert not isinstance(found[0], str) or re.fullmatch(r"[^/]{10,}[^./]", found[0]), found[0]
        outcome = "error" if isinstance(found[0], str) else "decode"
        if row["expected"] not in {outcome, "either"}:
            wrong.append((row["file"], row["expected"], found[0]))
    assert wrong == []


def attempt(image: str | bytes) -> np.ndarray | str:
    try:
        pixels = decode(image, 60, 40)
    except Undecodable as failure:
        return str(failure)
    assert (pixels.shape, pixels.dtype) == ((60, 40, 3), np.uint8)
    return pixels


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_applied(turn: int, form: str) -> None:
    undo = {6: 8, 8: 6}.get(turn, turn)
    stored = quarters() if turn == 1 else quarters().transpose(decoding.TURNS[undo])
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = turn
    pixels = decode(encoded(stored, form, exif=exif), 64, 64)
    assert corners(pixels) == [RED, GREEN, BLUE, WHITE]


def test_a_sideways_photo_is_decoded_scaled_by_its_upright_sides() -> None:
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = 6
    data = encoded(Image.effect_noise((64, 512), 90).convert("RGB"), "JPEG", exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        image.draft(None, (32, 256))
        assert image.size == (32, 256)
        expected = np.asarray(image.transpose(Image.Transpose.ROTATE_270))
    assert np.array_equal(decode(data, 32, 256), expected)


def test_transparency_shows_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([255, 0, 0])
    for data in (
        encoded(clear),
        encoded(clear, "WEBP", lossless=True),
        encoded(Image.new("LA", (8, 8), (0, 0))),
        encoded(palette, transparency=0),
        encoded(palette, "GIF", transparency=0),
        encoded(Image.new("RGB", (8, 8), RED), transparency=RED),
    ):
        assert np.array_equal(decode(data, 8, 8), np.full((8, 8, 3), 255))
    half = decode(encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 128))), 8, 8)
    assert np.abs(half[0, 0].astype(int) - [255, 127, 127]).max() <= 1


def test_deep_gray_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for form in ("PNG", "TIFF"):
        pixels = decode(encoded(Image.fromarray(ramp), form), 16, 16)
        assert np.array_equal(pixels[..., 0], ramp >> 8)
        assert np.array_equal(pixels[..., 0], pixels[..., 2])


def test_numbers_without_black_and_white_are_refused() -> None:
    for mode in ("F", "I"):
        with pytest.raises(Undecodable, match="32-bit"):
            decode(encoded(Image.new(mode, (8, 8), 1), "TIFF"), 8, 8)


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in (RED, GREEN, BLUE)]
    for form in ("GIF", "PNG", "WEBP", "TIFF"):
        pixels = decode(encoded(frames[0], form, save_all=True, append_images=frames[1:]), 8, 8)
        assert corners(pixels) == [RED] * 4


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
def test_other_colours_become_rgb(mode: str) -> None:
    form = "TIFF" if mode == "YCbCr" else "JPEG" if mode in {"CMYK", "L"} else "PNG"
    assert corners(decode(encoded(Image.new("RGB", (32, 32), WHITE).convert(mode), form), 32, 32)) == [WHITE] * 4


@pytest.mark.parametrize(("side", "scale"), [(63, 1), (64, 2), (127, 2), (128, 4), (256, 8), (4000, 8)])
def test_large_jpegs_are_decoded_scaled_by_their_sides_alone(side: int, scale: int) -> None:
    with Image.open(io.BytesIO(encoded(Image.new("RGB", (side, side), RED), "JPEG")), formats=["JPEG"]) as image:
        image.draft(None, (32, 32))
        assert image.size == (-(-side // scale), -(-side // scale))
        expected = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR))
    assert np.array_equal(decode(encoded(Image.new("RGB", (side, side), RED), "JPEG"), 32, 32), expected)


def test_ordinary_pixels_are_what_pillow_gives(photos: list[str]) -> None:
    for path in photos[:5]:
        with Image.open(path) as image:
            expected = np.asarray(image.convert("RGB").resize((224, 160), Image.Resampling.BILINEAR))
        assert np.array_equal(decode(path, 160, 224), expected)


def test_bombs_are_refused_by_their_header() -> None:
    wide = encoded(Image.new("1", (50_000, 1_001)))
    with pytest.raises(Undecodable, match="50000 x 1001 pixels, more than the 50000000 allowed"):
        decode(wide, 8, 8)
    with pytest.raises(Undecodable, match="more than 50000000 pixels"):
        decode(encoded(Image.new("1", (50_000, 4_000))), 8, 8)


def test_a_photo_cut_anywhere_is_bad_or_whole_but_never_half(photos: list[str]) -> None:
    data = Path(photos[0]).read_bytes()
    whole = decode(data, 32, 32)
    for percent in range(0, 100, 2):
        try:
            pixels = decode(data[: len(data) * percent // 100], 32, 32)
        except Undecodable:
            continue
        assert np.array_equal(pixels, whole), percent


def test_what_is_no_image_file_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    postscript = encoded(quarters(), "EPS")
    assert attempt(str(tmp_path / "none.jpg")) == "there is no such file"
    assert attempt(str(tmp_path / "folder.jpg")) == "it is not a file"
    assert attempt(str(tmp_path / "pipe.jpg")) == "it is not a file"
    assert attempt(b"") == "the file is empty"
    assert str(attempt(postscript)).startswith("it is not an image (JPEG, PNG")
    assert str(attempt("nul\0byte.jpg")).startswith("its data is broken")


def test_warnings_as_errors_change_nothing_and_others_stay_errors(test_data: Path) -> None:
    path = str(test_data / "odd-images" / "jpg-bad-exif.jpg")
    quiet = decode(path, 32, 32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found: list[np.ndarray] = []
        threads = [threading.Thread(target=lambda: found.append(decode(path, 32, 32))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert all(np.array_equal(pixels, quiet) for pixels in found)
        with pytest.raises(UserWarning):
            warnings.warn("someone else's", stacklevel=1)


def test_nothing_is_printed_about_odd_images(test_data: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from vistaql.engines.tensorflow.decode import Undecodable, decode\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try: decode(str(path), 32, 32)\n"
        "    except Undecodable: pass\n"
    )
    command = [sys.executable, "-c", program, str(test_data / "odd-images")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
