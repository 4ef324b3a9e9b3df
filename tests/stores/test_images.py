"""Image sets: where images lie, which files count, and how they get their keys."""

import os
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from vistaql.errors import Code, VistaQLError
from vistaql.stores.image_set import (
    FolderSource,
    GlobSource,
    ImageSet,
    KeyKind,
    KeyRule,
    OnError,
    ParquetBytesSource,
    TableColumnSource,
)
from vistaql.stores.images import NamedByTable, describe_images, image_headers, list_images, stream_images
from vistaql.stores.tables import describe_table


def photo(path: Path, size: tuple[int, int] = (8, 6), **options: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path, **options)
    return str(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in ("cats/a.jpg", "cats/b.PNG", "dogs/deep/c.jpg", "d.gif"):
        photo(root / name)
    (root / "readme.txt").write_text("no image")
    (root / ".hidden.jpg").write_text("no image")
    return root


def failure(*args: Any, **options: Any) -> VistaQLError:
    with pytest.raises(VistaQLError) as caught:
        describe_images(*args, **options)
    return caught.value


def keys(images: ImageSet) -> list[str]:
    return list_images(images)["key"].to_pylist()


def streamed(images: ImageSet, wanted: list[str], rows: int = 2) -> list[tuple[str, str | bytes]]:
    batches = list(stream_images(images, pa.array(wanted, pa.string()), rows))
    assert all(0 < batch.num_rows <= rows for batch in batches)
    return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


def test_a_folder_is_read_through_all_subfolders(photos: Path) -> None:
    images = describe_images("photos", str(photos))
    assert images.source == FolderSource(str(photos))
    assert list_images(images).drop(["bytes"]).to_pylist() == [
        {"key": "a", "path": f"{photos}/cats/a.jpg", "folder": "cats"},
        {"key": "b", "path": f"{photos}/cats/b.PNG", "folder": "cats"},
        {"key": "c", "path": f"{photos}/dogs/deep/c.jpg", "folder": "dogs/deep"},
        {"key": "d", "path": f"{photos}/d.gif", "folder": ""},
    ]
    found = images.statistics
    assert dict(found.reasons) == {"hidden": 1, "without an image ending": 1}
    assert dict(found.formats) == {"jpg": 2, "png": 1, "gif": 1}
    assert (found.count, found.skipped, found.mean_pixels, found.unique_keys) == (4, 2, 48.0, True)
    assert found.bytes == sum(list_images(images)["bytes"].to_pylist())


def test_label_from_folder_is_the_first_folder(photos: Path) -> None:
    images = describe_images("photos", str(photos), label_from_folder=True)
    assert list_images(images)["label"].to_pylist() == ["cats", "cats", "dogs", None]
    assert images.label == "label"


def test_label_from_folder_needs_folders(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    assert failure("x", str(tmp_path), label_from_folder=True).code is Code.NO_LABEL


def test_a_pattern_takes_what_it_matches(photos: Path) -> None:
    images = describe_images("photos", f"{photos}/**/*.jpg")
    assert isinstance(images.source, GlobSource)
    assert keys(images) == ["a", "c"]
    assert list_images(images)["folder"].to_pylist() == ["cats", "dogs/deep"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (KeyRule(KeyKind.PATH), ["cats/a.jpg", "cats/b.PNG", "d.gif", "dogs/deep/c.jpg"]),
        (KeyRule(KeyKind.REGEX, r"(\w)\.\w+$"), ["a", "b", "c", "d"]),
        (KeyRule(KeyKind.REGEX, r"^\w+(?=/)"), ["cats", "cats", "dogs"]),
    ],
)
def test_keys_from_paths(photos: Path, rule: KeyRule, expected: list[str]) -> None:
    images = describe_images("photos", str(photos), rule)
    assert keys(images) == expected
    assert images.statistics.unique_keys == (len(set(expected)) == len(expected))


def test_files_without_a_match_are_counted(photos: Path) -> None:
    images = describe_images("photos", str(photos), KeyRule(KeyKind.REGEX, "cats/(.)"))
    assert dict(images.statistics.reasons)["not matching the pattern of KEY FROM REGEX"] == 2


def test_a_bad_pattern_is_an_error(photos: Path) -> None:
    assert failure("x", str(photos), KeyRule(KeyKind.REGEX, "(")).code is Code.BAD_LITERAL


def test_equal_stems_offer_the_path(photos: Path) -> None:
    photo(photos / "dogs" / "a.jpg")
    error = failure("photos", str(photos))
    assert error.code is Code.EQUAL_KEYS
    assert "cats/a.jpg and dogs/a.jpg" in error.message
    assert "KEY FROM PATH" in (error.hint or "")
    assert describe_images("photos", str(photos), KeyRule(KeyKind.PATH)).statistics.count == 5


def test_equal_stems_that_come_later_are_an_error_too(photos: Path) -> None:
    images = describe_images("photos", str(photos))
    photo(photos / "dogs" / "a.jpg")
    with pytest.raises(VistaQLError) as caught:
        list_images(images)
    assert caught.value.code is Code.EQUAL_KEYS


def test_a_link_out_of_the_folder_is_refused(photos: Path, tmp_path: Path) -> None:
    secret = photo(tmp_path / "secret.jpg")
    (photos / "link.jpg").symlink_to(secret)
    (photos / "inside.jpg").symlink_to(photos / "d.gif")
    (photos / "folder").symlink_to(tmp_path)
    images = describe_images("photos", str(photos))
    assert keys(images) == ["a", "b", "c", "d", "inside"]
    assert dict(images.statistics.reasons)["leading out of the folder"] == 2
    by_pattern = describe_images("photos", f"{photos}/**/*.jpg")
    assert "secret" not in keys(by_pattern)
    assert "link" not in keys(by_pattern)


def test_an_empty_folder_and_one_without_images(tmp_path: Path) -> None:
    assert failure("x", str(tmp_path)).code is Code.NO_IMAGES
    (tmp_path / "a.txt").touch()
    assert "1 without an image ending" in failure("x", str(tmp_path)).message


def test_a_missing_folder_names_the_nearest(photos: Path) -> None:
    error = failure("x", str(photos).replace("photos", "photoz"))
    assert (error.code, f"Did you mean {photos}?" in (error.hint or "")) == (Code.FILE_NOT_FOUND, True)


@pytest.mark.parametrize("column", ["path", "image_path", "image", "file", "filename", "file_name"])
def test_a_manifest_names_files_relative_to_itself(photos: Path, column: str) -> None:
    (photos / "list.csv").write_text(f"sku,{column}\n007,cats/a.jpg\n8,d.gif\n")
    images = describe_images("photos", str(photos / "list.csv"), KeyRule(KeyKind.COLUMN, "SKU"))
    assert isinstance(images.source, TableColumnSource)
    assert list_images(images).select(["key", "path", "folder"]).to_pylist() == [
        {"key": "007", "path": f"{photos}/cats/a.jpg", "folder": "cats"},
        {"key": "8", "path": f"{photos}/d.gif", "folder": ""},
    ]


def test_a_parquet_manifest_with_another_path_column(photos: Path) -> None:
    pq.write_table(pa.table({"where": ["cats/a.jpg"], "n": [1]}), photos / "list.parquet")
    path = str(photos / "list.parquet")
    error = failure("photos", path)
    assert (error.code, "path_column" in (error.hint or "")) == (Code.UNKNOWN_COLUMN, True)
    assert keys(describe_images("photos", path, options=(("path_column", "where"),))) == ["a"]


def test_a_manifest_that_names_missing_files_counts_them(photos: Path) -> None:
    (photos / "list.csv").write_text("path\ncats/a.jpg\nnone.jpg\n")
    images = describe_images("photos", str(photos / "list.csv"))
    assert (images.statistics.count, images.statistics.missing) == (2, 1)
    assert list_images(images)["bytes"].to_pylist()[1] is None


def test_a_manifest_of_addresses_is_refused(photos: Path) -> None:
    (photos / "list.csv").write_text("path\nhttps://example.org/a.jpg\n")
    error = failure("photos", str(photos / "list.csv"))
    assert (error.code, "IN 'https://example.org/'" in str(error.hint)) == (Code.BAD_URL, True)


def test_a_table_names_the_files(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("sku,image_file\n1,cats/a.jpg\n2,cats/a.jpg\n3,d.gif\n4,\n")
    table = describe_table("products", str(tmp_path / "products.csv"), key=("sku",))
    images = describe_images("photos", NamedByTable(table, "IMAGE_FILE", str(photos)))
    assert images.key == KeyRule(KeyKind.COLUMN, "sku")
    assert keys(images) == ["1", "2", "3"]
    assert dict(images.statistics.reasons) == {"without a file name": 1}
    stems = describe_images("photos", NamedByTable(table, "image_file", str(photos)), KeyRule(KeyKind.STEM))
    assert keys(stems) == ["a", "d"]


def test_names_that_lead_out_of_the_folder_are_refused(photos: Path, tmp_path: Path) -> None:
    photo(tmp_path / "secret.jpg")
    (tmp_path / "products.csv").write_text("f\n../secret.jpg\n/etc/passwd\ncats/a.jpg\n")
    table = describe_table("products", str(tmp_path / "products.csv"))
    images = describe_images("photos", NamedByTable(table, "f", str(photos)))
    assert keys(images) == ["a"]
    assert dict(images.statistics.reasons) == {"leading out of the folder": 2}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((("on_error", "ignore"),), Code.BAD_OPTION_VALUE),
        ((("max_bad", 2),), Code.BAD_OPTION_VALUE),
        ((("max_bad", "much"),), Code.BAD_OPTION_VALUE),
        ((("maxbad", 0.1),), Code.UNKNOWN_OPTION),
    ],
)
def test_options_that_do_not_fit(photos: Path, options: Any, code: Code) -> None:
    assert failure("photos", str(photos), options=options).code is code


def test_options_that_fit(photos: Path) -> None:
    images = describe_images("photos", str(photos), options=(("on_error", "fail"), ("max_bad", 0)))
    assert (images.on_error, images.max_bad) == (OnError.FAIL, 0.0)


def test_a_folder_has_no_columns(photos: Path) -> None:
    assert failure("photos", str(photos), KeyRule(KeyKind.COLUMN, "sku")).code is Code.UNKNOWN_COLUMN


def test_one_image_is_not_a_set(photos: Path) -> None:
    assert "Name its folder" in (failure("x", str(photos / "d.gif")).hint or "")


def test_headers_give_the_size_as_seen(tmp_path: Path) -> None:
    photo(tmp_path / "plain.jpg", (30, 20))
    exif = Image.Exif()
    exif[274] = 6
    photo(tmp_path / "turned.jpg", (30, 20), exif=exif)
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    table = image_headers(list_images(describe_images("x", str(tmp_path))))
    sizes = {row["key"]: (row["width"], row["height"]) for row in table.to_pylist()}
    assert sizes == {"plain": (30, 20), "turned": (20, 30), "broken": (None, None)}


def test_streaming_keeps_the_order_of_the_keys(photos: Path) -> None:
    images = describe_images("photos", str(photos))
    assert streamed(images, ["d", "a", "nobody", "c"]) == [
        ("d", f"{photos}/d.gif"),
        ("a", f"{photos}/cats/a.jpg"),
        ("c", f"{photos}/dogs/deep/c.jpg"),
    ]


def test_streaming_gives_all_images_of_a_key(photos: Path) -> None:
    images = describe_images("photos", str(photos), KeyRule(KeyKind.REGEX, r"^\w+(?=/)"))
    assert [key for key, _ in streamed(images, ["dogs", "cats"])] == ["dogs", "cats", "cats"]


def parquet_of_bytes(photos: Path, path: Path, *, nested: bool, group: int = 2) -> dict[str, bytes]:
    files = {str(file.relative_to(photos)): file.read_bytes() for file in photos.glob("**/[abcd].*")}
    encoded: object = list(files.values())
    if nested:
        encoded = [{"bytes": data, "path": name} for name, data in files.items()]
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        table = pa.table({"image": pa.array(encoded, kind), "id": range(len(files))})
    else:
        table = pa.table({"id": [float(place) for place in range(len(files))], "jpeg": encoded, "file": list(files)})
    pq.write_table(table, path, row_group_size=group)
    return files


@pytest.mark.parametrize("nested", [True, False])
def test_parquet_with_bytes(photos: Path, tmp_path: Path, *, nested: bool) -> None:
    path = tmp_path / "images.parquet"
    files = parquet_of_bytes(photos, path, nested=nested)
    images = describe_images("inside", str(path))
    assert isinstance(images.source, ParquetBytesSource)
    assert keys(images) == ["a", "b", "c", "d"]
    assert images.statistics.mean_pixels == 48.0
    found = dict(streamed(images, ["c", "a", "b"], rows=3))
    assert found == {name.rsplit("/", 1)[-1].split(".")[0]: data for name, data in files.items() if "d." not in name}


def test_parquet_with_bytes_and_a_key_column_has_keys_as_tables_have_them(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "images.parquet"
    parquet_of_bytes(photos, path, nested=False)
    images = describe_images("inside", str(path), KeyRule(KeyKind.COLUMN, "id"))
    assert keys(images) == ["0", "1", "2", "3"]
    assert sorted(key for key, _ in streamed(images, ["3", "1"])) == ["1", "3"]


def test_parquet_with_bytes_alone_needs_a_key(tmp_path: Path) -> None:
    pq.write_table(pa.table({"jpeg": [b"x"], "n": [1]}), tmp_path / "p.parquet")
    error = failure("x", str(tmp_path / "p.parquet"))
    assert (error.code, "KEY FROM COLUMN" in (error.hint or "")) == (Code.UNKNOWN_COLUMN, True)


def test_file_names_that_are_not_utf8_are_counted(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    try:
        (tmp_path / "b\udcff.jpg").touch()
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system keeps names as UTF-8")
    images = describe_images("x", str(tmp_path))
    assert (keys(images), images.statistics.skipped) == (["a"], 1)


@pytest.mark.volume
def test_forty_thousand_files_are_listed_in_a_second(tmp_path: Path) -> None:
    for folder in range(40):
        (tmp_path / f"f{folder}").mkdir()
        for file in range(1000):
            os.close(os.open(f"{tmp_path}/f{folder}/{folder}-{file}.jpg", os.O_CREAT))
    images = describe_images("many", str(tmp_path))
    started = time.process_time()
    assert list_images(images).num_rows == 40_000
    assert time.process_time() - started < 1


def test_the_odd_images_are_listed(test_data: Path) -> None:
    images = describe_images("odd", str(test_data / "odd-images"))
    headers = image_headers(list_images(images))
    assert images.statistics.count == headers.num_rows == 56
    assert headers["width"].null_count < headers.num_rows / 2


def test_the_photos_match_their_table(test_data: Path) -> None:
    root = test_data / "datasets" / "clothing-small"
    table = describe_table("items", str(root / "items.csv"), key=("item_id",), label="label")
    images = describe_images("photos", NamedByTable(table, "image_path"))
    assert keys(images) == keys(describe_images("photos", str(root)))
