"""The project stands on its own: no file knows the machine it was written on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ABSOLUTE = re.compile(r"(?<![\w.~])/(?:root|home|Users|work|mnt|scratch)/\w")
# The one file that may know where the real photos lie beside the checkout.
KNOWS_ITS_NEIGHBOUR = {".ci/run"}


def test_no_file_names_a_path_of_a_machine_or_beside_the_checkout(checkout: Path) -> None:
    git = shutil.which("git")
    if git is None or not (checkout / ".git").exists():
        pytest.skip("not a clone")
    listed = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=checkout, capture_output=True, text=True, check=True).stdout.split("\0")
    guilty = []
    for name in sorted(set(filter(None, names)) - KNOWS_ITS_NEIGHBOUR):
        file = checkout / name
        text = file.read_bytes().decode("utf-8", errors="replace") if file.is_file() else ""
        guilty += [f"{name}: {line}" for line in text.split("\n") if ABSOLUTE.search(line) or "../" + "shared" in line]
    assert guilty == []
