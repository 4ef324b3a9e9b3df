"""Files behind URLs: listed, measured and read by fsspec, in this process and in Spark's workers alike.

Nothing that comes from here is kept: every statement asks again, so that it sees what is there.
"""

from __future__ import annotations

import ftplib
import io
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from vistaql.errors import Code, VistaQLError, nearest
from vistaql.stores.files import MAGIC, fixed_part
from vistaql.stores.urls import IN_EXTRA, LIBRARIES, OBJECT_STORES, check_url, scheme_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Value = TypeVar("Value")

CONNECTIONS = 8
"""files that are asked for at once; FTP servers rarely allow more of one machine"""
DEEPEST = 64
"""folders in folders; a server may show a link that leads back up as a folder, without end"""
S3_TRIES = {"retries": {"mode": "standard", "total_max_attempts": 3}}
"""s3fs by itself asks a server that is not there for ten seconds"""
RANGED = OBJECT_STORES | {"hdfs", "webhdfs"}
"""schemes whose servers give parts of a file; of others a file is copied as a whole before it is read out of order"""
NO_SUCH_FILE = "550"
"""what FTP says of a file that it lacks, and of one that may not be read"""
HELD = threading.local()
"""the connections of a thread: those of FTP serve one at a time"""


class Entry(NamedTuple):
    """A file behind a URL, its path below the folder that was asked for, and its bytes where they were told."""

    url: str
    relative: str
    bytes: int | None


def located(url: str) -> str:
    """The URL, checked; with a slash at its end if it is a folder. Raises BAD_URL, UNREACHABLE, FILE_NOT_FOUND."""
    check_url(url)
    forget(url)
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
    forget(folder)
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
    """The first bytes of a file that is not empty."""
    return bytes(ask(url, lambda files, path: files.cat_file(path, start=0, end=count)))


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
            files, path = connected(url)
            return RemoteFile(url, files.open(path, "rb"))
        with NamedTemporaryFile(prefix="vistaql-") as copy:
            return RemoteFile(url, Path(copied(url, copy.name)).open("rb"))


class RemoteFile(io.BufferedIOBase):
    """A file behind a URL; where the server fails while it is read, that is UNREACHABLE.

    DuckDB lets several threads go to a place and read from there, without waiting for each other; so the place that
    a thread went to is its own until it has read. Or one goes back to the beginning, and another reads on from there.
    """

    def __init__(self, url: str, file: Any) -> None:
        self.url, self.file = url, file
        self.reading = threading.Lock()
        self.gone_to: dict[int, int] = {}

    def readable(self) -> bool:
        """It can be read, and is never written."""
        return True

    def seekable(self) -> bool:
        """It can be read in any order."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        with in_words(self.url), self.reading:
            mine = threading.get_ident()
            if self.gone_to:
                self.file.seek(self.gone_to.pop(mine) if mine in self.gone_to else self.gone_to.popitem()[1])
            return cast("bytes", self.file.read(-1 if size is None else size))

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place in the file."""
        with in_words(self.url), self.reading:
            here = self.tell()
            place = offset if whence == 0 else here + offset if whence == 1 else int(self.file.seek(offset, whence))
            self.gone_to.pop(threading.get_ident(), None)
            self.gone_to[threading.get_ident()] = place
            return place

    def tell(self) -> int:
        """The place in the file."""
        return self.gone_to.get(threading.get_ident(), int(self.file.tell()))

    def close(self) -> None:
        """Give the connection back."""
        self.file.close()
        super().close()


def ask(url: str, question: Callable[[AbstractFileSystem, str], Value]) -> Value:
    """Ask the server of a URL, once more where that fails: connections that were idle are closed by many."""
    for again in (True, False):
        try:
            return question(*held(url))
        except (VistaQLError, FileNotFoundError, PermissionError):
            raise
        except ftplib.error_perm as failure:
            if str(failure).startswith(NO_SUCH_FILE):
                raise FileNotFoundError(url) from failure
            raise unreachable(url, failure) from failure
        # Every library has exceptions of its own, and not all are OSError.
        except Exception as failure:
            forget(url)
            if not again:
                raise unreachable(url, failure) from failure
    message = "the second try returns or raises"
    raise AssertionError(message)


def held(url: str) -> tuple[AbstractFileSystem, str]:
    """The connection that this thread has to the server of a URL, and the path there."""
    known = HELD.__dict__
    if server(url) not in known:
        known[server(url)] = connected(url)[0]
    files = known[server(url)]
    return files, str(files._strip_protocol(url))  # noqa: SLF001, fsspec has no public name for it


def forget(url: str) -> None:
    """Ask the server by a new connection next time."""
    HELD.__dict__.pop(server(url), None)


def server(url: str) -> str:
    """Scheme and host."""
    return "/".join(url.split("/", 3)[:3])


def connected(url: str) -> tuple[AbstractFileSystem, str]:
    """A new connection to the server of a URL, and the path there."""
    scheme = scheme_of(url)
    try:
        import fsspec

        kind = fsspec.get_filesystem_class(scheme)
    except ImportError as failure:
        package = LIBRARIES[scheme]
        raise VistaQLError(
            Code.BAD_URL,
            f"'{scheme}://' is read by {package}, which is not installed.",
            hint="pip install 'vistaql[remote]'" + ("" if package in IN_EXTRA else f" {package}"),
        ) from failure
    options = kind._get_kwargs_from_urls(url)  # noqa: SLF001, as above
    if scheme in ("s3", "s3a"):
        options["config_kwargs"] = S3_TRIES | fsspec.config.conf.get("s3", {}).get("config_kwargs", {})
    # An instance that fsspec keeps would show what was there before.
    files = kind(skip_instance_cache=True, **options)
    return files, str(kind._strip_protocol(url))  # noqa: SLF001


@contextmanager
def in_words(url: str) -> Iterator[None]:
    """Errors of file systems inside the block, as ours."""
    try:
        yield
    except VistaQLError:
        raise
    except FileNotFoundError as failure:
        raise not_found(url) from failure
    except Exception as failure:
        raise unreachable(url, failure) from failure


def unreachable(url: str, failure: Exception) -> VistaQLError:
    """The error for a server that does not answer, or refuses."""
    said = (str(failure).strip().splitlines() or [""])[0].rstrip(".")
    reason = re.sub(r"^\[Errno -?\d+\] ", "", said) or type(failure).__name__
    denied = isinstance(failure, PermissionError) or "credential" in reason.lower()
    return VistaQLError(
        Code.UNREACHABLE,
        f"'{url}' cannot be read: {reason}.",
        hint="Check who may read it, and the keys in the environment of this process and of Spark's workers."
        if denied
        else "Check the URL, and whether the server can be reached from here and from Spark's workers.",
    )


def not_found(url: str) -> VistaQLError:
    """The error for a URL that leads nowhere, with what is there instead."""
    folder, _, name = url.rstrip("/").rpartition("/")
    there: list[str] = []
    try:
        if folder.partition("://")[2]:
            found = ask(f"{folder}/", lambda files, path: files.ls(path, detail=False))
            there = sorted(str(item).rstrip("/").rpartition("/")[2] for item in found)
    except (VistaQLError, OSError):
        pass
    close = nearest(name, there)
    listed = ", ".join(there[:8]) + (f" and {len(there) - 8} more" if len(there) > 8 else "")
    hint = (f"Did you mean {folder}/{close}? " if close else "") + (f"{folder}/ holds: {listed}." if there else "")
    return VistaQLError(
        Code.FILE_NOT_FOUND, f"There is no file or folder '{url}'.", hint=hint or "Check bucket, host and path."
    )
