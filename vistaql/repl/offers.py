"""What can be typed where the grammar wants a name: CNNs, layers, tables, columns, learners, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from vistaql.catalog.catalog import LAST
from vistaql.frontend import ast
from vistaql.help import TOPICS
from vistaql.learners import LEARNERS
from vistaql.learners.metrics import METRICS
from vistaql.models import roster
from vistaql.models.cnn import Cnn
from vistaql.models.listing import LayerRow, show_layers_rows
from vistaql.repl.options import option_names, option_values
from vistaql.repl.place import Offer, Place
from vistaql.stores.image_set import IMAGE_COLUMNS
from vistaql.stores.quoting import typed
from vistaql.stores.tables import ColumnInfo, Table


def names_for(place: Place) -> Iterator[Offer]:
    """The names that fit, by the rules of the grammar that a name here would complete."""
    for role in sorted(place.here.roles):
        # Repetitions have rules of their own, named after the list and numbered by lark.
        known = role.removeprefix("__").partition("_star_")[0] + "*" if "_star_" in role else role
        yield from BY_ROLE.get(known, nothing)(place)


def nothing(place: Place) -> Iterator[Offer]:  # noqa: ARG001, every role has such a function
    """No name that could be known: it is the user's to invent."""
    return iter(())


def cnns(place: Place) -> Iterator[Offer]:
    """All CNNs, with their input and what their weights are."""
    for name in place.world.names.names(ast.ObjectKind.CNN):
        cnn = place.world.cnn(name)
        if cnn is not None:
            yield Offer(typed(name), f"{cnn.input_size[0]}x{cnn.input_size[1]}, {len(cnn.points)} points, {ready(cnn)}")


def ready(cnn: Cnn) -> str:
    """What the weights of a CNN are.

    >>> ready(roster.load("strokes")), ready(roster.load("alexnet"))
    ('own weights', 'no weights')
    """
    if not roster.published(cnn):
        return "no weights"
    return {"imagenet": "ImageNet weights", "random": "random weights"}.get(cnn.weights.kind.value, "own weights")


def layers(place: Place) -> Iterator[Offer]:
    """The exploration points of the CNN that OF settles; those of all CNNs as long as nothing does."""
    settled = place.world.cnn(place.around.cnn or "")
    if settled is not None:
        yield from points(settled, "")
        return
    found: dict[str, list[Offer]] = {}
    for name in place.world.names.names(ast.ObjectKind.CNN):
        cnn = place.world.cnn(name)
        for offer in points(cnn, f"{name} ") if cnn else ():
            found.setdefault(offer.text, []).append(offer)
    for text, offers in found.items():
        others = f" and {len(offers) - 1} more" if len(offers) > 1 else ""
        yield Offer(text, offers[0].meaning + others)


def points(cnn: Cnn, prefix: str) -> Iterator[Offer]:
    """Layers with shape, size and cost, under their own name and under the one of the literature."""
    for row in layer_rows(cnn):
        meaning = f"{prefix}{row.shape}  {row.kilobytes:,.4g} KB  {row.gflops:.3g} GFLOPs"
        yield Offer(typed(row.layer), meaning)
        if row.alias:
            yield Offer(typed(row.alias), f"{meaning}  = {row.layer}")


@lru_cache(maxsize=64)
def layer_rows(cnn: Cnn) -> tuple[LayerRow, ...]:
    """The exploration points of a CNN; adding up their FLOPs takes longer than a key should."""
    return show_layers_rows(cnn, all_layers=False)


def sources(place: Place) -> Iterator[Offer]:
    """Image sets after FROM; after JOIN the tables, first those whose key says how they join."""
    if not place.here.after("JOIN"):
        yield from images(place)
        return
    joined = {source.name.casefold() for source in place.around.tables}
    tables = [table for table in place.world.tables if table.name.casefold() not in joined]
    for table in sorted(tables, key=lambda table: not table.key):
        key = f"key {', '.join(table.key)}" if table.key else "no key: add USING (column)"
        yield Offer(typed(table.name), f"{table.rows:,} rows, {key}")


def images(place: Place) -> Iterator[Offer]:
    """All image sets, with how many images they have."""
    for image_set in place.world.image_sets:
        yield Offer(typed(image_set.name), f"{image_set.statistics.count:,} images")


def tables(place: Place) -> Iterator[Offer]:
    """All tables."""
    for table in place.world.tables:
        yield Offer(typed(table.name), f"{table.rows:,} rows, {len(table.columns)} columns")


def columns(place: Place) -> Iterator[Offer]:
    """Columns of the sources that the statement names, with their types; of one source behind its name and a dot."""
    before = place.around.before
    if place.here.after("DOT") and len(before) > 1:
        alias = before[-2].name.casefold()
        wanted = [item for item in known_columns(place) if item[0].casefold() == alias]
        yield from (Offer(typed(info.name), info.type.value) for _, info in wanted)
        return
    found = list(known_columns(place))
    names = [info.name.casefold() for _, info in found]
    for alias, info in found:
        text = typed(info.name)
        if names.count(info.name.casefold()) > 1:
            text = f"{typed(alias)}.{text}"
        yield Offer(text, f"{info.type.value}, {alias}")


def known_columns(place: Place) -> Iterator[tuple[str, ColumnInfo]]:
    """The columns of the tables, then of the images, with what their source is called here."""
    for source in place.around.tables:
        table = place.world.table(source.name, is_path=source.is_path)
        yield from ((source.alias, info) for info in (table.columns if table else ()))
    pictures = place.around.images
    if pictures is not None:
        held = None if pictures.is_path else place.world.names.images(pictures.name)
        yield from ((pictures.alias, info) for info in (held.columns if held else IMAGE_COLUMNS))


def common_columns(place: Place) -> Iterator[Offer]:
    """For USING: the key of the table just named, then its other columns."""
    source = next(iter(reversed(place.around.tables)), None)
    if source is None:
        return
    table: Table | None = place.world.table(source.name, is_path=source.is_path)
    for info in sorted(table.columns, key=lambda info: info.name not in table.key) if table else ():
        yield Offer(typed(info.name), f"{info.type.value}{', key' if table and info.name in table.key else ''}")


def listed_names(place: Place) -> Iterator[Offer]:
    """Names in a list: metrics, or columns in parentheses."""
    opened = place.here.opened_by
    if opened[-1:] == ("USING",):
        yield from common_columns(place)
    elif opened[-1:] == ("EXCEPT",):
        yield from columns(place)
    elif "EVALUATE" in place.here.symbols:
        yield from (Offer(metric.name, metric.meaning) for metric in METRICS)


def learners(place: Place) -> Iterator[Offer]:  # noqa: ARG001, learners are the same everywhere
    """All learners, with their short names."""
    for learner in LEARNERS:
        yield Offer(learner.name, ", ".join(learner.aliases))


def named_objects(place: Place) -> Iterator[Offer]:
    """Objects of the kind that was just read, or of all kinds."""
    kinds = {"TABLE": tables, "IMAGES": images, "CNN": cnns, "RESULT": results}
    chosen = [kinds[symbol] for symbol in place.here.symbols[-1:] if symbol in kinds]
    every = place.here.after("DESCRIBE") or place.here.after("DESC")
    for offered in chosen or (kinds.values() if every else ()):
        yield from offered(place)


def results(place: Place) -> Iterator[Offer]:
    """Kept answers, and the last one."""
    for name in place.world.names.names(ast.ObjectKind.RESULT):
        yield Offer(typed(name), "result")
    yield Offer(LAST, "the last result")


def new_names(place: Place) -> Iterator[Offer]:
    """A name that more words follow; only CREATE IMAGES .. FROM wants a known one there."""
    if place.here.symbols[:2] in (("CREATE", "IMAGES"), ("CREATE", "IMAGE")) and place.here.after("FROM"):
        yield from (Offer(offer.text + " COLUMN ", offer.meaning) for offer in tables(place))


def columns_of_named_table(place: Place) -> Iterator[Offer]:
    """Columns of the table that stands before COLUMN."""
    before = place.around.before
    table = place.world.names.table(before[-2].name) if len(before) > 1 else None
    yield from (Offer(typed(info.name), info.type.value) for info in (table.columns if table else ()))


def words(*pairs: tuple[str, str]) -> Callable[[Place], Iterator[Offer]]:
    """Always the same words."""
    return lambda _: (Offer(text, meaning) for text, meaning in pairs)


POOLS = words(
    ("gap", "mean of each channel (default)"), ("gmp", "maximum of each channel"),
    ("max(2, 2)", "maxima on a grid"), ("avg(2, 2)", "means on a grid"), ("none", "the whole tensor"),
)  # fmt: skip
BUILDERS = words(("keras", "of keras.applications: keras 'MobileNet'"), ("file", "a saved model: file 'net.keras'"))

# A star stands for what lark makes of the second and further elements of a list.
BY_ROLE: dict[str, Callable[[Place], Iterator[Offer]]] = {
    "atom": columns,
    "describe": named_objects,
    "drop": named_objects,
    "format": words(("csv", ""), ("parquet", ""), ("json", "")),
    "from_builder": BUILDERS,
    "key": option_names,
    "key*": columns,
    "learner_call": learners,
    "_list{column}": columns,
    "_list{column}*": columns,
    "_list{name}": listed_names,
    "_list{name}*": listed_names,
    "named_layer": layers,
    "new_name": new_names,
    "pool": POOLS,
    "show_create": named_objects,
    "show_errors": images,
    "show_layers": cnns,
    "split_column": columns,
    "table_column_source": columns_of_named_table,
    "table_ref": sources,
    "target": cnns,
    "targets": cnns,
    "topic": words(*((name, meaning) for name, (meaning, _) in TOPICS.items())),
    "value": option_values,
}
