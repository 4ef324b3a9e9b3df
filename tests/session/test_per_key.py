"""Several images of one key become one row."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.session.world import Explore, World, write_csv
from vistaql.engines.inprocess.tensors import digest_of
from vistaql.errors import VistaQLError
from vistaql.session import Session

PRODUCTS = 30


@pytest.fixture(scope="module")
def products(world: World, session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty products with one to five pictures each: `07_2.png` is the third one of product 07."""
    folder = tmp_path_factory.mktemp("products")
    (folder / "photos").mkdir()
    left = iter(world.keys)
    rows = []
    for product in range(PRODUCTS):
        rows.append((f"{product:02}", product % 7, "ab"[product % 2]))
        for view in range(1 + product % 5):
            shutil.copy(world.path(next(left)), folder / "photos" / f"{product:02}_{view}.png")
    write_csv(folder / "products.csv", ("sku", "price", "kind"), rows)
    session.sql(f"CREATE IMAGES views FROM '{folder}/photos' KEY FROM REGEX '^([0-9]+)_'; "
                f"CREATE TABLE products FROM '{folder}/products.csv' KEY sku LABEL kind; "
                f"CREATE IMAGES single_views FROM '{folder}/photos'")  # fmt: skip
    return folder


def features(session: Session, text: str, path: Path) -> dict[str, np.ndarray]:
    """The vectors that an export writes, by key."""
    session.sql(f"EXPORT LAYERS fc6 OF strokes {text} TO '{path}'")
    table = pq.read_table(path)
    return dict(zip(table["key"].to_pylist(), np.array(table["fc6"].to_pylist(), np.float32), strict=True))


@pytest.mark.usefixtures("products")
def test_without_per_key_several_images_are_an_error_that_says_so(explore: Explore) -> None:
    with pytest.raises(VistaQLError) as failure:
        explore("FROM views JOIN products TRAIN lr")
    assert failure.value.code.name == "SEVERAL_IMAGES_A_KEY"
    assert "90 images and 30 keys" in failure.value.message
    assert "PER KEY mean" in str(failure.value.hint)


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize(
    ("word", "reduce"),
    [
        ("mean", lambda rows: rows.astype(np.float64).mean(axis=0).astype(np.float32)),
        ("max", lambda rows: rows.max(axis=0)),
        ("first", lambda rows: rows[0]),
    ],
)
def test_images_of_a_key_are_reduced_as_numpy_would(
    word: str, reduce: object, session: Session, explore: Explore, tmp_path: Path
) -> None:
    single = features(session, "FROM single_views", tmp_path / "single.parquet")
    expected = {}
    for product in range(PRODUCTS):
        rows = np.stack([single[key] for key in sorted(single) if key.startswith(f"{product:02}_")])
        expected[f"{product:02}"] = reduce(rows)  # type: ignore[operator]
    written = features(session, f"FROM views PER KEY {word}", tmp_path / "reduced.parquet")
    assert written.keys() == expected.keys()
    assert all((written[key] == expected[key]).all() for key in expected)
    found = explore(f"FROM views JOIN products PER KEY {word} TRAIN lr")
    assert found.rows[0].digest == digest_of(list(expected), np.stack(list(expected.values())))
    assert (found.counts.images, found.counts.decoded, found.counts.joined) == (90, 90, 30)


@pytest.mark.usefixtures("products")
def test_images_without_a_row_are_counted_one_by_one(session: Session, explore: Explore, tmp_path: Path) -> None:
    rows = [(f"{product:02}", product, "ab"[product % 2]) for product in range(20)]
    session.sql(f"CREATE OR REPLACE TABLE fewer FROM '{write_csv(tmp_path / 'f.csv', ('sku', 'price', 'kind'), rows)}' "
                "KEY sku LABEL kind")  # fmt: skip
    counts = explore("FROM views JOIN fewer PER KEY max TRAIN lr").counts
    assert (counts.images, counts.decoded, counts.images_without_row, counts.joined) == (90, 60, 30, 20)


def test_a_key_is_lost_only_with_its_last_image(
    session: Session, explore: Explore, products: Path, tmp_path: Path
) -> None:
    """One broken picture of five is left out of the mean; a product whose only picture is broken has no row."""
    photos = tmp_path / "photos"
    shutil.copytree(products / "photos", photos)
    for name in ("04_2", "00_0", "09_0"):
        (photos / f"{name}.png").write_bytes(b"<html>Not found</html>")
    session.sql(f"CREATE OR REPLACE IMAGES damaged FROM '{photos}' KEY FROM REGEX '^([0-9]+)_' WITH (max_bad = 0.1)")
    for plan in ("eager", "lazy", "staged"):
        found = explore(
            f"FROM damaged JOIN products PER KEY mean TRAIN lr WITH (plan = {plan})", "LAYERS conv4, fc6 OF strokes"
        )
        counts = found.counts
        assert (counts.images, counts.bad, counts.decoded, counts.joined) == (90, 3, 87, 29)
    shown = session.sql("SHOW ERRORS OF damaged").to_arrow()
    assert [Path(path).name for path in shown["path"].to_pylist()] == ["00_0.png", "04_2.png", "09_0.png"]
    single = features(session, "FROM single_views", tmp_path / "single.parquet")
    mean = features(session, "FROM damaged PER KEY mean", tmp_path / "mean.parquet")
    good = np.stack([single[f"04_{view}"] for view in (0, 1, 3, 4)])
    assert (mean["04"] == good.astype(np.float64).mean(axis=0).astype(np.float32)).all()
    assert len(mean) == 29
