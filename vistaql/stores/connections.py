"""Connections to the servers of URLs by fsspec, and what their failures mean."""

from __future__ import annotations

import ftplib
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from vistaql.errors import Code, VistaQLError, nearest
from vistaql.stores.urls import IN_EXTRA, LIBRARIES, check_url, scheme_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Value = TypeVar("Value")
Server = tuple[object, ...]

S3_TRIES = {"retries": {"mode": "standard", "total_max_attempts": 3}}
"""s3fs by itself asks a server that is not there for ten seconds"""
NO_SUCH_FILE = "550"
"""what FTP says of a file that it lacks, and of one that may not be read"""
SHARED: dict[Server, AbstractFileSystem] = {}
"""connections that all threads of a process use: one of S3 takes a second to make"""
CLOUDS = ("AWS_", "AZURE_", "GOOGLE_")
"""beginnings of variables that decide who is asked, and as whom"""


class Own(threading.local):
    """Connections of one thread: those of FTP serve one question at a time."""

    def __init__(self) -> None:
        self.files: dict[Server, AbstractFileSystem] = {}


OWN = Own()


def ask(url: str, question: Callable[[AbstractFileSystem, str], Value]) -> Value:
    """Ask the server of a URL, once more where that fails: connections that were idle are closed by many."""
    for again in (True, False):
        try:
            return question(*held(url))
        except VistaQLError:
            raise
        # Every library has exceptions of its own, and not all are OSError.
        except Exception as failure:
            if is_gone(failure):
                raise FileNotFoundError(url) from failure
            # Keys may be others next time.
            forget(url)
            if isinstance(failure, PermissionError):
                raise
            if not again:
                raise unreachable(url, failure) from failure
    message = "the second try returns or raises"
    raise AssertionError(message)


def is_gone(failure: Exception) -> bool:
    """Whether there is no such file. fsspec says so as well where a web server does not answer.

    >>> is_gone(FileNotFoundError("s3://photos/a.jpg")), is_gone(ftplib.error_perm("550 No such file."))
    (True, True)
    """
    if isinstance(failure, ftplib.error_perm):
        return str(failure).startswith(NO_SUCH_FILE)
    cause = failure.__cause__
    of_the_web = type(cause).__module__.startswith("aiohttp") or isinstance(cause, TimeoutError)
    answered = not of_the_web or getattr(cause, "status", None) in (404, 410)
    return isinstance(failure, FileNotFoundError) and answered


def held(url: str) -> tuple[AbstractFileSystem, str]:
    """A connection to the server of a URL that was made before, or now; and the path there."""
    server = server_of(url)
    files = SHARED.get(server) or OWN.files.get(server)
    if files is None:
        files = connected(url)
        known = SHARED if files.async_impl else OWN.files
        known[server] = files
    return files, str(files._strip_protocol(url))  # noqa: SLF001, fsspec has no public name for it


def forget(url: str) -> None:
    """Ask the server by a new connection next time."""
    SHARED.pop(server_of(url), None)
    OWN.files.pop(server_of(url), None)


def refresh(url: str) -> None:
    """Forget what the server has listed before."""
    files = SHARED.get(server_of(url)) or OWN.files.get(server_of(url))
    if files is not None:
        files.invalidate_cache()


def server_of(url: str) -> Server:
    """Scheme and host, the process, and who it is; a worker that was forked has connections of its own."""
    who = sorted((name, value) for name, value in os.environ.items() if name.startswith(CLOUDS))
    return ("/".join(url.split("/", 3)[:3]), os.getpid(), *who)


def connected(url: str) -> AbstractFileSystem:
    """A new connection to the server of a URL."""
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
    return kind(skip_instance_cache=True, **options)


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
    told = (failure.__cause__ or failure) if isinstance(failure, FileNotFoundError) else failure
    said = (str(told).strip().splitlines() or [""])[0].rstrip(".")
    reason = re.sub(r"^\[Errno -?\d+\] ", "", said) or type(told).__name__
    denied = isinstance(failure, PermissionError) or "credential" in reason.lower()
    return VistaQLError(
        Code.UNREACHABLE,
        f"'{url}' cannot be read: {reason}.",
        hint="Check who may read it, and the keys in the environment of this process and of Spark's workers."
        if denied
        else "Check the URL, and whether the server can be reached from here and from Spark's workers.",
    )


def not_found(url: str) -> VistaQLError:
    """The error for a URL that leads nowhere, with what is there instead; or for one that is not read at all."""
    try:
        check_url(url)
    except VistaQLError as error:
        return error
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
