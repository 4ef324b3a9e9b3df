"""install.sh on machines that lack this or that."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from .conftest import MAKE_ENVIRONMENT, OFFLINE, OURS, PYTHON, SITE, VERSION, Machine

STAMP = ".venv/.installed"


@pytest.mark.parametrize("shell", [name for name in ("dash", "bash", "ksh") if shutil.which(name)])
def test_a_fresh_clone_installs_and_the_second_run_does_nothing(machine: Machine, shell: str) -> None:
    machine = replace(machine, shell=str(shutil.which(shell)))
    first = machine.install()
    assert (first.returncode, first.stderr) == (0, "")
    assert f"Python {VERSION} found" in first.stdout
    assert "about 1.0 GB to download" in first.stdout
    assert machine.imports_this_checkout()
    assert not (machine.checkout / ".venv" / "tmp").exists()

    written = (machine.checkout / STAMP).stat().st_mtime_ns
    (machine.programs / f"python{VERSION}").unlink()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        again = machine.install()
        seconds.append(time.perf_counter() - start)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (machine.checkout / STAMP).stat().st_mtime_ns == written
    assert min(seconds) < 0.2


def test_the_real_venv_and_every_dependency_are_resolved_by_pip(machine: Machine) -> None:
    machine.python(prefilled=False)
    alone = replace(machine, environment={"PIP_NO_INDEX": "1"}).install("test")
    assert alone.returncode == 1
    assert "No matching distribution found for hatchling" in alone.stderr
    assert "pip could not install VistaQL" in alone.stderr
    assert not (machine.checkout / STAMP).exists()

    # The same environment, now with the packages there: the next run completes it.
    (machine.checkout / ".venv" / SITE / "ours.pth").write_text(OURS, encoding="utf-8")
    complete = replace(machine, environment=OFFLINE).install("test")
    assert (complete.returncode, complete.stderr) == (0, "")
    assert machine.imports_this_checkout()


def without_pip(machine: Machine) -> None:
    machine.run("sh", "-c", f"{PYTHON} -m venv --without-pip .venv")


def without_anything(machine: Machine) -> None:
    (machine.checkout / ".venv" / "bin").mkdir(parents=True)


def killed_inside_pip(machine: Machine) -> None:
    machine.run(f"python{VERSION}", "-m", "venv", ".venv")
    (machine.checkout / ".venv" / ".unfinished").touch()


def of_a_python_that_is_gone(machine: Machine) -> None:
    machine.run(f"python{VERSION}", "-m", "venv", ".venv")
    python = machine.checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")


@pytest.mark.parametrize("leave", [without_pip, without_anything, killed_inside_pip, of_a_python_that_is_gone])
def test_a_half_made_environment_is_made_anew(machine: Machine, leave: Callable[[Machine], None]) -> None:
    leave(machine)
    (machine.checkout / ".venv" / "leftover").touch()
    outcome = machine.install()
    assert outcome.returncode == 0, outcome.stderr
    assert "Making it anew" in outcome.stdout
    assert not (machine.checkout / ".venv" / "leftover").exists()
    assert machine.imports_this_checkout()


def test_the_stamp_follows_extras_and_pyproject(machine: Machine) -> None:
    assert "about 1.0 GB" in machine.install().stdout
    assert "up to date" in machine.install("test").stdout
    assert machine.install().stdout == ""
    assert machine.install("test").stdout == ""

    with (machine.checkout / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.other]\n")
    assert "up to date" in machine.install("test").stdout
    assert machine.install().stdout == ""


def test_a_checkout_that_was_moved_imports_itself(machine: Machine) -> None:
    assert machine.install().returncode == 0
    moved = replace(machine, checkout=machine.checkout.rename(machine.checkout.with_name("moved")))
    outcome = moved.install()
    assert outcome.returncode == 0, outcome.stderr
    assert moved.imports_this_checkout()


def test_an_environment_made_by_hand_is_kept(machine: Machine) -> None:
    machine.run(f"python{VERSION}", "-m", "venv", ".venv")
    (machine.checkout / ".venv" / "mine").touch()
    outcome = machine.install()
    assert outcome.returncode == 0, outcome.stderr
    assert (machine.checkout / ".venv" / "mine").exists()
    assert machine.imports_this_checkout()


def test_settings_of_other_environments_are_left_out(machine: Machine) -> None:
    foreign = machine.home / "foreign"
    foreign.mkdir()
    for module in ("pip", "sitecustomize", "vistaql", "hatchling"):
        (foreign / f"{module}.py").write_text("raise SystemExit('a module of another environment')", encoding="utf-8")
    outcome = machine.install(
        PYTHONPATH=str(foreign),
        PYTHONHOME=str(foreign),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONWARNINGS="error",
        PIP_TARGET=str(foreign),
        PIP_PREFIX=str(foreign),
        PIP_REQUIRE_VIRTUALENV="1",
        PIP_USER="1",
        CDPATH=str(machine.home),
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert sorted(file.name for file in foreign.iterdir()) == [
        "hatchling.py",
        "pip.py",
        "sitecustomize.py",
        "vistaql.py",
    ]
    assert machine.imports_this_checkout()


def test_uv_brings_a_python_where_there_is_none(bare: Machine) -> None:
    bare.program("python3", "exit 1")
    uv = bare.home / ".local" / "bin"
    uv.mkdir(parents=True)
    replace(bare, programs=uv).program(
        "uv",
        f'echo "$*" >>"{bare.home}/asked"\n[ "$1" != --version ] || exit 0\nset -- -m venv .venv\n{MAKE_ENVIRONMENT}',
    )
    outcome = bare.install()
    assert outcome.returncode == 0, outcome.stderr
    assert (bare.home / "asked").read_text(encoding="utf-8").splitlines()[-1].startswith("venv ")
    assert bare.imports_this_checkout()


def line_to_type(outcome: subprocess.CompletedProcess[str]) -> str:
    """The one indented line of the message, without sudo."""
    assert outcome.returncode == 1
    assert "Python 3.11, 3.12 or 3.13" in outcome.stderr
    (line,) = re.findall(r"^    (.+)$", outcome.stderr, re.MULTILINE)
    return str(line).replace("sudo ", "")


UV = "curl -LsSf https://astral.sh/uv/install.sh | sh"


@pytest.mark.parametrize(
    ("programs", "line"),
    [
        ({}, UV),
        ({"wget": "exit 1"}, "wget -qO- https://astral.sh/uv/install.sh | sh"),
        ({"brew": "exit 1"}, "brew install python@3.12"),
        ({"dnf": "exit 1"}, "dnf install -y python3.12"),
        ({"apt-get": "", "apt-cache": '[ "$2" = python3.12-venv ]'}, "apt-get install -y python3.12-venv"),
        ({"apt-get": "", "apt-cache": "exit 100"}, "apt-get update && apt-get install -y python3-venv"),
        ({"apt-get": "", "apt-cache": "exit 100", "python3": "echo 3.14; exit 1"}, UV),
    ],
    ids=["nothing", "wget", "macOS", "Fedora", "Debian", "Debian without lists", "Ubuntu with 3.14 only"],
)
def test_without_a_fitting_python_one_line_is_named(bare: Machine, programs: dict[str, str], line: str) -> None:
    for name, script in programs.items():
        bare.program(name, script)
    assert line_to_type(bare.install()) == line
    assert not (bare.checkout / ".venv").exists()


@pytest.mark.parametrize("lists", ["exit 0", "exit 100"])
def test_a_python_without_ensurepip_names_its_own_package(bare: Machine, lists: str) -> None:
    bare.program("python3", f'case "$*" in *ensurepip*) exit 1 ;; esac\nexec {PYTHON} "$@"')
    bare.program("apt-get", "exit 1")
    bare.program("apt-cache", lists)
    assert line_to_type(bare.install()).endswith(f"apt-get install -y python{VERSION}-venv")
    assert not (bare.checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("kernel", "message"),
    [("Darwin x86_64", "Macs with an Intel processor"), ("MINGW64_NT-10.0 x86_64", "inside WSL")],
)
def test_platforms_without_tensorflow_are_told_so(machine: Machine, kernel: str, message: str) -> None:
    machine.program("uname", f"echo {kernel}")
    outcome = machine.install()
    assert outcome.returncode == 1
    assert message in outcome.stderr


def test_an_unknown_argument_shows_the_usage(machine: Machine) -> None:
    outcome = machine.install("everything")
    assert outcome.returncode == 2
    assert "usage: sh install.sh [test]" in outcome.stderr
