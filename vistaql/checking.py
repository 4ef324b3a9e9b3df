"""All the errors of a script at once: what binding finds in statements that are not run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vistaql.errors import Code, VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.binder import Context, bind_query

MOST_ERRORS = 20
UNKNOWN_NAMES = frozenset({Code.UNKNOWN_TABLE, Code.UNKNOWN_IMAGES, Code.UNKNOWN_CNN, Code.UNKNOWN_OBJECT})
BINDING = "VQL12"
"""what the codes of errors in the text itself begin with, which no run can mend"""


def name_made_by(statement: ast.Statement) -> str | None:
    """The name that a statement gives to something.

    >>> from vistaql.frontend.parser import parse
    >>> name_made_by(parse("CREATE TABLE t FROM 't.csv'").statements[0])
    't'
    """
    match statement:
        case ast.CreateTable() | ast.CreateImages() | ast.RegisterCnn():
            return statement.name.text
        case ast.Explore(into=ast.Name(text)):
            return text
    return None


def follows_from(error: VistaQLError, lost: Iterable[str]) -> bool:
    """Whether an error only says that a name is missing which an earlier statement would have made."""
    if error.code is Code.NOTHING_BEFORE:
        return True
    if error.code not in UNKNOWN_NAMES or error.span is None or error.source is None:
        return False
    named = error.source[error.span.start : error.span.end].strip('"').casefold()
    return named in {name.casefold() for name in lost}


def collected(
    statements: Iterable[ast.Statement], source: str, lost: set[str], bind: Callable[[ast.Statement], None]
) -> tuple[VistaQLError, ...]:
    """The errors that `bind` raises for statements of a text, without those that follow from another.

    `lost` are names that statements before them would have made.
    """
    found: list[VistaQLError] = []
    for statement in statements:
        try:
            bind(statement)
        except VistaQLError as error:
            error.in_source(source)
            name = name_made_by(statement)
            if name:
                lost.add(name)
            if not follows_from(error, lost) and len(found) < MOST_ERRORS:
                found.append(error)
    return tuple(found)


def errors_behind(statements: tuple[ast.Statement, ...], context: Context, text: str) -> tuple[VistaQLError, ...]:
    """What is wrong with the queries behind the statement that failed, the first, whatever a run would do."""
    lost = {name for statement in statements if (name := name_made_by(statement))}

    def bind(statement: ast.Statement) -> None:
        if isinstance(statement, ast.Explore | ast.ExportLayers):
            bind_query(statement, context)

    found = collected(statements[1:], text, lost, bind)
    return tuple(error for error in found if error.code.value.startswith(BINDING))


def raise_all(errors: tuple[VistaQLError, ...]) -> None:
    """Raise the first error with the others attached; nothing where there is none."""
    if errors:
        errors[0].others = (*errors[0].others, *errors[1:])
        raise errors[0] from errors[0].__cause__
