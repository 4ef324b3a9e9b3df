"""Servers on loopback for tests of URLs: real ones, in a thread of the test's own process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class Serving:
    """A server of a folder. `asked` counts what was fetched, by name."""

    url: str
    close: object
    asked: list[str] = field(default_factory=list)

    def stop(self) -> None:
        """End it; connections that are open are cut."""
        assert callable(self.close)
        self.close()


@contextmanager
def ftp(folder: Path, port: int = 0) -> Iterator[Serving]:
    """An FTP server that lets anybody read a folder."""
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
    asked: list[str] = []

    class Handler(FTPHandler):  # type: ignore[misc]
        authorizer = DummyAuthorizer()

        def on_file_sent(self, file: str) -> None:
            asked.append(Path(file).name)

    Handler.authorizer.add_anonymous(str(folder))
    Handler.authorizer.add_user("ann", "s3cret", str(folder))
    server = FTPServer(("127.0.0.1", port), Handler)
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
        yield Serving(f"ftp://127.0.0.1:{server.address[1]}/", stop, asked)
    finally:
        stop()


@contextmanager
def http(folder: Path) -> Iterator[Serving]:
    """A web server that lists its folders, as that of Python does."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code: object = "-", size: object = "-") -> None:  # noqa: ARG002
            asked.append(f"{self.command} {self.path}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    try:
        yield Serving(f"http://127.0.0.1:{server.server_address[1]}/", stop, asked)
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
