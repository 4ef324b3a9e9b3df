"""The screen of `vistaql start` in README.md is what it prints for the small set of clothes."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.rendering.style import Style
from vistaql.session import connect
from vistaql.start import Screen, Wishes, begin, cnn, screen

if TYPE_CHECKING:
    import pytest

README = Path(__file__).parents[2] / "README.md"


def masked(text: str) -> str:
    return re.sub(r"about [\d.]+ (s|min)\b( \d+ s)?", "about # s", text).strip()


def test_the_screen_in_the_readme(test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(test_data / "datasets" / "clothing-small", tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    # The weights cannot be fetched in a test: the network is taken to be there, and the run that needs it is left out.
    monkeypatch.setattr(cnn, "unreachable", lambda _: "")
    monkeypatch.setattr(screen, "run", lambda *_: None)
    written = io.StringIO()
    with connect(tmp_path / "home") as session:
        begin(Wishes(Path("images"), Path("items.csv")), session, Screen(written, Style(), None, "vistaql"))
    shown = re.search(r"```text\n\$ vistaql start images items.csv\n(.*?)```", README.read_text(), re.DOTALL)
    assert shown
    assert masked(written.getvalue()) == masked(shown[1])
