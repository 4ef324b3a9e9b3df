"""Wrong situations, from the command line: each is told with its place, what was found, and what to type next."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.docs.test_docs import run, trimmed
from vistaql.demo.folder import SETUP
from vistaql.session import connect

FILE = Path(__file__).with_name("wrong.txt")
MORE = "CREATE IMAGES tens FROM 'scans/' KEY FROM REGEX '(\\d\\d)\\d\\.png$';"
FIGURE = re.compile(r"\d+(?:\.\d+)? ?[MG]B")


@pytest.fixture
def wrong_place(odd_place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo's folder with odd files, a damaged catalog, a script with a mistake, and no network."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("KERAS_HOME", str(odd_place / "keras"))
    monkeypatch.setenv("VISTAQL_HOME", str(odd_place / "home"))
    for name in ("damaged", "keras"):
        (odd_place / name).mkdir(exist_ok=True)
    (odd_place / "damaged" / "catalog.sqlite").write_bytes(b"This was a catalog once." * 400)
    (odd_place / "wrong.vql").write_text("SHOW TABLES;\nEXPLORE strokes FROM scans\nJOIN measures TRIAN lr;\n")
    with connect() as session:
        for _ in session.run(SETUP + MORE, {}, odd_place):
            pass
    return odd_place


def blocks() -> list[tuple[str, str]]:
    """Each command with what it is expected to print."""
    parts = FILE.read_text(encoding="utf-8").strip().split("\n\n")[1:]
    return [(part.split("\n")[0], "\n".join(part.split("\n")[1:])) for part in parts]


def told(typed: str, place: Path) -> str:
    """What the command prints, without folders and figures of memory."""
    code, output = run(*shlex.split(typed)[2:])
    text = f"{trimmed(output)}exit code {code}"
    lines = text.replace(str(place.resolve()), "FOLDER").split("\n")
    return "\n".join(line if line.startswith("  line ") else FIGURE.sub("_", line) for line in lines)


def test_each_situation_is_told_as_written(wrong_place: Path, request: pytest.FixtureRequest) -> None:
    parts, differing = [FILE.read_text(encoding="utf-8").split("\n\n")[0]], []
    for typed, expected in blocks():
        actual = told(typed, wrong_place)
        parts.append(f"{typed}\n{actual}")
        if actual != expected:
            differing.append(f"{typed}\n{actual}\ninstead of\n{expected}")
    if request.config.getoption("--bless"):
        FILE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    else:
        assert not differing, "\n\n".join(differing)


def test_each_says_where_what_and_what_next() -> None:
    assert len(blocks()) >= 40
    for typed, expected in blocks():
        assert re.match(r"VQL\d{4}: ", expected), typed
        assert "  hint: " in expected, typed
        if "-c" in typed and "--set" not in typed and "--home" not in typed and "--format" not in typed:
            assert "^" in expected, typed
        assert "exit code 0" not in expected, typed
