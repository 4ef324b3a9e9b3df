"""Sizes and durations: read from text, and printed for people.

Decimal prefixes are powers of 1,000 and binary ones powers of 1,024, as the standard has it.
"""

from __future__ import annotations

import re

SIZE_UNITS = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip
DURATION_UNITS = {"MS": 0.001, "S": 1.0, "MIN": 60.0, "H": 3600.0}
QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)


def parse_size(text: str) -> int | None:
    """Bytes, or None where the text is not a size.

    >>> parse_size("4GB"), parse_size("1.5 MiB"), parse_size("90s")
    (4000000000, 1572864, None)
    """
    found = QUANTITY.fullmatch(text)
    unit = SIZE_UNITS.get(found[2].upper()) if found else None
    return round(float(found[1]) * unit) if found and unit else None


def parse_duration(text: str) -> float | None:
    """Seconds, or None where the text is not a duration.

    >>> parse_duration("5min"), parse_duration("90s"), parse_duration("4GB")
    (300.0, 90.0, None)
    """
    found = QUANTITY.fullmatch(text)
    unit = DURATION_UNITS.get(found[2].upper()) if found else None
    return float(found[1]) * unit if found and unit else None


def format_size(count: float) -> str:
    """Bytes with a unit that leaves one to three digits before the point.

    >>> format_size(802816), format_size(14), format_size(4.2e9)
    ('803 KB', '14 B', '4.2 GB')
    """
    for unit in ("B", "KB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 9.95 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def format_duration(seconds: float) -> str:
    """Seconds as a person would say them.

    >>> format_duration(0.031), format_duration(3.9), format_duration(83), format_duration(7290)
    ('0.03 s', '3.9 s', '1 min 23 s', '2 h 2 min')
    """
    if seconds < 0.1:
        return f"{seconds:.2f} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        whole = round(seconds)
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def format_rate(value: float) -> str:
    """A rate in three digits.

    >>> format_rate(79e9), format_rate(0.009), format_rate(3.6)
    ('79 G', '0.009', '3.6')
    """
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {letter}"
    return f"{value:.3g}"
