"""What stays after a query: its answer in the catalog, its bad images, and a file where INTO names one."""

from __future__ import annotations

import os
from pathlib import Path

from vistaql.catalog.catalog import Catalog
from vistaql.errors import Code, VistaQLError
from vistaql.frontend.binder import BoundQuery
from vistaql.logical.nodes import images_of
from vistaql.outcome import BadImage, Exploration, Report


def keep(
    outcome: Exploration | Report, bound: BoundQuery, catalog: Catalog, bad: tuple[BadImage, ...]
) -> Exploration | Report:
    """Keep an answer under its name; the answer as it is kept."""
    images = images_of(bound.plan).images.name
    if isinstance(outcome, Report):
        with catalog.transaction() as writer:
            writer.put_bad_images(images, bad)
        return outcome
    if bound.into_file is not None:
        write_result(outcome, bound.into_file)
    with catalog.transaction() as writer:
        return writer.put_result(outcome, images)


def write_result(answer: Exploration, path: str) -> None:
    """The rows of an answer as CSV, JSON or Parquet, by the ending of the file's name; whole or not at all."""
    unfinished = Path(f"{path}.{os.getpid()}.part")
    try:
        match Path(path).suffix.lower():
            case ".csv":
                from vistaql.rendering.machine import to_csv

                unfinished.write_text(to_csv(answer) + "\n", encoding="utf-8")
            case ".json":
                from vistaql.rendering.machine import to_json

                unfinished.write_text(to_json(answer) + "\n", encoding="utf-8")
            case _:
                import pyarrow.parquet as pq

                from vistaql.catalog.results import result_table

                pq.write_table(result_table(answer), unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise VistaQLError(
            Code.NOT_WRITABLE, f"'{path}' cannot be written: {error.strerror}.", hint="INTO another folder."
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
