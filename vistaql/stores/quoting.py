"""Names and values as SQL text. Nothing else in the project may put quotes around text for DuckDB."""

from __future__ import annotations

import re
from collections.abc import Mapping

Scalar = str | int | float | bool | None
PLAIN = re.compile(r"[^\W\d]\w*")


def identifier(name: str) -> str:
    """A name that stays one name, whatever it holds.

    >>> identifier('odd "name" here')
    '"odd ""name"" here"'
    """
    return '"' + name.replace('"', '""') + '"'


def typed(name: str) -> str:
    """A name as a user would type it: quoted where it must be.

    >>> typed("ink"), typed("ink used")
    ('ink', '"ink used"')
    """
    return name if PLAIN.fullmatch(name) else identifier(name)


def literal(value: Scalar) -> str:
    """A value that stays one value.

    >>> literal("it's"), literal(True), literal(None), literal(2.5)
    ("'it''s'", 'true', 'NULL', '2.5')
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


def struct(fields: Mapping[str, str]) -> str:
    """Named strings, as the table functions take types of columns.

    >>> struct({"sku": "VARCHAR"})
    "{'sku': 'VARCHAR'}"
    """
    return "{" + ", ".join(f"{literal(name)}: {literal(value)}" for name, value in fields.items()) + "}"
