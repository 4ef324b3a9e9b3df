"""The programs that VistaQL stands on: Python, TensorFlow, Spark, Java."""

from __future__ import annotations

import os
import platform
import struct
import sys
from importlib.metadata import PackageNotFoundError, version

from vistaql.doctor.finding import Finding, fault, good, note
from vistaql.errors import VistaQLError

PYTHONS = ((3, 11), (3, 13))
WITHOUT = "The engine in this process works without it."
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
        return note("Spark", f"PySpark is not installed. {WITHOUT}", "pip install pyspark")
    return good("Spark", f"pyspark {found}")


def java() -> Finding:
    """The Java that Spark would run on, and where it comes from."""
    from vistaql.engines.spark.java import find_java

    try:
        return good("Java", str(find_java()))
    except VistaQLError as error:
        return note("Java", f"{error.message} {WITHOUT}", error.hint or "")
