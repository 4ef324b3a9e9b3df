"""What stays after a query: its answer in the catalog, its bad images, and a file where INTO names one."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vistaql.catalog.catalog import Catalog, Kind
from vistaql.errors import Code, VistaQLError
from vistaql.frontend.binder import BoundQuery
from vistaql.logical.nodes import Export, images_of
from vistaql.outcome import BadImage, Counts, Exploration, PlanSummary, Report


def check_targets(bound: BoundQuery, catalog: Catalog) -> None:
    """Refuse, before a long run, a name that is taken and a file that cannot be written."""
    if bound.into_name is not None:
        catalog.refuse_taken(Kind.RESULT, bound.into_name, replacing=True)
    path = bound.plan.path if isinstance(bound.plan, Export) else bound.into_file
    if path is not None:
        unfinished = unfinished_name(path)
        try:
            if Path(path).is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            unfinished.touch()
        except OSError as error:
            raise not_writable(path, error) from None
        finally:
            unfinished.unlink(missing_ok=True)


def unfinished_name(path: str) -> Path:
    """The file beside the target that becomes it when it is whole."""
    return Path(f"{path}.{os.getpid()}.part")


def not_writable(path: str, error: OSError) -> VistaQLError:
    """The error for a target of INTO or TO."""
    return VistaQLError(
        Code.NOT_WRITABLE,
        f"'{path}' cannot be written: {error.strerror or error}.",
        hint="Name a file in another folder.",
    )


@contextmanager
def working_folder() -> Iterator[str]:
    """A folder for what a run puts on disk, removed in any case. A disk that fills up is said to be full."""
    with tempfile.TemporaryDirectory(prefix="vistaql-", ignore_cleanup_errors=True) as folder:
        try:
            yield folder
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise VistaQLError(
                Code.OUT_OF_SPACE,
                f"The disk of {Path(folder).parent} is full.",
                hint="Free some space, or name another disk in the environment: TMPDIR=/big/disk vistaql ..",
            ) from error


def expected(bound: BoundQuery, catalog: Catalog) -> None:
    """Keep an answer without rows, so that statements behind a query that is not run can name its result."""
    if isinstance(bound.plan, Export):
        return
    nothing = Exploration(
        bound.text, bound.label, "", (), 0.0, "", None, (), Counts(0, 0, 0, 0, 0, 0, 0, 0, 0), 0, 0,
        PlanSummary("", False, "", (), 0.0, 0), 0.0, name=bound.into_name,
    )  # fmt: skip
    with catalog.transaction() as writer:
        writer.put_result(nothing)


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
    unfinished = unfinished_name(path)
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
        raise not_writable(path, error) from None
    finally:
        unfinished.unlink(missing_ok=True)
