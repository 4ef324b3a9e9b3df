"""The files of the demo."""

from __future__ import annotations

import csv
import hashlib
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from vistaql.demo import Demo, scans, write
from vistaql.demo.train_strokes import KNOWN, WEIGHTS
from vistaql.errors import Code, VistaQLError

if TYPE_CHECKING:
    from pathlib import Path

# The same on every machine: chance comes from a hash, and all arithmetic is in integers.
CONTENT = "9048fcdf773451781f3908b593dabcdfacd7443b5f225996ce56d056aa5c33b2"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return write(tmp_path_factory.mktemp("demo") / "here")


def content(folder: Path) -> str:
    """A hash of every file's name and bytes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def test_it_has_the_same_bytes_on_every_machine(demo: Demo) -> None:
    assert content(demo.folder) == CONTENT


def test_every_scan_has_its_row_and_its_picture(demo: Demo) -> None:
    with (demo.folder / "measures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["scan_id", "ink", "width", "height", "slant", "digit"]
    assert len(rows) == demo.count == 896
    assert {row["digit"] for row in rows} == {"5", "6", "7", "8", "9"}
    assert {row["scan_id"] for row in rows} == {path.stem for path in (demo.folder / "scans").iterdir()}


def test_pictures_are_dark_ink_on_grey_paper(demo: Demo) -> None:
    with Image.open(demo.folder / "scans" / "d0005.png") as image:
        assert (image.size, image.mode) == ((48, 48), "L")
        pixels = np.asarray(image)
    assert pixels.min() < 40
    assert 140 < np.median(pixels) < 200


def test_digits_lie_at_many_places_in_many_sizes() -> None:
    boxes = {box(scans.on_paper(scan)) for scan in scans.load(range(5, 10))[:100]}
    assert len(boxes) > 90
    assert max(bottom - top for top, _, bottom, _ in boxes) > 30
    assert min(bottom - top for top, _, bottom, _ in boxes) < 16


def box(paper: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what is darker than the paper can be."""
    rows, columns = np.nonzero(paper < 120)
    return int(rows.min()), int(columns.min()), int(rows.max()), int(columns.max())


def test_writing_again_changes_nothing(demo: Demo) -> None:
    before = content(demo.folder)
    assert not write(demo.folder).kept
    assert content(demo.folder) == before


def test_a_changed_script_is_kept_and_a_torn_one_is_not(tmp_path: Path) -> None:
    script = write(tmp_path).script
    whole = script.read_bytes()
    script.write_bytes(whole[:100])
    assert not write(tmp_path).kept
    assert script.read_bytes() == whole
    script.write_bytes(whole + b"SHOW TABLES;\n")
    assert write(tmp_path).kept
    assert script.read_bytes() == whole + b"SHOW TABLES;\n"


@pytest.mark.parametrize("name", ["thesis.tex", "scans/holiday.jpg"])
def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(VistaQLError, match="holds what is not the demo's") as raised:
        write(tmp_path)
    assert raised.value.code is Code.FOREIGN_FOLDER
    assert name in raised.value.message
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / name]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(VistaQLError) as raised:
        write(tmp_path / "file")
    assert raised.value.code is Code.FOREIGN_FOLDER


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(VistaQLError) as raised:
        write(tmp_path / "demo")
    assert raised.value.code is Code.NOT_WRITABLE


def test_the_network_has_seen_other_digits_and_is_small() -> None:
    assert set(KNOWN) == {0, 1, 2, 3, 4}
    assert WEIGHTS.stat().st_size < 300_000
