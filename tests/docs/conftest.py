"""Where the examples of the documentation run: a folder with the demo's files, and small photos with their table."""

from __future__ import annotations

import csv
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vistaql.demo import Demo, write

CATEGORIES = ("shirt", "shoe", "bag")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The files of the demo, written once."""
    return write(tmp_path_factory.mktemp("demo") / "vistaql-demo")


@pytest.fixture
def place(tmp_path: Path, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a reader stands who has run the demo and has a few photos of products."""
    shutil.copytree(demo.folder, tmp_path / "vistaql-demo")
    draw_products(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISTAQL_HOME", str(tmp_path / "home"))
    for name in ("LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", "LANG": "en_US.UTF-8", "NO_COLOR": "1", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def draw_products(folder: Path) -> None:
    """Sixty photos with one shape each, and a table that says which."""
    random = np.random.default_rng(1)
    (folder / "photos").mkdir()
    with (folder / "products.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("sku", "price", "colour", "category"))
        for number in range(60):
            category = CATEGORIES[number % 3]
            photo(category, random).save(folder / "photos" / f"s{number:03}.jpg")
            writer.writerow((f"s{number:03}", round(random.normal(20 + 5 * (number % 3), 8), 2), "red", category))


def photo(category: str, random: np.random.Generator) -> Image.Image:
    """A dark shape at a random place on light ground."""
    light, dark = (tuple(map(int, random.integers(*ends, 3))) for ends in ((150, 255), (0, 120)))
    image = Image.new("RGB", (96, 96), light)
    left, top = map(int, random.integers(5, 40, 2))
    draw, box = ImageDraw.Draw(image), (left, top, left + 45, top + 45)
    match category:
        case "shirt":
            draw.rectangle(box, fill=dark)
        case "shoe":
            draw.ellipse(box, fill=dark)
        case "bag":
            draw.polygon([(left, top + 45), (left + 45, top + 45), (left + 22, top)], fill=dark)
    return image


@pytest.fixture
def odd_place(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo's folder with what the examples of docs/errors.md name besides: files that are not as they should be."""
    folder = place / "vistaql-demo"
    monkeypatch.chdir(folder)
    scans = sorted((folder / "scans").iterdir())
    for name in ("twice/a", "twice/b", "cracked", "empty", "closed.parquet"):
        (folder / name).mkdir(parents=True)
    for half in ("a", "b"):
        shutil.copy(scans[0], folder / "twice" / half)
    for scan in scans[:60]:
        os.link(scan, folder / "cracked" / scan.name)
    for scan in scans[60:64]:
        (folder / "cracked" / scan.name).write_text("not an image")
    (folder / "loop.vql").write_text("SOURCE 'loop.vql';")
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "code", "function": "f"}}
    model = {"module": "keras", "class_name": "Sequential", "config": {"name": "net", "layers": [layer]}}
    with zipfile.ZipFile(folder / "code.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.0"}))
        archive.writestr("config.json", json.dumps(model))
        archive.writestr("model.weights.h5", b"")
    return folder
