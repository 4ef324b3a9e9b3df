"""DuckDB's way to files behind URLs: a file system for it to ask, that can only read."""

from __future__ import annotations

import io
import shutil
import tempfile
import weakref
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem

from vistaql.errors import Code, VistaQLError
from vistaql.stores import remote
from vistaql.stores.connections import in_words, refresh
from vistaql.stores.files import MAGIC
from vistaql.stores.remote_file import RemoteFile
from vistaql.stores.urls import LIBRARIES, check_url, scheme_of


class RemoteFiles(AbstractFileSystem):  # type: ignore[misc] # fsspec carries no types
    """What DuckDB asks about a URL."""

    protocol = tuple(LIBRARIES)
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[str, int] = {}
        self.copies: dict[str, str] = {}

    def glob(self, path: str, **_: Any) -> list[str]:
        """The files that match a pattern."""
        check_url(path)
        if MAGIC.search(path):
            try:
                found = remote.matching(path)
            except VistaQLError as error:
                if error.code is Code.FILE_NOT_FOUND:
                    return []
                raise
            self.sizes |= {entry.url: entry.bytes for entry in found if entry.bytes is not None}
            return [entry.url for entry in found]
        refresh(path)
        with in_words(path):
            return [] if remote.size(path) is None else [path]

    def open(self, path: str, mode: str = "rb", **_: Any) -> io.BufferedIOBase:
        """A file to read from."""
        if "w" in mode or "a" in mode or "+" in mode:
            message = "files behind URLs are not written"
            raise PermissionError(message)
        if scheme_of(path) in remote.RANGED:
            return remote.opened(path)
        # DuckDB opens a file several times for one query.
        if path not in self.copies:
            self.copies[path] = remote.copied(path, str(self.folder() / str(len(self.copies))))
        return RemoteFile(path, Path(self.copies[path]).open("rb"))

    def folder(self) -> Path:
        """Where copies lie as long as the connection lives."""
        if not self.copies:
            self.kept = Path(tempfile.mkdtemp(prefix="vistaql-"))
            weakref.finalize(self, shutil.rmtree, self.kept, ignore_errors=True)
        return self.kept

    def size(self, path: str) -> int:
        """Its bytes."""
        if path in self.copies:
            return Path(self.copies[path]).stat().st_size
        if path not in self.sizes:
            with in_words(path):
                self.sizes[path] = remote.size(path) or 0
        return self.sizes[path]

    def exists(self, path: str, **_: Any) -> bool:
        """Whether it is there."""
        with in_words(path):
            return remote.size(path) is not None

    def isfile(self, path: str) -> bool:
        """Whether it is a file."""
        return self.exists(path)

    def modified(self, path: str) -> datetime:  # noqa: ARG002, the question has it
        """A time that never changes: nothing outlives the connection, so no file is ever old."""
        return datetime.fromtimestamp(0, UTC)

    def unstrip_protocol(self, name: str) -> str:
        """Names are whole URLs already."""
        return name
