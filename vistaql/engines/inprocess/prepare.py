"""Everything before inference: list the images, join the rows, read the label, count what was left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vistaql.engines.inprocess.fitting import Learnable
from vistaql.engines.inprocess.relational import (
    COPIES,
    KEY,
    LABEL,
    SPLIT,
    JoinedRows,
    Surroundings,
    join_rows,
)  # fmt: skip
from vistaql.errors import Code, Span, VistaQLError
from vistaql.learners.classes import Classes, read_classes
from vistaql.learners.columns import StructuredColumns
from vistaql.learners.folds import check_folds, sample
from vistaql.learners.leakage import giveaways
from vistaql.logical.evaluation import Evaluation
from vistaql.logical.nodes import (
    Explore,
    Export,
    Filter,
    Reduction,
    Rows,
    Sample,
    ScanImages,
    ScanTable,
    Train,
    images_of,
    rows_of,
)  # fmt: skip
from vistaql.physical.sizes import Sizes
from vistaql.stores.duck import Limits
from vistaql.stores.headers import image_headers
from vistaql.stores.image_set import ParquetBytesSource
from vistaql.stores.image_views import headers_inside
from vistaql.stores.listing import list_images
from vistaql.stores.quoting import identifier, typed

if TYPE_CHECKING:
    import pyarrow as pa

# DuckDB cannot start with less; a plan that has no room is refused later, in words.
LEAST_FOR_ROWS = 256_000_000


@dataclass(frozen=True, eq=False)
class Prepared:
    """A query whose rows are joined and whose images are counted, ready for a choice of plan."""

    listing: pa.Table
    joined: JoinedRows
    learnable: Learnable
    classes: Classes | None
    evaluation: Evaluation | None
    sizes: Sizes
    notes: tuple[str, ...]


def prepare(
    query: Explore | Export,
    reduction: Reduction | None,
    memory: Mapping[str, pa.Table],
    threads: int,
    join: Callable[[Rows, Surroundings], JoinedRows] = join_rows,
    memory_bytes: int | None = None,
) -> Prepared:
    """Run the part of a query that needs no pixel. `join` runs its scans and joins, here or elsewhere.

    Raises SEVERAL_IMAGES_A_KEY, NO_ROWS, ONE_CLASS and the other 13xx errors, pointing at the label.
    """
    import pyarrow as pa

    rows = rows_of(query)
    images = images_of(query)
    listing = list_images(images.images)
    check_one_image_a_key(listing, images.images.name, reduction)
    limits = Limits(threads, None if memory_bytes is None else max(memory_bytes, LEAST_FOR_ROWS))
    joined = join(rows, Surroundings(for_join(listing, rows), memory, limits, draw))
    if not joined.table.num_rows:
        raise no_rows(joined, rows)
    evaluation = next((node.evaluation for node in query.walk() if isinstance(node, Train)), None)
    classes = None if rows.label is None else classes_of(joined, rows)
    table = joined.table if classes is None else joined.table.filter(pa.array(classes.labelled))
    learnable = Learnable(
        table[KEY].to_pylist(),
        shown_names(table.select(list(rows.columns)), rows),
        np.zeros(table.num_rows, dtype=np.int64) if classes is None else classes.codes,
        () if classes is None else classes.names,
        table[SPLIT].to_pylist() if rows.split else None,
    )
    notes = () if classes is None or evaluation is None else checked(learnable, classes, evaluation, rows)
    return Prepared(listing, joined, learnable, classes, evaluation, sizes_of(query, listing, learnable), notes)


def draw(keys: list[str], node: Sample) -> list[str]:
    """The keys that a sample keeps."""
    mask = sample(keys, node.amount, node.seed, percent=node.percent)
    return [key for key, kept in zip(keys, mask, strict=True) if kept]


def check_one_image_a_key(listing: pa.Table, name: str, reduction: Reduction | None) -> None:
    """Several images of a key need PER KEY."""
    import pyarrow.compute as pc

    different = pc.count_distinct(listing[KEY]).as_py()
    if reduction is None and different < listing.num_rows:
        raise VistaQLError(
            Code.SEVERAL_IMAGES_A_KEY,
            f"'{name}' has {listing.num_rows:,} images and {different:,} keys, so some keys have several images.",
            hint="Say how their features become one: add PER KEY mean (or max, or first).",
        )


def for_join(listing: pa.Table, rows: Rows) -> pa.Table:
    """The listing with one row a key (that of its first path), and with the sizes of the images that are read."""
    scan = images_of(rows)
    images, read = scan.images, {column.name for column in scan.reads}
    inside = isinstance(images.source, ParquetBytesSource)
    if inside and read & {"bytes", "width", "height"}:
        return one_row_a_key(headers_inside(images))
    unique = one_row_a_key(listing)
    return image_headers(unique) if read & {"width", "height"} else unique


def one_row_a_key(listing: pa.Table) -> pa.Table:
    """The first row of each key of a listing sorted by key, and how many rows the key has."""
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = listing[KEY].combine_chunks()
    new = pc.not_equal(keys.slice(1), keys.slice(0, len(keys) - 1)).to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.concatenate(([True], new))) if len(keys) else np.empty(0, np.int64)
    return listing.take(starts).append_column(COPIES, pa.array(np.diff(starts, append=len(keys)), pa.int64()))


def classes_of(joined: JoinedRows, rows: Rows) -> Classes:
    """The label of every row as a class; errors point at the expression."""
    with pointing_at_label(rows):
        return read_classes(joined.table[LABEL], label_words(rows))


def checked(rows: Learnable, classes: Classes, evaluation: Evaluation, source: Rows) -> tuple[str, ...]:
    """Refuse folds that cannot be made; name what the user should know before believing the figures."""
    with pointing_at_label(source):
        tested = rows.tested(evaluation)
        check_folds(classes.codes, tested)
    folds = int(tested.max()) + 1
    notes = list(classes.notes(folds)) if folds > 1 else []
    if rows.table.num_columns:
        columns = StructuredColumns.of(rows.table)
        notes += columns.notes
        given = giveaways(columns, rows.codes, tested)
        names = ", ".join(typed(item.column) for item in given)
        label = label_words(source)
        notes += [
            f"{item.column} alone gives {label} in {item.accuracy:.1%} of rows: FEATURES * EXCEPT ({names})."
            for item in given
        ]
    return tuple(notes)


@contextmanager
def pointing_at_label(rows: Rows) -> Iterator[None]:
    """Errors about the label point at its expression, where the text has one."""
    try:
        yield
    except VistaQLError as error:
        is_split = error.code is Code.BAD_EVALUATION
        if error.span is None and rows.label is not None and rows.label.span != (0, 0) and not is_split:
            error.span = Span(*rows.label.span)
        raise


def no_rows(joined: JoinedRows, rows: Rows) -> VistaQLError:
    """Why nothing is left to learn from, at the condition where that is to blame."""
    counts = joined.counts
    found = f"No row is left: {counts.images:,} images, {counts.rows:,} rows, "
    if counts.images_without_row == counts.images:
        message = f"{found}and none of the images has a row."
        look = f"SELECT key FROM {typed(images_of(rows).images.name)} LIMIT 5;"
        hint = f"Look at both sides of the join: {look} and the column it is compared with."
        return VistaQLError(Code.NO_ROWS, message, hint=hint)
    where = next((node.predicate.span for node in rows.walk() if isinstance(node, Filter)), None)
    if where is None:
        return VistaQLError(Code.NO_ROWS, f"{found}and the sample has none.", hint="Take more of them: SAMPLE 1000.")
    span = Span(*where) if where != (0, 0) else None
    return VistaQLError(
        Code.NO_ROWS, f"{found}and the condition keeps none.", span=span, hint="Ask for less in WHERE, or leave it out."
    )


def shown_names(table: pa.Table, rows: Rows) -> pa.Table:
    """Columns under their own names where those are unique, else with the name of their table."""
    own = own_names(rows)
    plain = [own[name] for name in rows.columns]
    return table.rename_columns(
        [short if plain.count(short) == 1 else name for short, name in zip(plain, rows.columns, strict=True)]
    )


def own_names(rows: Rows) -> dict[str, str]:
    """The names that columns have in their tables; a dot may be part of either name, so cutting would not do."""
    return {
        f"{source.alias}.{column.name}": column.name
        for source in rows.walk()
        if isinstance(source, ScanTable | ScanImages)
        for column in (source.table if isinstance(source, ScanTable) else source.images).columns
    }


def label_words(rows: Rows) -> str:
    """What is predicted: the expression as it was written, or the column's own name."""
    if rows.label is None:
        return LABEL
    column = rows.label.columns[0] if rows.label.columns else ""
    return own_names(rows)[column] if rows.label.sql == identifier(column) else rows.label.words


def sizes_of(query: Explore | Export, listing: pa.Table, rows: Learnable) -> Sizes:
    """Exact counts, and the statistics of the image set."""
    statistics = images_of(query).images.statistics
    tables = {node.table.source: node.table.bytes for node in query.walk() if isinstance(node, ScanTable)}
    width = StructuredColumns.of(rows.table).width if rows.table.num_columns else 0
    wanted = set(rows.keys)
    matching = sum(key in wanted for key in listing[KEY].to_pylist())
    return Sizes(
        images=matching,
        all_images=listing.num_rows,
        rows=len(rows.keys),
        columns=width,
        classes=max(2, len(rows.class_names)),
        image_pixels=statistics.mean_pixels or 500.0 * 375.0,
        image_bytes=statistics.mean_bytes,
        table_bytes=sum(tables.values()),
        exact=True,
    )
