"""Columns of tables, and what their values are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ColumnType(Enum):
    """What the values of a column are, in the same words for every format."""

    NUMBER = "number"
    INTEGER = "integer"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "time"
    BYTES = "bytes"
    OTHER = "other"


@dataclass(frozen=True)
class ColumnInfo:
    """A column: `type` as it is read, `sql_type` as the file holds it, in DuckDB's words.

    They differ for keys, which are read as text whatever the file holds.
    """

    name: str
    type: ColumnType
    sql_type: str


NUMBERS = ("FLOAT", "DOUBLE", "DECIMAL", "REAL")
TIMES = ("DATE", "TIME", "INTERVAL")


def column_of(name: str, sql_type: str) -> ColumnInfo:
    """A column from DuckDB's description. JSON values of mixed types are text.

    >>> column_of("price", "DECIMAL(9,2)").type, column_of("tags", "VARCHAR[]").type
    (<ColumnType.NUMBER: 'number'>, <ColumnType.OTHER: 'other'>)
    """
    if sql_type == "JSON":
        return ColumnInfo(name, ColumnType.TEXT, "VARCHAR")
    if sql_type.endswith("]") or sql_type.startswith(("STRUCT", "MAP", "UNION")):
        return ColumnInfo(name, ColumnType.OTHER, sql_type)
    kinds = {
        ColumnType.BOOLEAN: sql_type == "BOOLEAN",
        ColumnType.BYTES: sql_type == "BLOB",
        ColumnType.TEXT: sql_type in ("VARCHAR", "UUID") or sql_type.startswith("ENUM"),
        ColumnType.TIME: sql_type.startswith(TIMES),
        ColumnType.INTEGER: sql_type.endswith(("INT", "INTEGER")),
        ColumnType.NUMBER: sql_type.startswith(NUMBERS),
    }
    return ColumnInfo(name, next((kind for kind, holds in kinds.items() if holds), ColumnType.OTHER), sql_type)
