"""Wrong situations, from the command line: each is told with its place, what was found, and what to type next."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.docs.test_docs import ROOT, run, trimmed
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
    (odd_place / "several.vql").write_text("SHOW TABLS;\nEXPLORE strokes FORM scans;\nDROP scans;\n")
    (odd_place / "names.vql").write_text("SET plan = lazy;\n\nDESCRIBE measurs;\n")
    (odd_place / "nothing.csv").write_text("")
    (odd_place / "ragged.csv").write_text("a,b\n1,2\n3,4,5,6\n")
    (odd_place / "torn.parquet").write_text("PAR1 and no more")
    with connect() as session:
        for _ in session.run(SETUP + MORE, {}, odd_place):
            pass
    return odd_place


def blocks() -> list[tuple[str, str]]:
    """Each command with what it is expected to print."""
    parts = re.split(r"\n\n(?=\$ )", FILE.read_text(encoding="utf-8").strip())[1:]
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


def test_no_two_are_the_same() -> None:
    golden = ROOT / "tests"
    scripts = (golden / "golden" / "binding.vql", *(golden / "frontend" / "golden").glob("[ef]*.vql"))
    typed = [block.split("\n--: ")[0] for script in scripts for block in script.read_text("utf-8").split("\n\n")[1:]]
    told = [*typed, *(command for command, _ in blocks())]
    assert len(set(told)) == len(told) >= 300


def test_each_says_where_what_and_what_next() -> None:
    assert len(blocks()) >= 100
    for typed, expected in blocks():
        assert re.search(r"^VQL\d{4}: ", expected, re.MULTILINE), typed
        assert "  hint: " in expected, typed
        if '-c "' in typed and not re.search("--(set|home|format|fromat)", typed):
            assert "^" in expected, typed
        assert "exit code 0" not in expected, typed
