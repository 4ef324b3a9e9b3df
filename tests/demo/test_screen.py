"""What a newcomer meets: the screen of the demo, and the commands it ends with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vistaql.cli import main

GOLDEN = Path(__file__).parent / "screen.txt"
PROGRAM = "python -m vistaql"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the newcomer stands."""
    return tmp_path_factory.mktemp("a place with spaces and ü")


@pytest.fixture(scope="module")
def environ(place: Path) -> dict[str, str]:
    """No home that can be written, no network, a `python` that is this one."""
    (place / "bin").mkdir()
    (place / "bin" / "python").symlink_to(sys.executable)
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    return {**os.environ, **proxies, "HOME": "/proc/no-home", "XDG_DATA_HOME": "/proc/no-home"}


@pytest.fixture(scope="module")
def screen(place: Path, environ: dict[str, str]) -> str:
    """What the demo prints."""
    words = [sys.executable, "-m", "vistaql", "demo"]
    ended = subprocess.run(
        words, cwd=place, env=environ, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def masked(screen: str) -> str:
    """The screen without what differs from run to run and from processor to processor."""
    screen = screen.replace(f"{sys.executable} -m vistaql", PROGRAM)
    screen = re.sub(r"\.{4,} [\d.]+ s", ".... # s", screen)
    screen = re.sub(r"\d+(\.\d+)? s\b", "# s", screen)
    screen = re.sub(r"(\d\.\d\d)\d\b", r"\1_", screen)
    # Seconds of another length move the ends of lines in the account.
    account = re.compile(r"^  896 images.*?In all # s\.", re.DOTALL | re.MULTILINE)
    return account.sub(lambda found: "  " + " ".join(found[0].split()), screen)


def test_the_screen(screen: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--bless"):
        GOLDEN.write_text(masked(screen), encoding="utf-8")
    assert masked(screen) == GOLDEN.read_text(encoding="utf-8")


def test_the_screen_is_plain_and_fits(screen: str) -> None:
    assert screen.isascii()
    answer = screen[: screen.index("Try next")]
    assert max(map(len, answer.splitlines())) <= 80


def test_the_middle_wins_and_the_last_layer_loses_by_far(screen: str) -> None:
    means = {
        name: float(mean)
        for name, mean in re.findall(r"^  (conv\d|fc\d|table alone) +\d+ +(0\.\d+)", screen, re.MULTILINE)
    }
    assert len(means) == 7
    assert max(means, key=means.__getitem__) == "conv3"
    assert means["conv3"] - means["fc6"] > 0.1
    assert means["conv1"] - means["table alone"] > 0.1


def commands(screen: str) -> list[str]:
    """The commands under "Try next", as they are printed."""
    lines = screen[screen.index("Try next") :].splitlines()[1:]
    return [text.strip() for text in re.split(r"^  #.*\n", "\n".join(lines) + "\n", flags=re.MULTILINE) if text.strip()]


def test_the_next_commands_work_as_they_are_printed(screen: str, place: Path, environ: dict[str, str]) -> None:
    explain, select, again = commands(screen)
    found = [
        subprocess.run(  # noqa: S602, the command is to be typed into a shell
            command, shell=True, cwd=place, env=environ, capture_output=True, text=True, timeout=300, check=False
        )
        for command in (explain, select, again)
    ]
    assert [(ended.returncode, ended.stderr) for ended in found] == [(0, "")] * 3
    assert found[0].stdout.startswith("plan ")
    assert "conv3" in found[1].stdout
    table = re.compile(r"^  layer.*^  commonest digit[^\n]*", re.DOTALL | re.MULTILINE)
    first, second = table.search(screen), table.search(found[2].stdout)
    assert first
    assert second
    assert first[0] == second[0]


def test_a_foreign_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    assert main(["demo", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert "holds what is not the demo's: thesis.tex." in err
    assert "Traceback" not in err
