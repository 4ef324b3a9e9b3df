"""Files behind URLs: listed, measured and read by fsspec, in this process and in Spark's workers alike.

Nothing that comes from here is kept: every statement asks again, so that it sees what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

from vistaql.errors import Code, VistaQLError
from vistaql.stores.connections import ask, in_words, refresh
from vistaql.stores.files import MAGIC, fixed_part
from vistaql.stores.remote_file import RemoteFile
from vistaql.stores.urls import OBJECT_STORES, check_url, scheme_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

CONNECTIONS = 8
"""files that are asked for at once; FTP servers rarely allow more of one machine"""
DEEPEST = 64
"""folders in folders; a server may show a link that leads back up as a folder, without end"""
RANGED = OBJECT_STORES | {"hdfs", "webhdfs"}
"""schemes whose servers give parts of a file; of others a file is copied as a whole before it is read out of order"""


class Entry(NamedTuple):
    """A file behind a URL, its path below the folder that was asked for, and its bytes where they were told."""

    url: str
    relative: str
    bytes: int | None


def located(url: str) -> str:
    """The URL, checked; with a slash at its end if it is a folder. Raises BAD_URL, UNREACHABLE, FILE_NOT_FOUND."""
    check_url(url)
    refresh(url)
    if MAGIC.search(url) or url.endswith("/"):
        return url
    if scheme_of(url) in ("http", "https"):
        # HTTP has no folders; what has no ending is taken for the list of one.
        return url if "." in url.rpartition("/")[2] else f"{url}/"
    with in_words(url):
        found = ask(url, lambda files, path: files.info(path))
    return f"{url}/" if found["type"] == "directory" else url


def entries(folder: str, deepest: int = DEEPEST) -> list[Entry]:
    """Every file below a folder, hidden ones too. Raises UNREACHABLE, FILE_NOT_FOUND."""
    check_url(folder)
    refresh(folder)
    with in_words(folder):
        found = ask(folder, lambda files, path: list(listed(files, path, folder, deepest)))
    if not found:
        with in_words(folder):
            ask(folder, lambda files, path: files.ls(path) or files.info(path))
    return sorted(found, key=lambda entry: entry.url)


def listed(files: AbstractFileSystem, path: str, folder: str, deepest: int) -> Iterator[Entry]:
    """The files below a path, as their file system lists them; what it names outside of it is left out."""
    root = path.rstrip("/") + "/"
    # An object store lists all that is below at once.
    flat = scheme_of(folder) in OBJECT_STORES
    for item in files.find(path, detail=True).values() if flat else walked(files, path, deepest):
        name = str(item["name"])
        if item["type"] == "file" and name.startswith(root) and not name.endswith("/"):
            relative = name[len(root) :]
            size = item.get("size")
            yield Entry(folder.rstrip("/") + "/" + relative, relative, None if size is None else int(size))


def walked(files: AbstractFileSystem, path: str, deepest: int) -> Iterator[dict[str, Any]]:
    """What is in a folder and in those below. fsspec's own walk passes over folders that fail."""
    root = path.rstrip("/") + "/"
    pending = [(path, 1)]
    while pending:
        folder, depth = pending.pop()
        for item in files.ls(folder, detail=True):
            if item["type"] != "directory":
                yield item
            elif str(item["name"]).startswith(root) and depth < deepest:
                pending.append((item["name"], depth + 1))
            elif depth >= DEEPEST:
                raise VistaQLError(
                    Code.UNREADABLE_FILE,
                    f"The folders of '{folder}' lie more than {DEEPEST} deep.",
                    hint="Name a folder further down; perhaps a link leads back up.",
                )


def matching(pattern: str) -> list[Entry]:
    """Files that match a pattern, as they do on this machine; paths are those below the part without a wildcard."""
    folder = fixed_part(pattern)
    parts = pattern[len(folder) + 1 :].split("/")
    parts = [*parts, "*"] if parts[-1] == "**" else parts
    found = entries(f"{folder}/", DEEPEST if "**" in parts else len(parts))
    return [entry for entry in found if matches(entry.relative.split("/"), parts)]


def matches(names: list[str], pattern: list[str]) -> bool:
    """Whether a path has a pattern: ** is any folders; a hidden name matches only by its dot.

    >>> matches(["a", "b", "c.jpg"], ["**", "*.jpg"]), matches(["a", ".c.jpg"], ["a", "*"])
    (True, False)
    """
    if not pattern or not names:
        return not pattern and not names
    first, *rest = pattern
    if first == "**":
        return matches(names, rest) or (not names[0].startswith(".") and matches(names[1:], pattern))
    shown = not names[0].startswith(".") or first.startswith(".")
    return shown and fnmatchcase(names[0], first) and matches(names[1:], rest)


def measured(url: str) -> int:
    """The bytes of a file, 0 where the server does not tell. Raises what `read` raises."""
    found = ask(url, lambda files, path: files.info(path))
    if found["type"] == "directory":
        raise FileNotFoundError(url)
    return int(found.get("size") or 0)


def size(url: str) -> int | None:
    """The bytes of a file; None where there is none."""
    try:
        return measured(url)
    except FileNotFoundError:
        return None


def sizes(urls: Iterable[str]) -> list[int | None]:
    """The bytes of many files."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(size, urls))


def read(url: str) -> bytes:
    """The whole file. Raises FileNotFoundError, PermissionError; UNREACHABLE where the server is to blame."""
    return bytes(ask(url, lambda files, path: files.cat_file(path)))


def head(url: str, count: int) -> bytes:
    """The first bytes of a file, or all of them."""

    def first(files: AbstractFileSystem, path: str) -> bytes:
        try:
            return bytes(files.cat_file(path, start=0, end=count))
        except FileNotFoundError:
            raise
        # S3 and some web servers give no part of an empty file.
        except Exception:  # noqa: BLE001, what is wrong with more than the part is wrong with the whole
            return bytes(files.cat_file(path))

    return ask(url, first)


def copied(url: str, path: str) -> str:
    """The file as a file of this machine, at a path."""
    with in_words(url):
        ask(url, lambda files, there: files.get_file(there, path))
    return path


def opened(url: str) -> RemoteFile:
    """The file, open for reading in any order; a copy of it, where its server only gives whole files."""
    check_url(url)
    with in_words(url):
        if scheme_of(url) in RANGED:
            return RemoteFile(url, ask(url, lambda files, path: files.open(path, "rb")))
        with NamedTemporaryFile(prefix="vistaql-") as copy:
            return RemoteFile(url, Path(copied(url, copy.name)).open("rb"))
