"""Statements bound against a table and an image set that are facts only, and the machine they are planned for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.planning.residual import RESIDUAL
from tests.siblings import TUNED, facts
from vistaql.frontend import ast
from vistaql.frontend.binder import BoundQuery, Context, bind_query
from vistaql.frontend.parser import parse
from vistaql.models import roster
from vistaql.models.cnn import Cnn
from vistaql.optimizer.machine import Machine
from vistaql.physical.sizes import Sizes
from vistaql.settings import Settings
from vistaql.stores.image_set import FolderSource, ImageSet, Statistics
from vistaql.stores.tables import ColumnInfo, ColumnType, Table, TableFormat

Bind = Callable[..., BoundQuery]

PHOTOS = ImageSet(
    "photos", FolderSource("photos"), statistics=Statistics(count=1000, bytes=90_000_000, mean_pixels=2e5)
)
FILED = ImageSet("filed", FolderSource("photos"), label_from_folder=True, statistics=Statistics(count=1000))
PRODUCTS = Table(
    "products",
    "products.parquet",
    TableFormat.PARQUET,
    (
        ColumnInfo("sku", ColumnType.TEXT, "VARCHAR"),
        ColumnInfo("category", ColumnType.TEXT, "VARCHAR"),
        ColumnInfo("brand", ColumnType.TEXT, "VARCHAR"),
        ColumnInfo("weight", ColumnType.NUMBER, "DOUBLE"),
        ColumnInfo("image_path", ColumnType.TEXT, "VARCHAR"),
    ),
    key=("sku",),
    label="category",
    rows=800,
    bytes=40_000,
)


@dataclass(frozen=True)
class Known:
    """The names that a query can use."""

    def table(self, name: str) -> Table | None:
        return PRODUCTS if name == "products" else None

    def images(self, name: str) -> ImageSet | None:
        return {"photos": PHOTOS, "filed": FILED}.get(name)

    def cnn(self, name: str) -> Cnn | None:
        if name in TUNED:
            return facts("resnet50", name, "conv4_block6_out")
        return RESIDUAL if name == RESIDUAL.name else roster.load(name)

    def names(self, kind: ast.ObjectKind) -> tuple[str, ...]:
        return roster.names() if kind is ast.ObjectKind.CNN else ("photos", "products")

    def describe_table(self, alias: str, path: str) -> Table:
        raise FileNotFoundError(alias, path)

    def describe_images(self, alias: str, path: str) -> ImageSet:
        raise FileNotFoundError(alias, path)


def bind(text: str, settings: Settings | None = None) -> BoundQuery:
    """The logical plan of a query over photos, filed and products."""
    (statement,) = parse(text).statements
    assert isinstance(statement, ast.Explore | ast.ExportLayers)
    return bind_query(statement, Context(Known(), settings or Settings(), {}, Path.cwd()))


@pytest.fixture(name="bind", scope="session")
def _bind() -> Bind:
    return bind


@pytest.fixture(scope="session")
def machine() -> Machine:
    return Machine(cores=2, memory_bytes=8_000_000_000)


@pytest.fixture(scope="session")
def sizes() -> Sizes:
    return Sizes(
        images=800,
        all_images=1000,
        rows=800,
        columns=9,
        classes=5,
        image_pixels=2e5,
        image_bytes=9e4,
        table_bytes=40_000,
        exact=True,
    )
