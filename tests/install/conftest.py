"""A copy of the project in a folder with a space and an umlaut, and machines that have more or less on their PATH.

The Python on such a machine makes environments that see the packages of the environment which runs these tests,
so that an installation is a real one, by the real pip, and yet needs neither a network nor four minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SHIPPED = ("LICENSE", "Makefile", "README.md", "grammar", "install.sh", "pyproject.toml", "vistaql")
TOOLS = ("cat", "cksum", "date", "dirname", "env", "id", "make", "mkdir", "mv", "rm", "sh", "sleep", "uname")
# False means "no isolation" to pip when it comes from the environment.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHON = f'"{Path(sys.base_prefix) / "bin" / f"python{VERSION}"}"'
SITE = f"lib/python{VERSION}/site-packages"
OURS = sysconfig.get_path("purelib")
# `python -m venv FOLDER`, in a second instead of ten: pip is one of the packages that the environment sees.
MAKE_ENVIRONMENT = f"""
case "$*" in *"-m venv"*)
    {PYTHON} "$@" --without-pip
    for folder; do :; done
    echo "{OURS}" >"$folder/{SITE}/ours.pth"
    exit ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A checkout, and the programs on the PATH of who stands in it."""

    checkout: Path
    programs: Path
    home: Path
    shell: str = "sh"
    environment: dict[str, str] = field(default_factory=lambda: {**OFFLINE, "PIP_NO_DEPS": "1"})

    def program(self, name: str, script: str) -> None:
        """Put a shell script on the PATH."""
        file = self.programs / name
        file.unlink(missing_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    def python(self, name: str = f"python{VERSION}", *, prefilled: bool = True) -> None:
        """Put a fitting Python on the PATH."""
        self.program(name, f'{MAKE_ENVIRONMENT if prefilled else ""}exec {PYTHON} "$@"')

    def run(self, *command: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command, in the checkout by default, with nothing of the environment of these tests."""
        return subprocess.run(
            command,
            cwd=cwd or self.checkout,
            env={"PATH": str(self.programs), "HOME": str(self.home), **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def install(self, *extras: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run install.sh as a user would, from another folder."""
        script = os.path.relpath(self.checkout / "install.sh", self.home)
        return self.run(self.shell, script, *extras, cwd=self.home, **environment)

    def ask(self, code: str) -> str:
        """Run a line of Python in the new environment."""
        return self.run(".venv/bin/python", "-I", "-c", code).stdout.strip()

    def imports_this_checkout(self) -> bool:
        """Whether the new environment, and none other, runs this copy of the project."""
        package = self.ask("import vistaql; print(vistaql.__file__)")
        return Path(package) == self.checkout.resolve() / "vistaql" / "__init__.py"


def copy_project(source: Path, target: Path) -> Path:
    """Copy what a clone holds and an installation reads."""
    target.mkdir(parents=True)
    for name in SHIPPED:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source / name, target / name)
    return target


@pytest.fixture
def bare(tmp_path: Path, checkout: Path) -> Machine:
    """A machine without Python."""
    machine = Machine(copy_project(checkout, tmp_path / "mein Gerät" / "vista ql"), tmp_path / "bin", tmp_path / "home")
    machine.programs.mkdir()
    machine.home.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (machine.programs / tool).symlink_to(found)
    return machine


@pytest.fixture
def machine(bare: Machine) -> Machine:
    """A machine with a fitting Python, behind shims of pyenv that stand for nothing."""
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        bare.program(name, f"echo 'pyenv: {name}: command not found' >&2; exit 127")
    bare.python()
    return bare
