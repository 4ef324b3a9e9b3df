"""Every statement that is not a query: the AST on one side, the catalog's functions on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.catalog.catalog import Catalog, Kind
from vistaql.errors import Code, Span, VistaQLError, did_you_mean
from vistaql.frontend import ast
from vistaql.frontend.binder import Context
from vistaql.frontend.options import change_setting, key_of, setting_name, text_of, value_of
from vistaql.outcome import Outcome, Relation, Report
from vistaql.registration import register_cnn
from vistaql.settings import Settings, known_name, readers
from vistaql.spark_settings import is_spark
from vistaql.stores.files import not_found
from vistaql.stores.options import Options

if TYPE_CHECKING:
    from vistaql.catalog.statements import Existing
    from vistaql.names import Registered
    from vistaql.stores.relations import Query, Relations


@dataclass(frozen=True)
class Desk:
    """What a statement works with."""

    context: Context
    catalog: Catalog
    registered: Mapping[str, Registered]
    threads: int
    """TensorFlow threads, fixed when a statement first needs it"""


def execute(statement: ast.Statement, desk: Desk) -> Outcome | None:
    """Run a statement that is not a query; errors point at the words that caused them."""
    match statement:
        case ast.CreateTable():
            return create_table(statement, desk)
        case ast.CreateImages():
            return create_images(statement, desk)
        case ast.RegisterCnn():
            return register_cnn(statement, desk.context, desk.catalog, desk.threads)
        case ast.Drop(kind, name, if_exists):
            from vistaql.catalog.statements import drop

            with pointing_at(name.span):
                return drop(desk.catalog, Kind(kind.value), name.text, if_exists=if_exists)
        case ast.Select(sql):
            return select(sql, desk)
        case ast.Show() | ast.ShowLayers() | ast.ShowCreate() | ast.ShowErrors() | ast.Describe() | ast.Help():
            from vistaql.showing import show

            return show(statement, desk)
    message = f"no statement: {statement}"
    raise TypeError(message)


@contextmanager
def pointing_at(default: Span, **places: Span | None) -> Iterator[None]:
    """Give errors of the block a place: that of `places` for the code's name, else the default."""
    try:
        yield
    except VistaQLError as error:
        if error.span is None and error.source is None:
            error.span = places.get(error.code.name) or default
        raise


def create_table(statement: ast.CreateTable, desk: Desk) -> Report:
    """CREATE TABLE from a file, or from a query."""
    from vistaql.catalog.statements import create_table

    context = desk.context
    columns = (*statement.key, *([statement.label] if statement.label else []))
    in_sql = isinstance(statement.source, ast.RawSql)
    with pointing_at(
        statement.source.span, NAME_TAKEN=statement.name.span, **option_places(statement.options),
        UNKNOWN_OBJECT=statement.format.span if statement.format else None,
    ), at_column(columns), shifted(statement.source.span.start if in_sql else 0):  # fmt: skip
        return create_table(
            desk.catalog,
            statement.name.text,
            query_of(statement.source, desk)
            if isinstance(statement.source, ast.RawSql)
            else context.path(statement.source),
            format_word=statement.format.text if statement.format else None,
            key=tuple(name.text for name in statement.key),
            label=statement.label.text if statement.label else None,
            options=options_of(statement.options, context),
            existing=existing(statement),
            relations=known_relations(desk) if in_sql else None,
        )


@contextmanager
def at_column(names: tuple[ast.Name, ...]) -> Iterator[None]:
    """Point an error of an unknown column at the name that it quotes."""
    try:
        yield
    except VistaQLError as error:
        quoted = (name.span for name in names if f"'{name.text}'" in error.message)
        if error.code is Code.UNKNOWN_COLUMN and error.span is None:
            error.span = next(quoted, None)
        raise


def create_images(statement: ast.CreateImages, desk: Desk) -> Report:
    """CREATE IMAGES from a folder, a glob, a manifest, Parquet, or a column of a table."""
    from vistaql.catalog.statements import create_images
    from vistaql.stores.image_set import KeyKind, KeyRule

    context = desk.context
    source = statement.source
    key = None
    if statement.key is not None:
        argument = statement.key.argument
        key = KeyRule(
            KeyKind(statement.key.kind.value), None if argument is None else text_of(argument, context.parameters)
        )
    table = source if isinstance(source, ast.TableColumnSource) else None
    with pointing_at(
        source.span, NAME_TAKEN=statement.name.span, **option_places(statement.options),
        BAD_LITERAL=statement.key.span if statement.key else None,
        UNKNOWN_TABLE=table.table.span if table else None,
        UNKNOWN_COLUMN=table.column.span if table else None,
    ):  # fmt: skip
        return create_images(
            desk.catalog,
            statement.name.text,
            source.table.text if isinstance(source, ast.TableColumnSource) else context.path(source),
            column=table.column.text if table else None,
            folder=context.path(table.folder) if table and table.folder else None,
            key=key,
            label_from_folder=statement.label_from_folder,
            options=options_of(statement.options, context),
            existing=existing(statement),
        )


def existing(statement: ast.CreateTable | ast.CreateImages) -> Existing:
    """OR REPLACE and IF NOT EXISTS."""
    from vistaql.catalog.statements import Existing

    return Existing(statement.or_replace, statement.if_not_exists)


def options_of(options: tuple[ast.Option, ...], context: Context) -> Options:
    """Names and values of WITH."""
    return tuple((key_of(option), value_of(option.value, context.parameters)) for option in options)


def option_places(options: tuple[ast.Option, ...]) -> dict[str, Span | None]:
    """Errors of options point at WITH."""
    span = options[0].span.to(options[-1].span) if options else None
    return {"UNKNOWN_OPTION": span, "BAD_OPTION_VALUE": span}


def select(sql: ast.RawSql, desk: Desk) -> Relation:
    """SELECT, WITH and SUMMARIZE over everything that has a name."""
    from vistaql.stores.relations import run_select

    with shifted(sql.span.start):
        return Relation(run_select(query_of(sql, desk), known_relations(desk)))


def query_of(sql: ast.RawSql, desk: Desk) -> Query:
    """The SQL with its parameters."""
    from vistaql.stores.relations import Query

    return Query(sql.text, dict(desk.context.parameters), str(desk.context.folder))


def known_relations(desk: Desk) -> Relations:
    """Everything a SELECT can name."""
    from vistaql.catalog.results import relations_of

    return relations_of(desk.catalog, {item.table.name: (item.table, item.data) for item in desk.registered.values()})


@contextmanager
def shifted(offset: int) -> Iterator[None]:
    """Places inside raw SQL become places in the script."""
    try:
        yield
    except VistaQLError as error:
        if error.span is not None and error.source is None:
            error.span = Span(error.span.start + offset, error.span.end + offset)
        raise


def change_settings(statement: ast.SetOption | ast.Reset, context: Context) -> Settings:
    """SET and RESET."""
    if isinstance(statement, ast.SetOption):
        return change_setting(statement.option, context.settings, context.parameters)
    if statement.key is None:
        return context.settings.reset(None)
    return context.settings.reset(setting_name(statement.key))


def doubts(statement: ast.SetOption | ast.Reset) -> Report | None:
    """What to say of a setting of Spark that it does not know, and that is nearly one that it knows."""
    if isinstance(statement, ast.Reset):
        return None
    name = setting_name(statement.option.key)
    if not is_spark(name):
        return None
    from vistaql.engines.spark.known import meant

    close = meant(name)
    said = f"Spark has no setting '{name}', and is told it all the same. Did you mean {close}?"
    return Report((said,), (("unknown", name), ("meant", close))) if close else None


def changed_setting(settings: Settings, name: str, value: object) -> Settings:
    """A setting given by a program or on the command line, as text or as a value."""
    known = known_name(name)
    if known is None:
        raise VistaQLError(
            Code.UNKNOWN_SETTING, f"There is no setting '{name}'.", hint=did_you_mean(name, readers(), "settings")
        )
    try:
        return settings.changed(known, plain_number(value))
    except ValueError as error:
        raise VistaQLError(Code.BAD_OPTION_VALUE, f"{name} cannot be '{value}'.", hint=f"Write {error}.") from None


def plain_number(value: object) -> object:
    """Text that is a number, as a number: the command line gives text only.

    >>> plain_number("2"), plain_number("0.5"), plain_number("lazy")
    (2, 0.5, 'lazy')
    """
    for kind in (int, float):
        try:
            return kind(value) if isinstance(value, str) else value
        except ValueError:
            continue
    return value


def read_script(path: Path, span: Span | None = None) -> str:
    """The text of a script, in UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        error = not_found(str(path))
        error.span = span
        raise error from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise VistaQLError(
            Code.UNREADABLE_FILE,
            f"'{path}' cannot be read: {reason}.",
            span=span,
            hint="Check who may read it.",
        ) from None
    except UnicodeDecodeError:
        raise VistaQLError(
            Code.UNREADABLE_FILE, f"'{path}' is not text in UTF-8.", span=span, hint="Save it as UTF-8."
        ) from None
