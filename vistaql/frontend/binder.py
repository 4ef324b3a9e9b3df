"""From the AST of a query to its logical plan: names are looked up, defaults filled in, mistakes pointed at.

Binding reads the catalog and the facts of CNNs, and no images. A quoted path in place of a name is
described on the way, as CREATE would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from vistaql.errors import Code, Span, VistaQLError, did_you_mean
from vistaql.frontend import ast
from vistaql.frontend.columns import bind_features, bind_label, holds_path
from vistaql.frontend.joins import bind_join
from vistaql.frontend.learning import bind_evaluation, bind_learners
from vistaql.frontend.options import bind_settings, text_of
from vistaql.frontend.printer import to_text
from vistaql.frontend.scope import ParameterValue, Scope, Source
from vistaql.frontend.targets import Wanted, bind_targets
from vistaql.logical import nodes
from vistaql.logical.rules import rewritten
from vistaql.models import roster
from vistaql.models.cnn import Cnn
from vistaql.plan.node import Node
from vistaql.settings import Settings
from vistaql.stores.image_set import ImageSet
from vistaql.stores.tables import Table
from vistaql.stores.urls import as_path, is_url


class Names(Protocol):
    """What binding reads: the objects of the catalog by name, and descriptions of files."""

    def table(self, name: str) -> Table | None:
        """The table of that name."""

    def images(self, name: str) -> ImageSet | None:
        """The image set of that name."""

    def cnn(self, name: str) -> Cnn | None:
        """The CNN of that name: registered, or of the roster."""

    def names(self, kind: ast.ObjectKind) -> tuple[str, ...]:
        """All names of a kind, for suggestions."""

    def describe_table(self, alias: str, path: str) -> Table:
        """The table in a file, as CREATE TABLE would see it."""

    def describe_images(self, alias: str, path: str) -> ImageSet:
        """The images of a folder or manifest, as CREATE IMAGES would see them."""


@dataclass(frozen=True)
class Context:
    """What surrounds a statement: names, settings, parameters, and the folder that paths are relative to."""

    names: Names
    settings: Settings
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)

    def path(self, element: ast.Name | ast.Literal | ast.Parameter) -> str:
        """A path of the text: `~` expanded, relative to the script's folder; a URL, unless it means a path."""
        text = text_of(element, self.parameters)
        found = as_path(text)
        if is_url(found):
            return found
        return str(self.folder / Path(found).expanduser())


@dataclass(frozen=True)
class BoundQuery:
    """A query whose names are resolved: its logical plan, the settings in force, and where the answer goes.

    The plan says what the statement says; the rules of `logical/rules` rewrite it.
    """

    plan: nodes.Explore | nodes.Export
    settings: Settings
    text: str
    label: str = ""
    into_name: str | None = None
    into_file: str | None = None
    reduction: nodes.Reduction | None = None

    def rewritten(self) -> BoundQuery:
        """The same query, its plan rewritten by all rules: what is planned and run."""
        return replace(self, plan=rewritten(self.plan))


def bind_query(query: ast.Explore | ast.ExportLayers, context: Context) -> BoundQuery:
    """The logical plan of an EXPLORE or an EXPORT.

    Raises VistaQLError of the 12xx codes, with the span of the name that does not fit.
    """
    settings = bind_settings(query.options, context.settings, context.parameters)
    wanted = bind_targets(query.targets, lambda name: find_cnn(name, context), context.parameters)
    relation, scope = bind_relation(query, context)
    reduction = nodes.Reduction(query.per_key.value) if query.per_key else None
    if isinstance(query, ast.ExportLayers):
        rows = nodes.Rows(relation, ())
        features = plan_features(wanted, nodes.images_of(relation), reduction)
        path = context.path(query.path)
        check_ending(path, (".parquet",), query.path.span)
        export = nodes.Export(features, rows, path)
        return BoundQuery(export, settings, text(query), reduction=reduction)
    return bind_explore(query, context, settings, wanted, relation, scope)


def bind_explore(
    query: ast.Explore, context: Context, settings: Settings, wanted: tuple[Wanted, ...], relation: Node, scope: Scope
) -> BoundQuery:
    """The plan of an EXPLORE over its bound relation."""
    label, words = bind_label(query, scope, relation)
    evaluation, split = bind_evaluation(query.evaluate, scope)
    learners = bind_learners(query.learners, query.span, context.parameters)
    columns = bind_features(query.features, scope, relation, label, split)
    rows = nodes.Rows(relation, columns, label, split)
    images = nodes.images_of(relation)
    reduction = nodes.Reduction(query.per_key.value) if query.per_key else None
    features = plan_features(wanted, images, reduction)
    matrices = [nodes.Assemble(rows, item) for item in (*features, None)]
    trainings = tuple(nodes.Train(matrix, (learner,), evaluation) for learner in learners for matrix in matrices)
    into_name, into_file = bind_into(query, context)
    explore = nodes.Explore(trainings, best_alone=bool(columns))
    return BoundQuery(explore, settings, text(query), words, into_name, into_file, reduction)


def plan_features(
    wanted: tuple[Wanted, ...], images: nodes.ScanImages, reduction: nodes.Reduction | None
) -> tuple[nodes.Features, ...]:
    """Each layer from the pixels of every image, pooled when it is there; the rules find what they share."""
    features: list[nodes.Features] = []
    pixels = {item.cnn.input_size: nodes.Decode(images, item.cnn.input_size) for item in wanted}
    for item in wanted:
        tensor = nodes.Infer(pixels[item.cnn.input_size], item.cnn, item.layer)
        pooled = nodes.PoolLayer(tensor, item.pool, item.also)
        features.append(nodes.Reduce(pooled, reduction) if reduction else pooled)
    return tuple(features)


def find_cnn(name: ast.Name, context: Context) -> Cnn:
    """The CNN of that name, with weights that can be had."""
    cnn = context.names.cnn(name.text)
    if cnn is None:
        raise VistaQLError(
            Code.UNKNOWN_CNN,
            f"There is no CNN '{name.text}'.",
            span=name.span,
            hint=did_you_mean(name.text, context.names.names(ast.ObjectKind.CNN), "CNNs")
            + " REGISTER CNN adds others.",
        )
    if not roster.published(cnn):
        raise VistaQLError(
            Code.NO_WEIGHTS,
            f"{cnn.name} has no published weights.",
            span=name.span,
            hint=f"{roster.other_weights(cnn)}.",
        )
    return cnn


def bind_relation(query: ast.Explore | ast.ExportLayers, context: Context) -> tuple[Node, Scope]:
    """Images, joins, filter and sample."""
    images, source = bind_images(query.relation.images, context)
    relation: Node = nodes.ScanImages(images, source.alias)
    scope = Scope((source,), context.parameters)
    for join in query.relation.joins:
        table = find_table(join.right, context)
        relation, scope = bind_join(join, table, alias_of(join.right, context, scope), relation, scope)
    if query.where is not None:
        relation = nodes.Filter(relation, scope.condition(query.where))
    if query.sample is not None:
        relation = bind_sample(query.sample, relation, context)
    return relation, scope


def bind_sample(sample: ast.Sample, relation: Node, context: Context) -> nodes.Sample:
    """SAMPLE n ROWS or PERCENT, with an amount that makes sense."""
    percent = sample.unit is ast.SampleUnit.PERCENT
    amount = (
        sample.amount.value if isinstance(sample.amount, ast.Literal) else text_of(sample.amount, context.parameters)
    )
    try:
        number = float(str(amount))
    except ValueError:
        number = 0.0
    if number <= 0 or (percent and number > 100) or (not percent and number != int(number)):
        raise VistaQLError(
            Code.BAD_OPTION_VALUE,
            f"A sample of {amount} {sample.unit.value.lower()} cannot be drawn.",
            span=sample.span,
            hint="Write SAMPLE 1000, or SAMPLE 5 PERCENT.",
        )
    return nodes.Sample(relation, number, percent, sample.seed)


def bind_images(reference: ast.TableRef, context: Context) -> tuple[ImageSet, Source]:
    """The image set after FROM."""
    alias = alias_of(reference, context, None)
    if not isinstance(reference.source, ast.Name):
        with at_path(reference.source.span):
            images = context.names.describe_images(alias, context.path(reference.source))
    else:
        name = reference.source.text
        found = context.names.images(name)
        if found is None:
            hint = did_you_mean(name, context.names.names(ast.ObjectKind.IMAGES), "image sets")
            if (table := context.names.table(name)) is not None:
                hint = f"{name} is a table. {images_of_table(table)}"
            raise VistaQLError(
                Code.UNKNOWN_IMAGES, f"There is no image set '{name}'.", span=reference.source.span, hint=hint
            )
        images = found
    return images, Source(alias, images.columns, is_images=True)


def images_of_table(table: Table) -> str:
    """How to get an image set where a table is."""
    paths = [column.name for column in table.columns if holds_path(column)]
    if paths:
        return f"Write CREATE IMAGES {table.name}_images FROM {table.name} COLUMN {paths[0]}; first."
    return f"Write CREATE IMAGES photos FROM 'photos/'; first, and FROM photos JOIN {table.name} here."


def find_table(reference: ast.TableRef, context: Context) -> Table:
    """The table after JOIN."""
    if not isinstance(reference.source, ast.Name):
        with at_path(reference.source.span):
            return context.names.describe_table(default_alias(reference, context), context.path(reference.source))
    name = reference.source.text
    found = context.names.table(name)
    if found is None:
        hint = did_you_mean(name, context.names.names(ast.ObjectKind.TABLE), "tables")
        if context.names.images(name) is not None:
            hint = f"{name} is an image set. It stands first: FROM {name} JOIN table."
        raise VistaQLError(Code.UNKNOWN_TABLE, f"There is no table '{name}'.", span=reference.source.span, hint=hint)
    return found


@contextmanager
def at_path(span: Span) -> Iterator[None]:
    """Errors about a file point at its path."""
    try:
        yield
    except VistaQLError as error:
        error.span = error.span or span
        raise


def default_alias(reference: ast.TableRef, context: Context) -> str:
    """The name a source has without AS: its own, or the stem of its file."""
    if isinstance(reference.source, ast.Name):
        return reference.source.text
    stem = Path(text_of(reference.source, context.parameters)).name.split(".")[0].strip("*?")
    return stem or "source"


def alias_of(reference: ast.TableRef, context: Context, scope: Scope | None) -> str:
    """The name of a source in this query, which no other source has."""
    alias = reference.alias.text if reference.alias else default_alias(reference, context)
    if scope and any(source.alias.casefold() == alias.casefold() for source in scope.sources):
        raise VistaQLError(
            Code.DUPLICATE_NAME,
            f"Two sources are called '{alias}'.",
            span=reference.span,
            hint=f"Give one another name: AS {alias}2.",
        )
    return alias


def bind_into(query: ast.Explore, context: Context) -> tuple[str | None, str | None]:
    """The name or the file that keeps the result."""
    if query.into is None:
        return None, None
    if isinstance(query.into, ast.Name):
        return query.into.text, None
    path = context.path(query.into)
    check_ending(path, (".csv", ".json", ".parquet"), query.into.span)
    return None, path


def check_ending(path: str, endings: tuple[str, ...], span: Span) -> None:
    """A file's name says its format, and its folder exists."""
    if is_url(path):
        raise VistaQLError(
            Code.BAD_URL, "Files are written on this machine only.", span=span, hint="Name a path, and copy the file."
        )
    if Path(path).suffix.lower() not in endings:
        raise VistaQLError(
            Code.BAD_OPTION_VALUE,
            f"'{Path(path).name}' does not say a format that can be written.",
            span=span,
            hint=f"Let the name end in {one_of(endings)}.",
        )
    if not Path(path).parent.is_dir():
        raise VistaQLError(
            Code.FILE_NOT_FOUND,
            f"There is no folder {Path(path).parent}.",
            span=span,
            hint="Make it first, or name a file in a folder that exists.",
        )


def one_of(words: tuple[str, ...]) -> str:
    """Alternatives in a sentence.

    >>> one_of((".csv", ".json", ".parquet"))
    '.csv, .json or .parquet'
    """
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def text(query: ast.Statement) -> str:
    """The statement as it is kept: printed from its AST, secrets left out."""
    return to_text(query, redact=True)
