"""File paths inside a string that is being typed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vistaql.repl.place import Offer

MOST = 200


def paths(begun: str) -> Iterator[Offer]:
    """What lies in the folder that a path has come to, folders first and with a slash; hidden files when asked for."""
    folder, name = os.path.split(begun)
    inside = Path(folder).expanduser() if folder else Path()
    try:
        entries = sorted(os.scandir(inside), key=lambda entry: (not entry.is_dir(), entry.name.casefold()))
    except OSError:
        return
    fitting = [
        entry
        for entry in entries
        if entry.name.casefold().startswith(name.casefold()) and (name.startswith(".") or entry.name[0] != ".")
    ]
    for entry in fitting[:MOST]:
        end = "/" if entry.is_dir() else ""
        path = begun[: len(begun) - len(name)] + entry.name
        yield Offer(path.replace("'", "''") + end, "" if end else size_of(entry))


def size_of(entry: os.DirEntry[str]) -> str:
    """How large a file is."""
    from vistaql.units import format_size

    try:
        return format_size(entry.stat().st_size)
    except OSError:
        return ""
