"""Predicates in the SQL of Spark, where both engines are known to compare alike; None everywhere else.

Both have three-valued logic, order texts by their bytes and NaN above all numbers. They differ in functions, patterns,
divisions, casts and in what an overflow is, so none of these is handed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from vistaql.logical.nodes import Predicate

TOKEN: Final = re.compile(
    r"""(?P<name>"(?:[^"]|"")*") | (?P<text>'(?:[^']|'')*') | (?P<number>\d+(?:\.\d+)?(?![\w.]))
      | (?P<word>[A-Za-z_]\w*) | (?P<mark><=|>=|<>|[=<>(),]) | (?P<space>\s+)""",
    re.VERBOSE,
)
WORDS: Final = frozenset({"AND", "OR", "NOT", "IS", "NULL", "IN", "BETWEEN"})
FAMILIES: Final = {
    "VARCHAR": "text",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE"), "number"),
}
"""What is compared with its like only. A FLOAT is not here: what it becomes beside a decimal differs."""


def spark_condition(predicate: Predicate, types: Mapping[str, str]) -> str | None:
    r"""A predicate over columns of these types (DuckDB's words) that compares texts, or numbers, and not both.

    >>> types = {"a.size": "BIGINT", "a.kind": "VARCHAR"}
    >>> spark_condition(Predicate('("a.size" > 3)', ("a.size",), ""), types)
    '(`a.size` > 3)'
    >>> spark_condition(Predicate('''("a.kind" IN ('it''s', '\\'))''', ("a.kind",), ""), types)
    "(`a.kind` IN ('it\\'s', '\\\\'))"
    >>> spark_condition(Predicate('("a.kind" LIKE \'x%\')', ("a.kind",), ""), types) is None
    True
    """
    families = {FAMILIES.get(types[name]) for name in predicate.columns}
    shown: list[str] = []
    place = 0
    while place < len(predicate.sql):
        found = TOKEN.match(predicate.sql, place)
        if found is None:
            return None
        place = found.end()
        kind, token = str(found.lastgroup), found[0]
        if kind == "word" and token not in WORDS:
            return None
        families |= {kind} & {"text", "number"}
        shown.append(token_in_spark(kind, token))
    return "".join(shown) if len(families) == 1 and None not in families else None


def token_in_spark(kind: str, token: str) -> str:
    """A token of DuckDB's SQL as Spark writes it."""
    if kind == "name":
        return quoted(token[1:-1].replace('""', '"'))
    if kind == "text":
        return "'" + token[1:-1].replace("''", "'").replace("\\", "\\\\").replace("'", "\\'") + "'"
    return token


def equality(predicate: Predicate, types: Mapping[str, str]) -> str | None:
    """The condition of a join that sets columns of one type equal, for Spark; None for any other.

    >>> types = {"a.key": "VARCHAR", "b.sku": "VARCHAR"}
    >>> equality(Predicate('("a.key" = "b.sku")', ("a.key", "b.sku"), ""), types)
    '(`a.key` = `b.sku`)'
    """
    plain = re.sub(r'"(?:[^"]|"")*"', '"', predicate.sql)
    return spark_condition(predicate, types) if re.fullmatch(r'[\s()"=]*(AND[\s()"=]*)*', plain) else None


def quoted(name: str) -> str:
    """A name in the SQL of Spark.

    >>> quoted("a.b`c")
    '`a.b``c`'
    """
    return "`" + name.replace("`", "``") + "`"
