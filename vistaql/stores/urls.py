"""URLs as text: which are read at all, and which are paths of this machine."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit
from urllib.request import url2pathname

from vistaql.errors import PASSWORD, Code, VistaQLError

LIBRARIES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs",
    "hdfs": "pyarrow", "webhdfs": "requests", "ftp": "fsspec", "sftp": "paramiko", "http": "aiohttp",
    "https": "aiohttp",
}  # fmt: skip
"""Schemes that are read, and the package that fsspec needs for each. No other is reached, whatever fsspec knows."""
IN_EXTRA = frozenset({"fsspec", "s3fs", "aiohttp"})
"""packages that `vistaql[remote]` brings"""
OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"})
"""schemes whose folders are only beginnings of names, so that one question lists all below"""
ALLOWED = "VISTAQL_URLS"
"""The variable of the environment that names the schemes that may be read, apart by commas; no script can set it."""
START = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


def is_url(place: str) -> bool:
    """Whether a place is a URL, and no path of this machine.

    >>> is_url("s3://photos/2024/"), is_url("/data/photos"), is_url("C://photos")
    (True, False, False)
    """
    return START.match(place) is not None


def scheme_of(url: str) -> str:
    """What stands before `://`, in lower case."""
    return url.partition("://")[0].lower()


def allowed() -> tuple[str, ...]:
    """The schemes that may be read here."""
    chosen = os.environ.get(ALLOWED)
    if chosen is None:
        return tuple(LIBRARIES)
    words = {word.strip().lower() for word in chosen.split(",")}
    return tuple(scheme for scheme in LIBRARIES if scheme in words)


def as_path(text: str) -> str:
    """The path of this machine that a URL of the scheme file means; any other text as it is, its scheme in lower case.

    >>> as_path("file:///data/my%20photos/"), as_path("S3://photos/A.jpg"), as_path("photos/")
    ('/data/my photos/', 's3://photos/A.jpg', 'photos/')
    """
    if not is_url(text):
        return text
    scheme, rest = scheme_of(text), text.partition("://")[2]
    if scheme != "file":
        return f"{scheme}://{rest}"
    parts = urlsplit(text)
    if parts.netloc.lower() not in ("", "localhost") or not parts.path:
        raise VistaQLError(
            Code.BAD_URL, f"'{text}' names no path of this machine.", hint="A file has three slashes: 'file:///data/'."
        )
    return url2pathname(parts.path)


def check_url(url: str) -> None:
    """Refuse a URL that is not read here, or that holds a secret, before anything is asked of the network."""
    scheme = scheme_of(url)
    if PASSWORD.search(url):
        raise VistaQLError(
            Code.BAD_URL,
            "A password in a URL would be kept and shown with it.",
            hint=f"Leave it out: {advice(scheme)}",
        )
    if scheme not in allowed():
        may = ", ".join(("file", *allowed()))
        why = f"is not among those that {ALLOWED} allows" if scheme in LIBRARIES else "is none that is read"
        raise VistaQLError(Code.BAD_URL, f"The scheme of '{url}' {why}.", hint=f"Those that are read: {may}.")
    if not url.partition("://")[2].strip("/"):
        raise VistaQLError(Code.BAD_URL, f"'{url}' names no place.", hint="Write for instance 's3://bucket/photos/'.")
    if scheme in ("http", "https") and re.search(r"[?#]", url):
        raise VistaQLError(
            Code.BAD_URL,
            "Behind ? in a URL there may be a secret, which would be kept and shown with it.",
            hint="Name the file alone; a pattern cannot have ? here, but *.",
        )


def advice(scheme: str) -> str:
    """Where the secrets of a scheme belong."""
    if scheme in ("s3", "s3a"):
        return "keys of S3 are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from ~/.aws/credentials."
    return f"set FSSPEC_{scheme.upper()}_USERNAME and FSSPEC_{scheme.upper()}_PASSWORD before you start."
