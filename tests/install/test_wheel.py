"""The wheel holds the language and the facts, and works beside no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .conftest import OURS, SITE, copy_project

PARSE = """
import vistaql
from vistaql.frontend.parser import parse
parse("EXPLORE LAYERS fc6, fc7 OF vgg16 ON images JOIN products TRAIN logistic_regression;")
print(vistaql.__file__)
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command that must succeed."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    return copy_project(checkout, tmp_path_factory.mktemp("wheel") / "source")


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", ".", cwd=source)
    (built,) = (source / "dist").glob("vistaql-*.whl")
    return built


def test_every_file_of_the_package_and_the_grammar_is_in_the_wheel(source: Path, wheel: Path) -> None:
    expected = {
        *(file.relative_to(source).as_posix() for file in source.glob("vistaql/**/*") if file.is_file()),
        *(f"vistaql/{file.relative_to(source).as_posix()}" for file in source.glob("grammar/**/*") if file.is_file()),
    }
    assert "vistaql/grammar/vistaql.lark" in expected
    with zipfile.ZipFile(wheel) as archive:
        assert expected == {name for name in archive.namelist() if not name.startswith("vistaql-")}


def test_the_wheel_parses_a_statement_beside_no_checkout(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    install = ("install", "--quiet", "--no-deps", "--no-index", wheel)
    run(sys.executable, "-m", "pip", "--python", python, *install, cwd=tmp_path)
    (environment / SITE / "ours.pth").write_text(OURS, encoding="utf-8")
    assert Path(run(python, "-c", PARSE, cwd=tmp_path)) == environment / SITE / "vistaql" / "__init__.py"
    assert (environment / "bin" / "vistaql").exists()


def test_a_bare_checkout_parses_a_statement(source: Path, tmp_path: Path) -> None:
    package = run(sys.executable, "-c", PARSE, cwd=tmp_path, PYTHONPATH=str(source))
    assert Path(package) == source / "vistaql" / "__init__.py"
