"""Where in the text a query is to blame for an error that only its run has shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from vistaql.errors import Code, Span, VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.options import key_of

OF_IMAGES = frozenset({Code.SEVERAL_IMAGES_A_KEY, Code.TOO_MANY_BAD_IMAGES, Code.BAD_IMAGE, Code.NO_IMAGES})
OF_LABEL = frozenset({Code.ONE_CLASS, Code.TOO_MANY_CLASSES, Code.TOO_FEW_ROWS})
OF_CNN = frozenset(
    {Code.NOT_FINITE, Code.DOWNLOAD_FAILED, Code.NO_WEIGHTS, Code.WEIGHTS_CHANGED, Code.BAD_MODEL, Code.UNSAFE_MODEL}
)
OF_TARGET = frozenset({Code.NAME_TAKEN, Code.NOT_WRITABLE})


@contextmanager
def at_clauses(query: ast.Explore | ast.ExportLayers) -> Iterator[None]:
    """Let errors without a place point at the clause that they are about, and their hints fit its way of setting."""
    try:
        yield
    except VistaQLError as error:
        if error.span is None and error.source is None:
            error.span = clause_of(error.code, query)
        if error.code is Code.NO_FEASIBLE_PLAN and error.hint:
            error.hint = as_options(error.hint, query.options)
        raise


def clause_of(code: Code, query: ast.Explore | ast.ExportLayers) -> Span | None:
    """The words that an error of this code is about; None where it is about none."""
    relation = query.relation
    joined = relation.joins[0].span if relation.joins else relation.images.span
    if code in OF_IMAGES:
        return relation.images.span
    if code in OF_TARGET:
        target = query.path if isinstance(query, ast.ExportLayers) else query.into
        return target.span if target else None
    if code in OF_CNN:
        return query.targets[0].span.to(query.targets[-1].span)
    match code:
        case Code.NO_ROWS:
            return joined
        case Code.NO_FEASIBLE_PLAN:
            spans = [option.span for option in query.options if key_of(option) in ("memory_limit", "plan")]
            return spans[0].to(spans[-1]) if spans else None
    if isinstance(query, ast.Explore):
        if code in OF_LABEL:
            blamed = (query.sample if code is Code.TOO_FEW_ROWS else query.label) or query.where
            return blamed.span if blamed else joined
        if code is Code.BAD_EVALUATION and query.evaluate and query.evaluate.split:
            return query.evaluate.split.span
    return None


def as_options(hint: str, options: tuple[ast.Option, ...]) -> str:
    """A hint in which what WITH has set is set by WITH again: there a SET would change nothing."""
    for option in options:
        name = key_of(option)
        hint = re.sub(rf"SET {re.escape(name)} = (\w+(?:\.\w+)?)", rf"WITH ({name} = \1)", hint)
    return hint
