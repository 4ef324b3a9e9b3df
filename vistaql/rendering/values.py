"""Values of Arrow tables as plain values of JSON, and as text."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

NULL = "NULL"


def plain(value: object) -> object:
    """What JSON can say of a value: NaN and infinities are null, times are ISO 8601, bytes are base64.

    >>> plain({"a": (1, float("nan"))}), plain(b"ab"), plain(dt.date(2024, 1, 31))
    ({'a': [1, None]}, 'YWI=', '2024-01-31')
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return plain(float(value))
        case dt.date() | dt.time():
            return value.isoformat()
        case dt.timedelta():
            return value.total_seconds()
        case _:
            return plain(value.item()) if hasattr(value, "item") else str(value)


def one_line(value: object) -> str:
    """JSON on one line, in ASCII, so that it passes through every pipe and names no colour."""
    return json.dumps(plain(value), ensure_ascii=True, allow_nan=False)


def shown(value: object) -> str:
    """A value as a cell of a table.

    >>> shown(None), shown(0.1 + 0.2), shown(1200), shown([1, 2.5]), shown(True)
    ('NULL', '0.3', '1200', '[1, 2.5]', 'true')
    """
    match value:
        case None:
            return NULL
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return f"[{', '.join(map(shown, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {shown(item)}' for key, item in value.items())}}}"
        case bytes():
            return f"{len(value)} bytes"
        case _:
            return str(value)


def column_names(table: pa.Table) -> tuple[str, ...]:
    """The names of the columns, made distinct: SELECT allows a name twice, an object of JSON does not."""
    names: list[str] = []
    for name in table.column_names:
        made, number = name, 2
        while made in names:
            made, number = f"{name}_{number}", number + 1
        names.append(made)
    return tuple(names)


def is_number(kind: pa.DataType) -> bool:
    """Whether a column holds numbers, which stand at the right."""
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
