"""Features as a folder of Parquet files, which the workers write."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.engines.spark import summing
from vistaql.errors import Code, VistaQLError
from vistaql.stores.quoting import identifier

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def write_features(frame: DataFrame, widths: tuple[int, ...], names: tuple[str, ...], path: str) -> int:
    """Write `key` and one list of float32 for each name to files in the folder `path`; the number of rows.

    The folder appears under its name when all files in it are whole. Raises NO_ROWS, NOT_WRITABLE.
    """
    from pyspark.errors import PySparkException

    columns = ", ".join(f"f{place} array<float>" for place in range(len(widths)))
    wide = frame.mapInArrow(summing.lists(widths), f"key string, {columns}")
    unfinished = f"{path}.{os.getpid()}.part"
    try:
        wide.toDF("key", *names).write.parquet(f"file://{Path(unfinished).absolute()}")
        written = frame.sparkSession.read.parquet(f"file://{Path(unfinished).absolute()}").count()
        if not written:
            raise VistaQLError(Code.NO_ROWS, "There is nothing to export: no usable image has a row.")
        replace_with(unfinished, path)
    except (OSError, PySparkException) as error:
        raise VistaQLError(
            Code.NOT_WRITABLE, f"{identifier(path)} cannot be written: {str(error).splitlines()[0]}.",
            hint="Name a file in another folder.",
        ) from error  # fmt: skip
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return written


def replace_with(new: str, path: str) -> None:
    """Put a folder where a file or an earlier folder of Parquet files may be."""
    old = Path(path)
    if old.is_dir():
        shutil.rmtree(old)
    else:
        old.unlink(missing_ok=True)
    Path(new).replace(old)
