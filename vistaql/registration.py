"""REGISTER CNN: read the facts of a CNN once, and keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistaql.catalog.catalog import Catalog
from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.frontend import ast
from vistaql.frontend.binder import Context
from vistaql.frontend.options import key_of, value_of
from vistaql.frontend.printer import to_text
from vistaql.models import roster, stored
from vistaql.models.cnn import Cnn, Preprocessing, Weights, WeightsKind
from vistaql.outcome import Report

if TYPE_CHECKING:
    from vistaql.engines.tensorflow.register import Builder, CnnOptions

OPTIONS = ("preprocessing", "input_size")


def register_cnn(statement: ast.RegisterCnn, context: Context, catalog: Catalog, threads: int) -> Report:
    """Read and keep a CNN of Keras, of a .keras file, or of the roster with other weights."""
    from vistaql.catalog.catalog import Kind, name_taken
    from vistaql.engines.tensorflow.register import read_cnn
    from vistaql.engines.tensorflow.runtime import set_threads
    from vistaql.statements import pointing_at

    holder = catalog.entry(Kind.CNN, statement.name.text)
    if holder is not None and not statement.or_replace:
        with pointing_at(statement.name.span):
            raise name_taken(holder, Kind.CNN)
    if holder is None and roster.load(statement.name.text) is not None and not statement.or_replace:
        raise VistaQLError(
            Code.NAME_TAKEN,
            f"'{statement.name.text}' is a CNN that comes with VistaQL.",
            span=statement.name.span,
            hint=f"Choose another name, or REGISTER OR REPLACE CNN; DROP CNN {statement.name.text}; undoes it.",
        )
    set_threads(threads, asked_for=context.settings.threads is not None)
    builder, source = where_from(statement, context)
    options = cnn_options(statement.options, context)
    element = statement.source or statement.builder or statement.name
    weights_span = statement.weights.span if statement.weights else element.span
    with pointing_at(element.span, FILE_NOT_FOUND=weights_span, NO_WEIGHTS=weights_span, BAD_MODEL=weights_span):
        cnn = read_cnn(statement.name.text, builder, source, weights_of(statement, context), options)
    with pointing_at(statement.name.span), catalog.transaction() as writer:
        text = to_text(absolute(statement, context), redact=True) + ";"
        writer.put_cnn(cnn.name, stored.to_json(cnn), text, replacing=statement.or_replace)
    return report(cnn)


def absolute(statement: ast.RegisterCnn, context: Context) -> ast.RegisterCnn:
    """The statement with absolute paths, so that SHOW CREATE works from any folder."""
    from dataclasses import replace

    builder, source = where_from(statement, context)
    changed = statement
    if statement.source is not None and builder.value == "file":
        changed = replace(changed, source=ast.Literal(source))
    if isinstance(statement.weights, ast.WeightsFile):
        changed = replace(changed, weights=ast.WeightsFile(ast.Literal(context.path(statement.weights.path))))
    return changed


def where_from(statement: ast.RegisterCnn, context: Context) -> tuple[Builder, str]:
    """Keras 'Name', file 'path', a bare path, or a CNN of the roster."""
    from vistaql.engines.tensorflow.register import Builder

    word = statement.builder.text.casefold() if statement.builder else "file"
    known = {item.value: item for item in Builder if item is not Builder.ROSTER}
    if statement.source is not None and word in known:
        builder = known[word]
        if builder is Builder.KERAS:
            from vistaql.frontend.options import text_of

            return builder, text_of(statement.source, context.parameters)
        return builder, context.path(statement.source)
    if statement.source is None and statement.builder is not None and roster.load(word) is not None:
        return Builder.ROSTER, word
    name = statement.builder or statement.name
    raise VistaQLError(
        Code.UNKNOWN_BUILDER,
        f"'{name.text}' is no place to take a CNN from.",
        span=name.span,
        hint="Write FROM keras 'MobileNet', FROM file 'net.keras', or FROM one of "
        + ", ".join(roster.names()) + " with WEIGHTS.",
    )  # fmt: skip


def weights_of(statement: ast.RegisterCnn, context: Context) -> Weights | None:
    """WEIGHTS 'file' or WEIGHTS RANDOM."""
    match statement.weights:
        case ast.WeightsFile(path):
            return Weights(WeightsKind.FILE, path=context.path(path))
        case ast.WeightsRandom(seed):
            return Weights(WeightsKind.RANDOM, seed=seed)
    return None


def cnn_options(options: tuple[ast.Option, ...], context: Context) -> CnnOptions:
    """WITH (preprocessing = word, input_size = pixels)."""
    from vistaql.engines.tensorflow.register import CnnOptions

    found = CnnOptions()
    for option in options:
        key, value = key_of(option), value_of(option.value, context.parameters)
        if key == "preprocessing" and str(value).casefold() in {item.value for item in Preprocessing}:
            found = CnnOptions(Preprocessing(str(value).casefold()), found.input_size)
        elif key == "input_size" and type(value) is int and value > 0:
            found = CnnOptions(found.preprocessing, (value, value))
        elif key in OPTIONS:
            words = ", ".join(item.value for item in Preprocessing)
            raise VistaQLError(
                Code.BAD_OPTION_VALUE, f"{key} cannot be '{value}'.", span=option.value.span,
                hint=f"preprocessing is one of {words}; input_size is a number of pixels.",
            )  # fmt: skip
        else:
            raise VistaQLError(
                Code.UNKNOWN_OPTION, f"REGISTER CNN has no option '{key}'.",
                span=option.key[0].span.to(option.key[-1].span), hint=did_you_mean(key, OPTIONS, "options"),
            )  # fmt: skip
    return found


def report(cnn: Cnn) -> Report:
    """What was found."""
    points = ", ".join(cnn.alias_of(point) or point for point in cnn.points)
    height, width = cnn.input_size
    lines = (
        f"CNN {cnn.name}: {len(cnn.layers):,} layers, {cnn.parameters:,} parameters, input {height} x {width}, "
        f"preprocessing {cnn.preprocessing.value}, weights {cnn.weights.kind.value}"
        + (f" (seed {cnn.weights.seed})" if cnn.weights.seed is not None else ""),
        f"  exploration points: {points}",
        *([f"  weights sha256 {cnn.weights.digest}"] if cnn.weights.digest else []),
    )
    facts: tuple[tuple[str, object], ...] = (
        ("created", "cnn"), ("name", cnn.name), ("layers", len(cnn.layers)), ("parameters", cnn.parameters),
        ("input_size", list(cnn.input_size)), ("preprocessing", cnn.preprocessing.value),
        ("weights", cnn.weights.kind.value), ("sha256", cnn.weights.digest), ("points", list(cnn.points)),
    )  # fmt: skip
    return Report(lines, facts)
