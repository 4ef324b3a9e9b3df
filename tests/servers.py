"""Servers on loopback for tests of URLs: real ones, in a thread of the test's own process."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Serving:
    """A server, by the URL of its folder; `stop` ends it and cuts its connections."""

    url: str
    stop: Callable[[], None]


@contextmanager
def ftp(folder: Path) -> Iterator[Serving]:
    """An FTP server that lets anybody read a folder."""
    with warnings.catch_warnings():
        # It is built on asyncore, which Python 3.11 says will go; from 3.12 on it brings its own.
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.handlers import FTPHandler
        from pyftpdlib.ioloop import IOLoop
        from pyftpdlib.servers import FTPServer

    # Else it would write to the terminal what it does.
    logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())
    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)

    class Handler(FTPHandler):
        authorizer = DummyAuthorizer()

    Handler.authorizer.add_anonymous(str(folder))
    # By default all servers of a process share a loop, and the thread of one would serve and close another's sockets.
    server = FTPServer(("127.0.0.1", 0), Handler, ioloop=IOLoop())
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            server.serve_forever(timeout=0.02, blocking=False)
        server.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def stop() -> None:
        ending.set()
        thread.join()

    try:
        yield Serving(f"ftp://127.0.0.1:{server.address[1]}/", stop)
    finally:
        stop()


@contextmanager
def http(folder: Path) -> Iterator[Serving]:
    """A web server that lists its folders, as that of Python does."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    try:
        yield Serving(f"http://127.0.0.1:{server.server_address[1]}/", stop)
    finally:
        if thread.is_alive():
            stop()


@contextmanager
def s3(folder: Path, bucket: str, environ: pytest.MonkeyPatch) -> Iterator[Serving]:
    """An S3 server with one bucket, which holds the files of a folder; clients find it by the environment."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "AKIATESTING",
        "AWS_SECRET_ACCESS_KEY": "very/secret+key",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        environ.setenv(name, value)
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            client.put_object(Bucket=bucket, Key=path.relative_to(folder).as_posix(), Body=path.read_bytes())
    client.close()
    stopped = threading.Event()

    def stop() -> None:
        if not stopped.is_set():
            stopped.set()
            server.stop()

    try:
        yield Serving(f"s3://{bucket}/", stop)
    finally:
        stop()
