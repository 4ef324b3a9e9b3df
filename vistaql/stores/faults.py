"""What DuckDB says of a query, in our terms: the place in its text, and what to type next."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from vistaql.errors import Code, Span, VistaQLError, did_you_mean, nearest
from vistaql.stores import places
from vistaql.stores.duck import Fault
from vistaql.stores.urls import is_url

KEYWORDS = ("SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "JOIN", "USING", "DISTINCT")
FORM = "The SQL is DuckDB's: SELECT columns FROM table WHERE condition GROUP BY .. ORDER BY .. LIMIT 5;"
SHORTEST_MISSPELLING = 4


def explanation(fault: Fault, text: str, folder: str | None, names: Iterable[str]) -> VistaQLError:
    """The error for a query that DuckDB refuses; `names` are those that a query may mention."""
    span = place(fault, text)
    if fault.kind == "Catalog" and fault.message.startswith("Table") and fault.name is not None:
        return VistaQLError(
            Code.UNKNOWN_TABLE,
            f"There is no table, image set or result '{fault.name}'.",
            span=span,
            hint=did_you_mean(fault.name, names, "names"),
        )
    if fault.kind == "Binder" and fault.name is not None and "not found in FROM clause" in fault.message:
        candidates = re.findall(r'"([^"]+)"', fault.message.partition("Candidate bindings:")[2])
        return VistaQLError(
            Code.UNKNOWN_COLUMN,
            f"There is no column '{fault.name}' here.",
            span=span,
            hint=did_you_mean(fault.name, candidates, "nearest columns") if candidates else FORM,
        )
    if missing := re.match(r'No files found that match the pattern "(.*)"', fault.message):
        start = text.find(missing[1])
        path = missing[1] if is_url(missing[1]) else os.path.join(folder or "", missing[1])
        error = places.missing(path)
        error.span = Span(start, start + len(missing[1])) if start >= 0 else span
        return error
    if "extension to be" in fault.message or "httpfs" in fault.message:
        return VistaQLError(
            Code.SQL, "Files behind URLs need the package fsspec.", span=span, hint="pip install 'vistaql[remote]'"
        )
    if "No space left" in fault.message:
        return VistaQLError(Code.OUT_OF_SPACE, f"The disk is full: {fault.first_line}.", hint="Free some space.")
    before = text[: span.start] if span else text
    return VistaQLError(Code.SQL, f"{fault.first_line}.", span=span, hint=way_out(fault, before))


def way_out(fault: Fault, before: str) -> str:
    r"""What to type next; `before` is the query up to the place of the error.

    >>> way_out(Fault("Parser", 'syntax error at or near "t"'), "SELECT * FORM ")
    'Did you mean FROM?'
    >>> way_out(Fault("Binder", "Ambiguous reference to column name \"a\" (use: 't.a' or 'u.a')"), "")
    'Write t.a or u.a.'
    """
    if use := re.search(r"\(use: (.*)\)", fault.message):
        return f"Write {use[1].replace(chr(39), '')}."
    if fault.kind == "Parser":
        words = re.findall(r"\w+", before)
        close = words and _misspelt(words[-1])
        return f"Did you mean {close}?" if close else FORM
    if fault.kind == "Conversion":
        return "TRY_CAST(.. AS ..) gives NULL where CAST fails."
    if re.match(r"No function matches the given name and argument types '[^\w]", fault.message):
        return "CAST(column AS DOUBLE) makes a number of a text."
    lines = [line.strip() for line in fault.message.split("\n")[1:] if line.strip()]
    return " ".join(lines[:3]) or FORM


def _misspelt(word: str) -> str | None:
    if len(word) < SHORTEST_MISSPELLING or word.upper() in KEYWORDS:
        return None
    return nearest(word, KEYWORDS)


def place(fault: Fault, text: str) -> Span | None:
    """DuckDB counts bytes, a span counts characters."""
    if fault.span is None:
        return None
    encoded = text.encode()
    if fault.span.start >= len(encoded):
        return None
    start = len(encoded[: fault.span.start].decode(errors="ignore"))
    length = len(encoded[fault.span.start : fault.span.end].decode(errors="ignore"))
    return Span(start, start + max(1, length))
