"""SHOW, DESCRIBE and HELP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vistaql.catalog import listings
from vistaql.catalog.catalog import Kind
from vistaql.frontend import ast
from vistaql.frontend.binder import Context, find_cnn
from vistaql.help import help_on
from vistaql.learners import LEARNERS, options_of
from vistaql.learners.metrics import METRICS
from vistaql.models import roster, stored
from vistaql.models.cnn import Cnn
from vistaql.models.listing import show_layers_rows
from vistaql.outcome import Outcome, Relation
from vistaql.settings import Settings
from vistaql.small_table import SmallTable

if TYPE_CHECKING:
    from vistaql.statements import Desk


def show(statement: ast.Statement, desk: Desk) -> Outcome:
    """Run a statement that only tells."""
    from vistaql.statements import pointing_at

    catalog = desk.catalog
    match statement:
        case ast.Show(listing):
            return show_listing(listing, desk)
        case ast.ShowLayers(name, all_layers):
            return layers(find_any_cnn(name, desk.context), all_layers=all_layers)
        case ast.ShowCreate(kind, name):
            with pointing_at(name.span):
                return listings.show_create(catalog, Kind(kind.value), name.text)
        case ast.ShowErrors(images):
            with pointing_at(images.span if images else statement.span):
                return listings.show_errors(catalog, images.text if images else None)
        case ast.Describe(kind, name):
            if kind is ast.ObjectKind.CNN or (kind is None and is_only_cnn(name, desk)):
                return describe_cnn(find_any_cnn(name, desk.context))
            with pointing_at(name.span):
                tables = {key: item.table for key, item in desk.registered.items()}
                return listings.describe(catalog, Kind(kind.value) if kind else None, name.text, tables)
        case ast.Help(topic):
            span = topic[0].span.to(topic[-1].span) if topic else statement.span
            return help_on(" ".join(part.text for part in topic), span)
    message = f"nothing to show: {statement}"
    raise TypeError(message)


def show_listing(listing: ast.Listing, desk: Desk) -> Relation:
    """SHOW with one word."""
    catalog = desk.catalog
    match listing:
        case ast.Listing.TABLES:
            return listings.show_tables(catalog, [item.table for item in desk.registered.values()])
        case ast.Listing.IMAGES:
            return listings.show_images(catalog)
        case ast.Listing.CNNS:
            known = [cnn for name in roster.names() if (cnn := roster.load(name))]
            return listings.show_cnns(catalog, known, stored.from_json)
        case ast.Listing.RESULTS:
            return listings.show_results(catalog)
        case ast.Listing.LEARNERS:
            return show_learners()
        case ast.Listing.METRICS:
            return relation({
                "name": [metric.name for metric in METRICS],
                "better": ["greater" if metric.greater_is_better else "less" for metric in METRICS],
                "meaning": [metric.meaning for metric in METRICS],
            })  # fmt: skip
        case ast.Listing.SETTINGS:
            return show_settings(desk.context.settings)
        case ast.Listing.CALIBRATION:
            from vistaql.calibrating import show_calibration

            return show_calibration(desk.catalog)


def show_learners() -> Relation:
    """Learners with their arguments, an argument a row."""
    rows = [
        (learner.name, item.name, f"{item.default:g}", item.meaning)
        for learner in LEARNERS
        for item in options_of(learner)
    ]
    titles = ("learner", "argument", "default", "meaning")
    return relation({title: [row[place] for row in rows] for place, title in enumerate(titles)})


def show_settings(settings: Settings) -> Relation:
    """Settings with their values."""
    rows = settings.describe()
    return relation({title: [row[place] for row in rows] for place, title in enumerate(("name", "value", "meaning"))})


def find_any_cnn(name: ast.Name, context: Context) -> Cnn:
    """The CNN of that name, whether or not its weights can be had."""
    return context.names.cnn(name.text) or find_cnn(name, context)


def is_only_cnn(name: ast.Name, desk: Desk) -> bool:
    """Whether a name is a CNN's and nothing else's."""
    names = desk.context.names
    taken = names.table(name.text) or names.images(name.text) or desk.catalog.entry(Kind.RESULT, name.text)
    return not taken and name.text != "_" and names.cnn(name.text) is not None


def layers(cnn: Cnn, *, all_layers: bool) -> Relation:
    """Name, alias, shape, KB an image and GFLOPs from pixels."""
    rows = show_layers_rows(cnn, all_layers=all_layers)
    columns: dict[str, list[str] | list[str | None] | list[float]] = {
        "layer": [row.layer for row in rows],
        "alias": [row.alias for row in rows],
        "shape": [row.shape for row in rows],
        "kb_an_image": [row.kilobytes for row in rows],
        "gflops": [row.gflops for row in rows],
    }
    return relation(columns, f"{'layers' if all_layers else 'exploration points'} of {cnn.name}")


def describe_cnn(cnn: Cnn) -> Relation:
    """Facts of a CNN, one a row."""
    height, width = cnn.input_size
    facts: dict[str, str | None] = {
        "built by": cnn.builder,
        "input": f"{height} x {width}",
        "preprocessing": cnn.preprocessing.value,
        "layers": f"{len(cnn.layers):,}",
        "exploration points": ", ".join(cnn.points),
        "parameters": f"{cnn.parameters:,}",
        "weights": cnn.weights.kind.value + (f" {cnn.weights.path}" if cnn.weights.path else ""),
        "weights sha256": cnn.weights.digest,
        "images a batch": str(cnn.batch_rows),
    }
    return relation({"fact": tuple(facts), "value": tuple(facts.values())}, f"CNN {cnn.name}")


def relation(columns: Mapping[str, Sequence[object]], title: str = "") -> Relation:
    """Columns as a relation."""
    return Relation(SmallTable(columns), title)
