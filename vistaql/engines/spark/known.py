"""The settings that Spark itself knows, for those who mistype one: Spark takes any name and says nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

# Classes that do nothing but declare settings; their names stand in them as they are typed.
DECLARED = {
    "spark-core": "org/apache/spark/internal/config/",
    "spark-catalyst": "org/apache/spark/sql/internal/SQLConf$.class",
    "spark-kubernetes": "org/apache/spark/deploy/k8s/Config",
    "spark-yarn": "org/apache/spark/deploy/yarn/config/",
}
# Less alike are names of others: those of Hadoop, of libraries, of programs that read Spark's settings.
ALIKE = 0.92
# A text in a class: the byte 1, two bytes of length, the text.
NAME = re.compile(rb"\x01..(spark\.[\w.]+)", re.DOTALL)


def meant(name: str) -> str | None:
    """The setting that a name is nearly, where Spark has none of that name.

    >>> meant("spark.executer.memory"), meant("spark.executor.memory"), meant("spark.hadoop.fs.s3a.endpoint")
    ('spark.executor.memory', None, None)
    """
    known = settings_of_spark()
    if name in known:
        return None
    folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=ALIKE)
    return folded[close[0]] if close else None


@cache
def settings_of_spark() -> frozenset[str]:
    """The names in Spark's own files, which takes a tenth of a second and no Java; none where they are not found."""
    return frozenset(declared())


def declared() -> Iterator[str]:
    """Each name that is declared."""
    package = find_spec("pyspark")
    if package is None or package.origin is None:
        return
    for jar, classes in DECLARED.items():
        for path in (Path(package.origin).parent / "jars").glob(f"{jar}_*.jar"):
            with ZipFile(path) as archive:
                for entry in archive.namelist():
                    if entry.startswith(classes):
                        yield from (found.decode() for found in NAME.findall(archive.read(entry)))
