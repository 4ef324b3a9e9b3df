"""Folders and tables as people have them: sixty photos of three things, and a row for each."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

KINDS = ("shirt", "shoe", "bag")


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Callable[..., Path]:
    """Writes photos of the given names, whose colour goes with their place in the list."""

    def draw(*names: str) -> Path:
        random = np.random.default_rng(1)
        for number, name in enumerate(names):
            path = tmp_path / "photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 60, (32, 32, 3)) + 80 * (number % 3)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
        return tmp_path / "photos"

    return draw


@pytest.fixture
def products(tmp_path: Path, photos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with photos/ and products.csv, in which the reader stands, and whose home is home/."""
    names = [f"s{number:02}.png" for number in range(60)]
    photos(*names)
    rows = [
        (f"s{number:02}", KINDS[number % 3], f"{KINDS[number % 3]} {number % 6}", 10 + number % 7, number % 2 == 0)
        for number in range(60)
    ]
    write_table(tmp_path / "products.csv", ("sku", "category", "subcategory", "price", "in_stock"), rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISTAQL_HOME", str(tmp_path / "home"))
    return tmp_path
