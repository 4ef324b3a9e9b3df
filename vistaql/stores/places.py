"""Places of files: paths of this machine and URLs, asked the same questions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vistaql.errors import VistaQLError
from vistaql.stores.files import is_pattern, not_found
from vistaql.stores.urls import is_url

if TYPE_CHECKING:
    from vistaql.stores.remote_file import RemoteFile


def located(place: str) -> str:
    """The place, if it is there; a URL of a folder with a slash at its end, by which it is known from then on.

    Raises FILE_NOT_FOUND, BAD_URL, UNREACHABLE. A pattern is not looked for.
    """
    if is_url(place):
        from vistaql.stores import remote

        return remote.located(place)
    if not is_pattern(place) and not os.path.exists(place):
        raise not_found(place)
    return place


def is_folder(place: str) -> bool:
    """Whether a place that was located is a folder."""
    return place.endswith("/") if is_url(place) else os.path.isdir(place)


def missing(place: str) -> VistaQLError:
    """The error for a place where nothing is."""
    if is_url(place):
        from vistaql.stores import connections

        return connections.not_found(place)
    return not_found(place)


def size_of(place: str) -> int:
    """The bytes of a file."""
    if is_url(place):
        from vistaql.stores import remote

        return remote.size(place) or 0
    return os.path.getsize(place)


def readable(place: str) -> str | RemoteFile:
    """A file as readers of Arrow take it: its path, or itself, opened."""
    if is_url(place):
        from vistaql.stores import remote

        return remote.opened(place)
    return place
