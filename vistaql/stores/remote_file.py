"""A file behind a URL, read in any order."""

from __future__ import annotations

import io
import threading
from typing import Any, cast

from vistaql.stores.connections import in_words


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
