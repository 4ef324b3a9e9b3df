"""Values of Arrow tables as plain values of JSON, and as text."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import re
from collections.abc import Sequence
from decimal import Decimal

NULL = "NULL"
QUANTITY = re.compile(r"-?[\d.,]+ (?:[KMGT]?B|min|m?s)")
MOST_DIGITS = 11


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


def shown_column(values: list[object]) -> list[str]:
    """The cells of a column; fractions get equally many decimals, so that points stand below each other.

    >>> shown_column([0.25, 1.0, None, 31.125]), shown_column([1e-9, 2.5])
    (['0.250', '1.000', 'NULL', '31.125'], ['1e-09', '2.5'])
    """
    texts = [shown(value) for value in values]
    fractions = [(text, value) for text, value in zip(texts, values, strict=True) if isinstance(value, float)]
    finite = [text for text, value in fractions if math.isfinite(value)]
    decimals = max((len(text.partition(".")[2]) for text in finite), default=0)
    whole = max((len(text.partition(".")[0]) for text in finite), default=0)
    # Figures of very different size would be all zeros, before or after the point.
    if len(finite) != len(texts) - sum(value is None for value in values) or whole + decimals > MOST_DIGITS:
        return texts
    if any("e" in text for text in finite):
        return texts
    return [
        f"{value:.{decimals}f}" if isinstance(value, float) else text for text, value in zip(texts, values, strict=True)
    ]


def stands_right(texts: list[str]) -> bool:
    """Whether a column of texts holds quantities, whose units stand below each other.

    >>> stands_right(["114 KB", "2.2 MB", "NULL"]), stands_right(["12", "13"])
    (True, False)
    """
    told = [text for text in texts if text != NULL]
    return bool(told) and all(QUANTITY.fullmatch(text) for text in told)


def distinct(given: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns, made distinct: SELECT allows a name twice, an object of JSON does not."""
    names: list[str] = []
    for name in given:
        made, number = name, 2
        while made in names:
            made, number = f"{name}_{number}", number + 1
        names.append(made)
    return tuple(names)
