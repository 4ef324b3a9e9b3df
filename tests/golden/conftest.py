"""A home with small tables and images, made once; the names in it are those of the golden scripts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image

from tests.siblings import facts
from vistaql.models.stored import to_json
from vistaql.optimizer.calibration import Calibration
from vistaql.optimizer.machine import Machine
from vistaql.session import Session

COUNT = 24
MANY = 40_000
# The rates are given, so that a better calibration does not choose other plans here.
RATES = Calibration(
    convolution_flops=90e9,
    pointwise_flops=90e9,
    depthwise_flops=12e9,
    dense_flops=90e9,
    moved_bytes=6e9,
    decoded_pixels=58e6,
    decoded_bytes=50e6,
    read_bytes=500e6,
    kept_bytes=2e9,
    spilled_bytes=400e6,
    fit_flops=60e9,
    library_seconds=4.5,
    process_bytes=350e6,
    library_bytes=450e6,
)
MACHINE = Machine(cores=2, memory_bytes=8_000_000_000, calibration=RATES)
STATEMENTS = """
CREATE IMAGES photos FROM 'photos/';
CREATE IMAGES filed FROM 'photos/' KEY FROM PATH LABEL FROM FOLDER;
CREATE IMAGES views FROM 'photos/' KEY FROM REGEX 's(.)';
CREATE TABLE products FROM 'products.csv' KEY (sku) LABEL category;
CREATE TABLE prices FROM 'prices.csv' KEY (sku);
CREATE TABLE brands FROM 'brands.csv' KEY (brand);
CREATE TABLE sold FROM 'sold.csv' KEY (sku, day);
CREATE TABLE plain FROM 'prices.csv';
CREATE TABLE labelled FROM 'prices.csv' KEY (sku) LABEL currency;
"""


def write_csv(path: Path, header: str, rows: list[str]) -> None:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def write_tables(folder: Path) -> None:
    skus = [f"s{number:02}" for number in range(COUNT)]
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(COUNT)]
    products = [
        f"{sku},{('shoe', 'bag', 'hat')[place % 3]},{('red', 'blue')[place % 2]},{place / 4},{place % 5},"
        f"item {sku},{sku}.png,{day},{'test' if place % 4 == 0 else 'train'},shop"
        for place, (sku, day) in enumerate(zip(skus, days, strict=True))
    ]
    write_csv(folder / "products.csv", "sku,category,brand,weight,stock,title,image_path,day,part,kind", products)
    prices = [f"{sku},{number * 1.5},{('EUR', 'USD')[number % 2]},{number}" for number, sku in enumerate(skus[:20])]
    write_csv(folder / "prices.csv", "sku,price,currency,stock", prices)
    write_csv(folder / "brands.csv", "brand,country", ["red,FR", "blue,IT"])
    write_csv(folder / "sold.csv", "sku,day,count", [f"{sku},{day},1" for sku, day in zip(skus, days, strict=True)])


@pytest.fixture(scope="session")
def golden_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos/ in two subfolders, the CSV files, and home/, whose catalog knows them."""
    folder = tmp_path_factory.mktemp("golden").resolve()
    for number in range(COUNT):
        path = folder / "photos" / ("day" if number % 2 else "night") / f"s{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (number * 9, 90, 200 - number)).save(path)
    write_tables(folder)
    with Session(folder / "home", MACHINE) as session:
        list(session.run(STATEMENTS, folder=folder))
        claim_many(session)
        claim_tuned(session)
    return folder


def claim_many(session: Session) -> None:
    """Add `many` and `stock`: 40,000 photos and rows as far as the catalog knows, which is all that EXPLAIN reads."""
    photos, products = session.catalog.images("photos"), session.catalog.table("products")
    assert photos is not None
    assert products is not None
    found = replace(photos.statistics, count=MANY, bytes=MANY * 90_000, mean_pixels=500.0 * 375.0)
    with session.catalog.transaction() as writer:
        writer.put_images(replace(photos, name="many", statistics=found), "CREATE IMAGES many FROM 'photos/'")
        writer.put_table(replace(products, name="stock", rows=MANY, bytes=5_000_000), "CREATE TABLE stock FROM 'p.csv'")


def claim_tuned(session: Session) -> None:
    """Add `birds` and `fish`, tuned from one CNN whose first layers were frozen, as far as EXPLAIN looks at them."""
    with session.catalog.transaction() as writer:
        for name in ("birds", "fish"):
            text = f"REGISTER CNN {name} FROM file '{name}.keras'"
            writer.put_cnn(name, to_json(facts("strokes", name, "pool3")), text)


@pytest.fixture
def session(golden_folder: Path) -> Session:
    """A session on that home, on a machine of two cores and 8 GB."""
    return Session(golden_folder / "home", MACHINE)
